"""What every line of a store is."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of a store. Default values are left out on disk."""

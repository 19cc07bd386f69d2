"""What every line of a store is."""

from __future__ import annotations

import msgspec

FORMAT = 1
"""The form of all stores together. A field with a default needs no new one; what an older program would misread does, and
comes with the reading of the older form."""


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of a store. Default values are left out on disk."""

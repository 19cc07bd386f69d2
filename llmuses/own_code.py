"""Code of the user's own, named as ``module:name``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any


def own_object(spec: str) -> Any:
    """Return what ``module:name`` stands for; the module may lie in the current folder.

    Raises ImportError or AttributeError where there is none.
    """
    module, _, name = spec.partition(":")
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` has it, which the installed command does not
    try:
        return getattr(importlib.import_module(module), name)
    finally:
        sys.path.pop(0)

"""Whether a key was written into a models.yaml by hand, where the name of its variable belongs."""

from __future__ import annotations

import re
from pathlib import Path

MODELS = "models.yaml"

_KEY = re.compile(
    r"""(?<![A-Za-z])(?:key|secret|password|authorization|(?:api|access|auth|bearer|hf)[_-]?(?:key|token))["']?[ \t]*[:=][ \t]*"""
    r"""(?!["']{2}|null\b|~)["']?[^\s"'{}\[,#&*|>]""",
    re.IGNORECASE,
)
"""A value beside a name of its kind: ``api_key: sk-…``. Names of variables (``api_key_env``) are none."""

_NO_NAME = re.compile(r"""api_key_env["']?[ \t]*:[ \t]*["']?(?![A-Za-z_]\w*["']?[ \t]*(?:[,}#\r\n]|\Z))[^\s"'{}\[,#]""")
"""What stands where a variable is named, and is no name."""

_IN_ADDRESS = re.compile(r"""://[^\s/@"']*:[^\s/@"']+@""")
"""The password of an address: ``https://me:…@example.org``."""


def holds_key(path: Path) -> bool:
    """Return whether a file has a key or a password in it, in a comment too; False where it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    return any(pattern.search(text) for pattern in (_KEY, _NO_NAME, _IN_ADDRESS))

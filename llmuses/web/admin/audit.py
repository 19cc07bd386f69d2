"""The audit log: who did what in the admin room. No secret gets into it, even where somebody typed one into a form."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from llmuses.records import AuditLine
from llmuses.store import JsonlStore, Sync

_TYPED = re.compile(
    r"""(?i)\b(api[_-]?key|secret|token|password|authorization)(\W{0,6}[:=][\s\\"']*)([^\s,}\\"']+(?:[ ][^\s,}\\"']+)?)"""
)
"""A value beside a name of its kind: ``api_key: sk-…``. Names of variables (``api_key_env``) are none."""

_IN_ADDRESS = re.compile(r"(://[^\s/@\"]*:)[^\s/@\"]+@")
"""The password of an address: ``https://me:…@example.org``."""

_KEPT = re.compile(r"(?i)key|secret|token|password")
_HIDDEN = "[hidden]"


def without_secrets(text: str) -> str:
    """Return a text with secrets hidden: what the environment holds of them, and what stands where only a secret does."""
    secrets = {value for name, value in os.environ.items() if len(value) >= 8 and _KEPT.search(name)}
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, _HIDDEN)
    return _TYPED.sub(rf"\1\2{_HIDDEN}", _IN_ADDRESS.sub(rf"\1{_HIDDEN}@", text))


class AuditLog:
    """``audit.jsonl`` beside the jobs. What a person did is on disk before it is done."""

    def __init__(self, folder: Path):
        self._store = JsonlStore(folder / "audit.jsonl", AuditLine, Sync.ALWAYS)

    def say(self, by: str, deed: str, about: str = "", address: str = "") -> None:
        """Write down what somebody is about to do, or tried. Raises StoreError: the deed is then left undone."""
        self._store.append(
            AuditLine(by=by, deed=deed, about=without_secrets(about)[:2000], address=address, tstamp=time.time())
        )

    def last(self, number: int) -> list[AuditLine]:
        """Return the last lines, newest first."""
        return list(self._store)[-number:][::-1]

"""The mark of a folder of runs: in which form its stores are, and which folder it is."""

from __future__ import annotations

import secrets
from pathlib import Path

from llmuses.errors import NewerFormatError
from llmuses.records import FORMAT, FolderMark
from llmuses.store import read_json, write_json

NAME = ".llmuses.json"


def read_mark(outputs: Path) -> FolderMark | None:
    """Return the mark of a folder, None where it has none: it is of the first form then. Raises StoreError."""
    path = outputs / NAME
    return read_json(path, FolderMark) if path.exists() else None


def check_format(outputs: Path) -> None:
    """Raise NewerFormatError where the stores of a folder were written by a llmuses that is newer than this one."""
    found = read_mark(outputs)
    if found is not None and found.format > FORMAT:
        raise NewerFormatError(outputs, found.format, FORMAT)


def marked(outputs: Path, folder: str = "") -> FolderMark:
    """Return the folder's mark, which it is given where it has none: the name ``folder``, or one that nobody has.

    Raises NewerFormatError, and StoreError where it cannot be written.
    """
    check_format(outputs)
    found = read_mark(outputs)
    if found is None or (folder and found.folder != folder):
        found = FolderMark(folder=folder or secrets.token_hex(8))
        write_json(outputs / NAME, found)
    return found

"""What of a folder of runs is kept, read while others write.

Stores that only grow end at their last whole line; all other files are replaced whole by whoever writes them, so that an
open one stays what it was. What says whether a run is public is kept as it is, torn too, and empty where it is no plain
file: a run that it hides is hidden after a restore. Locks, caches and files on their way are left out, and so are secrets,
and a models.yaml into which a key was written, unless they are asked for. A folder that cannot be read is an error: a backup without it would look whole.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, NamedTuple

from llmuses.errors import StoreError
from llmuses.keeping.around import ACCOUNTS, FOLDER, Around, around
from llmuses.keeping.written_keys import MODELS, holds_key
from llmuses.records import KeptFile
from llmuses.settings import arena_dir
from llmuses.visibility import FILE as VISIBILITY

PIECE = 4 << 20
"""Bytes of a piece: a file that grows by a line changes its last one only."""

_SECRETS = ("secret", ACCOUNTS)
"""What signs sessions and salts pseudonyms, and the admin room's accounts, which a restore puts into the folder. Their names alone
tell them: a folder has many spellings, and old ones."""

_WHY = " (a key is written in it: name its variable instead, api_key_env)"

_PASSING = (".*", "*.lock", "lock", "*.new", "*.counts", "*.jsonl.index")
_PASSING_FOLDERS = (".*", "spent", "lost+found")
"""Names of what lasts for a moment, or is computed again."""

_GROWING = (".jsonl", ".torn")
_BLOCK = 1 << 16
_NOTHING = Path(os.devnull)
"""What is kept for a decision that is no plain file: an empty one, which nobody can read either."""

_TRICKS = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
"""No name of ours has such; a surrogate is a byte that is no UTF-8, which no manifest can name."""


class Contents(NamedTuple):
    """Files to keep, by their paths in the backup, and what was left out though it is more than a lock or a cache."""

    files: dict[str, Path]
    left_out: list[str]


def places(outputs: Path) -> dict[str, Path]:
    """Return the folders that belong to a folder of runs, by what their files' paths begin with in a backup."""
    arena = arena_dir(outputs)
    inside = arena.resolve().is_relative_to(outputs.resolve())
    return {"": outputs} if inside else {"arena-live/": arena, "": outputs}


def contents(outputs: Path, secrets: bool = False) -> Contents:
    """Return what there is to keep of a folder of runs, and of the arena's where it is elsewhere.

    Files elsewhere that the surroundings name (LLMUSES_MODELS and the like) are in ``settings``. Links are not followed.
    ``secrets`` takes along the keys that sign sessions and salt pseudonyms, and the accounts of the admin room. Raises
    StoreError where a folder cannot be read.
    """
    files: dict[str, Path] = {}
    left_out: list[str] = []
    named = {each.path.resolve(): each for each in around()}
    for prefix, root in places(outputs).items():
        for path in _walk(root, left_out, prefix):
            name = prefix + path.relative_to(root).as_posix()
            if _is_no_file(path) and is_safe(name):
                files[name] = _NOTHING
                continue
            each = named.pop(path.resolve(), None)
            secret = path.name in _SECRETS or (each is not None and each.secret)
            if not secrets and _has_key(path, each):
                left_out.append(_shown(name) + _WHY)
            elif (secret and not secrets) or not is_safe(name):
                left_out.append(_shown(name))
            else:
                files.setdefault(name, path)
    for place, each in named.items():
        if not secrets and _has_key(place, each):
            left_out.append(_shown(str(each.path)) + _WHY)
        elif (each.secret and not secrets) or not place.is_file():
            left_out.append(_shown(str(each.path)) + ("" if place.is_file() else " (not there)"))
        else:
            files[f"{FOLDER}/{each.name}"] = place
    return Contents(dict(sorted(files.items())), sorted(left_out))


def _has_key(path: Path, each: Around | None) -> bool:
    """Return whether a path is a file of models that holds a key; ``each`` says what it is where the surroundings name it."""
    return MODELS in (path.name, each.name if each else "") and holds_key(path)


def _walk(root: Path, left_out: list[str], prefix: str) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, onerror=_unless_gone):
        here = Path(folder)
        if _is_no_file(here / VISIBILITY):
            yield here / VISIBILITY
        folders[:] = [name for name in folders if not _passes(name, _PASSING_FOLDERS) and name != VISIBILITY]
        names = [name for name in names if not _passes(name, _PASSING)]
        links = [name for name in (*folders, *names) if (here / name).is_symlink()]
        left_out += [f"{prefix}{_shown((here / name).relative_to(root).as_posix())} (a link)" for name in links]
        for name in names:
            if name not in links and (here / name).is_file():
                yield here / name


def _is_no_file(path: Path) -> bool:
    """Return whether a path is what hides a run by not being a file: a link, a pipe, a folder."""
    return path.name == VISIBILITY and os.path.lexists(path) and (path.is_symlink() or not path.is_file())


def _unless_gone(problem: OSError) -> None:
    if not isinstance(problem, FileNotFoundError):
        raise StoreError(f"cannot read {problem.filename}: {problem.strerror}") from problem


def _passes(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _shown(name: str) -> str:
    """Return a name with a question mark for each byte that is no text."""
    return name.encode("utf-8", "replace").decode()


def is_safe(path: str) -> bool:
    """Return whether a path of a backup stays below the folder that it is put into, and names nothing hidden."""
    parts = path.split("/")
    return not _TRICKS.search(path) and all(part and not part.startswith(".") for part in parts) and len(path) < 1000


class OpenFile:
    """A file as it is at this moment: ``size`` bytes of it are kept. ``pieces`` yields them."""

    def __init__(self, file: IO[bytes], path: Path):
        self._file = file
        self._path = path
        self.size = os.fstat(file.fileno()).st_size
        if path.suffix in _GROWING and path.name != VISIBILITY:
            self.size = _last_line(file, self.size)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, 4 MiB at a time. Raises StoreError where the file was cut meanwhile."""
        left = self.size
        self._file.seek(0)
        while left:
            piece = self._file.read(min(PIECE, left))
            if not piece:
                raise StoreError(f"{self._path} was cut while it was read: back up once more.")
            left -= len(piece)
            yield piece


def opened(path: Path) -> OpenFile | None:
    """Return an open file, None where it has gone meanwhile. Raises StoreError where it cannot be read."""
    try:
        return OpenFile(open(path, "rb", buffering=0), path)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise StoreError(f"cannot read {path}: {problem.strerror or problem}") from problem


def _last_line(file: IO[bytes], size: int) -> int:
    """Return where the last whole line before ``size`` ends."""
    end = size
    while end > 0:
        begin = max(0, end - _BLOCK)
        newline = os.pread(file.fileno(), end - begin, begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return 0


def hashed(piece: bytes) -> str:
    """Return the SHA-256 of a piece in hex."""
    return hashlib.sha256(piece).hexdigest()


def kept(path: str, file: OpenFile) -> KeptFile:
    """Return what a manifest says of a file."""
    return KeptFile(path=path, size=file.size, pieces=[hashed(piece) for piece in file.pieces()])

"""Files of a backup on their way into a folder: written aside first, checked, then moved in.

Nothing is written over: a folder that holds anything is refused, or what it holds is moved aside in one piece.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from llmuses.errors import BackupError, StoreError, UsageError
from llmuses.keeping.around import ACCOUNTS
from llmuses.keeping.contents import hashed, is_safe, places
from llmuses.keeping.mark import NAME, marked
from llmuses.records import FORMAT, KeptFile, Manifest
from llmuses.settings import jobs_dir
from llmuses.store import try_lock

_STAGED = ".restoring-"
_UNFINISHED = ".restore-unfinished"
"""Stands in a folder as long as files are being moved into it: where it stays, whoever moved them was killed."""

_HASH = re.compile(r"[0-9a-f]{64}")


FETCHED = ".fetched-"
"""What the name of a folder begins with that holds what was fetched for a restore."""


class Staging:
    """A place beside what is there, on the same disk."""

    def __init__(self, outputs: Path):
        self._roots = places(outputs)
        self.aside: list[Path] = []
        """Where what was there before was moved."""

    def _folder(self, root: Path) -> Path:
        return root / f"{_STAGED}{os.getpid()}"

    def write(self, kept: KeptFile, pieces: Iterator[bytes]) -> None:
        """Write a file aside. Raises BackupError where its bytes are not what the manifest says."""
        prefix = next(prefix for prefix in self._roots if kept.path.startswith(prefix))
        path = self._folder(self._roots[prefix]) / kept.path.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        size, found = 0, []
        mode = 0o600 if path.name in ("secret", ACCOUNTS) else 0o644
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            for piece in pieces:
                file.write(piece)
                size += len(piece)
                found.append(hashed(piece))
            file.flush()
            os.fsync(file.fileno())
        if (size, found) != (kept.size, kept.pieces):
            raise BackupError(f"the backup's file '{kept.path}' is damaged.")

    def settle(self, manifest: Manifest, replace: bool) -> None:
        """Move everything into place."""
        outputs, stamp = self._roots[""], time.strftime("%Y%m%d-%H%M%S")
        (outputs / _UNFINISHED).touch()
        for root in self._roots.values():
            if replace and (before := _entries(root)):
                aside = _made(root / f".before-restore-{stamp}")
                for name in before:
                    os.rename(root / name, aside / name)
                self.aside.append(aside)
            if self._folder(root).exists():
                for name in os.listdir(self._folder(root)):
                    os.rename(self._folder(root) / name, root / name)
        (outputs / NAME).unlink(missing_ok=True)
        marked(outputs, manifest.folder)
        (outputs / _UNFINISHED).unlink()

    def clear(self) -> None:
        """Take away what was written aside and not moved, by whoever was killed before, too."""
        for root in self._roots.values():
            for path in (*root.glob(f"{_STAGED}*"), *root.glob(f"{FETCHED}*")):
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def staged(outputs: Path, manifest: Manifest, replace: bool = False) -> Iterator[Staging]:
    """Give a place to write a backup's files to; with the end of the context they are in ``outputs``, all or none.

    Where a process is killed while it moves them, ``is_unfinished`` says so. Raises UsageError where the folder holds
    anything and ``replace`` is not set, or where a server or another restore works in it; StoreError where it cannot be
    written or has no room.
    """
    _check_free(outputs, replace)
    _check_nobody_works(outputs)
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        with _alone(outputs):
            _check_free(outputs, replace)
            _check_room(outputs, manifest)
            staging = Staging(outputs)
            staging.clear()
            try:
                yield staging
                staging.settle(manifest, replace)
            finally:
                staging.clear()
    except OSError as problem:
        raise StoreError(f"cannot restore into {outputs}: {problem.strerror or problem}") from problem


def _check_free(outputs: Path, replace: bool) -> None:
    if not replace and not is_empty(outputs):
        raise UsageError(f"{outputs} is not empty; name another folder, or move what is there aside with --replace.")


@contextlib.contextmanager
def _alone(outputs: Path) -> Iterator[None]:
    """Hold a lock on the folder itself, which leaves no file behind. Raises UsageError where somebody else has it."""
    place = os.open(outputs, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another restore works in {outputs}: wait until it has ended.") from None
        except OSError:
            pass  # some disks of a network lock no folder: it is then as it was without a lock
        yield
    finally:
        os.close(place)


def is_unfinished(outputs: Path) -> bool:
    """Return whether a restore into a folder broke off while files were moved: some of them are there, and some are not."""
    return (outputs / _UNFINISHED).exists()


def check_manifest(manifest: Manifest) -> None:
    """Raise BackupError for a manifest that no backup of ours has, and NewerFormatError for one of a newer llmuses."""
    from llmuses.errors import NewerFormatError

    if manifest.format > FORMAT:
        raise NewerFormatError("the backup", manifest.format, FORMAT)
    paths = [kept.path for kept in manifest.files]
    wrong = next((path for path in paths if not is_safe(path)), None)
    if wrong is not None:
        raise BackupError(f"the backup names a file that leads out of its folder: {wrong[:100]!r}.")
    if len(set(paths)) < len(paths):
        raise BackupError("the backup names a file twice.")
    if any(kept.size < 0 or not all(map(_HASH.fullmatch, kept.pieces)) for kept in manifest.files):
        raise BackupError("the backup's manifest names a piece that is none.")


def _made(folder: Path) -> Path:
    """Make a folder that was not there, of this name or with a number behind it: two restores may be of one second."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    free.mkdir()
    return free


def is_empty(outputs: Path) -> bool:
    """Return whether a folder of runs, and its arena's, hold nothing but what is hidden."""
    return not any(_entries(root) for root in places(outputs).values())


def _entries(root: Path) -> list[str]:
    if not root.exists():
        return []
    return [name for name in os.listdir(root) if not name.startswith(".") and name != "lost+found"]


def _check_nobody_works(outputs: Path) -> None:
    lock = jobs_dir(outputs) / "supervisor.lock"
    if lock.exists():
        with open(lock, "r+") as file:
            if not try_lock(file):
                raise UsageError(f"a server works in {outputs}: stop it first.")


def _check_room(outputs: Path, manifest: Manifest) -> None:
    size, free = sum(kept.size for kept in manifest.files), shutil.disk_usage(outputs).free
    if size > free:
        raise StoreError(f"the backup needs {size / 1e6:,.0f} MB in {outputs}, and {free / 1e6:,.0f} MB are free.")

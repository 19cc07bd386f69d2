"""A copy of a folder of runs on a hub, brought up to date every few minutes while the server runs.

What did not work is said (``OUTPUTS/.backup.json``, the admin room, the metrics) and tried again; the server never waits.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from llmuses.errors import BackupError, LlmusesError, UsageError
from llmuses.keeping.contents import contents, hashed, opened
from llmuses.keeping.hubs import Shelf, path_of, shelf
from llmuses.keeping.mark import marked
from llmuses.keeping.placing import FETCHED, check_manifest, is_empty, is_unfinished, staged
from llmuses.keeping.standing import WHERE_ENV, mirror_state, note, state_of, wanted
from llmuses.records import KeptFile, Manifest
from llmuses.settings import read_only
from llmuses.store import try_lock

MINUTES_ENV = "LLMUSES_BACKUP_MINUTES"
_BATCH, _MOST = 64 << 20, 250
"""Bytes, and pieces, that go to the hub at once."""

_LAST_SECONDS = 30.0
"""So long the end of the server waits for the last copy."""

_log = logging.getLogger(__name__)


class _Seen(NamedTuple):
    """A file as it was copied last: what tells that it has not changed, and what the manifest says of it."""

    stat: tuple[int, int, int]
    kept: KeptFile


class Mirror:
    """Copies a folder to a place. One thread at a time."""

    def __init__(self, outputs: Path, where: str):
        if "@" in where:
            raise UsageError(f"'{where}' is an earlier state: a backup is kept in the dataset itself, without '@'.")
        self._outputs = outputs
        self._where = where
        self._shelf: Shelf = shelf(where)
        self._seen: dict[str, _Seen] = {}
        self._there: set[str] = set()
        """The objects that the place holds."""
        self._copied: list[KeptFile] = []
        self._last: float | None = None
        """The time of the manifest that the place holds; None before it was asked."""

    def push(self) -> Manifest | None:
        """Bring the place up to date; None where nothing had changed.

        Raises BackupError where the place holds the backup of another folder, or what another server wrote there, and
        whatever the hub's library raises.
        """
        mark = marked(self._outputs)
        found = contents(self._outputs)
        if self._last is not None and self._is_same(found.files):
            return None
        self._shelf.prepare()  # each time: ModelScope's library would make one that is gone anew, and public
        self._look(mark.folder)
        seen = self._sent(found.files)
        files = [one.kept for one in seen.values()]
        if files == self._copied:
            self._seen = seen
            return None
        from llmuses import __version__

        now = time.time()
        manifest = Manifest(
            folder=mark.folder, files=files, left_out=found.left_out, llmuses_version=__version__, tstamp=now
        )
        needed = {piece for kept in files for piece in kept.pieces}
        self._look(mark.folder)  # once more: the pieces took their time
        note(self._outputs, self._where, sent=now)
        self._shelf.settle(msgspec.json.encode(manifest), sorted(self._there - needed))
        note(self._outputs, self._where, known=now, sent=None)
        self._seen, self._there, self._copied, self._last = seen, needed, files, now
        return manifest

    def _look(self, folder: str) -> None:
        """Learn what the place holds, where that is not what was put there last. Raises BackupError where it is not for us to
        write over."""
        before = _manifest(self._shelf)
        last = 0.0 if before is None else before.tstamp
        if last == self._last:
            return
        if before is not None and before.folder != folder:
            raise BackupError(
                f"{self._where} holds the backup of another folder: name another dataset, or restore that one first "
                f"(llmuses restore {self._where})."
            )
        if before is not None and not self._is_known(last):
            raise BackupError(
                f"another server has written to {self._where} since this one did, and nothing is written over that: name "
                f"another dataset for this server, or stop it and take over that copy (llmuses restore {self._where} --replace)."
            )
        self._last, self._seen = last, {}
        self._copied = [] if before is None else before.files
        self._there = {piece for kept in self._copied for piece in kept.pieces}

    def _is_known(self, tstamp: float) -> bool:
        """Return whether a manifest of this time was read or written by this folder, which may know of none yet."""
        state = state_of(self._outputs, self._where)
        known = {self._last, state.known, state.sent} - {None}
        return not known or tstamp in known

    def _is_same(self, files: dict[str, Path]) -> bool:
        """Return whether nothing has changed since the last copy."""
        seen = self._seen
        return files.keys() == seen.keys() and all(_stat(path) == seen[name].stat for name, path in files.items())

    def _sent(self, files: dict[str, Path]) -> dict[str, _Seen]:
        """Send the pieces that the place lacks and return the files as they are now."""
        seen: dict[str, _Seen] = {}
        with TemporaryDirectory() as folder:
            batch = _Batch(Path(folder), self._shelf, self._there)
            for name, path in files.items():
                if (now := self._looked_at(name, path, batch)) is not None:
                    seen[name] = now
            batch.send()
        return seen

    def _looked_at(self, name: str, path: Path, batch: _Batch) -> _Seen | None:
        before, stat = self._seen.get(name), _stat(path)
        if before is not None and before.stat == stat:
            return before
        if stat is None or (file := opened(path)) is None:
            return None
        with contextlib.closing(file):
            pieces = [batch.add(piece) for piece in file.pieces()]
        return _Seen(stat, KeptFile(path=name, size=file.size, pieces=pieces))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns)


class _Batch:
    """Pieces on their way: those that the place lacks are written to a folder and sent some at a time."""

    def __init__(self, folder: Path, place: Shelf, there: set[str]):
        self._folder = folder
        self._place = place
        self._there = there
        self._waiting: dict[str, Path] = {}
        self._size = 0

    def add(self, piece: bytes) -> str:
        """Take a piece and return its name."""
        name = hashed(piece)
        if name not in self._there and name not in self._waiting:
            path = self._folder / name
            path.write_bytes(piece)
            self._waiting[name] = path
            self._size += len(piece)
            if self._size >= _BATCH or len(self._waiting) >= _MOST:
                self.send()
        return name

    def send(self) -> None:
        """Send what waits."""
        if self._waiting:
            self._place.put(self._waiting)
            for path in self._waiting.values():
                path.unlink(missing_ok=True)
            self._there |= self._waiting.keys()
            self._waiting, self._size = {}, 0


def _manifest(place: Shelf) -> Manifest | None:
    said = place.manifest()
    if said is None:
        return None
    try:
        manifest = msgspec.json.decode(said, type=Manifest)
    except msgspec.DecodeError as problem:
        raise BackupError(f"the backup's manifest cannot be read ({problem}).") from problem
    check_manifest(manifest)
    return manifest


# --- the way back --------------------------------------------------------------------------------------------


def fetch(where: str, outputs: Path, replace: bool = False) -> tuple[Manifest, list[Path]] | None:
    """Put the copy of a place into a folder, and return what it holds and where what was there was moved; None where the
    place holds no copy. Raises BackupError where it cannot be read, and what ``staged`` raises."""
    place = shelf(where)
    with _in_words(where):
        manifest = _manifest(place)
        if manifest is None:
            return None
        with (
            staged(outputs, manifest, replace) as staging,
            TemporaryDirectory(dir=outputs, prefix=FETCHED) as folder,
        ):
            place.take(Path(folder))
            for kept in manifest.files:
                staging.write(kept, ((Path(folder) / path_of(name)).read_bytes() for name in kept.pieces))
        if "@" not in where:  # an earlier state is put back on purpose: it may be copied over what came later
            note(outputs, where, known=manifest.tstamp, sent=None)
        return manifest, staging.aside


@contextlib.contextmanager
def _in_words(where: str) -> Iterator[None]:
    try:
        yield
    except LlmusesError:
        raise
    except Exception as problem:  # the boundary to the hubs' libraries: whatever they raise ends in one line
        raise BackupError(f"{where} cannot be read: {_in_a_line(problem).rstrip('.')}.") from problem


# --- while the server runs -----------------------------------------------------------------------------------


@contextlib.contextmanager
def mirroring(outputs: Path) -> Iterator[None]:
    """Keep the copy that LLMUSES_BACKUP names up to date as long as the context lasts; an empty folder is filled from it.

    Raises UsageError for a place or a time that cannot be meant; BackupError where an empty folder cannot be filled: to
    begin anew beside a copy would end in two histories. A folder into which a restore broke off is filled anew, or refused.
    """
    where, unfinished = wanted(), is_unfinished(outputs)
    if not where:
        if unfinished:
            raise BackupError(f"a restore into {outputs} broke off: restore once more, with --replace.")
        yield
        return
    seconds = 60 * _minutes()
    mirror = Mirror(outputs, where)
    if unfinished or is_empty(outputs):
        _filled(where, outputs, unfinished)
    if read_only():  # a copy of the copy, which must not be written over it
        yield
        return
    stopped = threading.Event()
    thread = threading.Thread(target=_loop, args=(mirror, outputs, where, seconds, stopped), daemon=True, name="backup")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_LAST_SECONDS)


def _minutes() -> float:
    said = os.environ.get(MINUTES_ENV) or "5"
    try:
        minutes = float(said)
    except ValueError:
        minutes = 0
    if not 0 < minutes < 10_000:
        raise UsageError(f"{MINUTES_ENV}={said} is no number of minutes.")
    return minutes


def _filled(where: str, outputs: Path, unfinished: bool) -> None:
    """Fill a folder. A hub shows what one may not see as what is not there: the dataset is seen, or made, before it is empty."""
    try:
        if not read_only():
            with _in_words(where):
                shelf(where).prepare()
        found = fetch(where, outputs, replace=unfinished)
        if found is None and (unfinished or read_only()):
            raise BackupError(f"{where} holds no backup, or none that you may see.")
    except BackupError as problem:
        raise BackupError(
            f"{problem} Start again later, or without {WHERE_ENV} to begin with an empty folder."
        ) from problem
    if found is not None:
        print(f"{len(found[0].files):,} files were restored from {where}.", flush=True)


def _loop(mirror: Mirror, outputs: Path, where: str, seconds: float, stopped: threading.Event) -> None:
    while True:
        with _only_here(outputs) as alone:
            if alone:
                _keep(mirror, outputs, where, seconds, stopped)
                return
        if stopped.wait(seconds):  # whoever keeps the copy may end first
            return


def _keep(mirror: Mirror, outputs: Path, where: str, seconds: float, stopped: threading.Event) -> None:
    last = False
    while not last:
        last = stopped.wait(0 if mirror_state(outputs) is None else seconds)
        _say(outputs, where, _tried(mirror))


def _tried(mirror: Mirror) -> str:
    """Bring the copy up to date and return what was wrong, "" where nothing was."""
    try:
        mirror.push()
    except LlmusesError as problem:
        return str(problem)
    except Exception as problem:  # the boundary to the hubs' libraries
        return _in_a_line(problem)
    return ""


def _say(outputs: Path, where: str, problem: str) -> None:
    if problem and problem != state_of(outputs, where).problem:
        _log.warning("no backup in %s: %s", where, problem)
    now = time.time()
    note(outputs, where, tried=now, problem=problem, **({} if problem else {"done": now}))


@contextlib.contextmanager
def _only_here(outputs: Path) -> Iterator[bool]:
    """Give whether no other server keeps this folder's copy."""
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        with open(outputs / ".backup.lock", "a+") as lock:
            yield try_lock(lock)
    except OSError as problem:
        _log.warning("no backup of %s: %s", outputs, problem)
        yield False


def _in_a_line(problem: Exception) -> str:
    lines = str(problem).strip().splitlines()
    return f"{type(problem).__name__}: {lines[0] if lines else ''}"[:300].rstrip(": ")

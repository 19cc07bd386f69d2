"""Whether a run is shown in public: decisions in ``visibility.jsonl`` inside its own folder, of which the last one holds.

The file goes with the folder wherever that is copied, backed up or moved. A run without one is public, unless it began
hidden, which its ``run.json`` says itself: a copy that is still on its way shows nothing. Whatever cannot be read, such as a
line that a killed process left half written, counts as hidden: nothing becomes public by accident.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from llmuses.errors import StoreError
from llmuses.records import VisibilityLine
from llmuses.settings import job_id
from llmuses.store import JsonlStore, Sync

FILE = "visibility.jsonl"

REASON = 200
"""Letters that are kept of a reason."""

_TAIL = 1 << 16


class Standing(NamedTuple):
    """Whether a run is hidden, and the decision that says so; None where it could not be read, or nobody decided since the
    run began hidden."""

    hidden: bool
    decision: VisibilityLine | None
    unreadable: bool = False


UNREADABLE = Standing(True, None, True)
BEGAN_HIDDEN = Standing(True, None)

Sign = tuple[int, int, int]


def sign(folder: Path | str) -> Sign | None:
    """Return what changes with each decision on the run in a folder: time, size and inode; None where nobody decided yet."""
    try:
        status = os.lstat(f"{folder}/{FILE}")
    except FileNotFoundError:
        return None
    except OSError:
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino


def standing(folder: Path | str) -> Standing | None:
    """Return how the run or the arena in a folder stands, None where nobody hid it: it is public then."""
    return decided(folder) or beginning(folder)


def beginning(folder: Path | str) -> Standing | None:
    """Return how a run or an arena stands on which nobody decided, None where it is public.

    An arena's battles are shown without ``arena.json`` too, so that one that cannot be read hides them; without ``run.json``
    there is no run to show.
    """
    for name, unreadable in (("run.json", None), ("arena.json", UNREADABLE)):
        try:
            with open(f"{folder}/{name}", "rb", opener=_at_once) as file:
                if msgspec.json.decode(file.read(), type=_Beginning).began_hidden:
                    return BEGAN_HIDDEN
        except FileNotFoundError:
            continue
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            if unreadable is not None:
                return unreadable
    return None


class _Beginning(msgspec.Struct):
    began_hidden: bool = False


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe may lie there, and nobody write to it


def decided(folder: Path | str) -> Standing | None:
    """Return what was decided on the run in a folder, None where nobody decided."""
    try:
        place = os.open(f"{folder}/{FILE}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        return UNREADABLE
    try:
        return _last(place)
    finally:
        os.close(place)


def _last(file: int) -> Standing:
    try:
        status = os.fstat(file)
        tail = os.pread(file, _TAIL, max(0, status.st_size - _TAIL)) if stat.S_ISREG(status.st_mode) else b""
        lines = tail.splitlines()
        if not tail.endswith(b"\n") or not lines:
            return UNREADABLE
        decision = msgspec.json.decode(lines[-1], type=VisibilityLine)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return UNREADABLE
    return Standing(decision.hidden, decision)


class Standings:
    """What was decided on runs, for whoever asks again and again: read where somebody decided anew. May be used from many
    threads.

    Where a decision has gone, what it hid stays hidden until it has gone too: who deletes a folder, or moves it to another
    disk, takes one file after the other.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Sign, Standing]] = {}
        self._hidden: set[str] = set()

    def of(self, folder: str) -> Standing | None:
        """Return what was decided on the run in a folder, the same object as long as nothing was decided anew; None where
        nobody decided."""
        changes = sign(folder)
        if changes is None:
            self._known.pop(folder, None)
            return UNREADABLE if folder in self._hidden else None
        known = self._known.get(folder)
        if known is not None and known[0] == changes:
            return known[1]
        read = decided(folder) or UNREADABLE
        if read.decision is not None:  # else it is tried again: the trouble may pass
            self._known[folder] = changes, read
        (self._hidden.add if read.hidden else self._hidden.discard)(folder)
        return read

    def only(self, folders: Iterable[str]) -> None:
        """Forget all but these folders: what comes into another one's place is another one."""
        self._hidden.intersection_update(folders)


class _Named(msgspec.Struct):
    run_id: str


def copies(folder: Path) -> list[Path]:
    """Return a folder and those beside it that hold the same run, which pages take for one: where the hidden one of them is
    moved away, another one must not show what it hid."""
    name = _run_id(folder)
    beside = sorted(path.parent for path in folder.parent.glob("*/run.json")) if name else []
    return [folder, *(each for each in beside if each.name != folder.name and _run_id(each) == name)]


def _run_id(folder: Path) -> str:
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode((folder / "run.json").read_bytes(), type=_Named).run_id
    return ""


def decide(folder: Path | str, hidden: bool, reason: str, by: str) -> None:
    """Hide a run, or show it again. It is on the disk when this returns. Raises StoreError."""
    path = Path(folder, FILE)
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise StoreError(f"{path} is no plain file, which hides what it lies beside: move it away first.")
    line = decision(hidden, reason, by)
    try:
        _end_line(path)
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem
    with JsonlStore(path, VisibilityLine, Sync.ALWAYS) as store:
        store.append(line)


def decision(hidden: bool, reason: str, by: str) -> VisibilityLine:
    """Return a decision that is made now."""
    return VisibilityLine(hidden=hidden, reason=" ".join(reason.split())[:REASON], by=by, tstamp=time.time())


def _end_line(path: Path) -> None:
    """End a line that was left half written: the store would take it away, and uncover the decision before it."""
    try:
        place = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    with open(place, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as the store does: nobody is in the middle of a line now
        size = os.fstat(place).st_size
        if size and os.pread(place, 1, size - 1) != b"\n":
            file.write(b"\n")


def begin_hidden(folder: Path | str, by: str) -> bool:
    """Hide a run that begins, unless somebody decided on it before; return whether it is hidden now. Raises StoreError.

    A run that was published stays public when its command, which says ``--hidden``, is given again.
    """
    now = decided(folder)
    if now is None or now.decision is None:
        decide(folder, True, "", by)
        return True
    return now.hidden


def whoever_runs_this() -> str:
    """Return the job of the admin room that this process is, else the account that it runs under, "" where it has none."""
    if job := job_id():
        return job
    with contextlib.suppress(KeyError, OSError, ImportError):
        return getpass.getuser()
    return ""

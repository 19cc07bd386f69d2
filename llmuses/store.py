"""Append-only JSONL stores that many processes share and no crash damages.

An ``append`` that returned is in the file: a process killed afterwards loses nothing. What a power cut may take is
the store's ``Sync`` policy. A writer holds an exclusive lock (flock) for one write and first looks whether the file
ends in a newline; where it does not, a writer died in mid-line, and the torn piece is set aside in ``NAME.torn``.
Readers take no lock and stop at the last newline.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

import msgspec

from llmuses.errors import RunLockedError, StoreError

R = TypeVar("R", bound=msgspec.Struct)

_BLOCK = 1 << 18


class Sync(StrEnum):
    """When an append is forced through to the disk itself (fsync).

    ``ALWAYS``: before it returns (votes, job logs). ``GROUP``: at most once a second and on close (predictions: a
    power cut may cost the last second, a killed process nothing). ``NEVER``: left to the system (reviews and other
    lines that can be computed again).
    """

    ALWAYS = "always"
    GROUP = "group"
    NEVER = "never"


class Cursor(msgspec.Struct, frozen=True):
    """A place in a store's file: everything before it was read. Valid while the file has the same ``inode``."""

    inode: int = 0
    offset: int = 0
    line: int = 0


START = Cursor()


class BrokenLine(msgspec.Struct, frozen=True):
    """A complete line that is not a record: skipped by readers, and reported."""

    path: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


class Reader(Generic[R]):
    """Iterates over a store's records; afterwards ``cursor`` is where to go on and ``broken`` what was skipped.

    ``positions`` (offset of each line) are available as ``offset`` during the iteration.
    """

    def __init__(self, path: Path, decode: Callable[[bytes], R], since: Cursor):
        self.cursor = since
        self.offset = since.offset
        self.broken: list[BrokenLine] = []
        self._path = path
        self._decode = decode

    def __iter__(self) -> Iterator[R]:
        try:
            file = open(self._path, "rb", buffering=_BLOCK)
        except FileNotFoundError:
            self.cursor = START
            return
        with file:
            status = os.fstat(file.fileno())
            inode, offset, line = self.cursor.inode, self.cursor.offset, self.cursor.line
            if inode != status.st_ino or offset > status.st_size:
                offset = line = 0  # another file stands in this place, or it was cut: begin again
            file.seek(offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break  # a writer is in the middle of this line, or died there
                self.offset = offset
                offset += len(raw)
                line += 1
                self.cursor = Cursor(status.st_ino, offset, line)
                if raw.isspace():
                    continue
                try:
                    record = self._decode(raw)
                except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                    self.broken.append(BrokenLine(str(self._path), line, str(problem)))
                    continue
                yield record


class JsonlStore(Generic[R]):
    """One file of records of one type. Safe for many processes and for many threads of each.

    Opening does not create the file: the first append does. Raises StoreError where the file cannot be written.
    """

    def __init__(self, path: Path | str, record_type: type[R], sync: Sync = Sync.GROUP):
        self.path = Path(path)
        self.sync = sync
        self._decoder = msgspec.json.Decoder(record_type)
        self._encoder = msgspec.json.Encoder()
        self._mutex = threading.Lock()
        self._fd: int | None = None
        self._synced = time.monotonic()
        self._dirty = False

    # -- writing

    def append(self, record: R) -> None:
        """Write one record; when this returns, it is in the file."""
        self.append_all((record,))

    def append_all(self, records: Iterable[R]) -> int:
        """Write records as one piece, return how many. Either all of them become readable or, after a crash, a prefix;
        none of them where StoreError is raised."""
        lines = [self._encoder.encode(record) for record in records]
        if not lines:
            return 0
        lines.append(b"")
        payload = b"\n".join(lines)
        with self._mutex, _said_in_one_line(self.path):
            self._write(payload)
        return len(lines) - 1

    def _write(self, payload: bytes) -> None:
        fd = self._open_locked()
        size = None
        try:
            _repair_tail(fd, self.path)
            size = os.fstat(fd).st_size
            _write_all(fd, payload)
            self._dirty = True
            due = self.sync is Sync.GROUP and time.monotonic() - self._synced >= 1.0
            if self.sync is Sync.ALWAYS or due:
                self._fsync(fd)
        except OSError:
            if size is not None:
                with contextlib.suppress(
                    OSError
                ):  # whoever is told that it failed may try again: nothing must stand twice
                    os.ftruncate(fd, size)
            raise
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)

    def _open_locked(self) -> int:
        """Return the file's descriptor, locked, and make sure that it is still the file that the path names."""
        while True:
            if self._fd is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.stat(self.path).st_ino == os.fstat(self._fd).st_ino:
                    return self._fd
            os.close(self._fd)  # replaced or removed since it was opened
            self._fd = None

    def _fsync(self, fd: int) -> None:
        os.fsync(fd)
        self._synced = time.monotonic()
        self._dirty = False

    def close(self) -> None:
        """Force what is owed to the disk and let go of the file. The store can be used again afterwards."""
        with self._mutex:
            if self._fd is None:
                return
            fd, self._fd = self._fd, None
            with _said_in_one_line(self.path):
                if self._dirty and self.sync is not Sync.NEVER:
                    self._fsync(fd)
                os.close(fd)

    def __enter__(self) -> JsonlStore[R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading

    def read(self, since: Cursor = START) -> Reader[R]:
        """Return a reader over what was appended after ``since``; its ``cursor`` afterwards is the next ``since``."""
        return Reader(self.path, self._decoder.decode, since)

    def __iter__(self) -> Iterator[R]:
        return iter(self.read())

    def read_at(self, offsets: Iterable[int]) -> Iterator[R]:
        """Yield the records whose lines begin at the given offsets of the file."""
        with open(self.path, "rb") as file:
            for offset in offsets:
                file.seek(offset)
                yield self._decoder.decode(file.readline())

    def count_lines(self) -> int:
        """Return how many lines the file has, whole or broken; 0 where there is none."""
        try:
            with open(self.path, "rb") as file:
                return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
        except FileNotFoundError:
            return 0

    def keep_only(self, offsets: Container[int], aside: Path) -> int:
        """Move all lines but those that begin at the given offsets to the file ``aside``; return how many moved.

        Nothing is lost and the file is replaced whole, so that a crash leaves either the old or the new one; other
        writers' open stores notice the replacement at their next append.
        """
        with self._mutex, _said_in_one_line(self.path):
            fd = self._open_locked()
            try:
                _repair_tail(fd, self.path)
                return self._split(offsets, aside)
            finally:
                fcntl.flock(fd, fcntl.LOCK_UN)

    def _split(self, offsets: Container[int], aside: Path) -> int:
        fresh = self.path.with_name(self.path.name + ".new")
        moved = offset = 0
        with open(self.path, "rb") as old, open(fresh, "wb") as new, open(aside, "a+b") as rest:
            _repair_tail(rest.fileno(), aside)
            for raw in old:
                keep = offset in offsets
                (new if keep else rest).write(raw)
                moved += not keep
                offset += len(raw)
            _flush(rest)
            _flush(new)
        os.replace(fresh, self.path)
        return moved


@contextlib.contextmanager
def _said_in_one_line(path: Path) -> Iterator[None]:
    """Turn what the system says of a file (disk full, no permission) into a StoreError."""
    try:
        yield
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem


def _write_all(fd: int, payload: bytes) -> None:
    view = memoryview(payload)
    while view:  # a write may be short when the disk fills up: the next one then raises
        view = view[os.write(fd, view) :]


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _repair_tail(fd: int, path: Path) -> None:
    """Set a torn last line aside in ``NAME.torn``. The caller holds the lock."""
    size = os.fstat(fd).st_size
    if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
        return
    start = size
    while start > 0:
        step = min(_BLOCK, start)
        newline = os.pread(fd, step, start - step).rfind(b"\n")
        start -= step
        if newline >= 0:
            start += newline + 1
            break
    torn = os.pread(fd, size - start, start)
    with open(path.with_name(path.name + ".torn"), "ab") as aside:
        aside.write(torn + b"\n")
        _flush(aside)
    os.ftruncate(fd, start)


def try_lock(file: IO[str]) -> bool:
    """Take a folder's lock (flock on a file in it); False where another process holds it. A page that looks who works here holds it for a moment."""
    for pause in (0.02, 0.1, 0.0):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(pause)
        else:
            return True
    return False


def write_json(path: Path, record: msgspec.Struct) -> None:
    """Replace a JSON file whole: readers see the old or the new one, never a half. Raises StoreError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with _said_in_one_line(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
            os.replace(fresh, path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise


J = TypeVar("J")


def read_json(path: Path, record_type: type[J]) -> J:
    """Return the record that a JSON file holds. Raises StoreError with the file's name where it does not."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=record_type)
    except (OSError, msgspec.DecodeError) as problem:
        raise StoreError(f"cannot read {path}: {problem}") from problem


def query(
    paths: Sequence[Path],
    columns: Mapping[str, str],
    sql: str,
    parameters: Mapping[str, Any] | None = None,
) -> list[tuple[Any, ...]]:
    """Run a query over large stores in DuckDB and return its rows.

    ``columns`` names each column that the query uses with its DuckDB type; the table is called ``lines``. A line that
    does not fit is left out where the query's own filter drops rows whose first column is NULL: this function puts
    that filter around the table. Files that do not exist count as empty.
    """
    existing = [str(path) for path in paths if path.exists()]
    if not existing:
        return []
    import duckdb

    key = next(iter(columns))
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        lines = connection.read_json(  # noqa: F841  (DuckDB finds it by its name)
            existing, columns=dict(columns), format="newline_delimited", ignore_errors=True
        ).filter(f'"{key}" IS NOT NULL')
        return connection.execute(sql, dict(parameters or {})).fetchall()


def lock_folder(folder: Path, name: str, called: str) -> IO[str]:
    """Make a folder if need be, and return its lock file, held until it is closed and with this process's number in it.

    Raises RunLockedError, with what the folder is ``called``, where another process holds it; StoreError where nothing can
    be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / name, "a+")
    except OSError as problem:
        raise StoreError(f"cannot write in {folder}: {problem.strerror or problem}") from problem
    if not try_lock(lock):
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise RunLockedError(
            f"{called} is being worked on by process {owner}: wait for it or stop it, then start again."
        )
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock

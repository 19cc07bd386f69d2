"""A backup in one file: a tar.gz whose last entry, ``manifest.json``, says what all others are."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

import msgspec

from llmuses.errors import BackupError, StoreError, UsageError
from llmuses.keeping.contents import PIECE, OpenFile, contents, hashed, opened
from llmuses.keeping.mark import marked
from llmuses.keeping.placing import Staging, check_manifest, staged
from llmuses.records import KeptFile, Manifest

MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 256 << 20
_LARGEST_HEADER = 1 << 16
"""Bytes of what stands before an entry and says more of it than fits, such as a long name: tarfile holds it in memory."""


def back_up(outputs: Path, target: Path, secrets: bool = False) -> tuple[Path, Manifest]:
    """Write a backup of a folder of runs, which may be in use, and return its path and what it holds.

    ``target`` is a file, which is replaced whole, or a folder, in which the backup is named by the time. Raises UsageError
    where there is nothing to back up or the target lies in the folder itself; StoreError where it cannot be written.
    """
    path = target / time.strftime("llmuses-%Y%m%d-%H%M%S.tar.gz") if target.is_dir() else target
    if path.resolve().is_relative_to(outputs.resolve()):
        raise UsageError(f"{path} lies in the folder that it is a backup of; write it elsewhere.")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            manifest = stream(outputs, file, secrets)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem
    finally:
        fresh.unlink(missing_ok=True)
    return path, manifest


def stream(outputs: Path, file: IO[bytes], secrets: bool = False) -> Manifest:
    """Write a backup into a file that is open, and return what it holds. Raises what ``back_up`` raises, and OSError."""
    from llmuses import __version__

    if not outputs.is_dir():
        raise UsageError(f"there is no folder of runs {outputs}; name yours with --outputs.")
    now = time.time()
    found = contents(outputs, secrets)
    manifest = Manifest(
        folder=marked(outputs).folder, files=[], left_out=found.left_out, llmuses_version=__version__, tstamp=now
    )
    with (
        gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in found.files.items():
            if (source := opened(path)) is not None:
                manifest.files.append(_add(tar, name, source, now))
        said = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        tar.addfile(_entry(MANIFEST, len(said), now), io.BytesIO(said))
    return manifest


def _entry(name: str, size: int, now: float) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, int(now), 0o600
    return entry


def _add(tar: tarfile.TarFile, name: str, source: OpenFile, now: float) -> KeptFile:
    pieces = _Pieces(source)
    with contextlib.closing(source):
        tar.addfile(_entry(f"outputs/{name}", source.size, now), pieces)  # type: ignore[arg-type]
    return KeptFile(path=name, size=source.size, pieces=pieces.hashes)


class _Pieces:
    """A file as tarfile reads it; ``hashes`` are those of the pieces that went through."""

    def __init__(self, source: OpenFile):
        self._pieces = source.pieces()
        self._rest = b""
        self.hashes: list[str] = []

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = next(self._pieces, b"")
            if self._rest:
                self.hashes.append(hashed(self._rest))
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


# --- reading it again ----------------------------------------------------------------------------------------


def check(archive: Path) -> Manifest:
    """Read a backup from end to end and return what it holds. Raises BackupError where anything is not as it says."""
    found: dict[str, KeptFile] = {}
    manifest: Manifest | None = None
    for name, size, pieces in _entries(archive):
        if manifest is not None:
            raise BackupError(f"{archive}: something stands behind the manifest.")
        if name == MANIFEST:
            manifest = _manifest(archive, size, pieces)
        elif name in found:
            raise BackupError(f"{archive} holds '{name[:100]}' twice.")
        else:
            found[name] = KeptFile(
                path=name.removeprefix("outputs/"), size=size, pieces=[hashed(one) for one in pieces]
            )
    if manifest is None:
        raise BackupError(f"{archive} has no manifest: it is no backup of llmuses, or was cut off.")
    check_manifest(manifest)
    named = {f"outputs/{kept.path}": kept for kept in manifest.files}
    for name in sorted({*named, *found}):
        if named.get(name) != found.get(name):
            raise BackupError(f"{archive}: '{name[:100]}' is damaged, missing, or not in the manifest.")
    return manifest


def restore(archive: Path, outputs: Path, replace: bool = False) -> tuple[Manifest, list[Path]]:
    """Put a backup into a folder and return what it holds, and where what was there before was moved.

    The whole of it is checked before anything is written. Raises BackupError for a backup that is damaged, and what
    ``staged`` raises.
    """
    manifest = check(archive)
    files = {f"outputs/{kept.path}": kept for kept in manifest.files}
    with staged(outputs, manifest, replace) as staging:
        _unpack(archive, files, staging)
    return manifest, staging.aside


def _unpack(archive: Path, files: dict[str, KeptFile], staging: Staging) -> None:
    for name, _, pieces in _entries(archive):
        if name in files:
            staging.write(files[name], pieces)


def _manifest(archive: Path, size: int, pieces: Iterator[bytes]) -> Manifest:
    if size > _LARGEST_MANIFEST:
        raise BackupError(f"{archive}: its manifest is too large to be one.")
    try:
        return msgspec.json.decode(b"".join(pieces), type=Manifest)
    except msgspec.DecodeError as problem:
        raise BackupError(f"{archive}: its manifest cannot be read ({problem}).") from problem


def _entries(archive: Path) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """Yield name, size and pieces of each entry, in their order. Raises BackupError for entries that are no plain files."""
    with contextlib.ExitStack() as stack:
        with _in_words(archive):
            packed = stack.enter_context(gzip.open(archive, "rb"))
            tar = stack.enter_context(tarfile.open(fileobj=packed, mode="r|", tarinfo=_Entry))
        while True:
            with _in_words(archive):
                entry = tar.next()
            if entry is None:
                break
            if not entry.isreg() or entry.issparse():
                raise BackupError(f"{archive}: '{entry.name[:100]}' is no plain file; no backup of ours holds such.")
            yield entry.name, entry.size, _pieces(archive, tar, entry)
        with _in_words(archive):
            while packed.read(PIECE):  # to the end, where gzip's own sum is checked
                pass


class _Entry(tarfile.TarInfo):
    """An entry's header, looked at before tarfile believes it: a few kilobytes may unpack to gigabytes."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return what the block says. Raises BackupError where nothing of ours has such."""
        entry = super().frombuf(buf, encoding, errors)
        if not entry.isreg() and entry.size > _LARGEST_HEADER:
            raise BackupError("this is no backup of llmuses: an entry's header is too large.")
        return entry


def _pieces(archive: Path, tar: tarfile.TarFile, entry: tarfile.TarInfo) -> Iterator[bytes]:
    source = tar.extractfile(entry)
    assert source is not None
    while True:
        with _in_words(archive):
            piece = source.read(PIECE)
        if not piece:
            return
        yield piece


@contextlib.contextmanager
def _in_words(archive: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as problem:
        raise UsageError(f"there is no file {archive}.") from problem
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as problem:
        raise BackupError(f"{archive} is no whole backup of llmuses: {problem}.") from problem
    except OSError as problem:
        raise StoreError(f"cannot read {archive}: {problem.strerror or problem}") from problem

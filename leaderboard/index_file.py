"""An index kept beside the file that it is of: the next process goes on from there instead of reading it all again.

It is derived and no part of a run: it may be deleted at any time, and one that does not fit the file any more, is damaged
or of another version is passed over.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, get_args

import msgspec
import numpy as np

S = TypeVar("S")

_DIGEST = 16


class Mark(NamedTuple):
    """Up to where a file was read, and what it was then: its inode, the time of its last change in nanoseconds, its last
    line that was read, and how many lines could not be read."""

    inode: int
    changed: int
    end: int
    last: bytes
    broken: int


def index_of(file: Path) -> Path:
    """Return where the index of a file is kept."""
    return file.with_name(f"{file.name}.index")


class IndexFile(Generic[S]):
    """Where the index of one file lies. ``kind`` is a dataclass of arrays, texts and numbers; ``version`` changes with what
    they mean."""

    def __init__(self, of: Path, kind: type[S], version: int):
        self.path = index_of(of)
        self._version = version
        self._decoder = msgspec.msgpack.Decoder(tuple[int, Mark, kind], dec_hook=_array)  # type: ignore[valid-type]

    def load(self) -> tuple[Mark, S] | None:
        """Return what was saved; None where nothing was, or nothing that this version reads."""
        try:
            whole = self._read()
            digest, body = whole[:_DIGEST], memoryview(whole)[_DIGEST:]
            if blake2b(body, digest_size=_DIGEST).digest() != digest:
                return None
            version, mark, index = self._decoder.decode(body)
        except (OSError, msgspec.DecodeError, ValueError):
            return None
        return (mark, index) if version == self._version else None

    def _read(self) -> bytes:
        """Return the file's bytes. It is opened as what was written here: no link, and nothing that never ends."""
        place = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(place, "rb") as file:
            return file.read() if stat.S_ISREG(os.fstat(place).st_mode) else b""

    def save(self, mark: Mark, index: S) -> None:
        """Keep an index in place of the last one. A folder that cannot be written to goes without."""
        body = msgspec.msgpack.encode((self._version, mark, index), enc_hook=_bytes)
        with contextlib.suppress(OSError):
            place, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            try:
                with open(place, "wb") as file:
                    file.write(blake2b(body, digest_size=_DIGEST).digest())
                    file.write(body)
                os.replace(name, self.path)
            except OSError:
                os.unlink(name)
                raise


def _bytes(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    raise NotImplementedError(f"no index holds a {type(value).__name__}")


def _array(kind: Any, written: Any) -> Any:
    """Return an array, [n], of the type that its field says, such as ``NDArray[np.uint64]``."""
    _, dtype = get_args(kind)
    return np.frombuffer(written, get_args(dtype)[0])

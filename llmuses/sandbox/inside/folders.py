"""A folder that a program has filled: measured and removed by descriptors, for a path may be too long, or lead elsewhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from llmuses.sandbox.inside import kernel

_GONE = (FileNotFoundError, NotADirectoryError)
"""A program that still runs has removed a folder, or put something else in its place."""


def overflows(folder: str, megabytes: int, entries: int) -> bool:
    """Return whether a folder holds more than so much, or more than so many files and folders.

    It does too where it cannot be measured: a folder in it cannot be listed, or lies deeper than there are descriptors.
    """
    size = count = 0
    path: list[tuple[int, list[str]]] = []  # the open folders, from the first one down, with those in them still to see
    try:
        path.append((_opened(folder), ["."]))
        while path:
            here, waiting = path[-1]
            if not waiting:
                os.close(path.pop()[0])
                continue
            with contextlib.suppress(*_GONE):
                path.append((_opened(waiting.pop(), here), []))
                for entry in _entries(path[-1][0]):
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        path[-1][1].append(entry.name)
                    with contextlib.suppress(FileNotFoundError):
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if size > megabytes << 20 or count > entries:
                        return True
    except OSError:
        return True
    finally:
        for descriptor, _ in path:
            os.close(descriptor)
    return False


def remove(folder: str) -> None:
    """Remove a folder with all in it, as far as that can be done.

    Each folder in it is moved to the top before it is looked into: two descriptors suffice for any depth.
    """
    try:
        top = _regained(folder)
    except OSError:
        return
    try:
        waiting = os.listdir(top)
        moved, new_name = 0, os.urandom(8).hex()
        while waiting:
            with contextlib.suppress(OSError):
                name = waiting.pop()
                if _unlinked(name, top):
                    continue
                here = _regained(name, top)
                try:
                    for below in os.listdir(here):
                        if not _unlinked(below, here):
                            os.close(_regained(below, here))  # who moves a folder must be allowed to write in it
                            moved += 1
                            os.rename(below, f"{new_name}-{moved}", src_dir_fd=here, dst_dir_fd=top)
                            waiting.append(f"{new_name}-{moved}")
                finally:
                    os.close(here)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _opened(name: str, parent: int | None = None, flags: int = os.O_RDONLY) -> int:
    """Open a folder, and nothing that a link leads to."""
    return os.open(name, flags | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _regained(name: str, parent: int | None = None) -> int:
    """Open a folder that may be closed even to its owner, who gets all rights in it. Raises OSError."""
    if not kernel.LINUX:
        os.chmod(name, 0o700, dir_fd=parent, follow_symlinks=False)
        return _opened(name, parent)
    held = _opened(name, parent, os.O_PATH)
    try:
        with contextlib.suppress(FileNotFoundError):  # no /proc; most folders can be listed as they are
            os.chmod(f"/proc/self/fd/{held}", 0o700)
        return _opened(".", held)
    finally:
        os.close(held)


def _entries(descriptor: int) -> Iterator[os.DirEntry[str]]:
    with os.scandir(descriptor) as listed:
        yield from listed


def _unlinked(name: str, parent: int) -> bool:
    """Remove what is no folder, and return whether it was that."""
    try:
        os.unlink(name, dir_fd=parent)
    except (IsADirectoryError, PermissionError):
        return False
    return True

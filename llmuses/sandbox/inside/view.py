"""The files that exist for a program: a new root with the interpreter in it, read-only, and nothing of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterable

from llmuses.sandbox.inside import kernel

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_ROOT, _OLD, _EMPTY = "/root-of-programs", "/old-root", "/var/empty"
_SMALL = "size=1m,nr_inodes=1024,mode=755"


def place_for_programs(readable: Iterable[str]) -> str:
    """Return the folder in which each program's own is mounted: /tmp, but where that would hide what it may read."""
    return "/program" if any(path.startswith("/tmp/") for path in readable) else "/tmp"


def build(readable: Iterable[str], writable: str) -> bool:
    """Make a root of ``readable`` paths, devices and a ``writable`` place, move into it, and say whether /proc is there.

    The calling process must hold all capabilities over its mount namespace. /proc shows its own pid namespace; it is empty
    where a machine (a container that masks parts of /proc) does not let it be mounted. Raises OSError.
    """
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    # A file system in memory, over any folder: it becomes the root, so that /old-root shows the machine as it was.
    kernel.mount("tmpfs", "/tmp", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, _SMALL)
    os.mkdir(f"/tmp{_ROOT}")
    os.mkdir(f"/tmp{_OLD}")
    kernel.pivot_root("/tmp", f"/tmp{_OLD}")
    os.chdir("/")
    kernel.mount("tmpfs", _ROOT, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, _SMALL)
    for path in outermost(readable):
        _show(path)
    for device in DEVICES:
        _bind(_OLD + device, _ROOT + device)
    for folder in (writable, "/tmp", "/proc", _EMPTY):
        os.makedirs(_ROOT + folder, exist_ok=True)
    os.symlink(writable, f"{_ROOT}/dev/shm")
    processes = _own_processes(f"{_ROOT}/proc")
    os.makedirs(_ROOT + _OLD)
    kernel.pivot_root(_ROOT, _ROOT + _OLD)
    os.chdir("/")
    kernel.unmount(_OLD)
    os.rmdir(_OLD)
    remount = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("none", "/", "", remount)
    return processes


def _own_processes(target: str, options: str = "") -> bool:
    try:
        kernel.mount("proc", target, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, options)
    except OSError:
        return False
    return True


def cover_processes(own: bool) -> None:
    """Hide /proc, or with ``own`` show the processes of this pid namespace alone, without /proc/sys and its like."""
    if not (own and _own_processes("/proc", "subset=pid")):
        kernel.mount(_EMPTY, "/proc", "", kernel.MS_BIND)


def outermost(paths: Iterable[str]) -> list[str]:
    """Return the paths that lie below none of the others, each once."""
    kept: list[str] = []
    for path in sorted({os.path.normpath(path) for path in paths}):
        if not kept or not path.startswith(kept[-1] + "/"):
            kept.append(path)
    return kept


def _show(path: str) -> None:
    """Show a path of the old root in the new one, with the links that lead to it."""
    place = ""
    for part in path.strip("/").split("/"):
        place += "/" + part
        if os.path.islink(_OLD + place):
            os.makedirs(os.path.dirname(_ROOT + place), exist_ok=True)
            if not os.path.lexists(_ROOT + place):
                os.symlink(os.readlink(_OLD + place), _ROOT + place)
            return  # what it leads to is shown for its own sake
    if os.path.exists(_OLD + path):
        _bind(_OLD + path, _ROOT + path)
        kernel.read_only(_ROOT + path)


def _bind(source: str, target: str) -> None:
    """Mount a file or folder at a place that is made for it. A device stays usable: it is not made read-only."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))
    kernel.mount(source, target, "", kernel.MS_BIND | kernel.MS_REC)


def fresh_folder(target: str, megabytes: int, inodes: int) -> None:
    """Mount an empty writable folder of a bounded size. Raises OSError."""
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", target, "tmpfs", flags, f"size={megabytes}m,nr_inodes={inodes},mode=700")


def make_reachable(paths: Iterable[str]) -> None:
    """Make paths that lie in folders closed to others (``/root``) reachable for an unprivileged process.

    Only in a mount namespace of this process's own: a closed folder is covered by an empty one that holds the paths alone.
    Needs root with the right to mount. Raises OSError.
    """
    closed: dict[str, list[str]] = {}
    for path in outermost(os.path.realpath(path) for path in paths if os.path.exists(path)):
        folder = _first_closed(path)
        if folder is not None:
            closed.setdefault(folder, []).append(path)
    if not closed:
        return
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    for folder, inside in closed.items():
        held = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in inside}
        directories = {path for path in inside if os.path.isdir(path)}
        kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, _SMALL)
        for path, descriptor in held.items():
            if path in directories:
                os.makedirs(path, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))
            kernel.mount(f"/proc/self/fd/{descriptor}", path, "", kernel.MS_BIND | kernel.MS_REC)
            os.close(descriptor)


def _first_closed(path: str) -> str | None:
    """Return the outermost folder on the way to a path that others may not enter."""
    place = ""
    for part in path.strip("/").split("/")[:-1]:
        place += "/" + part
        if not os.stat(place).st_mode & 0o001:
            return place
    return None

"""The memory of a device: how much is free, and how more of it comes free."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import torch


class Spare(Protocol):
    """Something that is kept because it may be of use: it is given up where memory is needed, by whoever needs it."""

    def give_up(self) -> bool:
        """Let everything go; return whether there was anything. May be called from any thread."""
        ...


_spares: weakref.WeakSet[Spare] = weakref.WeakSet()
_registering = threading.Lock()


def register(spare: Spare) -> None:
    """Have something given up, as long as it exists, where memory does not suffice."""
    with _registering:
        _spares.add(spare)


def give_back() -> None:
    """Give memory that nothing refers to back to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_memory() -> bool:
    """Give back what nothing refers to and what may be spared.

    Return whether anything was spared: then what did not fit is worth another try.
    """
    with _registering:
        spares = list(_spares)
    given_up = [spare.give_up() for spare in spares]
    give_back()
    return any(given_up)


def free_bytes(device: torch.device) -> int | None:
    """Return how much memory of a device, or of the machine for a CPU, could be used now; None where nothing says so."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    try:
        figures = _figures(Path("/proc/meminfo").read_text().replace(":", " "))
    except (OSError, ValueError):
        return None
    free = [figures["MemAvailable"] * 1024] if "MemAvailable" in figures else []
    return min([*free, *_left_of_limits()], default=None)


class _Group(NamedTuple):
    """What a version of Linux's control groups calls them: where they are, and the files that say how much memory."""

    controllers: str
    mount: str
    most: str
    used: str
    idle: str


_GROUPS = (
    _Group("", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    _Group("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def _left_of_limits(root: Path = Path("/")) -> Iterator[int]:
    """Yield how much is left of each limit on this process's memory: that of a container is not in /proc/meminfo."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    own = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") > 1)}
    for group in _GROUPS:
        mount = root / group.mount.lstrip("/")
        place = mount / own.get(group.controllers, "").lstrip("/")
        for folder in {place, *(parent for parent in place.parents if mount in parent.parents), mount}:
            # What has no limit says "max", or a number beyond any memory; within a container the path may not be there.
            with suppress(OSError, ValueError, KeyError):
                most, used = (int((folder / file).read_text()) for file in (group.most, group.used))
                yield max(0, most - used + _figures((folder / "memory.stat").read_text())[group.idle])


def _figures(text: str) -> dict[str, int]:
    """Return the numbers of a file of the kernel that has a name and a number in each line."""
    return {name: int(number) for name, number, *_ in (line.split() for line in text.splitlines() if line)}


def is_out_of_memory(problem: Exception) -> bool:
    """Return whether an error says that a device, or the machine, has no memory left."""
    text = str(problem).lower()
    return isinstance(problem, torch.OutOfMemoryError) or "out of memory" in text or "can't allocate memory" in text

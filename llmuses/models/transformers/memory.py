"""The memory of a device: how much is free, and how more of it comes free."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path
from typing import Protocol

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
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    figures = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(figures["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in figures else None


def is_out_of_memory(problem: Exception) -> bool:
    """Return whether an error says that a device, or the machine, has no memory left."""
    text = str(problem).lower()
    return isinstance(problem, torch.OutOfMemoryError) or "out of memory" in text or "can't allocate memory" in text

"""How much memory the processes of a program use together, and the processes themselves, from Linux's /proc."""

from __future__ import annotations

import contextlib
import os

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024


def exceeds(megabytes: float, groups: set[int] | None) -> bool:
    """Return whether processes hold more memory of their own than this, files and shared libraries left out.

    ``groups`` are the process groups to count; None: all of this pid namespace but this process. A quick sum counts what
    forked processes share several times; only where it is too large are the shares added up exactly (PSS).
    """
    limit = megabytes * 1024
    own = os.getpid()
    pids = [pid for pid in _processes() if pid != own and (groups is None or _group(pid) in groups)]
    # What a child inherited from this process costs nothing.
    inherited = _private_kb(own)
    if sum(max(0.0, _private_kb(pid) - inherited) for pid in pids) <= limit:
        return False
    return sum(_proportional_kb(pid) for pid in pids) > limit


def children() -> list[int]:
    """Return the processes whose parent is this one."""
    own = os.getpid()
    return [pid for pid in _processes() if _parent(pid) == own]


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return -1


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:
        # The name of a process, in brackets, may hold anything.
        return int(file.read().rpartition(b")")[2].split()[1])
    return -1


def _private_kb(pid: int) -> float:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/statm", "rb") as file:
        _, resident, shared, *_ = file.read().split()
        return (int(resident) - int(shared)) * _PAGE_KB
    return 0.0


def _proportional_kb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            lines = dict(line.split(b":", 1) for line in file if b":" in line and b"[" not in line)
        return float(lines[b"Pss_Anon"].split()[0])
    except (OSError, KeyError):  # gone, or not ours to look into
        return _private_kb(pid)

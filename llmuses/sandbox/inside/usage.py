"""How much memory the processes of a program use together, and the processes themselves, from Linux's /proc."""

from __future__ import annotations

import contextlib
import os


def exceeds(megabytes: float, groups: set[int] | None) -> bool:
    """Return whether processes hold more memory than this, shared memory with it, files and libraries left out.

    ``groups`` are the process groups to count; None: all of this pid namespace but this process. A quick sum counts what
    forked processes share several times; only where it is too large are the shares added up exactly (PSS).
    """
    limit = megabytes * 1024
    own = os.getpid()
    pids = [pid for pid in _processes() if pid != own and (groups is None or _group(pid) in groups)]
    # What a child inherited from this process costs nothing.
    inherited = _held_kb(own)
    if sum(max(0.0, _held_kb(pid) - inherited) for pid in pids) <= limit:
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


def _held_kb(pid: int) -> float:
    """Return the memory of a process that no file is behind; what it shares with others is counted in each."""
    return _sum_kb(f"/proc/{pid}/status", (b"RssAnon", b"RssShmem")) or 0.0


def _proportional_kb(pid: int) -> float:
    """Return the same with its share alone of what it shares; the whole where that is not to be had."""
    shares = _sum_kb(f"/proc/{pid}/smaps_rollup", (b"Pss_Anon", b"Pss_Shmem"))
    return _held_kb(pid) if shares is None else shares


def _sum_kb(path: str, names: tuple[bytes, ...]) -> float | None:
    """Return the sum of some lines of a file of /proc, None for a process that is gone or not ours to look into."""
    try:
        with open(path, "rb") as file:
            lines = dict(line.split(b":", 1) for line in file if b":" in line)
        return sum(float(lines[name].split()[0]) for name in names)
    except (OSError, KeyError):
        return None

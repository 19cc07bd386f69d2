"""The calls of the Linux kernel that Python has no name for, by ctypes. Every failure is an OSError that names the call."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Final

LINUX: Final = sys.platform == "linux"
MACHINE: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}.get(
    platform.machine().lower(), ""
)
"""The architecture, where this module knows its system call numbers; else empty."""

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWCGROUP: Final = 0x02000000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000
ALL_NAMESPACES: Final = (
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
)

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REMOUNT: Final = 32
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MNT_DETACH: Final = 2
MOUNT_ATTR_RDONLY: Final = 1
MOUNT_ATTR_NOSUID: Final = 2
MOUNT_ATTR_NODEV: Final = 4

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000

_NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126},
    "aarch64": {"pivot_root": 41, "capset": 91},
}
_COMMON = {
    "mount_setattr": 442,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}

_libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *args: object) -> int:
    """Make a system call by its number and return its result; raises OSError, ENOSYS where its number is not known."""
    number = _COMMON.get(name) or _NUMBERS.get(MACHINE, {}).get(name)
    if number is None:
        raise OSError(38, f"{name}: not known on {platform.machine()}")
    return _checked(name, _libc.syscall(ctypes.c_long(number), *args))


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, second: int = 0, third: int = 0) -> int:
    """Call prctl(2); raises OSError."""
    arguments = [ctypes.c_ulong(value) for value in (second, third, 0, 0)]
    return _checked(f"prctl {option}", _libc.prctl(ctypes.c_int(option), *arguments))


def unshare(flags: int) -> None:
    """Move this process, or its next child for CLONE_NEWPID, into new namespaces; raises OSError."""
    _checked(f"unshare {flags:#x}", _libc.unshare(ctypes.c_int(flags)))


def setns(descriptor: int, kind: int) -> None:
    """Move this process, or its next child for CLONE_NEWPID, into a namespace; raises OSError."""
    _checked("setns", _libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Call mount(2); raises OSError that names the target."""
    arguments = [os.fsencode(text) or None for text in (source, target, kind)]
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(data) or None)
    _checked(f"mount {kind or source} on {target}", result)


def read_only(target: str) -> None:
    """Make a mount and all below it read-only, without device files and set-uid programs (Linux 5.12); raises OSError."""
    attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    flags = ctypes.c_uint(_AT_RECURSIVE)
    call("mount_setattr", _AT_FDCWD, os.fsencode(target), flags, wanted, ctypes.c_size_t(ctypes.sizeof(wanted)))


def unmount(target: str) -> None:
    """Detach a mount with all below it; raises OSError."""
    _checked(f"umount {target}", _libc.umount2(os.fsencode(target), ctypes.c_int(MNT_DETACH)))


def pivot_root(root: str, old: str) -> None:
    """Make ``root`` the root of this mount namespace and put the old one at ``old``; raises OSError."""
    call("pivot_root", os.fsencode(root), os.fsencode(old))


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    prctl(_PR_SET_PDEATHSIG, 9)


def dumpable() -> None:
    """Make this process's files in /proc its user's own again."""
    prctl(_PR_SET_DUMPABLE, 1)


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends: none can slip away by forking twice."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def no_new_privileges() -> None:
    """Give up, for good, what a set-uid program could give. Landlock and seccomp ask for it too."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Give up every capability, and what a later exec could bring back. Raises OSError.

    Who has no right to touch the second (CAP_SETPCAP) has no capability at all; no_new_privileges then suffices.
    """
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(64):
        try:
            prctl(_PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno in (1, 22):  # no right to, or past the last one that this kernel knows
                break
            raise
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    call("capset", header, nothing)

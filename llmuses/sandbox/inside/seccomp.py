"""A seccomp filter: what no program in the sandbox may ask the kernel for, whatever else holds it.

Namespaces hide files, processes and networks; what remains reachable is the kernel itself. The filter takes away the
calls that reach other processes, change mounts and namespaces, or have been the way out of containers again and again.
Refused calls fail with EPERM, so that a program sees an ordinary error. Calls that are newer than this list do not
exist (ENOSYS). Calls in the numbering of another architecture kill the process: they would walk past every rule.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Final, NamedTuple

from llmuses.sandbox.inside import calls, kernel

_ENOSYS, _EPERM = 38, 1
_NEWEST: Final = 462
"""The newest call that was looked at for this list (mseal, Linux 6.10); all numbers up to here are the same everywhere
from 424 on."""

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

# Classic BPF, as linux/filter.h has it.
_LOAD, _AND, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_SET, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x45, 0x06
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_AT_NUMBER, _AT_ARCH = 0, 4
_NEW_NAMESPACES = 0x7E020000
"""All CLONE_NEW* flags that clone(2) takes."""
_TERMINAL_REQUESTS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into the user's terminal."""
_OWNER_REQUESTS = (0x8901, 0x8902)
"""FIOSETOWN and SIOCSPGRP: the same by ioctl(2)."""
_UNIX_FAMILY, _KIND_OF_SOCKET = 1, 0xF
_CONNECTED_KINDS = (1, 5)
"""SOCK_STREAM and SOCK_SEQPACKET: the others can be told, message by message, where to send it."""
_BUFFER_SIZES = (7, 8, 32, 33)
"""SO_SNDBUF, SO_RCVBUF and their FORCE kin: the kernel's memory for them is counted by no limit."""
_EVERYBODY = 0xFFFFFFFF
_OWNER_COMMANDS = (8, 15)
"""F_SETOWN and F_SETOWN_EX: having the kernel send a signal to somebody else."""


class Rule(NamedTuple):
    """One instruction: code, where to jump on true and on false (instructions to skip), a constant."""

    code: int
    true: int
    false: int
    value: int


def _refuse(error: int = _EPERM) -> Rule:
    return Rule(_RETURN, 0, 0, _ERRNO | error)


def _argument(index: int) -> Rule:
    """Load the lower half of an argument (both architectures are little-endian)."""
    return Rule(_LOAD, 0, 0, 16 + 8 * index)


def _when(number: int, body: list[Rule]) -> list[Rule]:
    """Return ``body`` for one call. The body ends with a return on every path."""
    return [Rule(_JUMP_EQUAL, 0, len(body), number), *body]


def _unless_equal(index: int, values: tuple[int, ...], mask: int = 0xFFFFFFFF) -> list[Rule]:
    """Refuse unless an argument, or the bits of a mask in it, is one of the values."""
    tests = [Rule(_JUMP_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), Rule(_AND, 0, 0, mask), *tests, _refuse(), Rule(_RETURN, 0, 0, _ALLOW)]


def _if_equal(index: int, values: tuple[int, ...]) -> list[Rule]:
    """Refuse where an argument is one of the values."""
    tests = [Rule(_JUMP_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, Rule(_RETURN, 0, 0, _ALLOW), _refuse()]


def rules(machine: str, hidden: bool, own_pid: int | None = None) -> list[Rule]:
    """Return the filter for an architecture (``x86_64`` or ``aarch64``).

    ``hidden`` says that namespaces hide the user's files and processes; else the filter is stricter, and with ``own_pid``,
    the caller's process, no signal goes to any other. Raises OSError on an architecture whose numbers are not known.
    """
    if machine not in _AUDIT_ARCH:
        raise OSError(_ENOSYS, f"no seccomp rules for the architecture {machine or 'of this machine'}")
    place = 0 if machine == "x86_64" else 1
    code = [
        Rule(_LOAD, 0, 0, _AT_ARCH),
        Rule(_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        Rule(_RETURN, 0, 0, _KILL_PROCESS),
        Rule(_LOAD, 0, 0, _AT_NUMBER),
    ]
    if machine == "x86_64":
        code += [Rule(_JUMP_SET, 0, 1, _X32_BIT), Rule(_RETURN, 0, 0, _KILL_PROCESS)]
    code += [Rule(_JUMP_GREATER, 0, 1, _NEWEST), _refuse(_ENOSYS)]
    groups = [calls.SOCKETS, calls.OTHER_PROCESSES, calls.MOUNTS, calls.NAMESPACES, calls.KERNEL, calls.SHARED_MEMORY]
    if not hidden:
        groups.append(calls.WITHOUT_NAMESPACES)
    for numbers in (pair[place] for group in groups for pair in group.values()):
        if numbers is not None:
            code += _when(numbers, [_refuse()])
    single = {name: pair[place] or 0 for name, pair in calls.SINGLE.items()}
    code += _when(single["ioctl"], _if_equal(1, (*_TERMINAL_REQUESTS, *_OWNER_REQUESTS)))
    kinds = _unless_equal(1, _CONNECTED_KINDS, mask=_KIND_OF_SOCKET)
    code += _when(single["socketpair"], [_argument(0), Rule(_JUMP_EQUAL, 1, 0, _UNIX_FAMILY), _refuse(), *kinds])
    code += _when(single["setsockopt"], _if_equal(2, _BUFFER_SIZES))
    clone = [_argument(0), Rule(_JUMP_SET, 0, 1, _NEW_NAMESPACES), _refuse(), Rule(_RETURN, 0, 0, _ALLOW)]
    code += _when(single["clone"], clone)
    # Its flags lie in memory, where a filter cannot look; the C library then falls back to clone.
    code += _when(single["clone3"], [_refuse(_ENOSYS)])
    if not hidden:
        code += _when(single["prlimit64"], _unless_equal(0, (0,)))
        code += _when(single["fcntl"], _if_equal(1, _OWNER_COMMANDS))
    if not hidden and own_pid is None:
        # To every process at once: Landlock would stop each signal, but the kernel then says that all went well.
        code += _when(calls.OWN_PROCESS_ONLY["kill"][place] or 0, _if_equal(0, (_EVERYBODY,)))
    if own_pid is not None:
        for pair in calls.OWN_PROCESS_ONLY.values():
            code += _when(pair[place] or 0, _unless_equal(0, (own_pid,)))
        code += _when(single["tkill"], [_refuse()])
    return [*code, Rule(_RETURN, 0, 0, _ALLOW)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Filter:
    """A filter in the kernel's form, made once and installed in many processes."""

    def __init__(self, code: list[Rule]):
        packed = b"".join(struct.pack("=HBBI", *rule) for rule in code)
        self._code = ctypes.create_string_buffer(packed, len(packed))
        self._program = _Program(len(code), ctypes.addressof(self._code))

    def install(self) -> None:
        """Hold this process and all that it starts to the filter, for good. Needs no_new_privileges. Raises OSError."""
        kernel.prctl(22, 2, ctypes.addressof(self._program))  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER

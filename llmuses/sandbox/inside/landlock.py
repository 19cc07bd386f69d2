"""Landlock: which files a program may open, told to the kernel by an ordinary process (Linux 5.13 and newer)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from llmuses.sandbox.inside import kernel

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
"""All rights that are guarded, by ABI: 13 at first, then moving between folders, then cutting; devices from 5 on."""
_ALL_LATEST = (1 << 16) - 1
_MAKE_DEVICES = 1 << 6 | 1 << 11
_TCP = 0b11
_SCOPES = 0b11
"""No abstract Unix socket and no signal crosses the border."""
STOPS_SIGNALS = 6
"""The first ABI that knows scopes (Linux 6.12)."""
_RULE_PATH_BENEATH = 1
_ASK_VERSION = 1


def version() -> int:
    """Return the ABI of this kernel's Landlock; raises OSError where it has none or it is switched off."""
    return kernel.call("landlock_create_ruleset", None, ctypes.c_size_t(0), ctypes.c_uint(_ASK_VERSION))


def restrict(readable: Iterable[str], devices: Iterable[str], writable: str | None, abi: int) -> None:
    """Hold this process and all that it starts to these paths, for good.

    Below ``readable`` files may be read and executed, ``devices`` may be read and written, below ``writable`` all but
    device files may be made. Everything else cannot be opened. Needs no_new_privileges. Raises OSError.
    """
    everything = _ALL.get(abi, _ALL_LATEST)
    attributes = struct.pack("=QQQ", everything, _TCP if abi >= 4 else 0, _SCOPES if abi >= STOPS_SIGNALS else 0)
    attributes = attributes[: 24 if abi >= STOPS_SIGNALS else 16 if abi >= 4 else 8]
    ruleset = kernel.call("landlock_create_ruleset", attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    try:
        read = _EXECUTE | _READ_FILE | _READ_DIR
        for path in readable:
            _allow(ruleset, path, read)
        for path in devices:
            _allow(ruleset, path, _READ_FILE | _WRITE_FILE)
        if writable is not None:
            _allow(ruleset, writable, everything & ~_MAKE_DEVICES & ~_IOCTL_DEVICE)
        kernel.call("landlock_restrict_self", ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE
        rule = struct.pack("=Qi", rights, descriptor)
        kernel.call(
            "landlock_add_rule", ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint(0)
        )
    finally:
        os.close(descriptor)

"""Whether this machine can isolate programs, and what would make it so: the line of an error, and ``llmuses doctor``'s."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from llmuses.sandbox import machine

_SETTINGS = Path("/proc/sys")
_SWITCHES = {
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
    "user/max_user_namespaces": ("0", "user.max_user_namespaces=10000"),
}
"""Files below /proc/sys that forbid user namespaces, the value that does so, the setting that allows them."""


class State(NamedTuple):
    """What this machine has: the backend that would be used (empty: none), in words, and what to do about it."""

    backend: str
    found: str
    remedy: str


def unavailable(said: Mapping[str, str]) -> str:
    """Return the line for a machine on which no backend works; ``said`` is what each of them answered."""
    reasons = "; ".join(f"{name}: {reason}" for name, reason in said.items())
    return (
        f"nothing here can isolate a program that a model wrote ({reasons}): "
        f"{remedy()}, or add --unsafe-code to run it with all your own rights."
    )


def remedy() -> str:
    """Return what would let this machine isolate programs."""
    if sys.platform == "win32":
        return "run llmuses inside WSL 2"
    if sys.platform != "linux":
        return "run llmuses in a Linux container or virtual machine"
    for name, (forbidding, setting) in _SWITCHES.items():
        try:
            if (_SETTINGS / name).read_text().strip() == forbidding:
                return f"allow user namespaces (sudo sysctl {setting})"
        except OSError:
            continue
    if machine.bubblewrap() is None:
        return "install bubblewrap (apt, dnf or pacman install bubblewrap)"
    return "allow user namespaces (in Docker: --security-opt seccomp=unconfined), or use Linux 5.13 with Landlock"


def state() -> State:
    """Try each backend and return what this machine has. Takes some tenths of a second; leaves nothing behind."""
    from llmuses.sandbox.backends import BACKENDS, LANDLOCK
    from llmuses.sandbox.pool import try_backend
    from llmuses.sandbox.worker import Broken

    said = {}
    for backend in BACKENDS:
        try:
            worker = try_backend(backend)
        except Broken as error:
            said[backend.name] = str(error)
            continue
        worker.close()
        found = f"{backend.name}: {backend.summary}"
        if worker.uncontained:
            found += f"; a program can still {'; '.join(worker.uncontained.values())}"
        return State(backend.name, found, remedy() if backend is LANDLOCK else "")
    reasons = "; ".join(f"{name}: {reason}" for name, reason in said.items())
    return State("", f"nothing isolates programs here ({reasons})", remedy())

"""The ways to isolate a program, strongest first, and what each one does not contain."""

from __future__ import annotations

from typing import NamedTuple


class Backend(NamedTuple):
    """One way. ``mode`` parts the programs from one another, ``bubblewrap`` puts a second wall around all of them."""

    name: str
    mode: str
    bubblewrap: bool
    summary: str
    uncontained: tuple[str, ...] = ()
    """What a program can still do, in words."""


_LANDLOCK = (
    "see that a file exists, its size, owner and times (never its contents)",
    "see the machine's name, its users' ids and the number of its processors",
    "fill the disk through files that it has already deleted, until its time is over",
    "with a kernel older than 6.12: send a signal to itself only, so it cannot end what it started",
)

BUBBLEWRAP = Backend("bubblewrap", "namespaces", True, "bubblewrap, and namespaces of its own for each program inside")
NAMESPACES = Backend("namespaces", "namespaces", False, "kernel namespaces of its own for each program")
BUBBLEWRAP_LANDLOCK = Backend(
    "bubblewrap+landlock",
    "landlock",
    True,
    "bubblewrap around all programs, Landlock and seccomp around each",
    ("fill the sandbox's folder in memory through files that it has already deleted, until its time is over",),
)
LANDLOCK = Backend("landlock", "landlock", False, "Landlock and seccomp, without namespaces", _LANDLOCK)
NONE = Backend("none", "none", False, "no isolation at all", ("everything that the user may do",))

BACKENDS = (BUBBLEWRAP, NAMESPACES, BUBBLEWRAP_LANDLOCK, LANDLOCK)
"""In the order in which they are tried."""

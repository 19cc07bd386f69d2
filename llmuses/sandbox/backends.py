"""The ways to isolate a program, strongest first, and what each one does not contain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Backend(NamedTuple):
    """One way. ``mode`` parts the programs from one another, ``bubblewrap`` puts a second wall around all of them."""

    name: str
    mode: str
    bubblewrap: bool
    summary: str
    uncontained: Mapping[str, str] = {}
    """What a program can still do: a short name (the tests hold each of them to be true), and in words."""


_UNLINKED = {
    "deleted_files": "fill the disk by files that it has deleted but holds open, until its time is over",
}
_SEEN = {
    "metadata": "see that a file of yours exists, its size, owner and times, though never what is in it",
    "machine": "see the name of the machine",
}

UNSEEN = {
    "memory": "take the memory that it may have once more in each of its processes, since /proc cannot be mounted here",
}
"""What is added where a zygote in namespaces cannot see the processes in them."""

BUBBLEWRAP = Backend(
    "bubblewrap", "namespaces", True, "a wall around all programs, and namespaces of its own for each inside"
)
NAMESPACES = Backend("namespaces", "namespaces", False, "kernel namespaces of its own for each program")
BUBBLEWRAP_LANDLOCK = Backend(
    "bubblewrap+landlock",
    "landlock",
    True,
    "bubblewrap around all, Landlock and seccomp around each program",
    _UNLINKED,
)
LANDLOCK = Backend(
    "landlock", "landlock", False, "Landlock and seccomp around each program, no namespaces", {**_SEEN, **_UNLINKED}
)
NONE = Backend("none", "none", False, "no isolation at all", {"all": "everything that you may do yourself"})

BACKENDS = (BUBBLEWRAP, NAMESPACES, BUBBLEWRAP_LANDLOCK, LANDLOCK)
"""In the order in which they are tried."""

"""What this machine gives the sandbox: an interpreter, the files that it needs, an unprivileged user, bubblewrap."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmuses.sandbox.backends import Backend
from llmuses.sandbox.inside import view

INSIDE = Path(__file__).resolve().parent / "inside"
_LAUNCH = INSIDE / "launch.py"
_FLAGS = ("-P", "-s", "-S", "-B")
"""No current folder, no user's packages, no .pth files, no bytecode written."""

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    # The same program behaves the same way each time.
    "PYTHONHASHSEED": "0",
    # One thread for each library of mathematics: they would start one a processor, against the limits.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""All that a program finds in its environment, beside HOME and TMPDIR, which are its own folder."""

_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
"""Where shared libraries lie, and the time zones."""

_NOBODY = 65534
_FIRST_UID, _UIDS = 1_500_000_000, 100_000_000
_started = itertools.count()


def interpreter() -> str:
    """Return the path of the interpreter itself, behind all links and virtual environments."""
    return os.path.realpath(sys.executable)


def packages() -> list[str]:
    """Return the folders of installed packages that this process imports from."""
    names = ("site-packages", "dist-packages")
    return [os.path.realpath(path) for path in sys.path if os.path.basename(path) in names and os.path.isdir(path)]


def readable(further: Iterable[str] = ()) -> list[str]:
    """Return the paths that a program may read: the interpreter, its libraries and packages, and ``further``."""
    python = interpreter()
    names = [name for path in (sys.base_prefix, sys.base_exec_prefix) for name in (f"{path}/lib", f"{path}/lib64")]
    names += [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), python]
    names += [*packages(), *_SYSTEM, *(os.path.abspath(path) for path in further)]
    if sys.base_prefix.startswith("/nix/store/"):
        names.append("/nix/store")
    there = [name for name in names if os.path.exists(name)]
    return sorted({*there, *(os.path.realpath(name) for name in there)})


def bubblewrap() -> str | None:
    """Return the path of bubblewrap, None where it is not installed."""
    return shutil.which("bwrap")


def unprivileged_uid() -> int | None:
    """Return the user that a zygote started by root becomes; None for an ordinary user.

    Each zygote has one of its own, far above those of people and services, so that limits on processes are counted apart. A
    container that maps only the usual 65,536 leaves ``nobody``. Root of a user namespace that maps no other user is an
    ordinary user outside, and stays what it is. Raises OSError where it is real root nevertheless: nothing would bound the
    number of processes.
    """
    if os.geteuid() != 0:
        return None
    ranges = _mapped_uids()
    wanted = (_FIRST_UID + (os.getpid() * 64 + next(_started)) % _UIDS, _NOBODY)
    for uid in wanted:
        if any(first <= uid < first + count for first, _, count in ranges):
            return uid
    if any(first == outside == 0 for first, outside, _ in ranges):
        raise OSError("this is root, and there is no other user to become")
    return None


def _mapped_uids() -> list[tuple[int, int, int]]:
    """Return the users that exist here: first, the same outside, how many."""
    try:
        with open("/proc/self/uid_map") as file:
            return [(int(first), int(outside), int(count)) for first, outside, count in map(str.split, file)]
    except OSError:
        return [(0, 0, (1 << 32) - 1)]


def command(backend: Backend, further: Iterable[str], uid: int | None, scratch: str | None) -> list[str]:
    """Return the command that starts a zygote behind a backend's walls."""
    paths = readable(further)
    if backend.mode == "namespaces":
        scratch = view.place_for_programs(paths)
    elif backend.bubblewrap:
        scratch = "/tmp"
    config: dict[str, Any] = {
        "mode": backend.mode,
        "readable": paths,
        "inside": str(INSIDE),
        "packages": packages(),
        "python": interpreter(),
        "scratch": scratch,
    }
    python = [interpreter(), *_FLAGS, str(_LAUNCH)]
    wrapped = None
    if backend.bubblewrap:
        wrapped = [*_wrapping(paths), "--", *python, json.dumps(config)]
    config["outer"] = {"uid": uid, "reach": [*paths, str(INSIDE)], "command": wrapped}
    return [*python, json.dumps(config)]


def _wrapping(paths: list[str]) -> list[str]:
    """Return bubblewrap with its options: every namespace, no capabilities, the readable paths and nothing else."""
    path = bubblewrap() or "bwrap"
    options = "--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try"
    options += " --die-with-parent --new-session --cap-drop ALL --uid 1000 --gid 1000 --hostname sandbox"
    binds: list[str] = []
    for name in view.outermost([*paths, str(INSIDE)]):
        if os.path.islink(name):
            binds += ["--symlink", os.readlink(name), name]
        elif not _behind_a_link(name):
            binds += ["--ro-bind", name, name]
    for device in ("null", "zero", "full", "random", "urandom"):
        binds += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    # What is readable may lie in /tmp.
    return [path, *options.split(), "--tmpfs", "/tmp", *binds, "--proc", "/proc", "--chdir", "/"]


def _behind_a_link(name: str) -> bool:
    """Return whether a path leads through a link: what it leads to is shown for its own sake."""
    return os.path.realpath(os.path.dirname(name)) != os.path.dirname(name)

"""How a zygote comes to be: a fresh interpreter that gives up root, goes behind its walls, and waits for jobs.

Started as ``python launch.py CONFIG`` with the control socket as standard input. CONFIG is JSON:

``outer``       what to become before the walls: ``{"uid": 65534 or null, "reach": [paths], "command": [argv] or null}``;
                ``command`` (bubblewrap) starts this file again, without ``outer``
``mode``        how each program is parted from the others
``readable``    paths that programs may read
``inside``      the folder of this file
``packages``    folders of installed packages, for programs to import from
``python``      the interpreter
``scratch``     the folder of a program in a mount namespace of its own; elsewhere one for the programs' own folders
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import socket
import sys
import types
from typing import Any

_PRELOADED = (
    "abc array ast base64 bisect calendar cmath collections contextlib copy csv dataclasses datetime decimal difflib enum "
    "fractions functools hashlib heapq inspect io itertools json math operator os random re statistics string struct sys "
    "textwrap time traceback types typing unicodedata uuid"
)


def main(config: dict[str, Any]) -> None:
    """Become a zygote, serve until the control socket closes, and end."""
    os.umask(0o022)
    kernel = _kernel(config["inside"])
    outer = config.get("outer")
    if outer is not None:
        _leave_root(outer)
        # Where its end is the end of a pid namespace. Else it has to outlive its parent for as long as it takes to end what
        # it started; it sees the control socket close.
        if kernel.LINUX and (config["mode"] == "namespaces" or outer["command"] is not None):
            kernel.die_with_parent()
        if outer["command"] is not None:
            os.execv(outer["command"][0], outer["command"])
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    _serve(config, control)


def _kernel(inside: str) -> Any:
    """Make this folder importable by its full name, with nothing else of the package, and return its kernel module."""
    for name in ("llmuses", "llmuses.sandbox", "llmuses.sandbox.inside"):
        package = types.ModuleType(name)
        package.__path__ = [inside] if name.endswith("inside") else []
        sys.modules[name] = package
    from llmuses.sandbox.inside import kernel

    return kernel


def _leave_root(outer: dict[str, Any]) -> None:
    """Become an ordinary user for good: RLIMIT_NPROC does not hold root, not even inside a user namespace."""
    if outer["uid"] is None:
        return
    from llmuses.sandbox.inside import kernel, view

    view.make_reachable(outer["reach"])
    os.setgroups([])
    os.setresgid(outer["uid"], outer["uid"], outer["uid"])
    os.setresuid(outer["uid"], outer["uid"], outer["uid"])
    kernel.dumpable()  # changing the user took it back, and the maps of a user namespace are written in /proc/self


def _serve(config: dict[str, Any], control: socket.socket) -> None:
    for name in _PRELOADED.split():
        with contextlib.suppress(ImportError):
            __import__(name)
    from llmuses.sandbox.inside import confine, folders, kernel, usage, view
    from llmuses.sandbox.inside.zygote import Zygote

    mode = confine.Mode(config["mode"])
    sees_processes, own_pids = kernel.LINUX, -1
    # When memory runs out, the kernel looks here first.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    if mode is confine.Mode.NAMESPACES:
        _enter_namespaces(control)
        own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY)  # the new root may lack a /proc
        sees_processes = view.build(config["readable"], config["scratch"])
    elif kernel.LINUX:
        kernel.adopt_orphans()
    walls = confine.Walls(mode, config["readable"])
    sys.path += config["packages"]
    sys.argv = [""]
    zygote = Zygote(control, walls, config, sees_processes, own_pids)
    usage.children()  # has all code objects of the module made before anything is frozen
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps({"ready": True, "sees_processes": sees_processes}).encode())
    for number in (1, 2):
        os.dup2(0, number)
    zygote.serve()
    if config["scratch"] is not None and mode is not confine.Mode.NAMESPACES:
        # Its parent does so too, unless it was killed.
        folders.remove(config["scratch"])


def _enter_namespaces(control: socket.socket) -> None:
    """Go on, in a forked process, as the first of new namespaces of every kind, holding all capabilities in them alone."""
    from llmuses.sandbox.inside import kernel

    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(kernel.ALL_NAMESPACES)
    for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    pid = os.fork()
    if pid:
        control.close()
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    kernel.die_with_parent()
    socket.sethostname("sandbox")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

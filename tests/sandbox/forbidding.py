"""Machines that forbid what isolation is made of, simulated by the kernel itself: ``python -m tests.sandbox.forbidding``.

A command runs under a seccomp filter under which user namespaces, or Landlock too, do not exist; as in Docker with its
default profile, where both root and an ordinary user meet the same.
"""

from __future__ import annotations

import os
import sys

from llmuses.sandbox.inside import kernel
from llmuses.sandbox.inside.seccomp import Filter, Rule

_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBERS = {
    "x86_64": {"unshare": 272, "clone": 56, "mount": 165},
    "aarch64": {"unshare": 97, "clone": 220, "mount": 40},
}
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
_NEW_USER = 0x10000000


def forbid(landlock: bool) -> None:
    """Forbid user namespaces to this process and all that it starts, and ``landlock`` where it says so."""
    numbers = _NUMBERS[kernel.MACHINE]
    refuse = [
        Rule(_LOAD, 0, 0, 16),
        Rule(_SET, 0, 1, _NEW_USER),
        Rule(_RETURN, 0, 0, _EPERM),
        Rule(_RETURN, 0, 0, _ALLOW),
    ]
    code = [Rule(_LOAD, 0, 0, 0)]
    for name in ("unshare", "clone"):
        code += [Rule(_EQUAL, 0, len(refuse), numbers[name]), *refuse]
    code += [Rule(_EQUAL, 0, 1, 435), Rule(_RETURN, 0, 0, _ENOSYS)]  # clone3
    if landlock:
        code += [Rule(_EQUAL, 0, 1, 444), Rule(_RETURN, 0, 0, _ENOSYS)]
    kernel.no_new_privileges()
    Filter([*code, Rule(_RETURN, 0, 0, _ALLOW)]).install()


if __name__ == "__main__":
    forbid(landlock=sys.argv[1] == "all")
    os.execv(sys.argv[2], sys.argv[2:])

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

from llmuses.sandbox.inside import kernel

_ENOSYS, _EPERM = 38, 1
_NEWEST: Final = 462
"""The newest call that was looked at for this list (mseal, Linux 6.10); all numbers up to here are the same everywhere
from 424 on."""

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

# Call numbers: x86-64, arm64. None: the architecture lacks it.
_Numbers = dict[str, tuple[int | None, int | None]]

_SOCKETS: _Numbers = {
    # No network, no local service (abstract Unix sockets and vsock pass by file rules and, vsock, by network
    # namespaces). Pairs of connected Unix sockets stay: asyncio and multiprocessing need them.
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept4": (288, 242),
}
_OTHER_PROCESSES: _Numbers = {
    # Reading, writing and steering another process.
    "ptrace": (101, 117),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
}
_MOUNTS: _Numbers = {
    # What is hidden is hidden by mounts; a program with a user namespace of its own could change them.
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "quotactl_fd": (443, 443),
    "statmount": (457, 457),
    "listmount": (458, 458),
    # By a handle a file is opened past every path rule.
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
}
_NAMESPACES: _Numbers = {
    # A new user namespace brings all capabilities inside it, and with them most of the kernel's attack surface.
    "unshare": (272, 97),
    "setns": (308, 268),
}
_KERNEL: _Numbers = {
    # Large or privileged interfaces that no test program needs; several exist to run code in the kernel.
    "uselib": (134, None),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "modify_ldt": (154, None),
    "acct": (163, 89),
    "reboot": (169, 142),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "nfsservctl": (180, 42),
    "lookup_dcookie": (212, 18),
    "kexec_load": (246, 104),
    "perf_event_open": (298, 241),
    "syslog": (103, 116),
    "finit_module": (313, 273),
    "seccomp": (317, 277),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # Keys belong to the user, not to a namespace.
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # The clock and the names of the machine.
    "adjtimex": (159, 171),
    "settimeofday": (164, 170),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    # Writes out everybody's files: a program could slow the whole machine.
    "sync": (162, 81),
}
_SHARED_MEMORY: _Numbers = {
    # Segments, semaphores and queues outlive the program that makes them; memory files are counted by no limit.
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "shmdt": (67, 197),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184),
    "mq_getsetattr": (245, 185),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
_WITHOUT_NAMESPACES: _Numbers = {
    # Where no mount namespace hides the user's files: Landlock guards contents, not owners, modes, times and attributes.
    "chmod": (90, None),
    "fchmod": (91, 52),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "utime": (132, None),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utimes": (235, None),
    "fchownat": (260, 54),
    "futimesat": (261, None),
    "fchmodat": (268, 53),
    "utimensat": (280, 88),
    "fchmodat2": (452, 452),
    # Older Landlock (before ABI 3) does not guard this one; an open file can still be cut.
    "truncate": (76, 45),
    # Watching what the user does with files.
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    # Where no pid namespace hides the user's processes. A program also stays in its process group: it is killed by it.
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "ioprio_set": (251, 30),
    "sched_setattr": (314, 274),
    "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434),
}
_OWN_PROCESS_ONLY: _Numbers = {
    # Allowed when the first argument is the caller itself: for a Landlock before ABI 6, which stops no signals.
    "kill": (62, 129),
    "rt_sigqueueinfo": (129, 138),
    "tgkill": (234, 131),
    "rt_tgsigqueueinfo": (297, 240),
}
_SINGLE: _Numbers = {
    "ioctl": (16, 29),
    "socketpair": (53, 199),
    "clone": (56, 220),
    "fcntl": (72, 25),
    "tkill": (200, 130),
    "prlimit64": (302, 261),
    "clone3": (435, 435),
}

# Classic BPF, as linux/filter.h has it.
_LOAD, _AND, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_SET, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x45, 0x06
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_AT_NUMBER, _AT_ARCH = 0, 4
_NEW_NAMESPACES = 0x7E020000
"""All CLONE_NEW* flags that clone(2) takes."""
_TERMINAL_REQUESTS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into the user's terminal."""
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


def _unless_equal(index: int, values: tuple[int, ...]) -> list[Rule]:
    """Refuse unless an argument is one of the values."""
    tests = [Rule(_JUMP_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, _refuse(), Rule(_RETURN, 0, 0, _ALLOW)]


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
    groups = [_SOCKETS, _OTHER_PROCESSES, _MOUNTS, _NAMESPACES, _KERNEL, _SHARED_MEMORY]
    if not hidden:
        groups.append(_WITHOUT_NAMESPACES)
    for numbers in (pair[place] for group in groups for pair in group.values()):
        if numbers is not None:
            code += _when(numbers, [_refuse()])
    single = {name: pair[place] or 0 for name, pair in _SINGLE.items()}
    code += _when(single["ioctl"], _if_equal(1, _TERMINAL_REQUESTS))
    code += _when(single["socketpair"], _unless_equal(0, (1,)))  # AF_UNIX
    clone = [_argument(0), Rule(_JUMP_SET, 0, 1, _NEW_NAMESPACES), _refuse(), Rule(_RETURN, 0, 0, _ALLOW)]
    code += _when(single["clone"], clone)
    # Its flags lie in memory, where a filter cannot look; the C library then falls back to clone.
    code += _when(single["clone3"], [_refuse(_ENOSYS)])
    if not hidden:
        code += _when(single["prlimit64"], _unless_equal(0, (0,)))
        code += _when(single["fcntl"], _if_equal(1, _OWNER_COMMANDS))
    if not hidden and own_pid is None:
        # To every process at once: Landlock would stop each signal, but the kernel then says that all went well.
        code += _when(_OWN_PROCESS_ONLY["kill"][place] or 0, _if_equal(0, (_EVERYBODY,)))
    if own_pid is not None:
        for pair in _OWN_PROCESS_ONLY.values():
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

"""The system calls that the filter knows, in groups, with their numbers on both architectures."""

from __future__ import annotations

# Call numbers: x86-64, arm64. None: the architecture lacks it.
_Numbers = dict[str, tuple[int | None, int | None]]

SOCKETS: _Numbers = {
    # No network, no local service (abstract Unix sockets and vsock pass by file rules and, vsock, by network
    # namespaces). Pairs of connected Unix sockets stay: asyncio and multiprocessing need them.
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept4": (288, 242),
}
OTHER_PROCESSES: _Numbers = {
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
MOUNTS: _Numbers = {
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
NAMESPACES: _Numbers = {
    # A new user namespace brings all capabilities inside it, and with them most of the kernel's attack surface.
    "unshare": (272, 97),
    "setns": (308, 268),
}
KERNEL: _Numbers = {
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
SHARED_MEMORY: _Numbers = {
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
WITHOUT_NAMESPACES: _Numbers = {
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
OWN_PROCESS_ONLY: _Numbers = {
    # Allowed when the first argument is the caller itself: for a Landlock before ABI 6, which stops no signals.
    "kill": (62, 129),
    "rt_sigqueueinfo": (129, 138),
    "tgkill": (234, 131),
    "rt_tgsigqueueinfo": (297, 240),
}
SINGLE: _Numbers = {
    "ioctl": (16, 29),
    "socketpair": (53, 199),
    "setsockopt": (54, 208),
    "clone": (56, 220),
    "fcntl": (72, 25),
    "tkill": (200, 130),
    "prlimit64": (302, 261),
    "clone3": (435, 435),
}

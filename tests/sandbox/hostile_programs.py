"""Programs that try to get out, each a function whose text is sent into the sandbox.

Each returns ``contained``, or says what it reached. ``TARGET`` is filled in by the tests: what lies outside to be reached.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import mmap
import os
import signal
import socket
import sys
import threading
import time

CONTAINED = "contained"
TARGET: dict = {}


# -- what the programs are made of ------------------------------------------------------------------------------------


def refused(action):
    """Return ``contained`` where an action is an error of the system, else what came of it."""
    try:
        result = action()
    except OSError:
        return CONTAINED
    return f"escaped: {result!r}"


def all_refused(actions):
    """Return the first escape of several actions."""
    return next((said for action in actions if (said := refused(action)) != CONTAINED), CONTAINED)


def system_call(number, *arguments):
    """Make a system call by its number on x86-64; raise OSError where it is refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read(path):
    """Return the beginning of a file."""
    with open(path, "rb") as file:
        return file.read(200)


def write(path, text="written"):
    """Write a file and return its path."""
    with open(path, "w") as file:
        file.write(text)
    return path


HELPERS = (refused, all_refused, system_call, read, write)


# -- files ------------------------------------------------------------------------------------------------------------


def reads_the_password_file():
    return refused(lambda: read("/etc/passwd"))


def reads_the_shadow_file():
    return refused(lambda: read("/etc/shadow"))


def reads_a_file_of_the_user():
    return refused(lambda: read(TARGET["file"]))


def reads_a_file_of_the_user_through_a_link():
    os.symlink(TARGET["file"], "link")
    return refused(lambda: read("link"))


def links_a_file_of_the_user_into_its_own_folder():
    return refused(lambda: os.link(TARGET["file"], "mine"))


def lists_the_home_folder():
    return refused(lambda: os.listdir(TARGET["home"]) if TARGET["home"] != "/root" else os.listdir("/root/.ssh"))


def lists_the_users_folder():
    return refused(lambda: os.listdir(TARGET["folder"]))


def lists_the_machines_files():
    return all_refused([lambda: os.listdir("/home"), lambda: os.listdir("/sys"), lambda: os.listdir("/var/log")])


def sees_that_a_file_exists():
    return refused(lambda: os.stat(TARGET["file"]).st_size)


def reads_keys_and_histories():
    names = (
        ".ssh/id_rsa",
        ".ssh/id_ed25519",
        ".bash_history",
        ".netrc",
        ".cache/huggingface/token",
        ".aws/credentials",
    )
    return all_refused([lambda name=name: read(f"{TARGET['home']}/{name}") for name in names])


def writes_into_the_users_folder():
    return refused(lambda: write(f"{TARGET['folder']}/left-behind"))


def overwrites_a_file_of_the_user():
    return refused(lambda: write(TARGET["file"]))


def appends_to_a_file_of_the_user():
    return refused(lambda: open(TARGET["file"], "a").write("more"))


def cuts_a_file_of_the_user():
    return refused(lambda: os.truncate(TARGET["file"], 0))


def deletes_a_file_of_the_user():
    return refused(lambda: os.unlink(TARGET["file"]))


def renames_a_file_of_the_user():
    return refused(lambda: os.rename(TARGET["file"], TARGET["file"] + ".moved"))


def moves_a_file_of_its_own_out():
    write("own")
    return refused(lambda: os.rename("own", f"{TARGET['folder']}/moved-out"))


def changes_the_mode_of_a_file_of_the_user():
    return refused(lambda: os.chmod(TARGET["file"], 0o777))


def changes_the_times_of_a_file_of_the_user():
    return refused(lambda: os.utime(TARGET["file"], (0, 0)))


def marks_a_file_of_the_user():
    return refused(lambda: os.setxattr(TARGET["file"], "user.mark", b"1"))


def watches_the_users_folder():
    def watch():
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = libc.inotify_init()
        if descriptor < 0 or libc.inotify_add_watch(descriptor, TARGET["folder"].encode(), 0xFFF) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return refused(watch)


def writes_outside_its_folder():
    places = (
        "/",
        "/usr",
        "/usr/lib",
        "/etc",
        "/dev",
        "/var",
        "/home",
        "/proc",
        "/opt",
        "/run",
        "/var/tmp",
        "/dev/shm/..",
    )
    return all_refused([lambda place=place: write(f"{place}/left-behind") for place in places])


def writes_into_the_interpreter():
    folder = os.path.dirname(os.__file__)
    return all_refused(
        [
            lambda: open(os.__file__, "a").close(),
            lambda: write(f"{folder}/sitecustomize.py"),
            lambda: write(f"{folder}/site-packages/evil.pth"),
            lambda: os.chmod(os.__file__, 0o666),
        ]
    )


def writes_into_the_sandboxs_own_code():
    return refused(lambda: write(f"{TARGET['inside']}/tester.py"))


def climbs_out_by_dots():
    return all_refused([lambda: read("../" * 40 + "etc/passwd"), lambda: write("../" * 40 + "etc/left-behind")])


def makes_a_device_of_the_disk():
    return refused(lambda: os.mknod("disk", 0o60600, os.makedev(254, 0)))


def opens_a_file_by_its_handle():
    def by_handle():
        handle = (ctypes.c_uint32 * 34)(128)
        mount = ctypes.c_int()
        return system_call(303, -100, TARGET["file"].encode(), handle, ctypes.byref(mount), 0)

    return refused(by_handle)


# -- the environment and other processes ------------------------------------------------------------------------------


def reads_the_environment():
    if any("OUTSIDE" in name + value for name, value in os.environ.items()):
        return "escaped: a variable of the user"
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    index = 0
    while environ[index]:
        if b"OUTSIDE" in environ[index]:
            return f"escaped: {environ[index]!r}"
        index += 1
    return all_refused([lambda pid=pid: read(f"/proc/{pid}/environ") for pid in (TARGET["pid"], os.getppid())])


def reads_process_1():
    if os.getpid() == 1:  # where it is itself
        return refused(lambda: read("/proc/sys/kernel/hostname"))
    return all_refused([lambda: read("/proc/1/environ"), lambda: read("/proc/1/maps"), lambda: read("/proc/1/cmdline")])


def lists_processes():
    try:
        others = [name for name in os.listdir("/proc") if name.isdecimal() and int(name) != os.getpid()]
    except OSError:
        return CONTAINED
    return f"escaped: {others}" if others else CONTAINED


def reads_the_memory_of_another_process():
    class Piece(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    buffer = ctypes.create_string_buffer(16)
    local = Piece(ctypes.addressof(buffer), 16)
    remote = Piece(TARGET["address"], 16)
    pieces = (ctypes.byref(local), ctypes.c_ulong(1), ctypes.byref(remote), ctypes.c_ulong(1), ctypes.c_ulong(0))
    pids = (TARGET["pid"], os.getppid(), os.getpid() + 1, os.getpid() - 1)
    return all_refused(
        [lambda pid=pid: system_call(310, pid, *pieces) for pid in pids]
        + [lambda pid=pid: read(f"/proc/{pid}/mem") for pid in pids]
    )


def traces_another_process():
    attach, seize = 16, 0x4206
    return all_refused(
        [
            lambda r=r, pid=pid: system_call(101, r, pid, 0, 0)
            for r in (attach, seize)
            for pid in (TARGET["pid"], os.getppid())
        ]
    )


def takes_a_descriptor_of_another_process():
    def take():
        descriptor = system_call(434, os.getppid() or TARGET["pid"], 0)
        return system_call(438, descriptor, 0, 0)

    return refused(take)


def signals_the_process_outside():
    if os.getpid() == TARGET["pid"]:
        return CONTAINED
    return all_refused(
        [lambda number=number: os.kill(TARGET["pid"], number) for number in (0, signal.SIGWINCH, signal.SIGCONT)]
    )


def kills_its_parent():
    if os.getppid() == 0:
        return CONTAINED  # it has none that it could name
    return refused(lambda: os.kill(os.getppid(), signal.SIGKILL))


def kills_every_process():
    return refused(lambda: os.kill(-1, signal.SIGKILL))


def kills_the_sessions_of_others():
    return all_refused([lambda: os.killpg(TARGET["pid"], signal.SIGKILL), lambda: os.killpg(1, signal.SIGKILL)])


def signals_through_a_descriptor_of_a_process():
    def send():
        descriptor = system_call(434, TARGET["pid"], 0)
        return system_call(424, descriptor, signal.SIGWINCH, 0, 0)

    return refused(send)


def has_the_kernel_send_signals_for_its_descriptors():
    import fcntl
    import struct

    ours, _ = socket.socketpair()
    return all_refused(
        [
            lambda request=request, to=to: fcntl.ioctl(ours, request, struct.pack("i", to))
            for request in (0x8901, 0x8902)
            for to in (TARGET["pid"], 1)
        ]
    )


def slows_down_the_users_other_processes():
    return all_refused(
        [
            lambda: os.setpriority(os.PRIO_PROCESS, TARGET["pid"], 19),
            lambda: os.sched_setaffinity(TARGET["pid"], {0}),
            lambda: __import__("resource").prlimit(TARGET["pid"], 7, (10, 10)),
        ]
    )


# -- the network ------------------------------------------------------------------------------------------------------


def connects_to_loopback():
    return refused(lambda: socket.create_connection(("127.0.0.1", TARGET["port"]), 0.5))


def connects_outside():
    return refused(lambda: socket.create_connection(("198.51.100.1", 80), 0.5))


def resolves_a_name():
    return refused(lambda: socket.getaddrinfo("example.com", 80))


def sends_a_datagram():
    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            return channel.sendto(b"secret", ("127.0.0.1", TARGET["port"]))

    return refused(send)


def listens_on_a_port():
    return refused(lambda: socket.create_server(("127.0.0.1", 0)))


def connects_to_an_abstract_socket():
    def connect():
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect("\0" + TARGET["abstract"])

    return refused(connect)


def connects_to_a_socket_file():
    def connect():
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(TARGET["socket"])

    return refused(connect)


def sends_a_datagram_to_a_socket_file():
    def send(kind):
        ours, _ = socket.socketpair(socket.AF_UNIX, kind)
        ours.sendto(b"from inside", TARGET["datagrams"])

    return all_refused([lambda kind=kind: send(kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW)])


def makes_the_buffers_of_its_sockets_larger():
    ours, _ = socket.socketpair()
    return all_refused(
        [lambda option=option: ours.setsockopt(socket.SOL_SOCKET, option, 1 << 22) for option in (7, 8, 32, 33)]
    )


def opens_other_kinds_of_sockets():
    families = {"netlink": 16, "packet": 17, "alg": 38, "vsock": 40, "bluetooth": 31, "tipc": 30, "xdp": 44}
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)
    return all_refused([lambda f=f, k=k: socket.socket(f, k) for f in families.values() for k in kinds])


def makes_a_pair_of_sockets_of_another_family():
    return all_refused([lambda f=f: socket.socketpair(f) for f in (socket.AF_INET, socket.AF_INET6, 30)])


# -- the kernel -------------------------------------------------------------------------------------------------------


def mounts_a_file_system():
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(kind):
        os.makedirs("place", exist_ok=True)
        if libc.mount(kind, b"place", kind, 0, None) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return all_refused([lambda kind=kind: mount(kind) for kind in (b"tmpfs", b"proc", b"sysfs", b"overlay")])


def unmounts_what_hides_the_machine():
    libc = ctypes.CDLL(None, use_errno=True)

    def unmount(path):
        if libc.umount2(path, 2) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return all_refused(
        [lambda path=path: unmount(path) for path in (b"/", b"/proc", b"/tmp", b"/dev/null", b"/usr/lib")]
    )


def opens_a_tree_of_mounts():
    return all_refused([lambda: system_call(428, -100, b"/", 1), lambda: system_call(430, b"tmpfs", 0)])


def makes_namespaces_of_its_own():
    flags = (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000, 0x80)
    return all_refused([lambda flag=flag: system_call(272, flag) for flag in flags])


def clones_into_a_user_namespace():
    def clone():
        pid = system_call(56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
        return pid

    return refused(clone)


def clones_into_a_user_namespace_by_the_newer_call():
    def clone():
        arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, signal.SIGCHLD)
        pid = system_call(435, arguments, ctypes.sizeof(arguments))
        if pid == 0:
            os._exit(0)
        return pid

    return refused(clone)


def joins_the_namespaces_of_others():
    def join():
        descriptor = os.open(f"/proc/{TARGET['pid']}/ns/net", os.O_RDONLY)
        return system_call(308, descriptor, 0)

    return all_refused([join, lambda: system_call(308, 0, 0)])


def changes_its_root():
    return all_refused([lambda: os.chroot("/tmp"), lambda: os.chroot("."), lambda: system_call(155, b".", b".")])


def becomes_root():
    if os.getuid() == 0 or os.geteuid() == 0:
        return "escaped: it is root already"
    return all_refused(
        [lambda: os.setuid(0), lambda: os.setreuid(0, 0), lambda: os.setgid(0), lambda: os.setgroups([0])]
    )


def becomes_another_user():
    return all_refused([lambda uid=uid: os.setuid(uid) for uid in (1, 33, 65533)])


def has_capabilities():
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    system_call(125, header, data)
    return CONTAINED if not any(data) else f"escaped: {list(data)}"


def gains_from_set_uid_programs():
    return CONTAINED if ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) == 1 else "escaped: new privileges are possible"


def reaches_seldom_used_parts_of_the_kernel():
    calls = {"bpf": 321, "perf": 298, "userfaultfd": 323, "io_uring": 425, "keyctl": 250, "add_key": 248, "kexec": 246}
    calls |= {"init_module": 175, "finit_module": 313, "syslog": 103, "acct": 163, "quotactl": 179, "swapon": 167}
    calls |= {"modify_ldt": 154, "fanotify": 300, "personality": 135, "seccomp": 317, "ioperm": 173, "kcmp": 312}
    zeros = (ctypes.c_ulong(0),) * 5
    return all_refused([lambda number=number: system_call(number, *zeros) for number in calls.values()])


def finds_that_refused_calls_are_refused_by_the_filter():
    """Each with EPERM or ENOSYS, before the kernel has looked at an argument."""
    wrong = []
    for number in (321, 298, 323, 425, 250, 41, 101, 165, 29, 319, 310, 448):
        try:
            system_call(number, *(ctypes.c_ulong(0),) * 5)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.ENOSYS):
                continue
        wrong.append(number)
    return f"escaped: {wrong}" if wrong else CONTAINED


def makes_calls_that_are_newer_than_the_filter():
    wrong = []
    for number in (463, 470, 500, 1000):
        try:
            system_call(number)
        except OSError as error:
            if error.errno == errno.ENOSYS:
                continue
        wrong.append(number)
    return f"escaped: {wrong}" if wrong else CONTAINED


def makes_calls_in_the_x32_numbering():
    return refused(lambda: system_call(0x40000000 + 41, 2, 1, 0))


def makes_calls_in_the_32_bit_numbering():
    """int 0x80 with socketcall: the numbers of another architecture."""
    code = b"\xb8\x66\x00\x00\x00\xbb\x01\x00\x00\x00\x31\xc9\xcd\x80\xc3"
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    return f"escaped: {function()}"


def changes_settings_of_the_kernel():
    names = ("kernel/core_pattern", "kernel/hostname", "vm/overcommit_memory", "net/ipv4/ip_forward", "kernel/sysrq")
    return all_refused([lambda name=name: write(f"/proc/sys/{name}", "1") for name in (*names, "../sysrq-trigger")])


def changes_the_name_of_the_machine():
    return refused(lambda: socket.sethostname("taken"))


def sees_the_name_of_the_machine():
    return f"escaped: {os.uname().nodename}" if os.uname().nodename == TARGET["hostname"] else CONTAINED


def changes_the_clock():
    return all_refused(
        [
            lambda: time.clock_settime(time.CLOCK_REALTIME, 0.0),
            lambda: system_call(164, (ctypes.c_long * 2)(0, 0), None),
        ]
    )


def types_into_the_terminal():
    import fcntl

    return all_refused([lambda number=number: fcntl.ioctl(number, 0x5412, b"x") for number in range(3)])


def opens_the_terminal():
    return all_refused([lambda path=path: open(path, "w") for path in ("/dev/tty", "/dev/console", "/dev/pts/0")])


def opens_devices():
    paths = (
        "/dev/mem",
        "/dev/kmsg",
        "/dev/vsock",
        "/dev/fuse",
        "/dev/kvm",
        "/dev/sda",
        "/dev/vda",
        "/dev/loop-control",
    )
    return all_refused([lambda path=path: open(path, "rb") for path in paths])


def leaves_a_segment_of_shared_memory():
    return all_refused([lambda: system_call(29, 0x11115, 4096, 0o1666), lambda: system_call(64, 0x11115, 1, 0o1666)])


def leaves_a_message_queue():
    return all_refused(
        [lambda: system_call(68, 0x11115, 0o1666), lambda: system_call(240, b"left-behind", 0o102, 0o666, None)]
    )


def fills_memory_that_no_limit_counts():
    return all_refused([lambda: os.memfd_create("uncounted"), lambda: system_call(447, 0)])


# -- too much of everything -------------------------------------------------------------------------------------------


def starts_threads_without_end():
    started = 0
    try:
        while started < TARGET["processes"] + 100:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            started += 1
    except RuntimeError:
        return CONTAINED
    return f"escaped: {started} threads"


def forks_until_refused():
    started = 0
    while started < TARGET["processes"] + 100:
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        except OSError:
            return CONTAINED
        started += 1
    return f"escaped: {started} processes"


def opens_files_without_end():
    held = []
    try:
        while len(held) < 5000:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return CONTAINED
    return f"escaped: {len(held)} open files"


def raises_its_own_limits():
    import resource

    kinds = (
        resource.RLIMIT_AS,
        resource.RLIMIT_NPROC,
        resource.RLIMIT_CPU,
        resource.RLIMIT_FSIZE,
        resource.RLIMIT_CORE,
    )

    def more(kind):
        try:
            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except ValueError as error:
            raise OSError from error

    return all_refused([lambda kind=kind: more(kind) for kind in kinds])


def writes_one_file_without_end():
    def fill():
        with open("large", "wb", buffering=0) as file:
            for _ in range(4 * TARGET["file_mb"]):
                file.write(bytes(1 << 20))

    return refused(fill)


def fills_the_disk_with_many_files():
    written = 0
    try:
        for number in range(4 * TARGET["file_mb"]):
            with open(f"file{number}", "wb", buffering=0) as file:
                written += file.write(bytes(1 << 20))
            time.sleep(0.01)
    except OSError:
        return CONTAINED
    time.sleep(60)
    return f"escaped: {written} bytes"


def fills_the_disk_with_deleted_files():
    held = []
    try:
        for number in range(4 * TARGET["file_mb"]):
            held.append(open(f"file{number}", "wb", buffering=0))
            os.unlink(f"file{number}")
            held[-1].write(bytes(1 << 20))
            time.sleep(0.01)
    except OSError:
        return CONTAINED
    return f"escaped: {len(held)} MB"


def makes_files_without_end():
    try:
        for number in range(4 * TARGET["files"]):
            os.close(os.open(f"file{number}", os.O_CREAT))
    except OSError:
        return CONTAINED
    time.sleep(60)
    return "escaped"


def fills_the_disk_in_a_folder_that_cannot_be_listed():
    os.mkdir("closed", 0o300)
    try:
        for number in range(4 * TARGET["file_mb"]):
            with open(f"closed/file{number}", "wb", buffering=0) as file:
                file.write(bytes(1 << 20))
    except OSError:
        return CONTAINED
    time.sleep(60)
    return "escaped"


def fills_the_disk_below_a_path_that_is_too_long():
    try:
        for _ in range(18):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
        for number in range(4 * TARGET["file_mb"]):
            with open(f"file{number}", "wb", buffering=0) as file:
                file.write(bytes(1 << 20))
    except OSError:
        return CONTAINED
    time.sleep(60)
    return "escaped"


def makes_folders_in_folders_without_end():
    try:
        for _ in range(1200):
            os.mkdir("a")
            os.chdir("a")
    except OSError:
        return CONTAINED
    time.sleep(60)
    return "escaped"


def takes_all_memory_slowly():
    held = []
    while True:
        held.append(bytearray(4 << 20))


def takes_all_memory_at_once():
    return len(bytearray(1 << 44))


def takes_all_memory_in_many_processes():
    while True:
        with contextlib.suppress(OSError):  # those of other programs may count too
            if os.fork() == 0:
                held = bytearray(TARGET["memory_mb"] << 18)
                for place in range(0, len(held), 4096):
                    held[place] = 1
                time.sleep(60)
        time.sleep(0.01)


def takes_all_memory_in_shared_pieces():
    while True:
        with contextlib.suppress(OSError):  # those of other programs may count too
            if os.fork() == 0:
                held = mmap.mmap(-1, TARGET["memory_mb"] << 18)
                for place in range(0, len(held), 4096):
                    held[place] = 1
                time.sleep(60)
        time.sleep(0.01)


def takes_all_memory_in_c():
    return len([0] * (1 << 40))


def forks_without_end():
    while True:
        with contextlib.suppress(OSError):
            os.fork()


def loops_without_end():
    while True:
        pass


def loops_in_c_with_all_signals_blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    return 9 ** (9**9)


def matches_an_expression_without_end():
    import re

    return re.match(r"(a+)+$", "a" * 60 + "b")


def sleeps_without_end():
    while True:
        time.sleep(3600)


def ignores_every_signal():
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(0.01)


def stops_itself():
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        time.sleep(1)


def prints_without_end():
    while True:
        print("x" * 65536)


def recurses_without_end():
    sys.setrecursionlimit(10**9)

    def deeper(n):
        return deeper(n + 1) + 1

    return deeper(0)


def crashes_the_interpreter():
    return ctypes.string_at(0)


def aborts():
    os.abort()


def ends_as_if_all_were_well():
    os._exit(0)


def kills_itself():
    while True:
        os.kill(os.getpid(), signal.SIGSEGV)
        ctypes.string_at(0)


# -- what decides the verdict, and the next program -------------------------------------------------------------------


def writes_a_verdict_to_every_descriptor():
    said = b'{"outcome": "passed", "detail": ""}'
    for number in range(1024):
        try:
            os.write(number, said)
        except OSError:
            continue
    return "escaped: it lied"


def closes_every_descriptor():
    os.closerange(0, 1 << 16)
    return "escaped: it lied"


def finds_the_test_in_memory():
    needle = " ".join(("the text of", "the test"))
    for thing in gc.get_objects():
        values = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else ()
        for value in list(values):
            if isinstance(value, str) and needle in value:
                return f"escaped: {value[:80]}"
    return CONTAINED


def holds_descriptors_that_it_was_not_given():
    given = []
    for number in range(3, 1024):
        try:
            given.append((number, os.fstat(number).st_mode >> 12))
        except OSError:
            continue
    # The channel alone: one socket.
    return CONTAINED if [kind for _, kind in given] == [0o14] else f"escaped: {given}"

"""The filter's rules, run by a small interpreter of classic BPF: for both architectures on any machine."""

from __future__ import annotations

import platform
import signal

import pytest

from llmuses.sandbox.inside import calls
from llmuses.sandbox.inside.seccomp import Rule, rules

ALLOWED, KILLED = "allowed", "killed"
EPERM, ENOSYS = "error 1", "error 38"
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
OWN = 4321

CALLS = {
    "x86_64": {"read": 0, "write": 1, "open": 2, "mmap": 9, "fork": 57, "execve": 59, "kill": 62, "tgkill": 234}
    | {
        "socket": 41,
        "socketpair": 53,
        "setsockopt": 54,
        "clone": 56,
        "clone3": 435,
        "ioctl": 16,
        "fcntl": 72,
        "prlimit64": 302,
    }
    | {"ptrace": 101, "mount": 165, "unshare": 272, "bpf": 321, "chmod": 90, "setsid": 112, "shmget": 29},
    "aarch64": {"read": 63, "write": 64, "openat": 56, "mmap": 222, "execve": 221, "kill": 129, "tgkill": 131}
    | {
        "socket": 198,
        "socketpair": 199,
        "setsockopt": 208,
        "clone": 220,
        "clone3": 435,
        "ioctl": 29,
        "fcntl": 25,
        "prlimit64": 261,
    }
    | {"ptrace": 117, "mount": 40, "unshare": 97, "bpf": 280, "fchmod": 52, "setsid": 157, "shmget": 194},
}


def action(code: list[Rule], arch: int, number: int, arguments: tuple[int, ...] = ()) -> str:
    """Return what the kernel would do, by the rules of linux/filter.h."""
    data = {0: number, 4: arch, **{16 + 8 * place: value for place, value in enumerate((*arguments, 0, 0, 0)[:6])}}
    accumulator = place = 0
    while True:
        rule = code[place]
        place += 1
        if rule.code == 0x20:
            accumulator = data[rule.value] & 0xFFFFFFFF
        elif rule.code == 0x54:
            accumulator &= rule.value
        elif rule.code == 0x06:
            kind, value = rule.value & 0xFFFF0000, rule.value & 0xFFFF
            return {0x7FFF0000: ALLOWED, 0x80000000: KILLED}.get(kind, f"error {value}")
        else:
            test = {
                0x15: accumulator == rule.value,
                0x25: accumulator > rule.value,
                0x45: bool(accumulator & rule.value),
            }
            place += rule.true if test[rule.code] else rule.false


@pytest.mark.parametrize("machine", CALLS)
class TestOnBothArchitectures:
    @pytest.mark.parametrize("hidden", [True, False])
    @pytest.mark.parametrize("name", ["read", "write", "mmap", "execve"])
    def test_ordinary_calls_are_allowed(self, machine: str, name: str, hidden: bool) -> None:
        assert action(rules(machine, hidden), AUDIT[machine], CALLS[machine][name]) == ALLOWED

    @pytest.mark.parametrize("hidden", [True, False])
    @pytest.mark.parametrize("name", ["socket", "ptrace", "mount", "unshare", "bpf", "shmget"])
    def test_calls_that_reach_out_are_refused(self, machine: str, name: str, hidden: bool) -> None:
        assert action(rules(machine, hidden), AUDIT[machine], CALLS[machine][name]) == EPERM

    def test_the_numbers_of_another_architecture_end_the_process(self, machine: str) -> None:
        for arch in (0x40000003, 0x40000028, next(value for key, value in AUDIT.items() if key != machine)):
            assert action(rules(machine, True), arch, CALLS[machine]["read"]) == KILLED

    def test_newer_calls_do_not_exist(self, machine: str) -> None:
        assert action(rules(machine, True), AUDIT[machine], 463) == ENOSYS
        assert action(rules(machine, True), AUDIT[machine], 0xFFFF) == ENOSYS

    def test_a_pair_of_sockets_is_of_the_unix_family_alone(self, machine: str) -> None:
        code = rules(machine, True)
        pair = CALLS[machine]["socketpair"]
        assert action(code, AUDIT[machine], pair, (1, 1)) == ALLOWED
        assert [action(code, AUDIT[machine], pair, (family, 1)) for family in (2, 10, 40)] == [EPERM] * 3

    def test_a_pair_of_sockets_is_connected_for_good(self, machine: str) -> None:
        code = rules(machine, True)
        pair, close_on_exec = CALLS[machine]["socketpair"], 0o2000000
        for flags in (0, close_on_exec):
            for stream in (1, 5):
                assert action(code, AUDIT[machine], pair, (1, stream | flags)) == ALLOWED
            for datagram in (2, 3, 4):
                assert action(code, AUDIT[machine], pair, (1, datagram | flags)) == EPERM

    def test_buffers_of_sockets_keep_their_size(self, machine: str) -> None:
        code = rules(machine, True)
        keep_alive = 9
        assert action(code, AUDIT[machine], CALLS[machine]["setsockopt"], (3, 1, keep_alive)) == ALLOWED
        for option in (7, 8, 32, 33):
            assert action(code, AUDIT[machine], CALLS[machine]["setsockopt"], (3, 1, option)) == EPERM

    def test_clone_makes_processes_and_threads_but_no_namespaces(self, machine: str) -> None:
        code = rules(machine, True)
        clone = CALLS[machine]["clone"]
        thread = 0x003D0F00
        assert action(code, AUDIT[machine], clone, (signal.SIGCHLD,)) == ALLOWED
        assert action(code, AUDIT[machine], clone, (thread,)) == ALLOWED
        for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
            assert action(code, AUDIT[machine], clone, (flag | signal.SIGCHLD,)) == EPERM
        assert action(code, AUDIT[machine], CALLS[machine]["clone3"], (0,)) == ENOSYS

    def test_nobody_types_into_the_terminal(self, machine: str) -> None:
        code = rules(machine, True)
        asks_size, types = 0x5413, 0x5412
        assert action(code, AUDIT[machine], CALLS[machine]["ioctl"], (0, asks_size)) == ALLOWED
        assert action(code, AUDIT[machine], CALLS[machine]["ioctl"], (0, types)) == EPERM

    def test_without_namespaces_files_keep_their_modes_and_programs_their_group(self, machine: str) -> None:
        for name in ("setsid", "chmod" if machine == "x86_64" else "fchmod"):
            assert action(rules(machine, hidden=True), AUDIT[machine], CALLS[machine][name]) == ALLOWED
            assert action(rules(machine, hidden=False), AUDIT[machine], CALLS[machine][name]) == EPERM

    def test_without_namespaces_limits_are_those_of_the_program_itself(self, machine: str) -> None:
        code = rules(machine, hidden=False)
        assert action(code, AUDIT[machine], CALLS[machine]["prlimit64"], (0,)) == ALLOWED
        assert action(code, AUDIT[machine], CALLS[machine]["prlimit64"], (1,)) == EPERM

    def test_where_landlock_stops_no_signals_the_filter_lets_them_reach_the_program_alone(self, machine: str) -> None:
        code = rules(machine, hidden=False, own_pid=OWN)
        for name in ("kill", "tgkill"):
            assert action(code, AUDIT[machine], CALLS[machine][name], (OWN, 9)) == ALLOWED
            for other in (1, OWN + 1, 0, 0xFFFFFFFF):
                assert action(code, AUDIT[machine], CALLS[machine][name], (other, 9)) == EPERM

    def test_where_landlock_stops_signals_the_program_may_end_what_it_started_but_not_everybody(
        self, machine: str
    ) -> None:
        code = rules(machine, hidden=False)
        assert action(code, AUDIT[machine], CALLS[machine]["kill"], (OWN + 1, 9)) == ALLOWED
        assert action(code, AUDIT[machine], CALLS[machine]["kill"], (0xFFFFFFFF, 9)) == EPERM

    def test_where_landlock_stops_no_signals_descriptors_send_none(self, machine: str) -> None:
        code = rules(machine, hidden=False)
        assert action(code, AUDIT[machine], CALLS[machine]["fcntl"], (3, 1)) == ALLOWED
        assert [action(code, AUDIT[machine], CALLS[machine]["fcntl"], (3, command)) for command in (8, 15)] == [
            EPERM
        ] * 2

    def test_a_descriptor_gets_no_owner_by_ioctl_either(self, machine: str) -> None:
        for request in (0x8901, 0x8902):
            assert action(rules(machine, False), AUDIT[machine], CALLS[machine]["ioctl"], (3, request)) == EPERM

    def test_no_jump_leads_past_the_end(self, machine: str) -> None:
        code = rules(machine, hidden=False, own_pid=OWN)
        for place, rule in enumerate(code):
            assert max(rule.true, rule.false) < 256
            assert place + 1 + max(rule.true, rule.false) < len(code) or rule.code == 0x06
        assert len(code) <= 4096


def test_the_x32_numbering_ends_the_process() -> None:
    assert action(rules("x86_64", True), AUDIT["x86_64"], 0x40000000) == KILLED


def test_an_architecture_that_is_not_known_is_an_error() -> None:
    with pytest.raises(OSError, match="no seccomp rules"):
        rules("riscv64", True)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="compares with this machine's own header")
def test_the_numbers_are_those_of_the_kernels_header() -> None:
    """Where the header is installed: a wrong number would refuse the wrong call."""
    import re
    from pathlib import Path

    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    known = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header.read_text())}
    for group in vars(calls).values():
        if isinstance(group, dict) and group and all(isinstance(pair, tuple) for pair in group.values()):
            for name, (number, _) in group.items():
                assert known.get(name, number) == number, name

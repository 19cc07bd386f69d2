"""The pool: verdicts of programs, many threads, crashes, limits, and nothing left when it closes or its parent dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from llmuses.errors import SandboxError, UnknownNameError
from llmuses.sandbox import FunctionJob, Limits, Outcome, ProgramJob, Sandbox, open_sandbox
from llmuses.sandbox.backends import BACKENDS, NAMESPACES, Backend
from llmuses.sandbox.machine import ENVIRONMENT
from llmuses.sandbox.pool import available_cpus
from tests.sandbox.conftest import Opener
from tests.sandbox.places import LIMITS, SHORT, WHERE, Place, name_of

GOOD = FunctionJob("def double(x):\n    return 2 * x\n", "assert double(21) == 42")
SLEEP = FunctionJob("import time\ntime.sleep(1000)\n", "x")
BY_BACKEND = [(backend, "root" if os.geteuid() == 0 else "user") for backend in BACKENDS]


def python(text: str, stdin: str = "", expected: str | None = None, **files: str) -> ProgramJob:
    """Return a job that runs a Python program."""
    named = {name.replace("_", "/", 1) + ".py": content for name, content in files.items()}
    return ProgramJob(("python3", "main.py"), {"main.py": text, **named}, stdin, expected)


SUM = "import sys\nprint(sum(int(line) for line in sys.stdin))\n"
PROGRAMS = {
    "prints what is expected": (python(SUM, "1\n2\n3\n", "6\n"), "passed", ""),
    "prints it with other white space at the ends": (python("print('a  \\nb\\n\\n')", "", "a\nb"), "passed", ""),
    "prints it without the last line break": (python("print('6', end='')", "", "6\n"), "passed", ""),
    "prints something else": (
        python("print('1\\n3')", "", "1\n2"),
        "failed",
        "line 2: expected '2', printed '3'",
    ),
    "prints too little": (python("print(1)", "", "1\n2"), "failed", "expected 2 lines, printed 1"),
    "prints too much": (python("print('1\\n2\\n3')", "", "1\n2"), "failed", "expected 2 lines, printed 3"),
    "prints nothing": (python("", "", "1"), "failed", "expected 1 lines, printed 0"),
    "prints with spaces before": (python("print(' 1')", "", "1"), "failed", "line 1: expected '1', printed ' 1'"),
    "ends with 0 where that is enough": (python("print('anything')"), "passed", ""),
    "ends with 3": (python("raise SystemExit(3)"), "error", "the program ended with exit code 3"),
    "prints what is expected but ends with 3": (
        python("print(6)\nraise SystemExit(3)", "", "6"),
        "error",
        "the program ended with exit code 3",
    ),
    "raises": (python("1 / 0"), "error", "ZeroDivisionError: division by zero"),
    "is no Python": (python("def"), "error", "SyntaxError: invalid syntax"),
    "crashes": (python("import ctypes\nctypes.string_at(0)"), "error", "the program was ended by SIGSEGV"),
    "imports a file of its own": (python("from own.part import x\nprint(x)", "", "5", own_part="x = 5"), "passed", ""),
    "prints more than is kept": (python("while True:\n    print('x' * 1000)"), "error", "it printed more than 256 KB"),
    "complains more than is kept": (
        python("import sys\nwhile True:\n    sys.stderr.write('x' * 1000)"),
        "error",
        "it printed more than 256 KB",
    ),
    "prints more than is kept right before it ends": (
        python("print('42\\n' + ' ' * (256 << 10) + 'wrong')", "", "42"),
        "error",
        "it printed more than 256 KB",
    ),
    "prints a form feed for a line's end": (
        python("print('1\\x0c2')", "", "1\n2"),
        "failed",
        "line 1: expected '1', printed '1\\x0c2'",
    ),
    "prints a line separator for a line's end": (
        python("print('1\\u20282')", "", "1\n2"),
        "failed",
        "line 1: expected '1'",
    ),
    "prints a wide space at the end of a line": (
        python("print('1\\u3000')", "", "1"),
        "failed",
        "line 1: expected '1'",
    ),
    "prints the line ends of Windows": (python("print('1\\r\\n2\\r\\n', end='')", "", "1\n2"), "passed", ""),
    "steers the terminal": (
        python("raise ValueError('\\x1b]0;title\\x07')"),
        "error",
        "ValueError: \\x1b]0;title\\x07",
    ),
    "takes more memory than it may": (python("x = bytearray(1 << 40)"), "out_of_memory", "MemoryError"),
    "writes and reads a file": (python("open('a', 'w').write('5')\nprint(open('a').read())", "", "5"), "passed", ""),
    "is a command that does not exist": (
        ProgramJob(("no-such-command",)),
        "error",
        "No such file or directory",
    ),
    "starts a process of its own": (
        python("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(7)'], check=True)", "", "7"),
        "passed",
        "",
    ),
    "reads what is not ASCII": (python("print(input()[::-1])", "née 你好", "好你 eén"), "passed", ""),
    "gets no input": (python("import sys\nprint(repr(sys.stdin.read()))", "", "''"), "passed", ""),
}


COMPARED = {
    "prints it with other white space at the ends", "prints it without the last line break", "prints something else",
    "prints too little", "prints too much", "prints nothing", "prints with spaces before",
    "prints what is expected but ends with 3", "prints a form feed for a line's end",
    "prints a line separator for a line's end", "prints a wide space at the end of a line", "prints the line ends of Windows",
}  # fmt: skip
"""What is told by the text that was printed, outside: the same wherever the program ran."""


@pytest.mark.parametrize(
    ("which", "place"),
    [
        pytest.param(which, where, id=f"{which}-{name_of(where)}")
        for which in PROGRAMS
        for where in (BY_BACKEND[1:2] if which in COMPARED else WHERE)
    ],
    indirect=["place"],
)
def test_a_program_gets_its_verdict_that(which: str, place: Place) -> None:
    job, outcome, detail = PROGRAMS[which]
    verdict = place.sandbox.run(job, LIMITS)
    assert (verdict.outcome, verdict.backend) == (outcome, place.backend.name), verdict
    assert detail in verdict.detail
    assert bool(detail) == bool(verdict.detail)
    assert 0 < verdict.seconds < LIMITS.seconds


@pytest.mark.parametrize("place", BY_BACKEND, ids=name_of, indirect=True)
def test_processor_time_is_limited_apart_from_the_wall_clock(place: Place) -> None:
    """In the program and in the tests of a function alike; what starts threads uses it faster than the clock runs."""
    limits = msgspec.structs.replace(LIMITS, seconds=30, cpu_seconds=1)
    verdict = place.sandbox.run(FunctionJob("def f():\n    while True:\n        pass\n", "f()"), limits)
    assert (verdict.outcome, verdict.detail) == (Outcome.TIMED_OUT, "more than 1 s of processor time"), verdict


def test_the_tests_of_a_function_are_limited_too(place_of: Opener) -> None:
    place = place_of(BY_BACKEND[1], workers=1)
    limits = msgspec.structs.replace(LIMITS, seconds=30, cpu_seconds=1)
    endless = place.sandbox.run(FunctionJob("x = 1", "while x:\n    pass"), limits)
    assert (endless.outcome, endless.detail) == (Outcome.TIMED_OUT, "more than 1 s of processor time")
    asleep = place.sandbox.run(FunctionJob("x = 1", "import time\ntime.sleep(x * 1000)"), SHORT)
    assert (asleep.outcome, asleep.detail) == (Outcome.TIMED_OUT, f"no end within {SHORT.seconds} s")
    assert place.sandbox.run(GOOD).passed


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("def f():\n    raise ValueError('x: MemoryError')", "error"),
        ("def f():\n    raise ValueError('raised MemoryError')", "error"),
        ("def f():\n    raise MemoryError", "out_of_memory"),
        ("raise ValueError('x: MemoryError')", "error"),
        ("raise MemoryError", "out_of_memory"),
    ],
)
def test_only_its_exception_says_that_memory_ran_out(program: str, outcome: str, place_of: Opener) -> None:
    place = place_of(BY_BACKEND[1], workers=1)
    assert place.sandbox.run(FunctionJob(program, "f()")).outcome == outcome


def test_a_detail_steers_no_terminal(place_of: Opener) -> None:
    place = place_of(BY_BACKEND[1], workers=1)
    detail = place.sandbox.run(FunctionJob("def f():\n    raise ValueError('\\x1b[2J')", "f()")).detail
    assert detail.startswith("the program raised ValueError: \\x1b[2J")


@pytest.mark.parametrize("place", BY_BACKEND, ids=name_of, indirect=True)
def test_the_output_of_a_program_is_in_the_verdict(place: Place) -> None:
    verdict = place.sandbox.run(python("print('hello')\nimport sys\nprint('aside', file=sys.stderr)"))
    assert (verdict.outcome, verdict.output) == (Outcome.PASSED, "hello\n")
    cut = place.sandbox.run(python("print('x' * 5000)"), msgspec.structs.replace(LIMITS, output_kb=1))
    assert (cut.outcome, cut.output) == (Outcome.ERROR, "x" * 1024)


@pytest.mark.parametrize("place", BY_BACKEND, ids=name_of, indirect=True)
def test_the_environment_of_a_program_is_always_the_same(place: Place) -> None:
    verdict = place.sandbox.run(python("import os\nprint(sorted(os.environ))"))
    extra = {"HOME", "TMPDIR", "PYTHONPATH"} | ({"PWD"} if place.backend.bubblewrap else set())
    assert verdict.output.strip() == repr(sorted({*ENVIRONMENT, *extra}))


@pytest.mark.parametrize("place", BY_BACKEND, ids=name_of, indirect=True)
def test_the_order_of_a_set_is_the_same_each_time(place: Place) -> None:
    job = python("print({f'name{n}' for n in range(50)})")
    assert len({place.sandbox.run(job).output for _ in range(3)}) == 1
    function = FunctionJob("def f():\n    return [*{f'name{n}' for n in range(50)}][0]\n", "assert False, f()")
    assert len({place.sandbox.run(function).detail for _ in range(3)}) == 1


@pytest.mark.parametrize("place", BY_BACKEND, ids=name_of, indirect=True)
def test_random_numbers_differ_each_time(place: Place) -> None:
    job = FunctionJob("import random\ndef f():\n    return random.random()\n", "assert False, f()")
    assert len({place.sandbox.run(job).detail for _ in range(3)}) == 3


REFUSED = {
    "a file above its folder": ProgramJob(("python3", "a.py"), {"../a.py": ""}),
    "a file by its full path": ProgramJob(("python3", "a.py"), {"/tmp/a.py": ""}),
    "a file without a name": ProgramJob(("python3", "a.py"), {"": ""}),
    "no command": ProgramJob(()),
    "an empty command": ProgramJob(("",)),
    "more text than is sensible": FunctionJob("x" * (17 << 20), ""),
    "text that cannot be written": FunctionJob("x = '\ud800'", ""),
    "input that cannot be written": ProgramJob(("python3",), stdin="\ud800"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_job_is_refused_that_names(what: str, place_of: Opener) -> None:
    place = place_of(BY_BACKEND[1], workers=1)
    verdict = place.sandbox.run(REFUSED[what])
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.detail
    assert "\n" not in verdict.detail


@pytest.mark.parametrize("backend", [backend.name for backend in BACKENDS])
def test_other_languages_run_where_their_programs_may_be_read(backend: str) -> None:
    """A shell, which is everywhere: what it needs is not shown unless it is asked for."""
    job = ProgramJob(("sh", "main.sh"), {"main.sh": 'read x; echo "$((x + 1))" | cat; uname > name'}, "41\n", "42")
    with opened(backend=backend, workers=1, readable=("/usr", "/bin")) as sandbox:
        verdict = sandbox.run(job)
        assert verdict.outcome is Outcome.PASSED, verdict
    with opened(backend=backend, workers=1) as sandbox:
        assert sandbox.run(job).outcome is Outcome.ERROR


@contextlib.contextmanager
def opened(**options: object) -> Iterator[Sandbox]:
    """Open a sandbox, or skip the test where its backend does not work here."""
    with contextlib.ExitStack() as stack:
        try:
            sandbox = stack.enter_context(open_sandbox(**options))
        except SandboxError as error:
            pytest.skip(str(error))
        yield sandbox


class TestTheBoundsOfTheSandboxItself:
    def test_an_unknown_backend_is_named(self) -> None:
        with pytest.raises(UnknownNameError, match="did you mean 'namespaces'"), open_sandbox(backend="namespace"):
            pass

    def test_as_many_programs_run_at_once_as_there_are_zygotes(self, place_of: Opener) -> None:
        place = place_of(BY_BACKEND[1])
        job = FunctionJob("import time\ndef f():\n    time.sleep(1)\n", "f()")
        start = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            verdicts = list(threads.map(place.sandbox.run, [job] * 8))
        assert all(verdict.passed for verdict in verdicts)
        assert 2 <= time.monotonic() - start < 8

    def test_many_threads_get_each_their_own_verdict(self, place_of: Opener) -> None:
        place = place_of(BY_BACKEND[1])

        def own(number: int) -> str:
            job = FunctionJob(f"def f():\n    return {number}\n", f"assert f() == {number}\nassert False, f()")
            return place.sandbox.run(job).detail

        with ThreadPoolExecutor(16) as threads:
            said = list(threads.map(own, range(100)))
        assert all(detail.startswith(f"{number};") for number, detail in enumerate(said)), said[:3]

    def test_one_zygote_a_processor_is_usual(self) -> None:
        with opened(backend=NAMESPACES.name) as sandbox:
            assert sandbox.workers == available_cpus()


class TestACrash:
    @pytest.mark.parametrize("where", BY_BACKEND, ids=name_of)
    def test_of_all_zygotes_is_survived(self, where: tuple[Backend, str], place_of: Opener) -> None:
        place = place_of(where)
        for pid in place.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert [place.sandbox.run(GOOD).outcome for _ in range(5)] == [Outcome.PASSED] * 5
        assert place.settled(place.usual) == place.usual

    @pytest.mark.parametrize("where", BY_BACKEND, ids=name_of)
    def test_of_a_zygote_during_a_job_lets_the_job_run_again(
        self, where: tuple[Backend, str], place_of: Opener
    ) -> None:
        place = place_of(where, workers=1)
        limits = msgspec.structs.replace(LIMITS, seconds=2)
        with ThreadPoolExecutor(1) as thread:
            coming = thread.submit(place.sandbox.run, SLEEP, limits)
            self.kill_while_running(place)
            verdict = coming.result(30)
        assert verdict.outcome is Outcome.TIMED_OUT, verdict
        assert place.sandbox.run(GOOD).passed
        assert place.settled(place.usual) == place.usual

    def test_of_two_zygotes_by_one_job_is_its_error(self, place_of: Opener) -> None:
        place = place_of(BY_BACKEND[1], workers=1)
        with ThreadPoolExecutor(1) as thread:
            coming = thread.submit(place.sandbox.run, SLEEP, LIMITS)
            self.kill_while_running(place)
            self.kill_while_running(place)
            verdict = coming.result(30)
        assert (verdict.outcome, verdict.detail) == (Outcome.ERROR, "the sandbox broke, twice, while it ran this")
        assert place.sandbox.run(GOOD).passed

    @staticmethod
    def kill_while_running(place: Place) -> None:
        """Kill every process of a place once a job's processes are among them."""
        last = time.monotonic() + 60
        while len(running := place.processes()) <= place.usual and time.monotonic() < last:
            time.sleep(0.01)
        time.sleep(0.1)
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        last = time.monotonic() + 60
        while set(running) & set(place.processes()) and time.monotonic() < last:
            time.sleep(0.01)


def test_a_sandbox_that_does_not_start_again_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(backend=NAMESPACES.name, workers=1) as sandbox:
        assert sandbox.run(GOOD).passed
        monkeypatch.setattr("llmuses.sandbox.machine.interpreter", lambda: "/nonexistent/python")
        worker = sandbox._idle.get()
        os.kill(worker.pid, signal.SIGKILL)
        assert worker._control.recv(1) == b"", "its zygote ends a moment later"
        sandbox._idle.put(worker)
        with pytest.raises(SandboxError, match=r"namespaces.*No such file"):
            sandbox.run(GOOD)
        monkeypatch.undo()
        assert sandbox.run(GOOD).passed


class TestTheEnd:
    @pytest.mark.parametrize("backend", [backend.name for backend in BACKENDS])
    def test_leaves_no_process_and_no_folder(self, backend: str, tmp_path: Path) -> None:
        folders = set(Path(tempfile.gettempdir()).glob("llmuses-sandbox-*"))
        with opened(backend=backend, workers=2, readable=(str(tmp_path),)) as sandbox:
            assert sandbox.run(GOOD).passed
            assert _marked(str(tmp_path))
        assert not _marked(str(tmp_path))
        ours = {path for path in Path(tempfile.gettempdir()).glob("llmuses-sandbox-*") if path not in folders}
        assert not [path for path in ours if path.stat().st_mtime < time.time() - 60]

    @pytest.mark.parametrize("backend", [backend.name for backend in BACKENDS])
    def test_of_the_parent_by_force_is_the_end_of_all(self, backend: str, tmp_path: Path) -> None:
        """SIGKILL, in the middle of a job that ignores signals and has children."""
        script = f"""
import sys
from llmuses.sandbox import FunctionJob, Limits, open_sandbox
program = '''
import os, signal, time
for number in signal.valid_signals() - {{signal.SIGKILL, signal.SIGSTOP}}:
    signal.signal(number, signal.SIG_IGN)
os.fork(), os.fork()
time.sleep(1000)
'''
with open_sandbox(1, Limits(seconds=1000), {backend!r}, readable=({str(tmp_path)!r},)) as sandbox:
    print("open", flush=True)
    sandbox.run(FunctionJob(program, "x"))
"""
        own = {**os.environ, "TMPDIR": str(tmp_path)}
        tmp_path.chmod(0o777)
        for folder in (tmp_path.parent, tmp_path.parent.parent):  # which another user has to pass through
            folder.chmod(0o755)
        parent = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=own
        )
        if not parent.stdout.readline():
            pytest.skip(parent.stderr.read().decode().splitlines()[-1])
        last = time.monotonic() + 60
        while len(_marked(str(tmp_path))) < 6 and time.monotonic() < last:
            time.sleep(0.02)
        assert len(_marked(str(tmp_path))) >= 6
        parent.kill()
        parent.communicate()
        last = time.monotonic() + 60
        while (left := _marked(str(tmp_path))) and time.monotonic() < last:
            time.sleep(0.02)
        assert not left
        assert not list(tmp_path.iterdir())

    def test_waits_for_what_is_running(self) -> None:
        job = FunctionJob("import time\ndef f():\n    time.sleep(1.5)\n", "f()")
        with ThreadPoolExecutor(1) as thread:
            with opened(backend=NAMESPACES.name, workers=1) as sandbox:
                coming = thread.submit(sandbox.run, job)
                time.sleep(0.5)
            assert coming.result(60).passed


def _marked(token: str) -> list[str]:
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdecimal() and token.encode() in (command := Path(f"/proc/{name}/cmdline").read_bytes()):
                # The process that opened the sandbox, here or in a test, is no part of it.
                found += [name] if b"launch.py" in command else []
    return found


@pytest.mark.parametrize("backend", [backend.name for backend in BACKENDS])
def test_a_hundred_programs_leave_memory_descriptors_and_threads_as_they_were(backend: str) -> None:
    bad = FunctionJob("def double(x):\n    return x\n", "assert double(21) == 42")
    crash = FunctionJob("import os\nos._exit(0)\n", "assert False")
    jobs = [GOOD, bad, crash, python("print(1)", "", "1")]
    with opened(backend=backend, workers=2) as sandbox, ThreadPoolExecutor(2) as threads:
        list(threads.map(sandbox.run, jobs * 5))
        before = (len(os.listdir("/proc/self/fd")), threading.active_count())
        memory = _resident_mb()
        outcomes = [verdict.outcome for verdict in threads.map(sandbox.run, [*[GOOD, bad, crash] * 24, *jobs * 7])]
        assert outcomes[:3] == [Outcome.PASSED, Outcome.FAILED, Outcome.ERROR]
        assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
        assert _resident_mb() - memory < 3


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class TestWithoutIsolation:
    def test_the_same_jobs_get_the_same_verdicts_marked_unsafe(self) -> None:
        limits = Limits(seconds=60, memory_mb=512)
        with open_sandbox(1, limits, unsafe=True) as sandbox:
            assert (sandbox.backend, sandbox.unsafe) == ("none", True)
            verdict = sandbox.run(GOOD)
            assert (verdict.outcome, verdict.unsafe, verdict.backend) == (Outcome.PASSED, True, "none")
            assert sandbox.run(python(SUM, "1\n2", "3")).passed
            assert sandbox.run(SLEEP, SHORT).outcome is Outcome.TIMED_OUT
            assert sandbox.run(FunctionJob("x = bytearray(1 << 40)", "x")).outcome is Outcome.OUT_OF_MEMORY
            assert sandbox.run(REFUSED["no command"]).unsafe

    def test_a_program_does_as_it_likes(self, tmp_path: Path) -> None:
        """So that the programs of the other tests are seen to be held by the walls, and by nothing else."""
        secret = tmp_path / "secret"
        secret.write_text("secret")
        with open_sandbox(1, unsafe=True) as sandbox:
            job = FunctionJob(f"said = open({str(secret)!r}).read()", "assert said == 'secret'")
            assert sandbox.run(job).passed
            network = "import socket\nsocket.create_server(('127.0.0.1', 0)).close()\ndone = True"
            assert sandbox.run(FunctionJob(network, "assert done")).passed

    def test_daemons_are_swept_up_all_the_same(self, tmp_path: Path) -> None:
        program = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\n    os._exit(0)\n"
        with open_sandbox(1, unsafe=True, readable=(str(tmp_path),)) as sandbox:
            assert sandbox.run(FunctionJob(program, "pass")).passed
            assert len(_marked(str(tmp_path))) == 1

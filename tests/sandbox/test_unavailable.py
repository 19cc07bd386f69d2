"""What happens on machines that have less: no bubblewrap, no user namespaces, no Landlock, no Linux."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmuses import doctor
from llmuses.errors import SandboxUnavailableError
from llmuses.sandbox import FunctionJob, Outcome, advice, machine, open_sandbox
from llmuses.sandbox.backends import BACKENDS, LANDLOCK, NONE
from tests.sandbox.remote import REPOSITORY

GOOD = FunctionJob("def double(x):\n    return 2 * x\n", "assert double(21) == 42")
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux isolates programs, this system does not")

_PROBE = """
import json, sys
from llmuses.errors import LlmusesError
from llmuses.sandbox import FunctionJob, advice, open_sandbox
unsafe = "unsafe" in sys.argv
try:
    with open_sandbox(workers=1, unsafe=unsafe) as sandbox:
        verdict = sandbox.run(FunctionJob("def double(x):\\n    return 2 * x\\n", "assert double(21) == 42"))
        file = sandbox.run(FunctionJob("said = open('/etc/passwd').read()", "pass"))
        print(json.dumps([sandbox.backend, str(verdict.outcome), verdict.unsafe, str(file.outcome), file.detail]))
except LlmusesError as error:
    print(json.dumps([type(error).__name__, str(error), error.exit_code, *advice.state()]))
"""


def under(what: str, *arguments: str, wrap: tuple[str, ...] = ()) -> list[object]:
    """Return what the probe says where something is forbidden."""
    probe = [sys.executable, "-c", _PROBE, *arguments]
    command = [*wrap, sys.executable, "-m", "tests.sandbox.forbidding", what, *probe] if what else [*wrap, *probe]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer: list[object] = json.loads(done.stdout)
    return answer


@linux
class TestWithoutBubblewrap:
    @pytest.fixture(autouse=True)
    def no_bubblewrap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leave PATH without it."""
        monkeypatch.setenv("PATH", "")

    def test_the_same_namespaces_are_made_directly(self) -> None:
        try:
            with open_sandbox(workers=1) as sandbox:
                assert sandbox.backend in ("namespaces", "landlock")
                assert sandbox.run(GOOD).passed
        except SandboxUnavailableError as error:
            pytest.skip(str(error))

    def test_asking_for_it_names_what_is_missing(self) -> None:
        with (
            pytest.raises(SandboxUnavailableError, match="bubblewrap: bubblewrap is not installed"),
            open_sandbox(backend="bubblewrap"),
        ):
            pass


@linux
class TestWhereUserNamespacesAreForbidden:
    def test_landlock_and_seccomp_isolate(self) -> None:
        answer = under("namespaces")
        if answer[0] == "SandboxUnavailableError":
            pytest.skip(str(answer[1]))
        backend, outcome, unsafe, file, detail = answer
        assert (backend, outcome, unsafe) == ("landlock", "passed", False)
        assert file == Outcome.ERROR
        assert "Permission denied" in str(detail)

    def test_it_is_the_same_where_the_kernels_own_setting_forbids_them(self) -> None:
        """As root of a throw-away user namespace, which may forbid further ones in itself."""
        forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
        wrap = ("unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh")
        if subprocess.run([*wrap, "true"], capture_output=True).returncode:
            pytest.skip("this machine makes no throw-away user namespace")
        answer = under("", wrap=wrap)
        if answer[0] == "SandboxUnavailableError":
            # Real root outside may be the only user inside; then nothing would bound the number of processes.
            assert "there is no other user to become" in str(answer[1])
            assert "sudo sysctl user.max_user_namespaces=10000" in str(answer[1])
        else:
            assert answer[:3] == ["landlock", "passed", False]

    def test_what_is_not_contained_then_is_said(self) -> None:
        assert "see that a file of yours exists" in " ".join(LANDLOCK.uncontained.values())


@linux
class TestWhereNothingIsLeft:
    def test_the_sandbox_refuses_with_one_line_that_names_the_fix(self) -> None:
        kind, line, exit_code, *_ = under("all")
        assert (kind, exit_code) == ("SandboxUnavailableError", 2)
        assert "\n" not in str(line)
        assert "--unsafe-code" in str(line)
        assert all(f"{backend.name}: " in str(line) for backend in BACKENDS)

    def test_doctor_says_so_beforehand(self) -> None:
        *_, backend, found, remedy = under("all")
        assert backend == ""
        assert "nothing isolates programs here" in str(found)
        assert remedy

    def test_unsafe_runs_and_marks_the_verdict(self) -> None:
        assert under("all", "unsafe")[:4] == ["none", "passed", True, "passed"]


class TestOtherSystems:
    @pytest.mark.parametrize(
        ("system", "fix"), [("darwin", "run llmuses in a Linux container"), ("win32", "run llmuses inside WSL 2")]
    )
    def test_they_refuse_with_the_way_out(self, system: str, fix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", system)
        with pytest.raises(SandboxUnavailableError, match=fix), open_sandbox():
            pass


class TestTheRemedy:
    @pytest.mark.parametrize(
        ("switch", "value", "remedy"),
        [
            ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
            ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
            ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
        ],
    )
    def test_is_the_switch_that_forbids(
        self, switch: str, value: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(advice, "_SETTINGS", tmp_path)
        path = tmp_path / switch
        path.parent.mkdir(parents=True)
        path.write_text(f"{value}\n")
        assert advice.remedy() == f"allow user namespaces (sudo sysctl {remedy})"

    def test_is_bubblewrap_where_no_switch_forbids_anything(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(advice, "_SETTINGS", tmp_path)
        monkeypatch.setattr(machine, "bubblewrap", lambda: None)
        assert advice.remedy().startswith("install bubblewrap")


class TestDoctor:
    def test_names_the_backend_that_would_be_used(self) -> None:
        finding = next(finding for finding in doctor.examine() if finding.part == "sandbox")
        if finding.ok:
            assert finding.found.split(":")[0] in {backend.name for backend in BACKENDS}
        else:
            assert finding.remedy

    def test_says_what_landlock_does_not_contain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("llmuses.sandbox.backends.BACKENDS", (LANDLOCK,))
        state = advice.state()
        if state.backend != "landlock":
            pytest.skip(state.found)
        assert all(words in state.found for words in LANDLOCK.uncontained.values())
        assert state.remedy


def test_no_backend_claims_to_contain_what_is_not_isolated() -> None:
    assert NONE.uncontained
    assert NONE not in BACKENDS

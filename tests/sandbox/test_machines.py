"""Machines where things lie elsewhere, where something is missing, or where there is no room for another process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmuses.errors import SandboxUnavailableError
from llmuses.sandbox import FunctionJob, machine, open_sandbox
from llmuses.sandbox.backends import BACKENDS
from llmuses.sandbox.inside import zygote
from llmuses.sandbox.inside.confine import Mode, Walls
from llmuses.sandbox.inside.zygote import Zygote
from tests.sandbox.places import LIMITS
from tests.sandbox.remote import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux isolates programs, this system does not")
NAMES = [backend.name for backend in BACKENDS]


@pytest.fixture
def in_tmp() -> Iterator[Path]:
    """Return a folder below /tmp that everybody may read."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def verdicts(backend: str, readable: tuple[str, ...], *jobs: FunctionJob) -> list[str]:
    """Return how jobs end in a sandbox of their own, with the detail of each that does not pass."""
    try:
        with open_sandbox(1, LIMITS, backend, readable=readable) as sandbox:
            return [verdict.detail or verdict.outcome for verdict in map(sandbox.run, jobs)]
    except SandboxUnavailableError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize("backend", NAMES)
def test_what_lies_in_tmp_is_readable_and_the_programs_own_folder_is_writable(backend: str, in_tmp: Path) -> None:
    (in_tmp / "of_the_user.py").write_text("answer = 42\n")
    reads = FunctionJob(
        f"import sys\nsys.path.append({str(in_tmp)!r})\nfrom of_the_user import answer\n", "assert answer == 42"
    )
    writes = FunctionJob(
        "import os, tempfile\nwith tempfile.TemporaryFile() as file, open('own', 'w') as own:\n"
        "    written = file.write(b'x') + own.write('x')\nsame = os.getcwd() == os.environ['HOME']\n",
        "assert written == 2 and same",
    )
    changes = FunctionJob(f"open({str(in_tmp / 'new')!r}, 'w')\n", "pass")
    *said, refused = verdicts(backend, (str(in_tmp),), reads, writes, changes)
    assert said == ["passed", "passed"]
    assert "PermissionError" in refused or "Read-only file system" in refused


@pytest.mark.parametrize("backend", NAMES)
def test_the_sandboxs_own_code_may_lie_in_tmp(backend: str, in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = shutil.copytree(machine.INSIDE, in_tmp / "inside")
    monkeypatch.setattr(machine, "INSIDE", copied)
    monkeypatch.setattr(machine, "_LAUNCH", copied / "launch.py")
    assert verdicts(backend, (), FunctionJob("x = 1", "assert x == 1")) == ["passed"]


_MASKED = """
from llmuses.sandbox import FunctionJob, open_sandbox
with open_sandbox(1, backend="namespaces") as sandbox:
    print(sandbox.run(FunctionJob("x = 1", "assert x == 1")).outcome, *sandbox.uncontained)
"""


def test_where_proc_is_masked_namespaces_work_and_say_what_they_cannot_hold() -> None:
    """As in a container, whose /proc has folders mounted over: no other can be mounted in a user namespace then."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can mask a part of /proc")
    masks = 'mount -t tmpfs none /proc/sys && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", masks, "-", sys.executable, "-c", _MASKED]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if "unshare" in done.stderr or "mount" in done.stderr.partition("\n")[0]:
        pytest.skip(done.stderr)
    assert done.stdout.split() == ["passed", "memory"], done.stderr


class TestNoRoomForAnotherProcess:
    @pytest.fixture
    def of_no_walls(self, tmp_path: Path) -> Iterator[Zygote]:
        """Return a zygote in this process."""
        ours, theirs = socket.socketpair()
        config = {"scratch": str(tmp_path), "python": sys.executable, "packages": []}
        with ours, theirs:
            yield Zygote(theirs, Walls(Mode.NONE, []), config, sees_processes=False)

    def test_it_is_asked_for_again(self, of_no_walls: Zygote, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = [BlockingIOError(), BlockingIOError(), 4321]

        def fork() -> int:
            answer = answers.pop(0)
            if isinstance(answer, OSError):
                raise answer
            return answer

        monkeypatch.setattr(zygote, "_TICK", 0.0)
        monkeypatch.setattr(os, "fork", fork)
        assert of_no_walls._forked() == 4321

    def test_nothing_stays_open_where_there_is_none_for_long(
        self, of_no_walls: Zygote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def fork() -> int:
            raise BlockingIOError

        monkeypatch.setattr(zygote, "_PATIENCE", 0.0)
        monkeypatch.setattr(zygote, "_TICK", 0.0)
        monkeypatch.setattr(os, "fork", fork)
        before = len(os.listdir("/dev/fd"))
        with pytest.raises(BlockingIOError):
            of_no_walls._fork({}, str(tmp_path), lambda: None, [])
        assert len(os.listdir("/dev/fd")) == before

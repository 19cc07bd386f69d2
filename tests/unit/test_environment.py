"""Setting up a machine: which build of torch is installed, and where pip comes from when Python has none."""

from __future__ import annotations

import functools
import os
import stat
import sys
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.support.local_http import Silent, local_http
from tools import environment

HERE = Path("python")
VERSION = environment.torch_version()
CPU = ["--extra-index-url", environment.CPU_INDEX]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Linux machine without a GPU and without torch, whose package index has the CUDA build only."""
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(environment, "installed_torch", lambda _: "")
    monkeypatch.setattr(environment, "has_nvidia_gpu", lambda: False)
    monkeypatch.setattr(environment, "offers_cpu_build", lambda *_: False)
    return monkeypatch


def test_a_gpu_gets_the_build_of_the_package_index(
    machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.setattr(environment, "has_nvidia_gpu", lambda: True)
    assert environment.torch_source(HERE) == []
    assert "CUDA build" in capsys.readouterr().out


def test_a_mac_gets_the_build_of_the_package_index(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(sys, "platform", "darwin")
    machine.setattr(environment, "offers_cpu_build", lambda *_: pytest.fail("no index is asked"))
    assert environment.torch_source(HERE) == []


def test_a_cpu_gets_the_cpu_build_from_where_pip_looks_anyway(
    machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.setattr(environment, "offers_cpu_build", lambda _python, _version, where: not where)
    assert environment.torch_source(HERE) == []
    assert "from where pip looks" in capsys.readouterr().out


def test_a_cpu_gets_the_cpu_build_from_pytorchs_own_index_else(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(environment, "offers_cpu_build", lambda _python, _version, where: where == CPU)
    assert environment.torch_source(HERE) == CPU


def test_where_that_index_is_out_of_reach_the_download_is_announced(
    machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert environment.torch_source(HERE) == []
    said = capsys.readouterr().out
    assert "out of reach" in said
    assert "2.7 GB" in said
    assert "TORCH_INDEX" in said


def test_an_index_of_ones_own_outranks_all(machine: pytest.MonkeyPatch) -> None:
    machine.setenv("TORCH_INDEX", "https://mirror.example/cu126")
    machine.setattr(environment, "has_nvidia_gpu", lambda: pytest.fail("no GPU is looked for"))
    assert environment.torch_source(HERE) == ["--extra-index-url", "https://mirror.example/cu126"]


@pytest.mark.parametrize("installed", [VERSION, f"{VERSION}+cpu", f"{VERSION}+cu130"])
def test_a_torch_that_is_there_is_left_alone(machine: pytest.MonkeyPatch, installed: str) -> None:
    machine.setattr(environment, "installed_torch", lambda _: installed)
    machine.setattr(environment, "has_nvidia_gpu", lambda: pytest.fail("no GPU is looked for"))
    assert environment.torch_source(HERE) == []


def test_an_installation_says_one_line_a_step_and_pip_only_what_went_wrong(
    machine: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pip = tmp_path / "bin" / "python"
    pip.parent.mkdir()
    pip.write_text(
        "#!/bin/sh\n"
        'case "$*" in *--quiet*) ;; *) echo "Collecting a very long list";; esac\n'
        'case "$*" in *requirements.txt*) echo "ERROR: no such package" >&2; exit 1;; esac\n',
        "utf-8",
    )
    pip.chmod(0o755)
    machine.setattr(sys, "argv", ["environment.py", str(tmp_path), "run"])
    machine.setattr(environment, "make_environment", lambda _: pip)
    assert environment.main() == 1
    said = capfd.readouterr()
    assert "Collecting" not in said.out
    assert "Installing the packages of requirements.txt: about 170 MB beside torch; about 5 minutes" in said.out
    assert len(said.out.splitlines()) <= 5
    assert said.err == "ERROR: no such package\n"


def test_what_is_installed_is_compiled_on_all_processors_but_for_what_is_no_python(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "good.py").write_text("x = 1\n")
    (packages / "template.py").write_text("{{ name }} = \n")
    (packages / "doubtful.py").write_text("def f(x):\n    return 2 (x)\n")
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.symlink_to(sys.executable)
    environment.compile_packages(python)
    assert {path.name.split(".")[0] for path in (packages / "__pycache__").iterdir()} == {"good", "doubtful"}
    assert "".join(capfd.readouterr()) == "", "others' code that looks doubtful to Python is not our user's matter"


def test_an_installation_that_takes_minutes_says_each_minute_that_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nsleep 0.5\n", "utf-8")
    slow.chmod(0o755)
    monkeypatch.setattr(environment, "MINUTE", 0.1)
    environment.pip(slow, "install", "x")
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "Still downloading and unpacking (1 min)."
    assert lines[-1] == f"Still downloading and unpacking ({len(lines)} min)."


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo 'GPU 0: NVIDIA H100 (UUID: GPU-1)'", True),
        ("echo 'NVIDIA-SMI has failed: no driver'; exit 9", False),
        ("exit 0", False),
    ],
)
def test_a_gpu_is_there_where_nvidia_smi_lists_one(
    script: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert environment.has_nvidia_gpu() is found


class _Files(Silent, SimpleHTTPRequestHandler):
    """Serves a folder."""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package index on this machine that offers torch as a CPU build; pip's own settings lead to an empty one."""
    wheel = f"torch-{VERSION}%2Bcpu-py3-none-any.whl"
    (tmp_path / "cpu/torch").mkdir(parents=True)
    (tmp_path / "cpu/torch/index.html").write_text(f'<html><body><a href="{wheel}">{wheel}</a></body></html>', "utf-8")
    (tmp_path / "empty").mkdir()
    with local_http(functools.partial(_Files, directory=str(tmp_path))) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/empty")
        yield address


def test_pip_itself_says_whether_an_index_has_the_cpu_build(index: str) -> None:
    python = Path(sys.executable)
    assert not environment.offers_cpu_build(python, VERSION, [])
    assert environment.offers_cpu_build(python, VERSION, ["--extra-index-url", f"{index}/cpu"])
    assert not environment.offers_cpu_build(python, VERSION, ["--extra-index-url", "http://127.0.0.1:9/cpu"])


def test_the_newest_pip_is_read_from_a_json_index() -> None:
    page = (
        '{"files": [{"url": "https://files.example/a/pip-9.0.1-py2.py3-none-any.whl", "hashes": {"sha256": "1"}},'
        '{"url": "https://files.example/b/pip-24.10-py3-none-any.whl", "hashes": {"sha256": "2"}},'
        '{"url": "https://files.example/c/pip-24.9-py3-none-any.whl", "hashes": {"sha256": "3"}},'
        '{"url": "https://files.example/d/pip-25.0b1-py3-none-any.whl", "hashes": {}}]}'
    )
    assert environment.newest_pip(page, "https://x") == ("https://files.example/b/pip-24.10-py3-none-any.whl", "2")


def test_the_newest_pip_is_read_from_an_html_index() -> None:
    page = (
        '<a href="../../packages/aa/pip-23.0-py3-none-any.whl#sha256=11" data-requires-python=">=3.7">pip</a>'
        '<a href="../../packages/bb/pip-24.0-py3-none-any.whl#sha256=22">pip</a>'
    )
    found = environment.newest_pip(page, "https://mirror.example/simple/pip/")
    assert found == ("https://mirror.example/packages/bb/pip-24.0-py3-none-any.whl", "22")


def test_an_index_without_pip_says_what_to_do() -> None:
    with pytest.raises(SystemExit, match="python3-venv"):
        environment.newest_pip("<html></html>", "https://mirror.example/simple/pip/")


def test_the_package_index_is_the_one_that_pip_is_set_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://mirror.example/simple\n", "utf-8")
    assert environment.package_index() == "https://mirror.example/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    assert environment.package_index() == "https://other.example/simple"

"""Write requirements.txt and requirements-dev.txt: every version pinned, for Linux and macOS and all our Pythons.

    make lock               keeps the versions that are pinned already wherever they still fit pyproject.toml
    make lock UPGRADE=1     takes the newest that fit, torch excepted: its version is raised here, by hand

uv resolves for all platforms at once; pip cannot. What the CUDA build of torch brings along (NVIDIA's libraries, triton)
is left out: the torch that is installed names what it needs, and on a machine without a GPU it needs none of it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"
"""Without a local tag such as +cpu: the same line fits the CPU build, the CUDA build and macOS."""

_LEFT_OUT = re.compile(r"^(nvidia-|cuda-|triton==)|sys_platform == '(win32|emscripten)'")
_IDLE = re.compile(r" ; (sys_platform != 'emscripten'|.*!= 'PyPy')$")
"""Markers that are true wherever we run."""

_HEADER = """\
# {what}
# Written by `make lock` from pyproject.toml; change versions there. {how}
# Not listed: what the CUDA build of torch needs (NVIDIA's libraries, triton), which it names itself.
"""


def main() -> int:
    """Write both files and return 0; what uv says goes to the terminal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = parser.parse_args().upgrade
    everything = _resolve(["local", "dev"], _pinned(ROOT / "requirements-dev.txt") if not upgrade else [])
    base = _resolve(["local"], everything)
    _write(
        ROOT / "requirements.txt",
        "Everything that llmuses runs on, local checkpoints included, in the versions it is tested with.",
        "`make run` installs it.",
        base,
    )
    _write(
        ROOT / "requirements-dev.txt",
        "The tools of `make test` and `make lint`, on top of requirements.txt.",
        "`make test` installs it.",
        ["-r requirements.txt", *(line for line in everything if line not in base)],
    )
    return 0


def _pinned(path: Path) -> list[str]:
    """Return the pins of an earlier lock, those of the files that it includes too."""
    if not path.exists():
        return []
    pins: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("-r "):
            pins += _pinned(path.parent / line[3:])
        elif line and not line.startswith("#"):
            pins.append(line)
    return pins


def _resolve(extras: list[str], keep: list[str]) -> list[str]:
    """Return the pins of the closure of some extras, the ``keep`` ones unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        kept = [line.partition(";")[0] for line in keep if not line.startswith("torch==")]  # markers split the search
        constraints.write_text("\n".join([TORCH, *kept]) + "\n", "utf-8")
        command = [_uv(), "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--quiet"]
        command += ["--no-header", "--no-annotate", "--constraint", str(constraints), *_index()]
        for extra in extras:
            command += ["--extra", extra]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    pins = (_IDLE.sub("", line) for line in done.stdout.splitlines() if line and not line.startswith("#"))
    return [pin for pin in pins if not _LEFT_OUT.search(pin)]


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise SystemExit("make lock needs uv: pip install uv")
    return found


def _index() -> list[str]:
    """Return uv's option for the package index that pip is set to: uv does not read pip's settings."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
    )
    return ["--default-index", asked.stdout.strip()] if asked.returncode == 0 and asked.stdout.strip() else []


def _write(path: Path, what: str, how: str, pins: list[str]) -> None:
    path.write_text(_HEADER.format(what=what, how=how) + "\n".join(pins) + "\n", "utf-8")
    print(f"{path.name}: {sum('==' in pin for pin in pins)} versions")


if __name__ == "__main__":
    sys.exit(main())

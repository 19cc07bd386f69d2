"""A result's identity: every part that could change a score changes the fingerprint, and only such parts do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.evaluation.identity import fingerprint, identity, same_thing, unlike
from llmuses.evaluation.plan import usual_plan
from llmuses.records import (
    DatasetPlan,
    DatasetState,
    GenerationConfig,
    JudgePlan,
    Mode,
    Order,
    OwnClass,
    Run,
    RunStatus,
)

PLAN = usual_plan(get_benchmark("gsm8k"), Mode.GENERATE)
STATE = DatasetState(
    total=20,
    planned={"main": 20},
    sha256="a" * 64,
    order=Order(method="stratified", seed=0, n=20, sha256="b" * 64),
    chance=0.0,
    prompts_sha256="c" * 64,
)


OWN = OwnClass(
    name="Rivers",
    file="/home/me/rivers.py",
    sha256="3" * 64,
    title="Rivers",
    group="own",
    version=1,
    languages=("en",),
    publish_samples=True,
)


def parts(plan: DatasetPlan = PLAN, state: DatasetState = STATE, repeats: int = 1, **changes: Any) -> dict[str, str]:
    run = Run(
        run_id="r",
        plan_hash="",
        model=changes.get("model", "m"),
        model_spec="m",
        model_identity=changes.get("model", "m"),
        model_args={},
        model_details={},
        datasets=[plan],
        limit=None,
        repeats=repeats,
        seed=0,
        status=RunStatus.DONE,
        states={"gsm8k": state},
    )
    return identity(plan, state, get_benchmark("gsm8k"), run)


def plan(**changes: Any) -> DatasetPlan:
    return msgspec.structs.replace(PLAN, **changes)


def state(**changes: Any) -> DatasetState:
    return msgspec.structs.replace(STATE, **changes)


CHANGES: dict[str, tuple[dict[str, str], set[str]]] = {
    "rows": (parts(state=state(sha256="d" * 64)), {"rows"}),
    "subsets": (parts(state=state(planned={"other": 20})), {"subsets"}),
    "split": (parts(plan(split="train")), {"split"}),
    "mode": (parts(plan(mode=Mode.LOGPROB)), {"mode", "generation"}),
    "variant": (parts(plan(variant="direct")), {"variant"}),
    "few-shot": (parts(plan(few_shot=2)), {"few_shot"}),
    "few-shot as turns": (parts(plan(few_shot_as="turns")), {"few_shot"}),
    "borrowed examples": (parts(state=state(borrowed_shots=True)), {"few_shot"}),
    "prompts": (parts(state=state(prompts_sha256="e" * 64)), {"prompts"}),
    "extraction": (parts(plan(extract=r"(\d+)")), {"extraction"}),
    "an extractor's text": (parts(plan(extract="a:b", extract_sha256="1" * 64)), {"extraction"}),
    "another text of it": (parts(plan(extract="a:b", extract_sha256="2" * 64)), {"extraction"}),
    "a class of one's own": (parts(plan(own=OWN)), {"class"}),
    "another text of the class": (parts(plan(own=msgspec.structs.replace(OWN, sha256="4" * 64))), {"class"}),
    "judge": (parts(plan(judge=JudgePlan(model_spec="openai:j"))), {"judge", "judge_settings"}),
    "temperature": (parts(plan(generation=GenerationConfig(max_tokens=512, temperature=1))), {"generation"}),
    "isolation": (parts(plan(unsafe_code=True)), {"code"}),
    "given answers": (parts(plan(answers="lines")), {"answers", "generation"}),
    "repeats": (parts(repeats=4), {"repeats"}),
    "samples": (parts(state=state(order=Order(method="stratified", seed=0, n=9, sha256="f" * 64))), {"samples"}),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES.keys())
def test_each_part_is_named_and_changes_the_fingerprint(case: tuple[dict[str, str], set[str]]) -> None:
    changed, named = case
    assert set(unlike(parts(), changed)) == named
    assert fingerprint(changed) != fingerprint(parts())


def test_all_fingerprints_are_different() -> None:
    assert len({fingerprint(changed) for changed, _ in CHANGES.values()}) == len(CHANGES)


def test_the_model_and_the_place_of_the_rows_and_of_a_class_are_no_parts() -> None:
    assert parts(model="another") == parts()
    assert parts(plan(own=OWN)) == parts(plan(own=msgspec.structs.replace(OWN, file="/elsewhere/rivers.py")))
    assert parts(plan(local_path="/elsewhere", sample_data=False, hub="huggingface")) == parts()


def test_how_much_was_asked_is_no_other_thing() -> None:
    assert same_thing(CHANGES["repeats"][0]) == same_thing(CHANGES["samples"][0]) == same_thing(parts())
    assert same_thing(CHANGES["few-shot"][0]) != same_thing(parts())


def test_the_order_of_the_parts_says_nothing() -> None:
    backwards = dict(reversed(parts().items()))
    assert fingerprint(backwards) == fingerprint(parts())


def test_a_judges_settings_hold_its_arguments_and_its_sampling() -> None:
    judges = [
        JudgePlan(model_spec="openai:j", model_args={"base_url": "http://x"}),
        JudgePlan(model_spec="openai:j", generation=GenerationConfig(temperature=0.5)),
    ]
    first, second = (parts(plan(judge=judge))["judge_settings"] for judge in judges)
    assert first != second
    assert "base_url" in first and "temperature 0.5" in second

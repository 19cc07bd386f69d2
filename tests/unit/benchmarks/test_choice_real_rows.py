"""The real rows of HellaSwag, TruthfulQA and MMLU-Pro, where they lie beside the checkout."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.records import Mode
from tests.unit.benchmarks.plans import DATA, plan_for, scored, text_of

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the benchmark rows in ../shared/data")

HELLASWAG, TRUTHFUL_QA, MMLU_PRO = (get_benchmark(name) for name in ("hellaswag", "truthful_qa", "mmlu_pro"))


def test_hellaswag_has_all_its_rows_and_four_endings_each() -> None:
    samples = list(HELLASWAG.samples(DATA / "hellaswag", "default", "validation"))
    assert len(samples) == 300
    assert {len(sample.choices) for sample in samples} == {4}
    assert max(Counter(sample.target for sample in samples).values()) < 100
    for sample in samples:
        assert not any(
            mark in text for mark in ("[title]", "[step]", "[header]") for text in [sample.question, *sample.choices]
        )


def test_every_scene_of_hellaswag_is_its_activity_and_both_halves_of_its_context() -> None:
    with open(DATA / "hellaswag" / "hellaswag_val.jsonl", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row, sample in zip(rows, HELLASWAG.samples(DATA / "hellaswag", "default", "validation"), strict=True):
        assert sample.question.startswith(f"{row['activity_label']}: ")
        assert sample.question.endswith(row["ctx_b"].capitalize())
        if "[" not in row["ctx"]:  # one without WikiHow's marks is asked as it stands
            told = f"{row['activity_label']}: {row['ctx_a']} {row['ctx_b'].capitalize()}".strip()
            assert sample.question == told.replace("  ", " ")
            assert sample.choices == [ending.strip().replace("  ", " ") for ending in row["endings"]]


def test_truthful_qa_says_the_same_in_all_its_layouts() -> None:
    folder = DATA / "truthful_qa"
    names = ("TruthfulQA.csv", "mc_task.json", "multiple_choice.hf.jsonl", "generation.hf.jsonl")
    first, *others = (list(TRUTHFUL_QA.samples(folder / name, "default", "validation")) for name in names)
    assert len(first) == 250
    assert list(TRUTHFUL_QA.samples(folder, "default", "validation")) == first
    for other in others:
        assert other == first


def test_truthful_qas_newer_file_can_be_asked_in_the_binary_form() -> None:
    samples = list(TRUTHFUL_QA.samples(DATA / "truthful_qa" / "TruthfulQA_2025_binary.csv", "default", "validation"))
    assert len(samples) == 244
    plan = plan_for(TRUTHFUL_QA, Mode.GENERATE)
    plan.variant = "binary"
    places = Counter()
    for sample in samples:
        text = text_of(*TRUTHFUL_QA.prompt(sample, [], plan)[:2])
        options = [line[3:] for line in text.splitlines() if line[:3] in ("A. ", "B. ")]
        assert sorted(options) == sorted({sample.target, sample.details["opposite"]})
        places[options.index(sample.target)] += 1
    assert abs(places[0] - places[1]) < 60  # a fair coin is farther off once in ten thousand times


def test_mc1_and_mc2_of_equal_log_probabilities_are_what_their_options_say() -> None:
    plan = plan_for(TRUTHFUL_QA, Mode.LOGPROB)
    for sample in TRUTHFUL_QA.samples(DATA / "truthful_qa", "default", "validation"):
        judgement = TRUTHFUL_QA.judge(sample, scored(*[-7.0] * len(sample.choices)), plan)
        share = len(sample.details["true"]) / len(sample.choices)
        assert judgement.scores == {"mc1": 0.0, "mc2": pytest.approx(share)}
        ask = TRUTHFUL_QA.prompt(sample, [], plan).ask
        assert len(set(ask.continuations)) == len(sample.choices) >= 2


def test_mmlu_pro_has_all_its_rows_and_up_to_ten_options() -> None:
    samples = [s for name in MMLU_PRO.subsets for s in MMLU_PRO.samples(DATA / "mmlu_pro", name, "test")]
    assert len(samples) == 250
    assert len({sample.sample_id for sample in samples}) == 250
    assert {len(sample.choices) for sample in samples} <= set(range(3, 11))
    with open(DATA / "mmlu_pro" / "test.jsonl", encoding="utf-8") as file:
        rows = {str(row["question_id"]): row for row in map(json.loads, file)}
    for sample in samples:
        row = rows[sample.sample_id]
        assert sample.choices["ABCDEFGHIJ".index(sample.target)] == row["options"][row["answer_index"]].strip()


def test_every_real_question_is_asked_whole() -> None:
    for benchmark in (HELLASWAG, TRUTHFUL_QA, MMLU_PRO):
        for subset in benchmark.subsets:
            for sample in benchmark.samples(DATA / benchmark.name, subset, benchmark.split):
                for mode in benchmark.modes:
                    prompt = benchmark.prompt(sample, [], plan_for(benchmark, mode))
                    assert sample.question in text_of(prompt.ask, prompt.question_at)

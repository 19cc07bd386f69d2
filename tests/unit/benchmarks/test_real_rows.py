"""The benchmarks' real rows, where they lie beside the checkout: every one is read, none is lost."""

from __future__ import annotations

from collections import Counter

import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.benchmarks.generation import Generation
from llmuses.metrics.choice import read_choice
from llmuses.records import Mode, Sample
from tests.unit.benchmarks.plans import DATA, plan_for, text_of, written

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the benchmark rows in ../shared/data")

MMLU, GSM8K, ARC = get_benchmark("mmlu"), get_benchmark("gsm8k"), get_benchmark("arc")


@pytest.mark.parametrize("folder", ["mmlu", "mmlu/data"])
def test_mmlu_has_all_its_rows(folder: str) -> None:
    counts = {
        split: [
            len(list(MMLU.samples(DATA / folder, s, split))) for s in MMLU.subsets if MMLU.find(DATA / folder, s, split)
        ]
        for split in ("test", "dev", "validation")
    }
    assert {split: (len(sizes), sum(sizes)) for split, sizes in counts.items()} == {
        "test": (8, 1188),
        "dev": (8, 40),
        "validation": (8, 127),
    }


def test_mmlus_first_row_of_a_file_is_a_question_and_not_a_header() -> None:
    sizes = {
        s: len(list(MMLU.samples(DATA / "mmlu", s, "test"))) for s in ("global_facts", "marketing", "formal_logic")
    }
    assert sizes == {"global_facts": 100, "marketing": 234, "formal_logic": 126}


def test_every_question_of_mmlu_has_four_options_and_a_letter() -> None:
    for subset in MMLU.subsets:
        for sample in MMLU.samples(DATA / "mmlu", subset, "test"):
            assert len(sample.choices) == 4
            assert sample.target in "ABCD"
            assert all(sample.choices)


def test_gsm8k_has_all_its_rows_and_its_solutions_are_right_by_its_own_judgement() -> None:
    assert isinstance(GSM8K, Generation)
    for split, size in (("test", 200), ("train", 300)):
        samples = list(GSM8K.samples(DATA / "gsm8k", "main", split))
        assert len(samples) == size
        assert not any(
            "<<" in sample.details["reasoning"] or "####" in sample.details["reasoning"] for sample in samples
        )
        for sample in samples:
            judgement = GSM8K.judge(sample, written(GSM8K.example_answer(sample)), plan_for(GSM8K, Mode.GENERATE))
            assert judgement.scores == {"acc": 1.0}, sample.sample_id


def challenge(name: str) -> list[Sample]:
    return list(ARC.samples(DATA / "arc" / "ARC-Challenge" / name, "ARC-Challenge", "test"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ARC-Challenge-Test.jsonl", {4: 226, 3: 3, 5: 3}),
        ("test.hf.jsonl", {4: 229, 3: 4, 5: 3}),
        ("train.hf.jsonl", {4: 150}),
        ("ARC-Challenge-Dev.jsonl", {4: 118, 3: 2}),
        ("test.hf.numeric_labels_reconstructed.jsonl", {4: 7, 3: 1}),
    ],
)
def test_arc_is_read_in_both_layouts_with_three_four_and_five_options(name: str, options: dict[int, int]) -> None:
    samples = challenge(name)
    assert Counter(len(sample.choices) for sample in samples) == options
    assert len({sample.sample_id for sample in samples}) == len(samples)


def test_arcs_two_layouts_say_the_same_of_the_same_question() -> None:
    hub = {sample.sample_id: sample for sample in challenge("test.hf.jsonl")}
    shared = [sample for sample in challenge("ARC-Challenge-Test.jsonl") if sample.sample_id in hub]
    assert len(shared) > 200
    assert [
        s.sample_id for s in shared if (s.target, s.choices) != (hub[s.sample_id].target, hub[s.sample_id].choices)
    ] == []


def test_questions_labelled_by_digits_have_the_answers_that_their_lettered_copies_have() -> None:
    lettered = {sample.sample_id: sample for sample in challenge("test.hf.jsonl")}
    shared = [s for s in challenge("test.hf.numeric_labels_reconstructed.jsonl") if s.sample_id in lettered]
    assert shared
    for sample in shared:
        assert (sample.target, sample.choices) == (
            lettered[sample.sample_id].target,
            lettered[sample.sample_id].choices,
        )


def test_the_folder_of_arc_gives_its_native_rows() -> None:
    assert len(list(ARC.samples(DATA / "arc", "ARC-Challenge", "test"))) == 232
    assert len(list(ARC.samples(DATA / "arc", "ARC-Challenge", "validation"))) == 120
    assert ARC.find(DATA / "arc", "ARC-Easy", "test") == []


def test_every_real_question_is_asked_whole() -> None:
    for benchmark, root in ((MMLU, DATA / "mmlu"), (GSM8K, DATA / "gsm8k"), (ARC, DATA / "arc")):
        for subset in benchmark.subsets:
            for sample in benchmark.samples(root, subset, "test"):
                for mode in benchmark.modes:
                    prompt = benchmark.prompt(sample, [], plan_for(benchmark, mode))
                    own = text_of(prompt.ask, prompt.question_at)
                    assert own.removeprefix("Question: ").startswith(sample.question)


WITH_THE_LETTER = [
    "{letter}. {text}",
    "**{letter}) {text}**",
    "The answer is ({letter}) {text}",
    "Answer: {letter}\n\n{text}",
]
BY_TEXT = ["The answer is {text}.", "**{text}**", "\\boxed{{{text}}}", "答案是{text}。"]


def test_every_option_of_every_real_question_is_read_when_it_is_named() -> None:
    named = unread = 0
    for benchmark, root in ((MMLU, DATA / "mmlu"), (ARC, DATA / "arc")):
        for subset in benchmark.subsets:
            for sample in benchmark.samples(root, subset, "test"):
                for letter, text in zip("ABCDE", sample.choices, strict=False):
                    for form in WITH_THE_LETTER:
                        reading = read_choice(form.format(letter=letter, text=text), sample.choices)
                        assert reading is not None, (sample.sample_id, form)
                        assert reading.value == letter, (sample.sample_id, form)
                    if text.strip() in "ABCDE":
                        continue  # an option that reads like a label is one
                    for form in BY_TEXT:
                        reading = read_choice(form.format(text=text), sample.choices)
                        assert reading is None or reading.value == letter, (sample.sample_id, form)
                        named, unread = named + 1, unread + (reading is None)
    assert unread / named < 0.005  # two options with one text, mostly

"""BIG-Bench Hard: its layouts, its two ways to ask, and how each kind of answer is read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from llmuses.benchmarks.bbh import BBH
from llmuses.errors import DataError
from llmuses.records import DatasetPlan, Generate, Mode, Sample
from tests.unit.benchmarks.plans import DATA, SAMPLES, plan_for, rows_of, written

SUITE = BBH()
COT = plan_for(SUITE, Mode.GENERATE)
DIRECT = msgspec.structs.replace(COT, variant="direct")
REAL = DATA / "bbh"
real_rows = pytest.mark.skipif(not REAL.is_dir(), reason="needs the benchmark rows in ../shared/data")


def sample(subset: str, question: str, target: str) -> Sample:
    return Sample(sample_id=f"{subset}/0", subset=subset, question=question, target=target)


def sent(asked: Sample, shots: list[Sample], plan: DatasetPlan) -> str:
    ask = SUITE.prompt(asked, shots, plan).ask
    assert isinstance(ask, Generate)
    (message,) = ask.messages
    return message.content


# --- rows and worked examples ------------------------------------------------------------------------------


def test_there_are_27_subsets_of_23_tasks_in_two_halves() -> None:
    assert len(SUITE.subsets) == 27
    assert Counter(SUITE.categories.values()) == {"Algorithmic": 15, "Language": 12}
    assert SUITE.variants == ("cot", "direct")


@pytest.mark.parametrize("subset", SUITE.subsets)
def test_every_task_ships_with_rows_and_three_examples_whose_reasoning_ends_on_their_answer(subset: str) -> None:
    assert len(rows_of(SUITE, subset, "test")) >= 2
    shots = rows_of(SUITE, subset, "cot-prompts")
    assert len(shots) == 3
    for shot in shots:
        assert shot.details["reasoning"].endswith(f"\nSo the answer is {shot.target}.")
        assert SUITE.judge(shot, written(shot.details["reasoning"]), COT).scores == {"acc": 1.0}


@pytest.mark.parametrize("place", ["", "bbh", "a/b/c"])
def test_worked_examples_lie_beside_the_rows_or_beside_their_folder(tmp_path: Path, place: str) -> None:
    examples = SAMPLES / "bbh" / "cot-prompts" / "navigate.txt"
    (tmp_path / "data" / "bbh").mkdir(parents=True)
    (tmp_path / "data" / "cot-prompts").mkdir()
    (tmp_path / "data" / "cot-prompts" / "navigate.txt").write_bytes(examples.read_bytes())
    root = {"": tmp_path, "bbh": tmp_path / "data" / "bbh", "a/b/c": tmp_path / "data"}[place]
    assert len(list(SUITE.samples(root, "navigate", "cot-prompts"))) == 3
    assert SUITE.find(root, "word_sorting", "cot-prompts") == []


@pytest.mark.parametrize("name", ["navigate.json", "bbh/navigate.json", "navigate/test.jsonl"])
def test_rows_are_found_in_each_layout(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    row = {"input": "Take 1 step.", "target": "No"}
    file.write_text(json.dumps(row if name.endswith("jsonl") else {"canary": "x", "examples": [row]}), "utf-8")
    assert [s.target for s in SUITE.samples(tmp_path, "navigate", "test")] == ["No"]
    assert SUITE.find(tmp_path, "navigate", "cot-prompts") == []


def test_a_heading_up_to_a_line_of_dashes_is_not_part_of_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "cot-prompts").mkdir()
    (tmp_path / "cot-prompts" / "navigate.txt").write_text(
        "A warning.\n-----\nWalks.\n\nQ: One?\nOptions:\n- Yes\n- No\nA: Let's think step by step. A step.\n\n"
        "Another. So the answer is No.\n\nQ: Two?\nA: Let's think step by step.\nTwo steps. So the answer is Yes.",
        "utf-8",
    )
    first, second = SUITE.samples(tmp_path, "navigate", "cot-prompts")
    assert (first.question, first.target, second.target) == ("One?\nOptions:\n- Yes\n- No", "No", "Yes")
    assert sent(sample("navigate", "Three?", "No"), [first, second], COT) == (
        "Walks.\n\nQ: One?\nOptions:\n- Yes\n- No\nA: Let's think step by step. A step.\n\nAnother. So the answer is No.\n\n"
        "Q: Two?\nA: Let's think step by step.\nTwo steps. So the answer is Yes.\n\n"
        "Q: Three?\nA: Let's think step by step."
    )


def test_worked_examples_of_another_shape_are_named(tmp_path: Path) -> None:
    (tmp_path / "cot-prompts").mkdir()
    (tmp_path / "cot-prompts" / "navigate.txt").write_text("Walks.\n\nQ: One?\nA: No.", "utf-8")
    with pytest.raises(DataError, match=r"navigate.txt: worked example 1 does not have the form"):
        list(SUITE.samples(tmp_path, "navigate", "cot-prompts"))


# --- asking ------------------------------------------------------------------------------------------------


def test_directly_asked_the_same_examples_show_their_answers_alone() -> None:
    shots = rows_of(SUITE, "multistep_arithmetic_two", "cot-prompts")
    assert sent(sample("multistep_arithmetic_two", "( 1 + 1 ) =", "2"), shots, DIRECT) == (
        "Work out an expression with several steps.\n\nQ: ( ( 2 + 3 ) * ( 4 - 6 ) ) =\nA: -10\n\n"
        "Q: ( ( 7 - 2 * 3 ) + ( 5 * 2 ) ) =\nA: 11\n\nQ: ( ( -4 - 1 ) * ( 2 - 5 ) ) =\nA: 15\n\nQ: ( 1 + 1 ) =\nA:"
    )


def test_without_examples_the_task_is_said_in_one_line() -> None:
    asked = sample("word_sorting", "Sort: b a", "a b")
    assert sent(asked, [], DIRECT) == "Sort words by the alphabet.\n\nQ: Sort: b a\nA:"
    assert sent(asked, [], COT) == "Sort words by the alphabet.\n\nQ: Sort: b a\nA: Let's think step by step."


# --- scoring -----------------------------------------------------------------------------------------------

OPTIONS = "Which?\nOptions:\n(A) the red ball\n(B) the blue ball\n(C) a box"


@pytest.mark.parametrize(
    ("subset", "question", "target", "text", "extracted", "right"),
    [
        ("snarks", OPTIONS, "(B)", "So the answer is (B).", "(B)", True),
        ("snarks", OPTIONS, "(B)", "(B)", "(B)", True),
        ("snarks", OPTIONS, "(B)", "**Answer: B**", "(B)", True),
        ("snarks", OPTIONS, "(B)", "The answer is the blue ball.", "(B)", True),
        ("snarks", OPTIONS, "(B)", "So the answer is (A).", "(A)", False),
        ("snarks", OPTIONS, "(B)", "A ball is round.", None, False),
        ("snarks", OPTIONS, "the blue ball", "So the answer is (B).", "(B)", True),
        ("snarks", OPTIONS, "the blue ball", "So the answer is (A).", "(A)", False),
        ("snarks", OPTIONS, "no option's text", "So the answer is (A).", "(A)", False),
        ("navigate", "Back?\nOptions:\n- Yes\n- No", "Yes", "We are at (0, 0). So the answer is Yes.", "Yes", True),
        ("navigate", "Back?\nOptions:\n- Yes\n- No", "Yes", "No", "No", False),
        ("sports_understanding", "Plausible?", "yes", "So the answer is yes.", "yes", True),
        ("sports_understanding", "Plausible?", "yes", "Yes", "yes", True),
        ("sports_understanding", "Plausible?", "no", "The sentence is not plausible.", "no", True),
        ("boolean_expressions", "True is", "True", "So the answer is True.", "True", True),
        ("boolean_expressions", "True is", "True", "true", "True", True),
        ("formal_fallacies", "Valid?", "invalid", "So the answer is invalid.", "invalid", True),
        ("formal_fallacies", "Valid?", "valid", "So the answer is invalid.", "invalid", False),
        ("object_counting", "How many?", "1200", "1 + 2 = 3. So the answer is 1,200.", "1200", True),
        ("multistep_arithmetic_two", "2 - 5 =", "-3", "So the answer is -3.", "-3", True),
        ("word_sorting", "List: Oven costume bee", "bee costume oven", "Bee, costume, oven", "bee costume oven", True),
        ("word_sorting", "List: oven bee", "bee oven", "So the answer is oven bee.", "oven bee", False),
        ("dyck_languages", "Input: [ {", "} ]", "}]", "} ]", True),
        ("dyck_languages", "Input: [ {", "} ]", "So the answer is ] }.", "] }", False),
        ("dyck_languages", "Input: [ {", "} ]", "It cannot be closed.", None, False),
    ],
)  # fmt: skip
def test_each_kind_of_answer_is_read_and_compared(
    subset: str, question: str, target: str, text: str, extracted: str | None, right: bool
) -> None:
    judgement = SUITE.judge(sample(subset, question, target), written(text), COT)
    assert (judgement.extracted, judgement.scores["acc"]) == (extracted, float(right))


# --- real rows and published outputs -----------------------------------------------------------------------


@real_rows
def test_with_the_authors_files_the_prompt_is_theirs_letter_by_letter() -> None:
    present = [subset for subset in SUITE.subsets if SUITE.find(REAL, subset, "test")]
    assert len(present) == 9
    for subset in present:
        file = (REAL / "cot-prompts" / f"{subset}.txt").read_text("utf-8")
        shots = list(SUITE.samples(REAL, subset, "cot-prompts"))
        assert len(shots) == 3
        for asked in list(SUITE.samples(REAL, subset, "test"))[:5]:
            expected = f"{file.partition('-----')[2].strip()}\n\nQ: {asked.question}\nA: Let's think step by step."
            assert sent(asked, shots, COT) == expected


@real_rows
def test_the_answer_of_every_real_row_is_read_in_each_form() -> None:
    for subset in SUITE.subsets:
        for row in SUITE.samples(REAL, subset, "test"):
            for form in ("{}", "So the answer is {}.", "**{}**", "Answer: {}", "The answer is: {}\n"):
                judgement = SUITE.judge(row, written(form.format(row.target)), COT)
                assert judgement.scores == {"acc": 1.0}, (row.sample_id, form)


# code-davinci-002 as the paper has it. Unparsed are outputs that were cut off in a loop: the paper counts them
# as wrong, and so do we.
PUBLISHED = [
    ("direct", "boolean_expressions", 88.4, 0),
    ("direct", "date_understanding", 63.6, 0),
    ("direct", "navigate", 50.4, 0),
    ("cot", "boolean_expressions", 92.8, 4),
    ("cot", "date_understanding", 87.2, 1),
    ("cot", "navigate", 96.4, 0),
]


@real_rows
@pytest.mark.parametrize(("variant", "subset", "published", "unparsed"), PUBLISHED)
def test_published_outputs_get_the_published_score(variant: str, subset: str, published: float, unparsed: int) -> None:
    file = DATA / "outputs" / "bbh" / f"code-davinci-002-{variant}" / f"{subset}.json"
    rows = {row.question: row for row in SUITE.samples(REAL, subset, "test")}
    plan = COT if variant == "cot" else DIRECT
    judged = [
        SUITE.judge(rows[output["input"].partition("\nA:")[0].strip()], written(output["prediction"]), plan)
        for output in json.loads(file.read_text("utf-8"))["outputs"]
    ]
    assert len(judged) == 250
    assert round(100 * sum(judgement.scores["acc"] for judgement in judged) / 250, 1) == published
    assert sum(judgement.extracted is None for judgement in judged) == unparsed

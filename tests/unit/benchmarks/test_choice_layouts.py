"""Where the rows of HellaSwag, CMMLU, MMLU-Pro and GPQA are found, and what becomes of them."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.benchmarks import get_benchmark
from llmuses.benchmarks.hellaswag import without_markup
from llmuses.benchmarks.ordering import shuffled
from llmuses.benchmarks.rows import read_rows
from llmuses.errors import DataError
from tests.unit.benchmarks.plans import SAMPLES, rows_of
from tests.unit.benchmarks.test_layouts import jsonl, parquet

HELLASWAG, CMMLU = get_benchmark("hellaswag"), get_benchmark("cmmlu")
MMLU_PRO, GPQA = get_benchmark("mmlu_pro"), get_benchmark("gpqa")


def table(path: Path, rows: list[dict[str, Any]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


# --- HellaSwag ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "data/{}-00000-of-00001.parquet",
        "{}-00000-of-00001.parquet",
        "default/{}/0000.parquet",
        "{}.jsonl",
        "data/{}.parquet",
    ],
)
def test_hellaswags_own_layout_and_the_hubs_give_the_same_samples(tmp_path: Path, name: str) -> None:
    for split, own in (("train", "train"), ("validation", "val")):
        rows = [row for _, row in read_rows(SAMPLES / "hellaswag" / f"hellaswag_{own}.jsonl")]
        rows = [{**row, "label": str(row["label"])} for row in rows]  # a text on the hubs
        (jsonl if name.endswith("jsonl") else parquet)(tmp_path / name.format(split), rows)
        assert list(HELLASWAG.samples(tmp_path, "default", split)) == rows_of(HELLASWAG, "default", split)


def test_hellaswags_validation_split_is_what_its_authors_call_val() -> None:
    assert HELLASWAG.find(SAMPLES / "hellaswag", "default", "validation") == [
        SAMPLES / "hellaswag" / "hellaswag_val.jsonl"
    ]
    assert HELLASWAG.find(SAMPLES / "hellaswag", "default", "test") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": ""}, "the test split has none"),
        ({"label": 4}, "the label '4'"),
        ({"endings": ["a", "b"]}, "not one of four endings"),
        ({"ctx_b": None}, "no column 'ctx_b'"),
    ],
)
def test_a_bad_row_of_hellaswag_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    row = next(row for _, row in read_rows(SAMPLES / "hellaswag" / "hellaswag_val.jsonl"))
    jsonl(tmp_path / "hellaswag_val.jsonl", [{**row, **change}])
    with pytest.raises(DataError, match=r"hellaswag_val\.jsonl:1: not a row of hellaswag") as problem:
        list(HELLASWAG.samples(tmp_path, "default", "validation"))
    assert said in str(problem.value)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("A man sits.", "A man sits."),
        ("  A man sits. ", "A man sits."),
        (
            "[header] How to sit [title] Find a chair. [step] Chairs are firm.",
            " How to sit. Find a chair. Chairs are firm.",
        ),
        ("[title] Find a chair.", " Find a chair."),  # the space that stood after the mark stays, as in the harness
        ("[substeps] Sit down.", " Sit down."),
        ("two  spaces", "two spaces"),
        ("a [b] c", "a c"),
        ("no [end", "no [end"),
    ],
)
def test_wikihows_marks_are_taken_out_as_lm_evaluation_harness_does(raw: str, clean: str) -> None:
    assert without_markup(raw) == clean


def test_a_scene_begins_with_its_activity_and_its_second_half_with_a_capital() -> None:
    samples = rows_of(HELLASWAG, "default", "validation")
    assert samples[1].question == "Baking bread: A baker kneads dough and puts it into a tin. He"
    assert samples[8].question == (
        "Food and cooking: How to boil an egg. Put the egg into a pot. Cover it with cold water and turn on the heat."
    )
    assert samples[8].choices[0].startswith(" Wait until the water boils and set a timer. About eight minutes")


# --- CMMLU -------------------------------------------------------------------------------------------------


def cmmlu_rows(subject: str, split: str) -> list[dict[str, Any]]:
    return [row for _, row in read_rows(SAMPLES / "cmmlu" / split / f"{subject}.csv")]


@pytest.mark.parametrize(
    "name", ["{}/cmmlu-{}.parquet", "{}/{}-00000-of-00001.parquet", "{}/{}/0000.parquet", "{}/{}.jsonl"]
)
def test_cmmlus_own_layout_and_a_folder_for_each_subject_give_the_same_samples(tmp_path: Path, name: str) -> None:
    for split in ("dev", "test"):
        rows = [
            {k: v for k, v in row.items() if k} for row in cmmlu_rows("nutrition", split)
        ]  # fmt: skip
        (jsonl if name.endswith("jsonl") else parquet)(tmp_path / name.format("nutrition", split), rows)
        assert list(CMMLU.samples(tmp_path, "nutrition", split)) == rows_of(CMMLU, "nutrition", split)
    assert CMMLU.find(tmp_path, "astronomy", "test") == []


@pytest.mark.parametrize("name", ["data/test-00000-of-00001.parquet", "test.jsonl", "test/0000.parquet"])
def test_one_file_of_all_subjects_with_brackets_before_the_options_is_read(tmp_path: Path, name: str) -> None:
    rows = [
        {
            "id": f"test_{index}",
            "question": row["Question"],
            "category": subject,
            "choices": [f"({letter}) {row[letter]}" for letter in "ABCD"],
            "answer": f"({row['Answer']}) {row[row['Answer']]}",
        }
        for subject in ("economics", "astronomy")
        for index, row in enumerate(cmmlu_rows(subject, "test"))
    ]
    (jsonl if name.endswith("jsonl") else parquet)(tmp_path / name, rows)
    assert [s for s in CMMLU.subsets if CMMLU.find(tmp_path, s, "test")] == ["astronomy", "economics"]
    for subject in ("astronomy", "economics"):
        assert list(CMMLU.samples(tmp_path, subject, "test")) == rows_of(CMMLU, subject, "test")


def test_cmmlu_has_67_subjects_in_four_categories_and_15_that_are_chinas_own() -> None:
    assert len(CMMLU.subsets) == 67
    assert Counter(CMMLU.categories.values()) == {"STEM": 17, "Humanities": 13, "Social sciences": 22, "Other": 15}
    assert len(CMMLU.groups["china_specific"]) == 15
    assert {CMMLU.categories[subject] for subject in CMMLU.groups["china_specific"]} == {
        "Humanities",
        "Social sciences",
        "Other",
    }


@pytest.mark.parametrize("answer", ["E", "", "(E) x"])
def test_a_bad_row_of_cmmlu_is_named(tmp_path: Path, answer: str) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "nutrition.csv").write_text(f",Question,A,B,C,D,Answer\n0,问,甲,乙,丙,丁,{answer}\n", "utf-8")
    with pytest.raises(DataError, match=r"nutrition\.csv:2: not a row of cmmlu"):
        list(CMMLU.samples(tmp_path, "nutrition", "test"))


def test_c_evals_hard_subjects_are_eight_of_its_stem_subjects() -> None:
    ceval = get_benchmark("ceval")
    hard = ceval.groups["hard"]
    assert len(set(hard)) == 8
    assert {ceval.categories[subject] for subject in hard} == {"STEM"}


# --- MMLU-Pro ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["data/{}-00000-of-00001.parquet", "{}-00000-of-00001.parquet", "{}.parquet"])
def test_mmlu_pros_hub_layouts_give_the_same_samples(tmp_path: Path, name: str) -> None:
    for split in ("validation", "test"):
        rows = [row for _, row in read_rows(SAMPLES / "mmlu_pro" / f"{split}.jsonl")]
        parquet(tmp_path / name.format(split), rows)
        for subject in ("biology", "math", "physics"):
            assert list(MMLU_PRO.samples(tmp_path, subject, split)) == rows_of(MMLU_PRO, subject, split)
    assert MMLU_PRO.find(tmp_path, "law", "test") == []


def test_a_question_of_mmlu_pro_has_its_own_id_and_up_to_ten_options() -> None:
    samples = rows_of(MMLU_PRO, "math", "test")
    assert [sample.sample_id for sample in samples] == ["101", "102", "103", "104"]
    assert [len(sample.choices) for sample in samples] == [10, 10, 10, 8]


def test_options_that_only_fill_up_are_left_out_and_the_reasoning_keeps_its_words_alone(tmp_path: Path) -> None:
    row = {
        "question_id": 7, "question": "q", "options": ["a", "b", "c", "N/A", "N/A"], "answer": "C", "category": "law",
        "cot_content": "A: Let's think step by step. It is c. The answer is (C).",
    }  # fmt: skip
    jsonl(tmp_path / "test.jsonl", [row])
    (sample,) = MMLU_PRO.samples(tmp_path, "law", "test")
    assert (sample.choices, sample.target) == (["a", "b", "c"], "C")
    assert sample.details == {"reasoning": "It is c. The answer is (C)."}


@pytest.mark.parametrize("change", [{"answer": "K"}, {"options": ["a"]}, {"options": None}, {"answer": ""}])
def test_a_bad_row_of_mmlu_pro_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    row = {"question_id": 7, "question": "q", "options": ["a", "b"], "answer": "B", "category": "law", **change}
    jsonl(tmp_path / "test.jsonl", [row])
    with pytest.raises(DataError, match=r"test\.jsonl:1: not a row of mmlu_pro"):
        list(MMLU_PRO.samples(tmp_path, "law", "test"))


# --- GPQA --------------------------------------------------------------------------------------------------


def gpqa_rows(name: str = "diamond") -> list[dict[str, Any]]:
    return [row for _, row in read_rows(SAMPLES / "gpqa" / f"gpqa_{name}.csv")]


@pytest.mark.parametrize(
    "name", ["gpqa_main.csv", "dataset/gpqa_main.csv", "gpqa_main/train-0.parquet", "gpqa_main.jsonl"]
)
def test_gpqas_file_and_its_copies_on_hubs_give_the_same_samples(tmp_path: Path, name: str) -> None:
    write = {"csv": table, "parquet": parquet, "jsonl": jsonl}[name.rpartition(".")[2]]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    write(tmp_path / name, gpqa_rows("main"))
    assert list(GPQA.samples(tmp_path, "main", "train")) == rows_of(GPQA, "main", "train")
    assert GPQA.find(tmp_path, "diamond", "train") == []


def test_a_question_has_the_same_letters_in_each_of_gpqas_sets() -> None:
    diamond, main, extended = (
        {sample.question: (sample.choices, sample.target) for sample in rows_of(GPQA, name, "train")}
        for name in GPQA.subsets
    )
    assert (len(diamond), len(main), len(extended)) == (6, 8, 10)
    assert diamond.items() <= main.items() <= extended.items()


def test_gpqas_right_answer_goes_where_its_record_id_says_and_nowhere_else(tmp_path: Path) -> None:
    row = gpqa_rows()[0]
    changed = {**row, "Question": "Another wording?", "Explanation": "x", "Subdomain": "y"}
    jsonl(tmp_path / "gpqa_diamond.jsonl", [row, {**changed, "Record ID": row["Record ID"] + "x"}, changed])
    first, other, same = GPQA.samples(tmp_path, "diamond", "train")
    assert (first.choices, first.target) == (same.choices, same.target)
    assert first.choices["ABCD".index(first.target)] == row["Correct Answer"]
    assert other.sample_id == f"diamond/{row['Record ID']}x"


def test_without_a_record_id_the_question_says_the_order(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if k not in ("Record ID", "High-level domain")} for row in gpqa_rows()]
    jsonl(tmp_path / "gpqa_diamond.jsonl", rows)
    jsonl(tmp_path / "again" / "gpqa_diamond.jsonl", rows[::-1])
    forth = list(GPQA.samples(tmp_path, "diamond", "train"))
    back = list(GPQA.samples(tmp_path / "again", "diamond", "train"))
    assert [sample.sample_id for sample in forth] == [f"diamond/{index}" for index in range(6)]
    assert [sample.choices for sample in forth] == [sample.choices for sample in back][::-1]
    assert forth[0].details == {}


@pytest.mark.parametrize("change", [{"Correct Answer": " "}, {"Incorrect Answer 3": None}, {"Question": None}])
def test_a_bad_row_of_gpqa_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    jsonl(tmp_path / "gpqa_diamond.jsonl", [{**gpqa_rows()[0], **change}])
    with pytest.raises(DataError, match=r"gpqa_diamond\.jsonl:1: not a row of gpqa"):
        list(GPQA.samples(tmp_path, "diamond", "train"))


def test_of_gpqa_the_diamond_set_is_asked_unless_others_are_named() -> None:
    assert GPQA.default_subsets == ("diamond",)
    assert not GPQA.publish_samples


def test_a_single_file_of_gpqa_is_of_the_set_in_its_name(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "gpqa" / "gpqa_extended.csv", tmp_path / "gpqa_extended.csv")
    assert len(list(GPQA.samples(tmp_path / "gpqa_extended.csv", "extended", "train"))) == 10
    assert GPQA.find(tmp_path / "gpqa_extended.csv", "diamond", "train") == []


# --- orders ------------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=5), min_size=1, max_size=10), st.text(max_size=30))
def test_an_order_keeps_every_option_and_says_where_the_first_went(options: list[str], seed: str) -> None:
    ordered, right = shuffled(options, seed)
    assert sorted(ordered) == sorted(options)
    assert ordered[right] == options[0]
    assert shuffled(options, seed) == (ordered, right)


def test_over_many_questions_every_order_is_equally_likely() -> None:
    orders = Counter("".join(shuffled("abcd", f"rec{n}")[0]) for n in range(24_000))
    assert len(orders) == 24
    # 1,000 expected in each; chi-squared with 23 degrees of freedom is below 49.7 in 99.9% of such draws.
    assert sum((count - 1000) ** 2 / 1000 for count in orders.values()) < 49.7


def test_the_order_of_a_seed_is_what_it_was_in_earlier_versions() -> None:
    # Stored answers are scored against these letters: another order would make them another question.
    assert ["".join(shuffled("abcd", seed)[0]) for seed in ("recA", "recB", "")] == ["adcb", "dbca", "bcad"]

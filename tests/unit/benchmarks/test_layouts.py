"""Where rows are found: the authors' layouts, the hubs', a folder above them, a single file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llmuses import evaluate
from llmuses.benchmarks import benchmark_names, get_benchmark
from llmuses.benchmarks.choice import option_letter
from llmuses.benchmarks.rows import read_rows
from llmuses.errors import DataError, LayoutError
from llmuses.records import Sample
from tests.unit.benchmarks.plans import SAMPLES, rows_of

MMLU, GSM8K, ARC = get_benchmark("mmlu"), get_benchmark("gsm8k"), get_benchmark("arc")


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.with_suffix(".tmp")
    lines.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    duckdb.sql(f"COPY (SELECT * FROM read_json('{lines}', format = 'newline_delimited')) TO '{path}' (FORMAT parquet)")
    lines.unlink()


def jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def subject_rows(subject: str, split: str = "test") -> list[dict[str, Any]]:
    """Rows as cais/mmlu has them: choices in a list, the answer as a number from 0."""
    return [
        {"question": s.question, "subject": subject, "choices": s.choices, "answer": "ABCD".index(s.target)}
        for s in rows_of(MMLU, subject, split)
    ]


def ids_apart(samples: list[Sample]) -> list[tuple[str, list[str], str]]:
    return [(sample.question, sample.choices, sample.target) for sample in samples]


# --- MMLU --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_mmlus_folder_or_one_or_two_folders_above_it_can_be_given(tmp_path: Path, levels: int) -> None:
    root = tmp_path.joinpath(*["data", "mmlu"][:levels])
    shutil.copytree(SAMPLES / "mmlu", root, dirs_exist_ok=True)
    for split in ("test", "dev"):
        assert list(MMLU.samples(tmp_path, "nutrition", split)) == rows_of(MMLU, "nutrition", split)


def test_the_folder_of_one_split_can_be_given() -> None:
    root = SAMPLES / "mmlu" / "test"
    assert list(MMLU.samples(root, "nutrition", "test")) == rows_of(MMLU, "nutrition", "test")
    assert MMLU.find(root, "nutrition", "dev") == []


def test_a_subject_that_is_not_there_has_no_files() -> None:
    assert MMLU.find(SAMPLES / "mmlu", "virology", "test") == []
    assert list(MMLU.samples(SAMPLES / "mmlu", "virology", "test")) == []


@pytest.mark.parametrize("name", ["nutrition_test.csv", "my nutrition questions.csv", "nutrition.csv"])
def test_a_single_file_is_of_the_subject_in_its_name(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    shutil.copy(SAMPLES / "mmlu" / "test" / "nutrition_test.csv", file)
    assert [s for s in MMLU.subsets if MMLU.find(file, s, "test")] == ["nutrition"]
    assert list(MMLU.samples(file, "nutrition", "test")) == rows_of(MMLU, "nutrition", "test")
    assert MMLU.find(file, "nutrition", "dev") == []


def test_the_longest_subject_in_a_files_name_counts_before_the_folders(tmp_path: Path) -> None:
    file = tmp_path / "nutrition" / "high_school_us_history_test.csv"
    file.parent.mkdir()
    shutil.copy(SAMPLES / "mmlu" / "test" / "nutrition_test.csv", file)
    assert [s for s in MMLU.subsets if MMLU.find(file, s, "test")] == ["high_school_us_history"]


def test_a_single_file_can_be_asked_as_another_split() -> None:
    file = SAMPLES / "mmlu" / "test" / "nutrition_test.csv"
    assert MMLU.find(file, "nutrition", "validation") == [file]


def test_a_single_file_that_tells_no_subject_is_refused_with_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "questions.csv"
    shutil.copy(SAMPLES / "mmlu" / "test" / "nutrition_test.csv", file)
    with pytest.raises(DataError, match=r"nothing says which subset of mmlu.*name the file.*add a column 'subject'"):
        MMLU.find(file, "nutrition", "test")


@pytest.mark.parametrize(
    "name", ["nutrition/test-00000-of-00001.parquet", "nutrition/test.parquet", "nutrition/test/0000.parquet"]
)
def test_the_hubs_folder_of_each_subject_is_read(tmp_path: Path, name: str) -> None:
    parquet(tmp_path / name, subject_rows("nutrition"))
    assert list(MMLU.samples(tmp_path, "nutrition", "test")) == rows_of(MMLU, "nutrition", "test")
    assert MMLU.find(tmp_path, "virology", "test") == []


@pytest.mark.parametrize(
    "name", ["all/test-00000-of-00001.parquet", "test-00000-of-00001.parquet", "test.parquet", "test.jsonl"]
)
def test_one_file_of_all_subjects_is_told_apart_by_its_column(tmp_path: Path, name: str) -> None:
    mixed = [
        row
        for pair in zip(subject_rows("nutrition"), subject_rows("astronomy"), strict=True)
        for row in pair
    ]  # fmt: skip
    (jsonl if name.endswith("jsonl") else parquet)(tmp_path / name, mixed)
    for root in (tmp_path, tmp_path / name):
        assert [s for s in MMLU.subsets if MMLU.find(root, s, "test")] == ["astronomy", "nutrition"]
        for subject in ("nutrition", "astronomy"):
            # Counted inside the subject: the same questions have the same ids in every layout.
            assert list(MMLU.samples(root, subject, "test")) == rows_of(MMLU, subject, "test")


def test_shards_are_read_one_after_the_other(tmp_path: Path) -> None:
    rows = subject_rows("nutrition")
    parquet(tmp_path / "nutrition" / "test-00000-of-00002.parquet", rows[:5])
    parquet(tmp_path / "nutrition" / "test-00001-of-00002.parquet", rows[5:])
    assert list(MMLU.samples(tmp_path, "nutrition", "test")) == rows_of(MMLU, "nutrition", "test")


def test_jsonl_with_letters_or_numbers_as_answers_is_read(tmp_path: Path) -> None:
    rows = subject_rows("nutrition")
    for row in rows[::2]:
        row["answer"] = "ABCD"[row["answer"]].lower()
    jsonl(tmp_path / "nutrition" / "test.jsonl", rows)
    assert list(MMLU.samples(tmp_path, "nutrition", "test")) == rows_of(MMLU, "nutrition", "test")


def test_older_columns_input_and_target_are_read(tmp_path: Path) -> None:
    file = tmp_path / "test" / "nutrition_test.csv"
    file.parent.mkdir()
    file.write_text("input,A,B,C,D,target\nWhich?,a,b,c,d,C\n", "utf-8")
    (sample,) = MMLU.samples(tmp_path, "nutrition", "test")
    assert (sample.question, sample.target) == ("Which?", "C")


@pytest.mark.parametrize(("folder", "name"), [("val", "nutrition_val.csv"), ("validation", "nutrition_validation.csv")])
def test_the_validation_split_goes_by_both_its_names(tmp_path: Path, folder: str, name: str) -> None:
    shutil.copytree(SAMPLES / "mmlu" / "dev", tmp_path / "dev")
    assert MMLU.find(tmp_path, "nutrition", "validation") == []  # never the worked examples instead
    (tmp_path / folder).mkdir()
    shutil.copy(SAMPLES / "mmlu" / "test" / "nutrition_test.csv", tmp_path / folder / name)
    assert len(list(MMLU.samples(tmp_path, "nutrition", "validation"))) == 12


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("q,a,b,c,d,E", "the answer 'E' is not one of four options' letters"),
        ("q,a,b,c,d,", "the answer '' is not one"),
        ("q,a,b,c,A", "5 cells, expected 6"),
    ],
)
def test_a_bad_row_of_mmlu_is_named_with_file_and_line(tmp_path: Path, row: str, said: str) -> None:
    file = tmp_path / "nutrition_test.csv"
    file.write_text(f"q,a,b,c,d,A\n{row}\n", "utf-8")
    with pytest.raises(DataError) as problem:
        list(MMLU.samples(tmp_path, "nutrition", "test"))
    assert str(problem.value).startswith(f"{file}:2: ")
    assert said in str(problem.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "q", "choices": ["a", "b", "c", "d"], "answer": -1}, "the answer -1"),
        ({"question": "q", "choices": ["a", "b", "c", "d"], "answer": 4}, "the answer 4"),
        ({"question": "q", "choices": ["a", "b", "c"], "answer": 0}, "four options"),
        ({"question": "q", "choices": None, "answer": 0}, "no column 'choices'"),
        ({"question": None, "choices": ["a", "b", "c", "d"], "answer": 0}, "no column 'question or input'"),
        ({"text": "q"}, "no column"),
    ],
)
def test_a_row_of_another_shape_is_named(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    jsonl(tmp_path / "nutrition" / "test.jsonl", [row])
    with pytest.raises(DataError, match=r"test\.jsonl:1: not a row of mmlu") as problem:
        list(MMLU.samples(tmp_path, "nutrition", "test"))
    assert said in str(problem.value)


def test_mmlu_has_57_subjects_in_the_authors_four_categories() -> None:
    assert len(MMLU.subsets) == 57
    counts = {category: list(MMLU.categories.values()).count(category) for category in set(MMLU.categories.values())}
    assert counts == {"STEM": 18, "Humanities": 13, "Social sciences": 12, "Other": 14}


def test_the_training_rows_beside_mmlu_are_not_downloaded() -> None:
    assert all(pattern.startswith(("all/dev-", "all/validation-", "all/test-")) for pattern in MMLU.hub.patterns)


# --- GSM8K -------------------------------------------------------------------------------------------------


def gsm8k_rows(split: str) -> list[dict[str, Any]]:
    return [row for _, row in read_rows(SAMPLES / "gsm8k" / f"{split}.jsonl")]


@pytest.mark.parametrize(
    "name", ["main/{}-00000-of-00001.parquet", "{}-00000-of-00001.parquet", "{}.csv", "main/{}.jsonl"]
)
def test_gsm8ks_hub_layouts_give_the_same_samples(tmp_path: Path, name: str) -> None:
    for split in ("train", "test"):
        path = tmp_path / name.format(split)
        if name.endswith("csv"):
            duckdb.sql(f"COPY (SELECT * FROM read_json('{SAMPLES / 'gsm8k' / split}.jsonl')) TO '{path}' (HEADER)")
        else:
            (jsonl if name.endswith("jsonl") else parquet)(path, gsm8k_rows(split))
        assert list(GSM8K.samples(tmp_path, "main", split)) == rows_of(GSM8K, "main", split)


def test_the_socratic_solutions_beside_gsm8k_are_not_taken_for_it(tmp_path: Path) -> None:
    parquet(tmp_path / "socratic" / "test-00000-of-00001.parquet", [{"question": "q", "answer": "#### 1"}])
    parquet(tmp_path / "main" / "test-00000-of-00001.parquet", gsm8k_rows("test"))
    (tmp_path / "test_socratic.jsonl").write_text('{"question": "q", "answer": "#### 1"}\n', "utf-8")
    assert len(list(GSM8K.samples(tmp_path, "main", "test"))) == 60
    assert GSM8K.hub.patterns == ("main/*.parquet",)


def test_a_single_file_of_gsm8k_may_have_any_name(tmp_path: Path) -> None:
    file = tmp_path / "problems.jsonl"
    shutil.copy(SAMPLES / "gsm8k" / "test.jsonl", file)
    assert list(GSM8K.samples(file, "main", "test")) == rows_of(GSM8K, "main", "test")
    assert list(GSM8K.samples(file, "main", "train")) == []


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("x\n#### 1,234", "1234"),
        ("x\n#### -5", "-5"),
        ("#### 7", "7"),
        ("x\n#### 2.50", "2.5"),
        ("a #### b\n#### 3", "3"),
    ],
)
def test_the_target_is_the_number_after_the_last_mark(tmp_path: Path, answer: str, target: str) -> None:
    jsonl(tmp_path / "test.jsonl", [{"question": "q", "answer": answer}])
    (sample,) = GSM8K.samples(tmp_path, "main", "test")
    assert sample.target == target


@pytest.mark.parametrize("answer", ["", "no mark 5", "x\n####", "x\n#### seven", None])
def test_a_solution_without_a_number_at_its_end_is_named(tmp_path: Path, answer: str | None) -> None:
    jsonl(tmp_path / "test.jsonl", [{"question": "q", "answer": answer}])
    with pytest.raises(DataError, match=r"test\.jsonl:1: not a row of gsm8k"):
        list(GSM8K.samples(tmp_path, "main", "test"))


# --- ARC ---------------------------------------------------------------------------------------------------


def hub_row(row: dict[str, Any]) -> dict[str, Any]:
    choices = row["question"]["choices"]
    return {
        "id": row["id"],
        "question": row["question"]["stem"],
        "choices": {"text": [c["text"] for c in choices], "label": [c["label"] for c in choices]},
        "answerKey": row["answerKey"],
    }


@pytest.mark.parametrize(
    "name", ["ARC-Easy/test-00000-of-00001.parquet", "ARC-Easy/test/0000.parquet", "ARC-Easy/test.jsonl"]
)
def test_arcs_own_layout_and_the_hubs_give_the_same_samples(tmp_path: Path, name: str) -> None:
    rows = [hub_row(row) for _, row in read_rows(SAMPLES / "arc" / "ARC-Easy" / "ARC-Easy-Test.jsonl")]
    (jsonl if name.endswith("jsonl") else parquet)(tmp_path / name, rows)
    assert list(ARC.samples(tmp_path, "ARC-Easy", "test")) == rows_of(ARC, "ARC-Easy", "test")
    assert ARC.find(tmp_path, "ARC-Challenge", "test") == []


def test_the_folder_of_one_set_or_the_archives_own_folder_can_be_given(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "arc", tmp_path / "ARC-V1-Feb2018-2")
    for root in (tmp_path, tmp_path / "ARC-V1-Feb2018-2", tmp_path / "ARC-V1-Feb2018-2" / "ARC-Easy"):
        assert list(ARC.samples(root, "ARC-Easy", "test")) == rows_of(ARC, "ARC-Easy", "test")


@pytest.mark.parametrize("name", ["ARC-Easy-Test.jsonl", "arc_easy.jsonl", "ARC-Easy/questions.jsonl"])
def test_a_single_file_of_arc_says_its_set_by_its_name_or_its_folders(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    shutil.copy(SAMPLES / "arc" / "ARC-Easy" / "ARC-Easy-Test.jsonl", file)
    assert [s for s in ARC.subsets if ARC.find(file, s, "test")] == ["ARC-Easy"]
    assert list(ARC.samples(file, "ARC-Easy", "test")) == rows_of(ARC, "ARC-Easy", "test")


def test_a_single_file_of_arc_that_does_not_say_its_set_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    shutil.copy(SAMPLES / "arc" / "ARC-Easy" / "ARC-Easy-Test.jsonl", file)
    with pytest.raises(DataError, match="nothing says which subset of arc"):
        ARC.find(file, "ARC-Easy", "test")


def test_arcs_validation_split_is_what_ai2_calls_dev(tmp_path: Path) -> None:
    (tmp_path / "ARC-Easy").mkdir()
    file = tmp_path / "ARC-Easy" / "ARC-Easy-Dev.jsonl"
    shutil.copy(SAMPLES / "arc" / "ARC-Easy" / "ARC-Easy-Test.jsonl", file)
    assert ARC.find(tmp_path, "ARC-Easy", "validation") == [file]


def test_options_go_under_letters_whatever_their_labels(tmp_path: Path) -> None:
    row = {
        "id": "x",
        "question": {"stem": "q", "choices": [{"label": "1", "text": "a"}, {"label": "2", "text": "b"}]},
        "answerKey": "2",
    }
    jsonl(tmp_path / "ARC-Easy-Test.jsonl", [row])
    (sample,) = ARC.samples(tmp_path, "ARC-Easy", "test")
    assert (sample.sample_id, sample.choices, sample.target) == ("x", ["a", "b"], "B")


def test_the_sample_set_of_arc_has_three_four_and_five_options_and_labels_of_both_kinds() -> None:
    rows = [
        row
        for name in ARC.subsets
        for _, row in read_rows(SAMPLES / "arc" / name / f"{name}-Test.jsonl")
    ]  # fmt: skip
    assert {len(row["question"]["choices"]) for row in rows} == {3, 4, 5}
    assert sum(row["answerKey"].isdigit() for row in rows) >= 4


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x", "question": {"stem": "q", "choices": [{"label": "A", "text": "a"}]}, "answerKey": "B"},
        {"id": "x", "question": {"stem": "q", "choices": [{"label": "A", "text": "a"}]}},
        {"id": "x", "question": "q", "choices": {"label": ["A", "B"], "text": ["a"]}, "answerKey": "A"},
        {"question": "q", "choices": {"label": ["A"], "text": ["a"]}, "answerKey": "A"},
        {"query": "q", "choices": ["a", "b"], "gold": 0},
    ],
)
def test_a_bad_row_of_arc_is_named(tmp_path: Path, row: dict[str, Any]) -> None:
    jsonl(tmp_path / "ARC-Easy-Test.jsonl", [row])
    with pytest.raises(DataError, match=r"ARC-Easy-Test\.jsonl:1: not a row of arc"):
        list(ARC.samples(tmp_path, "ARC-Easy", "test"))


# --- any ---------------------------------------------------------------------------------------------------


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    for benchmark in (MMLU, GSM8K, ARC):
        assert benchmark.find(tmp_path, benchmark.subsets[0], benchmark.split) == []


def test_hidden_folders_are_not_looked_into(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "gsm8k", tmp_path / ".cache")
    assert GSM8K.find(tmp_path, "main", "test") == []


def test_folders_beside_it_that_hold_another_benchmark_do_not_get_in_the_way() -> None:
    assert MMLU.find(SAMPLES, "nutrition", "test") == [SAMPLES / "mmlu" / "test" / "nutrition_test.csv"]
    assert MMLU.find(SAMPLES, "virology", "test") == []
    assert ARC.find(SAMPLES, "ARC-Easy", "test") == [SAMPLES / "arc" / "ARC-Easy" / "ARC-Easy-Test.jsonl"]
    assert GSM8K.find(SAMPLES, "main", "test") == [SAMPLES / "gsm8k" / "test.jsonl"]
    for name in benchmark_names():
        benchmark = get_benchmark(name)
        for subset in benchmark.subsets:
            found = benchmark.find(SAMPLES, subset, benchmark.split)
            assert found == benchmark.find(SAMPLES / name, subset, benchmark.split), (name, subset)


def test_what_is_expected_names_every_word_that_files_use_for_a_split(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"hellaswag_val\.jsonl or hellaswag_validation\.jsonl"):
        evaluate("baseline:random", "hellaswag", dataset_args={"hellaswag": {"local_path": str(tmp_path)}})


@pytest.mark.parametrize("answer", [-1, 4, "4"])
def test_an_answer_that_is_none_of_the_options_is_refused(answer: int | str) -> None:
    with pytest.raises(ValueError, match="none of the options 0 to 3"):
        option_letter(int(answer), ["a", "b", "c", "d"])

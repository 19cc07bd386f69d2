"""MATH and AIME: their layouts, their repositories, their prompts, how an answer is judged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.benchmarks.generation import Generation
from llmuses.errors import DataError
from llmuses.evaluation import dataset as datasets
from llmuses.evaluation.dataset import Dataset
from llmuses.evaluation.evaluate import evaluate
from llmuses.records import Generate, Mode, Sample
from tests.unit.benchmarks.plans import DATA, SAMPLES, examples_of, plan_for, rows_of, text_of, written
from tests.unit.benchmarks.test_layouts import jsonl, parquet

MATH, AIME = get_benchmark("competition_math"), get_benchmark("aime")
SHIPPED = SAMPLES / "competition_math"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the benchmark rows in ../shared/data")


def shipped_rows(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (SHIPPED / name).read_text("utf-8").splitlines()]


def said(samples: list[Sample]) -> list[tuple[str, str]]:
    return [(sample.question, sample.target) for sample in samples]


# --- rows --------------------------------------------------------------------------------------------------


def test_a_row_says_its_answer_in_the_last_box_of_its_solution_and_its_level() -> None:
    sample = MATH.sample(
        {"problem": " P ", "level": "Level 3", "type": "Algebra", "solution": "$\\boxed{2}$"}, "algebra", 4
    )
    assert (sample.sample_id, sample.question, sample.target) == ("algebra/4", "P", "2")
    assert sample.details == {"solution": "$\\boxed{2}$", "level": 3}


def test_a_solution_without_a_box_is_refused_with_its_place(tmp_path: Path) -> None:
    jsonl(tmp_path / "test.jsonl", [{"problem": "P", "level": "Level 1", "type": "Algebra", "solution": "It is 2."}])
    with pytest.raises(DataError, match=r"test\.jsonl:1: not a row of competition_math.*no answer"):
        list(MATH.samples(tmp_path, "algebra", "test"))


def test_the_authors_layout_has_one_file_for_each_problem_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    rows = [row for row in shipped_rows("test.jsonl") if row["type"] == "Algebra"]
    for number, row in zip((3, 20, 100, 101, 102, 103, 1000), rows, strict=True):
        path = tmp_path / "MATH" / "test" / "algebra" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(row), "utf-8")
    for root in (tmp_path, tmp_path / "MATH"):
        assert list(MATH.samples(root, "algebra", "test")) == rows_of(MATH, "algebra", "test")
        assert MATH.find(root, "geometry", "test") == []


@pytest.mark.parametrize("name", ["{}/test-00000-of-00001.parquet", "{}/test.jsonl"])
def test_the_hubs_layout_has_a_folder_for_each_subject(tmp_path: Path, name: str) -> None:
    rows = [row for row in shipped_rows("test.jsonl") if row["type"] == "Counting & Probability"]
    path = tmp_path / name.format("counting_and_probability")
    (jsonl if name.endswith("jsonl") else parquet)(path, rows)
    assert list(MATH.samples(tmp_path, "counting_and_probability", "test")) == rows_of(
        MATH, "counting_and_probability", "test"
    )


@pytest.mark.parametrize("name", ["test.jsonl", "data/test-00000-of-00001.parquet", "competition_math_test.jsonl"])
def test_one_file_of_all_subjects_is_told_apart_by_its_column(tmp_path: Path, name: str) -> None:
    (jsonl if name.endswith("jsonl") else parquet)(tmp_path / name, shipped_rows("test.jsonl"))
    for subject in MATH.default_subsets or ():
        assert list(MATH.samples(tmp_path, subject, "test")) == rows_of(MATH, subject, "test")
    assert MATH.find(tmp_path, "math_500", "test") == []


@pytest.mark.parametrize("name", ["test.jsonl", "math_500/test.jsonl", "MATH-500/test.jsonl", "questions.jsonl"])
def test_math_500_is_told_by_its_columns_and_keeps_the_problems_own_ids(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    shutil.copy(SHIPPED / "math_500" / "test.jsonl", file)
    for root in (file, *([tmp_path] if name != "questions.jsonl" else [])):
        assert list(MATH.samples(root, "math_500", "test")) == rows_of(MATH, "math_500", "test")
        assert [s for s in MATH.default_subsets or () if MATH.find(root, s, "test")] == []
    assert rows_of(MATH, "math_500", "test")[0].sample_id == "test/algebra/1.json"


def test_math_500_repeats_problems_so_it_is_asked_only_where_it_is_named_or_alone(tmp_path: Path) -> None:
    def subsets(**settings: object) -> tuple[str, ...]:
        plan = plan_for(MATH, Mode.GENERATE)
        for name, value in settings.items():
            setattr(plan, name, value)
        asked = Dataset(MATH, plan, None, 0)
        asked.close()
        return asked.subsets

    assert subsets() == MATH.default_subsets
    assert subsets(subsets=["math_500"]) == ("math_500",)
    shutil.copy(SHIPPED / "math_500" / "test.jsonl", tmp_path / "test.jsonl")
    assert subsets(sample_data=False, local_path=str(tmp_path)) == ("math_500",)
    assert subsets(sample_data=False, local_path=str(tmp_path / "test.jsonl")) == ("math_500",)


@pytest.mark.parametrize(
    ("row", "target"),
    [
        ({"problem": "P", "answer": "070"}, "70"),
        ({"problem": "P", "answer": 204}, "204"),
        ({"problem": "P", "solution": "\\boxed{204}"}, "204"),
        ({"Problem": "P", "Answer": 0}, "0"),
        ({"question": "P", "answer": "$\\boxed{5}$"}, "5"),
    ],
)
def test_an_aime_row_of_any_mirror_has_a_whole_number_for_an_answer(row: dict[str, object], target: str) -> None:
    assert AIME.sample(row, "aime25", 0).target == target


@pytest.mark.parametrize("answer", ["1000", "-5", "1.5", "", "x"])
def test_an_aime_answer_outside_0_to_999_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        AIME.sample({"problem": "P", "answer": answer}, "aime25", 0)


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("datasets--math-ai--aime25/snapshots/1f3a", "test.jsonl"),
        ("evalscope/aime25", "data/test-00000-of-00001.parquet"),
        ("HuggingFaceH4/aime_2025", "data/train-00000-of-00001.parquet"),
        ("opencompass/AIME2025", "aime2025-I.jsonl"),
        ("mine", "aime25/test.jsonl"),
        ("mine", "aime25.jsonl"),
    ],
)
def test_a_year_of_aime_is_told_by_the_name_of_its_repository(tmp_path: Path, root: str, name: str) -> None:
    rows = [json.loads(line) for line in (SAMPLES / "aime/aime25/test.jsonl").read_text("utf-8").splitlines()]
    (jsonl if name.endswith("jsonl") else parquet)(tmp_path / root / name, rows)
    assert said(list(AIME.samples(tmp_path / root, "aime25", "test"))) == said(rows_of(AIME, "aime25", "test"))
    assert AIME.find(tmp_path / root, "aime24", "test") == []


@pytest.mark.parametrize(
    ("name", "subsets", "asked"),
    [
        ("competition_math", [], {"EleutherAI/hendrycks_math"}),
        ("competition_math", ["math_500"], {"HuggingFaceH4/MATH-500"}),
        ("aime", [], {"math-ai/aime24", "math-ai/aime25", "math-ai/aime26"}),
        ("aime", ["aime25"], {"math-ai/aime25"}),
    ],
)
def test_only_the_repositories_of_what_is_asked_are_fetched(
    monkeypatch: pytest.MonkeyPatch, name: str, subsets: list[str], asked: set[str]
) -> None:
    fetched = []

    def fetch(repo_id: str, *_: object, **__: object) -> Path:
        fetched.append(repo_id)
        return SAMPLES / name

    monkeypatch.setattr(datasets, "fetch_dataset", fetch)
    plan = plan_for(get_benchmark(name), Mode.GENERATE)
    plan.sample_data, plan.hub, plan.subsets = False, "huggingface", subsets
    Dataset(get_benchmark(name), plan, None, 0).close()
    assert set(fetched) == asked


# --- asking ------------------------------------------------------------------------------------------------


def test_worked_examples_have_the_form_of_minerva() -> None:
    shots = examples_of(MATH, "algebra", 2)
    sample = rows_of(MATH, "algebra", "test")[0]
    ask = MATH.prompt(sample, shots, plan_for(MATH, Mode.GENERATE, 2)).ask
    assert isinstance(ask, Generate)
    assert ask.messages[0].content == (
        f"Problem:\n{shots[0].question}\n\nSolution:\n{shots[0].details['solution']}\n"
        f"Final Answer: The final answer is ${shots[0].target}$. I hope it is correct.\n\n"
        f"Problem:\n{shots[1].question}\n\nSolution:\n{shots[1].details['solution']}\n"
        f"Final Answer: The final answer is ${shots[1].target}$. I hope it is correct.\n\n"
        f"Problem:\n{sample.question}\n\nSolution:"
    )


def test_without_worked_examples_a_box_is_asked_for() -> None:
    sample = rows_of(AIME, "aime25", "test")[0]
    prompt = AIME.prompt(sample, [], plan_for(AIME, Mode.GENERATE))
    assert isinstance(prompt.ask, Generate)
    assert "\\boxed{}" in prompt.ask.messages[0].content
    assert text_of(prompt.ask, prompt.question_at) == sample.question


# --- scoring -----------------------------------------------------------------------------------------------


def test_an_answer_is_compared_by_what_it_means() -> None:
    sample = Sample(sample_id="a/0", subset="algebra", question="?", target="\\sqrt{12}")
    with MATH.scorer(plan_for(MATH, Mode.GENERATE)) as judge:
        right = judge(sample, written("Therefore $x = \\boxed{2\\sqrt{3}}$."))
        assert (right.scores, right.extracted, right.rule, right.reason) == ({"acc": 1.0}, "2\\sqrt{3}", "boxed", None)
        assert judge(sample, written("The answer is $3\\sqrt{2}$.")).scores == {"acc": 0.0}


def test_an_answer_that_cannot_be_compared_is_wrong_and_says_why() -> None:
    sample = Sample(sample_id="a/0", subset="algebra", question="?", target="5")
    with MATH.scorer(plan_for(MATH, Mode.GENERATE)) as judge:
        judgement = judge(sample, written("\\boxed{" + "x+" * 400 + "1}"))
    assert judgement.scores == {"acc": 0.0}
    assert judgement.extracted is not None
    assert judgement.reason is not None
    assert "not compared" in judgement.reason


def test_a_users_own_extractor_narrows_what_is_read() -> None:
    sample = Sample(sample_id="a/0", subset="algebra", question="?", target="5")
    plan = plan_for(MATH, Mode.GENERATE)
    plan.extract = r"RESULT: (.*)"
    with MATH.scorer(plan) as judge:
        assert judge(sample, written("\\boxed{4}\nRESULT: $x = 5$")).scores == {"acc": 1.0}
        assert judge(sample, written("\\boxed{5}")).extracted is None


@needs_data
def test_every_real_problem_of_math_is_read_in_both_layouts_and_its_solution_is_right() -> None:
    assert isinstance(MATH, Generation)
    with MATH.scorer(plan_for(MATH, Mode.GENERATE)) as judge:
        for subject in MATH.default_subsets or ():
            samples = list(MATH.samples(DATA / "math" / "MATH", subject, "test"))
            assert len(samples) == 50
            assert all(sample.details["level"] in (1, 2, 3, 4, 5) for sample in samples)
            in_one_file = MATH.samples(DATA / "math" / "competition_math_test.jsonl", subject, "test")
            assert sorted(said(list(in_one_file))) == sorted(said(samples))
            for sample in samples:
                for text in (sample.details["solution"], MATH.example_answer(sample)):
                    assert judge(sample, written(text)).scores == {"acc": 1.0}, sample.sample_id


def test_a_report_tells_the_five_levels_apart(tmp_path: Path) -> None:
    result = evaluate("baseline:echo", ["competition_math"], sample_data=True, outputs=tmp_path)
    (report,) = result.reports
    assert list(report.tags) == [f"Level {level}" for level in range(1, 6)]
    assert sum(estimate.n for estimate in report.tags.values()) == report.n == 44
    assert "Level 5" in (result.folder / "report.md").read_text("utf-8")

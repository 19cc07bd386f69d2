"""HumanEval and MBPP: their layouts, what is asked, what an answer is worth."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llmuses.benchmarks import get_benchmark, programs
from llmuses.benchmarks.base import Scorer
from llmuses.errors import DataError, SandboxError
from llmuses.records import Generate, Mode, Sample
from llmuses.sandbox import Outcome, Verdict
from tests.unit.benchmarks.plans import SAMPLES, plan_for, rows_of, written

HUMANEVAL, MBPP = get_benchmark("humaneval"), get_benchmark("mbpp")

DOUBLE = {
    "task_id": "Own/0",
    "prompt": '\n\ndef double(x):\n    """ Twice x. """\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}


def task(number: int, **columns: Any) -> dict[str, Any]:
    row = {"text": f"Task {number}.", "code": "def f(x):\r\n\treturn x\r\n", "task_id": number, "test_setup_code": ""}
    return {**row, "test_list": ["assert f(1) == 1", "assert f('a') == 'a' "], "challenge_test_list": [], **columns}


def sanitized(number: int) -> dict[str, Any]:
    tests = ["assert math.isclose(f(1), 1)"]
    return {
        "source_file": "x", "task_id": number, "prompt": f"Task {number}.", "code": "def f(x): return x",
        "test_imports": ["import math"], "test_list": tests,
    }  # fmt: skip


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.with_suffix(".jsonl")
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    duckdb.sql(f"COPY (FROM read_json('{source}')) TO '{path}' (FORMAT parquet)")
    source.unlink()


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, "utf-8")


def ids(benchmark: Any, root: Path, subset: str, split: str) -> list[str]:
    return [sample.sample_id for sample in benchmark.samples(root, subset, split)]


# --- layouts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    ["HumanEval.jsonl.gz", "HumanEval.jsonl", "human-eval-v2-20210705.jsonl", "openai_humaneval/test.jsonl", "data/HumanEval.jsonl.gz"],
)  # fmt: skip
def test_humaneval_is_read_in_the_authors_layouts(tmp_path: Path, file: str) -> None:
    lines(tmp_path / file, [DOUBLE])
    for root in (tmp_path, tmp_path / file):
        assert ids(HUMANEVAL, root, "openai_humaneval", "test") == ["Own/0"]


def test_both_are_read_in_the_hubs_layout(tmp_path: Path) -> None:
    parquet(tmp_path / "openai_humaneval" / "test-00000-of-00001.parquet", [DOUBLE])
    assert ids(HUMANEVAL, tmp_path, "openai_humaneval", "test") == ["Own/0"]
    for split, number in (("prompt", 2), ("test", 11), ("validation", 511), ("train", 601)):
        parquet(tmp_path / "full" / f"{split}-00000-of-00001.parquet", [task(number)])
        parquet(tmp_path / "sanitized" / split / "0000.parquet", [sanitized(number)])
        assert ids(MBPP, tmp_path, "full", split) == [f"MBPP/{number}"]
        assert ids(MBPP, tmp_path, "sanitized", split) == [f"MBPP-sanitized/{number}"]


def test_a_split_of_mbpp_is_told_by_the_tasks_numbers_in_the_authors_files(tmp_path: Path) -> None:
    numbers = [1, 2, 3, 4, 10, 11, 510, 511, 600, 601, 974]
    lines(tmp_path / "mbpp.jsonl", [task(number) for number in numbers])
    (tmp_path / "sanitized-mbpp.json").write_text(json.dumps([sanitized(n) for n in numbers]), "utf-8")
    for root in (tmp_path, tmp_path / "mbpp.jsonl"):
        assert ids(MBPP, root, "full", "test") == ["MBPP/11", "MBPP/510"]
    assert ids(MBPP, tmp_path, "full", "prompt") == [f"MBPP/{n}" for n in (2, 3, 4, 1, 10)]
    assert ids(MBPP, tmp_path, "full", "validation") == ["MBPP/511", "MBPP/600"]
    assert ids(MBPP, tmp_path, "full", "train") == ["MBPP/601", "MBPP/974"]
    assert ids(MBPP, tmp_path, "sanitized", "test") == ["MBPP-sanitized/11", "MBPP-sanitized/510"]
    assert ids(MBPP, tmp_path / "sanitized-mbpp.json", "sanitized", "test") == [
        "MBPP-sanitized/11",
        "MBPP-sanitized/510",
    ]


def test_a_file_without_a_split_has_none_of_it(tmp_path: Path) -> None:
    lines(tmp_path / "mbpp.jsonl", [task(11)])
    assert MBPP.find(tmp_path, "full", "test")
    assert MBPP.find(tmp_path, "full", "prompt") == []
    assert MBPP.find(tmp_path, "sanitized", "test") == []


def test_a_file_of_ones_own_needs_no_numbers_of_the_splits(tmp_path: Path) -> None:
    lines(tmp_path / "own.jsonl", [task(1), task(5000)])
    assert ids(MBPP, tmp_path / "own.jsonl", "full", "test") == ["MBPP/1", "MBPP/5000"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**DOUBLE, "test": "def check(candidate) assert"}, "its tests are no Python"),
        ({**DOUBLE, "entry_point": "triple"}, "its prompt does not begin 'triple'"),
        ({"task_id": "Own/0", "prompt": "def f(): pass"}, "no column 'test'"),
    ],
)
def test_a_row_that_no_answer_could_pass_is_no_row(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    lines(tmp_path / "HumanEval.jsonl", [row])
    with pytest.raises(DataError, match=said):
        ids(HUMANEVAL, tmp_path, "openai_humaneval", "test")


@pytest.mark.parametrize(
    "broken",
    [b"\x1f\x8b\x08\x00", b"no gzip", gzip.compress(b'{"task_id": 1}\n' * 9, mtime=0)[:-9]],
    ids=["a head alone", "no gzip", "cut off"],
)
def test_a_packed_file_that_is_not_whole_is_said(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(broken)
    with pytest.raises(DataError, match=r"HumanEval\.jsonl\.gz"):
        ids(HUMANEVAL, tmp_path, "openai_humaneval", "test")


def test_a_task_whose_function_is_called_like_a_builtin_asks_for_that_function() -> None:
    assert MBPP.sample(task(126, test_list=["assert sum(10, 15) == 6"]), "full", 0).details["names"] == ["sum"]
    assert MBPP.sample(task(2, test_list=["assert set(f((3, 4))) == set((4,))"]), "full", 0).details["names"] == ["f"]


# --- asking --------------------------------------------------------------------------------------------------


def text(benchmark: Any, sample: Sample, shots: list[Sample]) -> str:
    ask = benchmark.prompt(sample, shots, plan_for(benchmark, Mode.GENERATE, len(shots))).ask
    assert isinstance(ask, Generate)
    return ask.messages[0].content


def test_a_model_without_a_chat_template_goes_on_with_the_body() -> None:
    sample = HUMANEVAL.sample(DOUBLE, "openai_humaneval", 0)
    asked = text(HUMANEVAL, sample, [])
    assert asked.endswith('def double(x):\n    """ Twice x. """\n')
    assert "```python" in asked
    exec(asked[asked.index("def double") :] + sample.target)


def test_mbpp_asks_as_its_paper_does() -> None:
    shots = rows_of(MBPP, "full", "prompt")[:3]
    asked = text(MBPP, MBPP.sample(task(11), "full", 0), shots)
    assert asked.count("[BEGIN]\n") == 4
    assert asked.count("\n[DONE]\n\n") == 3
    assert asked.endswith(
        "You are an expert Python programmer, and here is your task: Task 11. Your code should pass these tests:\n\n"
        "assert f(1) == 1\nassert f('a') == 'a'\n[BEGIN]\n"
    )
    assert f"[BEGIN]\n{shots[0].target}\n[DONE]" in asked
    assert "\r" not in asked


# --- scoring -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def score() -> Iterator[Scorer]:
    with HUMANEVAL.scorer(plan_for(HUMANEVAL, Mode.GENERATE)) as scorer:
        yield scorer


def test_a_judgement_holds_the_program_the_place_the_rule_and_the_verdict(score: Scorer) -> None:
    sample = HUMANEVAL.sample(DOUBLE, "openai_humaneval", 0)
    answer = "Sure:\n```python\ndef double(x):\n    return x + x\n```"
    judgement = score(sample, written(answer))
    assert judgement.scores == {"pass@1": 1.0}
    assert judgement.extracted == "def double(x):\n    return x + x\n"
    assert judgement.span is not None
    assert answer[slice(*judgement.span)] == judgement.extracted
    assert judgement.rule == "fenced"
    assert judgement.verdict is not None
    assert judgement.verdict["outcome"] == "passed"
    assert judgement.verdict["unsafe"] is False


@pytest.mark.parametrize(
    ("answer", "outcome", "detail"),
    [
        ("    return 3 * x", "failed", "line 2: assert candidate(2) == 4 (the last call gave 6)"),
        ("    return y", "error", "the program raised NameError: name 'y' is not defined"),
        ("```python\ndef triple(x):\n    return 2 * x\n```", "error", "it has no 'double'"),
        (
            "```python\ndef double(x):\n    return (2 *",
            "error",
            "the program cannot be defined: SyntaxError: '(' was never closed",
        ),
        ("```python\ndef double(x) return 2\n```", "error", "SyntaxError"),
    ],
)
def test_a_wrong_program_scores_0_and_the_verdict_says_why(
    score: Scorer, answer: str, outcome: str, detail: str
) -> None:
    judgement = score(HUMANEVAL.sample(DOUBLE, "openai_humaneval", 0), written(answer))
    assert judgement.scores == {"pass@1": 0.0}
    assert judgement.extracted
    assert judgement.verdict is not None
    assert judgement.verdict["outcome"] == outcome
    assert detail in judgement.verdict["detail"]


def test_an_answer_without_a_program_is_unparsed(score: Scorer) -> None:
    judgement = score(HUMANEVAL.sample(DOUBLE, "openai_humaneval", 0), written("I am sorry."))
    assert (judgement.extracted, judgement.verdict) == (None, None)
    assert judgement.reason == "no program could be read out of the text"


def test_a_users_own_extractor_says_where_the_program_is() -> None:
    plan = plan_for(HUMANEVAL, Mode.GENERATE)
    plan.extract = r"<code>(.*\n(?:.*\n)*?)</code>"
    answer = "<code>\ndef double(x):\n    return 2 * x\n</code>\n```python\ndef double(x):\n    return 0\n```"
    judgement = HUMANEVAL.judge(HUMANEVAL.sample(DOUBLE, "openai_humaneval", 0), written(answer), plan)
    assert judgement.scores == {"pass@1": 1.0}
    assert judgement.rule == "own:bare"


def test_the_imports_of_the_tests_are_there_for_the_program_too() -> None:
    row = {**sanitized(11), "test_list": ["assert f(4) == math.sqrt(16) / 2"]}
    sample = MBPP.sample(row, "sanitized", 0)
    answer = written("def f(x):\n    return math.sqrt(x)\n[DONE]")
    assert MBPP.judge(sample, answer, plan_for(MBPP, Mode.GENERATE)).scores == {"pass@1": 1.0}


def test_a_sandbox_that_fails_is_no_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def run(self, job: object) -> Verdict:
            raise SandboxError("it does not start any more")

    @contextmanager
    def broken(**_: object) -> Iterator[Broken]:
        yield Broken()

    monkeypatch.setattr(programs, "open_sandbox", broken)
    with HUMANEVAL.scorer(plan_for(HUMANEVAL, Mode.GENERATE)) as score, pytest.raises(SandboxError):
        score(HUMANEVAL.sample(DOUBLE, "openai_humaneval", 0), written("    return x"))


@pytest.mark.parametrize("allowed", [False, True])
def test_the_plan_says_whether_code_may_run_without_isolation(monkeypatch: pytest.MonkeyPatch, allowed: bool) -> None:
    asked: list[object] = []

    class Sandbox:
        def run(self, job: object) -> Verdict:
            return Verdict(Outcome.PASSED, unsafe=allowed)

    @contextmanager
    def opened(*, unsafe: bool, **_: object) -> Iterator[Sandbox]:
        asked.append(unsafe)
        yield Sandbox()

    monkeypatch.setattr(programs, "open_sandbox", opened)
    plan = plan_for(HUMANEVAL, Mode.GENERATE)
    plan.unsafe_code = allowed
    with HUMANEVAL.scorer(plan) as score:
        judgement = score(HUMANEVAL.sample(DOUBLE, "openai_humaneval", 0), written("    return x"))
    assert asked == [allowed]
    assert judgement.verdict is not None
    assert judgement.verdict["unsafe"] is allowed


def test_no_row_of_the_sample_sets_has_an_id_of_the_benchmarks() -> None:
    assert all(sample.sample_id.startswith("Sample/") for sample in rows_of(HUMANEVAL, "openai_humaneval", "test"))
    for subset in MBPP.subsets:
        assert all(int(s.details["task_id"]) > 974 for s in MBPP.samples(SAMPLES / "mbpp", subset, "test"))

"""Answers of another program in the place of a model's: each at its own sample, scored and kept like a run's."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard.figures import cells
from leaderboard.results import Results
from llmuses import evaluate, score
from llmuses.errors import DataError, UsageError
from llmuses.evaluation import Result
from llmuses.records import Generate, Loglikelihood, Mode, Prediction, Review, RunStatus, Status
from llmuses.store import JsonlStore

QUESTIONS = ["Which planet has rings?", "Which one is red?", "Which is the largest?"]
OPTIONS = [["Mars", "Saturn", "Venus", "Earth"], ["Mars", "Saturn", "Venus", "Earth"], ["Io", "Ceres", "Sol", "Eris"]]
LETTERS = "BAC"


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    """Return a folder of eight sums in GSM8K's layout."""
    rows = [{"question": f"What is {n} + 1?", "answer": f"Add.\n#### {n + 1}"} for n in range(8)]
    return write(tmp_path / "sums" / "test.jsonl", rows).parent


@pytest.fixture
def planets(tmp_path: Path) -> Path:
    """Return a folder of two of MMLU's subjects with the same three questions."""
    for subject in ("astronomy", "virology"):
        path = tmp_path / "planets" / "test" / f"{subject}_test.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="") as file:
            for question, options, letter in zip(QUESTIONS, OPTIONS, LETTERS, strict=True):
                csv.writer(file).writerow([f"{question} ({subject})", *options, letter])
    return tmp_path / "planets"


def write(path: Path, lines: Iterable[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def scored(rows: Path, path: Path | list[Path], tmp_path: Path, dataset: str = "gsm8k", **changes: Any) -> Result:
    args = {"local_path": str(rows), **changes.pop("dataset_args", {})}
    return score(dataset, path, dataset_args={dataset: args}, outputs=tmp_path / "outputs", **changes)


def reviews(result: Result) -> dict[tuple[str, int], Review]:
    name = result.reports[0].dataset
    found = JsonlStore(result.folder / "reviews" / f"{name}.jsonl", Review)
    return {(review.sample_id, review.repeat): review for review in found}


def predictions(result: Result) -> list[Prediction]:
    name = result.reports[0].dataset
    return list(JsonlStore(result.folder / "predictions" / f"{name}.jsonl", Prediction))


def right(n: int) -> str:
    return f"It is {n + 1}. The answer is {n + 1}."


def lines(*numbers: int) -> list[dict[str, object]]:
    return [{"id": f"main/{n}", "output": right(n)} for n in numbers]


def refusal(rows: Path, path: Path | list[Path], tmp_path: Path, dataset: str = "gsm8k", **changes: Any) -> str:
    with pytest.raises((DataError, UsageError)) as refused:
        scored(rows, path, tmp_path, dataset, **changes)
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "outputs").glob("*")), "nothing was written"
    return str(refused.value)


# --- a run like any other ----------------------------------------------------------------------------------


def test_answers_in_any_order_come_to_a_score_and_a_run_folder(sums: Path, tmp_path: Path) -> None:
    answers = lines(*reversed(range(8)))
    answers[0]["output"] = "The answer is 70."
    result = scored(sums, write(tmp_path / "good-model.jsonl", answers), tmp_path)
    report = result.reports[0]
    assert (report.score, report.n, report.model) == (7 / 8, 8, "good-model")
    assert result.run.status is RunStatus.DONE and result.complete
    assert reviews(result)["main/7", 0].extracted == "70"
    assert sorted(path.name for path in result.folder.iterdir() if path.suffix) == [
        "report.html",
        "report.md",
        "run.json",
        "run.lock",
    ]
    assert (result.folder / "reports" / "gsm8k.json").is_file() and len(predictions(result)) == 8


def test_the_boards_and_the_browser_see_it_with_its_setting(sums: Path, tmp_path: Path) -> None:
    result = scored(sums, write(tmp_path / "m.jsonl", lines(*range(8))), tmp_path, name="their-model")
    (entry,) = Results(tmp_path / "outputs").runs()
    ((column, cell),) = cells(entry)
    assert (entry.run.model, column.setting, cell.score, cell.ranked) == ("their-model", "given answers", 1.0, True)
    assert entry.run_id == result.run.run_id and entry.run_id.startswith("their-model-gsm8k-")


def test_given_answers_score_what_they_scored_when_they_were_asked_for(tmp_path: Path) -> None:
    datasets = ["gsm8k", "mmlu", "arc", "bbh", "ifeval", "truthful_qa", "gpqa"]
    asked = evaluate("baseline:random", datasets, sample_data=True, outputs=tmp_path / "asked")
    for report in asked.reports:
        given_back = score(
            report.dataset,
            asked.folder / "predictions" / f"{report.dataset}.jsonl",
            sample_data=True,
            outputs=tmp_path / "given",
        ).reports[0]
        assert (given_back.score, given_back.n, given_back.ci95) == (report.score, report.n, report.ci95)
        assert given_back.counts == report.counts and given_back.subsets == report.subsets
        assert given_back.model == report.model
        assert given_back.fingerprint != report.fingerprint, "nobody knows whether it was asked in the same way"


def test_the_same_file_is_the_same_run_and_another_one_is_not(sums: Path, tmp_path: Path) -> None:
    first = scored(sums, write(tmp_path / "m.jsonl", lines(*range(8))), tmp_path)
    before = (first.folder / "predictions" / "gsm8k.jsonl").read_bytes()
    again = scored(sums, tmp_path / "m.jsonl", tmp_path)
    assert again.run.run_id == first.run.run_id
    assert (first.folder / "predictions" / "gsm8k.jsonl").read_bytes() == before, "nothing is written twice"
    assert len(reviews(again)) == 8
    other = scored(sums, write(tmp_path / "m.jsonl", lines(0, 1, 2, 3, 4, 5, 6, 7)[::-1]), tmp_path)
    assert other.run.run_id != first.run.run_id
    assert other.reports[0].fingerprint == first.reports[0].fingerprint, "two files of answers can be compared"


def test_what_the_file_lacks_is_failed_and_the_run_incomplete(sums: Path, tmp_path: Path) -> None:
    result = scored(sums, write(tmp_path / "m.jsonl", lines(0, 1, 2, 3, 4)), tmp_path)
    report = result.reports[0]
    assert (report.score, report.n, report.counts.failed, report.bounds) == (1.0, 5, 3, (5 / 8, 1.0))
    assert result.run.status is RunStatus.INCOMPLETE and not result.complete
    missing = reviews(result)["main/6", 0]
    assert missing.status is Status.FAILED and "no prediction" in (missing.reason or "")
    again = scored(sums, tmp_path / "m.jsonl", tmp_path)
    assert again.reports[0].counts == report.counts
    assert len(predictions(again)) == 8, "what is missing is written down once"


def test_null_is_failed_empty_is_unparsed_and_a_cut_answer_counts_as_cut(sums: Path, tmp_path: Path) -> None:
    answers = lines(*range(8))
    answers[0]["output"] = None
    answers[1]["output"] = ""
    answers[2]["finish_reason"] = "length"
    answers[3]["output"] = "<think>It might be 9. The answer is 9.</think>The answer is 4."
    answers[4]["output"] = "<think>The answer is 5."
    result = scored(sums, write(tmp_path / "m.jsonl", answers), tmp_path)
    counts = result.reports[0].counts
    assert (counts.failed, counts.unparsed, counts.truncated, counts.scored) == (1, 2, 1, 5)
    found = reviews(result)
    assert "null" in (found["main/0", 0].reason or "")
    assert found["main/3", 0].scores == {"acc": 1.0}, "the answer counts, not the thoughts"
    assert found["main/4", 0].status is Status.UNPARSED, "thoughts that never ended are no answer"


def test_the_same_id_again_is_the_next_repeat(sums: Path, tmp_path: Path) -> None:
    second = [{**line, "output": "The answer is 0."} for line in lines(*range(8))]
    result = scored(sums, write(tmp_path / "m.jsonl", [*lines(*range(8)), *second]), tmp_path)
    report = result.reports[0]
    assert (report.repeats, report.n, report.score) == (2, 16, 0.5)
    assert {repeat: review.scores["acc"] for (own, repeat), review in reviews(result).items() if own == "main/3"} == {
        0: 1.0,
        1: 0.0,
    }


def test_equal_questions_keep_their_own_answers(tmp_path: Path) -> None:
    rows = [{"question": "What is it?", "answer": f"It.\n#### {n}"} for n in range(5)]
    write(tmp_path / "sums" / "test.jsonl", rows)
    answers = [{"id": f"main/{n}", "output": f"The answer is {n}."} for n in range(5)]
    result = scored(tmp_path / "sums", write(tmp_path / "m.jsonl", answers), tmp_path)
    assert result.reports[0].score == 1.0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(0, 7), min_size=1, max_size=24))
def test_every_answer_lands_at_its_own_sample_whatever_the_order(
    numbers: list[int], sums: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("some")
    answers = [{"id": f"main/{n}", "output": f"line {at}: the answer is {n + 1}"} for at, n in enumerate(numbers)]
    result = scored(sums, write(folder / "m.jsonl", answers), folder)
    often = Counter(numbers)
    report = result.reports[0]
    assert report.repeats == max(often.values())
    assert (report.n, report.counts.failed) == (len(numbers), 8 * report.repeats - len(numbers))
    assert report.score == 1.0
    texts: dict[str, list[str]] = {}
    for line in sorted(predictions(result), key=lambda line: line.repeat):
        if line.response.text is not None:
            texts.setdefault(line.sample_id, []).append(line.response.text)
    expected: dict[str, list[str]] = {}
    for answer in answers:
        expected.setdefault(str(answer["id"]), []).append(str(answer["output"]))
    assert texts == expected, "each answer once, in the file's order"


# --- never a wrong pairing in silence ----------------------------------------------------------------------


def test_unknown_ids_are_an_error_that_names_some_and_counts_all(sums: Path, tmp_path: Path) -> None:
    strange = [{"id": own, "output": "1"} for own in ("main/8", "test/0", "x", "y", "main/-1")]
    said = refusal(sums, write(tmp_path / "m.jsonl", [*lines(*range(8)), *strange]), tmp_path)
    assert "5 of 13 answers are for samples that are not among the 8 of gsm8k here" in said
    assert "'main/8', 'test/0', 'x', …" in said and "ids are like 'main/" in said


@pytest.mark.parametrize("own", [0, "0", "7"])
def test_a_bare_number_is_no_id_where_rows_are_only_counted(own: object, sums: Path, tmp_path: Path) -> None:
    # Some programs count from 0 and some from 1: taking such a number would be a guess.
    assert "1 of 1 answers" in refusal(sums, write(tmp_path / "m.jsonl", [{"id": own, "output": "1"}]), tmp_path)


def index_lines(*numbers: int) -> list[dict[str, object]]:
    """Return EvalScope's predictions of sums."""
    return [
        {
            "index": n,
            "model": "their-model",
            "model_output": {"choices": [{"message": {"role": "assistant", "content": right(n)}}], "time": 0.5},
            "messages": [{"role": "user", "content": f"Example: What is 1 + 1? 2\n\nNow: what is  {n} + 1 ?"}],
        }
        for n in numbers
    ]


def test_an_index_counts_the_rows_of_its_subset(sums: Path, tmp_path: Path) -> None:
    result = scored(sums, write(tmp_path / "gsm8k_main.jsonl", index_lines(5, 3, 0)), tmp_path)
    assert (result.reports[0].score, result.reports[0].n, result.run.model) == (1.0, 3, "their-model")
    (third,) = (line for line in predictions(result) if line.sample_id == "main/3")
    assert isinstance(third.ask, Generate) and third.ask.messages[0].content.startswith("Example:")
    assert third.response.latency == 0.5


def test_a_log_of_other_rows_is_refused_at_its_line(sums: Path, tmp_path: Path) -> None:
    moved = index_lines(0, 1, 2)
    moved[1]["index"] = 4
    said = refusal(sums, write(tmp_path / "log.jsonl", moved), tmp_path)
    assert "log.jsonl:2: index 4 of main asks “What is 4 + 1?” here and something else in the log" in said


def test_an_index_beyond_the_rows_is_unknown(sums: Path, tmp_path: Path) -> None:
    said = refusal(sums, write(tmp_path / "log.jsonl", index_lines(0, 8)), tmp_path)
    assert "index 8 of main" in said


def test_parts_of_a_dataset_are_counted_on(sums: Path, tmp_path: Path) -> None:
    def part(numbers: range, first: int) -> dict[str, object]:
        return {
            str(n - first): {"origin_prompt": f"What is {n} + 1?", "prediction": right(n), "gold": str(n + 1)}
            for n in numbers
        }

    folder = tmp_path / "their-model"
    files = [write(folder / f"gsm8k_{at}.json", [part(range(at * 3, min(8, at * 3 + 3)), at * 3)]) for at in range(3)]
    result = scored(sums, files[::-1], tmp_path)
    assert (result.reports[0].score, result.reports[0].n, result.run.model) == (1.0, 8, "their-model")
    said = refusal(sums, files[1], tmp_path / "alone")
    assert "something else in the log" in said, "the second part alone is taken for the first, and found out"


def test_the_files_name_says_which_subset_its_answers_are_of(planets: Path, tmp_path: Path) -> None:
    def log(subject: str) -> list[dict[str, object]]:
        return [
            {
                "index": n,
                "model_output": {"choices": [{"message": {"role": "assistant", "content": f"Answer: {letter}"}}]},
                "messages": [{"role": "user", "content": prompt(n, OPTIONS[n], subject)}],
            }
            for n, letter in enumerate(LETTERS)
        ]

    files = [write(tmp_path / f"mmlu_{name}.jsonl", log(name)) for name in ("virology", "astronomy")]
    result = scored(planets, files, tmp_path, "mmlu")
    report = result.reports[0]
    assert (report.score, report.n, sorted(report.subsets)) == (1.0, 6, ["astronomy", "virology"])
    one = {"subset_list": ["virology"]}
    named_nothing = write(tmp_path / "log.jsonl", log("virology"))
    assert scored(planets, named_nothing, tmp_path, "mmlu", dataset_args=one).reports[0].n == 3
    assert "nothing says which subset of mmlu" in refusal(planets, named_nothing, tmp_path / "no", "mmlu")
    assert "something else in the log" in refusal(
        planets, write(tmp_path / "no" / "mmlu_astronomy.jsonl", log("virology")), tmp_path / "no", "mmlu"
    )


def prompt(n: int, options: list[str], subject: str, form: str = "{}. {}") -> str:
    shown = "\n".join(form.format(letter, option) for letter, option in zip("ABCD", options, strict=True))
    return f"Choose.\n\n{QUESTIONS[n]} ({subject})\n{shown}\nAnswer:"


@pytest.mark.parametrize("form", ["{}. {}", "({}) {}", "**{})** {}", "{}: {}"])
def test_options_in_another_order_are_refused(form: str, planets: Path, tmp_path: Path) -> None:
    def log(options: list[str]) -> Path:
        line = {
            "index": 0,
            "model_output": {"choices": [{"message": {"role": "assistant", "content": "B"}}]},
            "messages": [{"role": "user", "content": prompt(0, options, "virology", form)}],
        }
        return write(tmp_path / "virology.jsonl", [line])

    assert scored(planets, log(OPTIONS[0]), tmp_path, "mmlu").reports[0].score == 1.0
    said = refusal(planets, log(OPTIONS[0][::-1]), tmp_path / "no", "mmlu")
    assert "stand in another order in the log, so that its letters mean other options" in said


# --- log-probabilities -------------------------------------------------------------------------------------


def harness_lines(order: str = "ABCD", context: str | None = None) -> list[dict[str, object]]:
    """Return lm-evaluation-harness's log of one subject: the right letter is the likeliest, the others follow."""
    return [
        {
            "doc_id": n,
            "doc": {"question": f"{QUESTIONS[n]} (virology)", "choices": OPTIONS[n]},
            "target": letter,
            "arguments": {
                f"gen_args_{at}": {"arg_0": context or prompt(n, OPTIONS[n], "virology"), "arg_1": f" {option}"}
                for at, option in enumerate(order)
            },
            "resps": [[[str(0.0 if option == letter else -5.0 - at), "False"]] for at, option in enumerate(order)],
        }
        for n, letter in enumerate(LETTERS)
    ]


@pytest.mark.parametrize("order", ["ABCD", "DCBA", "CADB"])
def test_log_probabilities_are_set_beside_their_own_continuations(order: str, planets: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "samples_mmlu_virology_2026.jsonl", harness_lines(order))
    result = scored(planets, path, tmp_path, "mmlu", dataset_args={"subset_list": ["virology"]})
    report = result.reports[0]
    assert (report.score, report.n, report.mode, report.setting) == (1.0, 3, Mode.LOGPROB, "given answers, logprob")
    line = predictions(result)[0]
    assert isinstance(line.ask, Loglikelihood) and line.ask.continuations == (" A", " B", " C", " D")
    assert line.response.scores is not None and sum(s.logprob == 0.0 for s in line.response.scores) == 1


def test_log_probabilities_of_other_continuations_are_refused(planets: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "samples_mmlu_virology.jsonl", harness_lines("ABCE"))
    said = refusal(planets, path, tmp_path, "mmlu", dataset_args={"subset_list": ["virology"]})
    assert "the log-probabilities of 4 continuations, such as “A”; mmlu compares 4, “D”, which the log does not" in said


def test_a_mode_that_the_benchmark_does_not_have_is_refused(sums: Path, planets: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "samples_virology.jsonl", harness_lines())
    assert "its answers are of mode logprob, gsm8k is scored in generate" in refusal(sums, path, tmp_path)
    said = refusal(planets, path, tmp_path, "mmlu", dataset_args={"mode": "generate"})
    assert "its answers are of mode logprob, mmlu is scored in generate" in said


def test_texts_and_log_probabilities_are_not_mixed(planets: Path, tmp_path: Path) -> None:
    written = [{**line, "resps": [["B"]], "arguments": {"a": {"arg_0": "x", "arg_1": {}}}} for line in harness_lines()]
    path = write(tmp_path / "samples_virology.jsonl", [*harness_lines(), *written])
    assert "one holds a text, the other log-probabilities" in refusal(planets, path, tmp_path, "mmlu")


# --- files -------------------------------------------------------------------------------------------------


def test_files_of_different_kinds_are_not_mixed(sums: Path, tmp_path: Path) -> None:
    files = [write(tmp_path / "a.jsonl", lines(0)), write(tmp_path / "b.jsonl", index_lines(1))]
    assert "a.jsonl is id and output, " in refusal(sums, files, tmp_path)


def test_a_torn_last_line_is_a_missing_answer_and_is_recorded(sums: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", lines(*range(8)))
    path.write_bytes(path.read_bytes()[:-12])
    result = scored(sums, path, tmp_path)
    assert (result.reports[0].n, result.reports[0].counts.failed) == (7, 1)
    assert result.run.model_details["torn"] == str(path)


def test_a_single_sample_far_ahead_of_all_others_is_taken_for_a_slip(sums: Path, tmp_path: Path) -> None:
    rows = [{"question": f"What is {n} + 1?", "answer": f"Add.\n#### {n + 1}"} for n in range(1000)]
    write(tmp_path / "many" / "test.jsonl", rows)
    said = refusal(tmp_path / "many", write(tmp_path / "m.jsonl", lines(*[5] * 200)), tmp_path)
    assert "'main/5' has 200 answers" in said


def test_few_shot_is_what_the_user_says_of_the_answers(sums: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", lines(*range(8)))
    report = scored(sums, path, tmp_path, dataset_args={"few_shot_num": 5}).reports[0]
    assert (report.few_shot, report.setting) == (5, "given answers, 5-shot")
    assert report.fingerprint != scored(sums, path, tmp_path).reports[0].fingerprint

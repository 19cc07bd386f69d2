"""Finding an answer's sample: ids as programs write them, options in their order, log-probabilities in any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.errors import DataError
from llmuses.evaluation.answer_log import AnswerLog
from llmuses.evaluation.dataset import Dataset
from llmuses.evaluation.formats import Answer
from llmuses.evaluation.placing import place_answers, same_options, score_order
from llmuses.evaluation.plan import make_plan
from llmuses.records import Loglikelihood, Mode, Response, Sample, Score


def dataset_of(name: str, *subsets: str) -> Dataset:
    args = {name: {"few_shot_num": 0, "subset_list": list(subsets)}}
    plan = make_plan("m", [name], prefers=Mode.GENERATE, sample_data=True, dataset_args=args)
    return Dataset(get_benchmark(name), plan.datasets[0], limit=None, seed=0)


def placed(dataset: Dataset, path: Path, ids: list[object]) -> list[str]:
    """Return the ids of the samples that lines with these ids are placed at."""
    path.write_text("".join(json.dumps({"task_id": own, "completion": ""}) + "\n" for own in ids))
    with closing(AnswerLog([path])) as log:
        return [dataset[turn].sample_id for turn in place_answers(log, dataset)]


@pytest.fixture
def mbpp() -> Iterator[Dataset]:
    with closing(dataset_of("mbpp", "full")) as dataset:
        yield dataset


def test_mbpps_tasks_go_by_their_number_however_it_is_written(mbpp: Dataset, tmp_path: Path) -> None:
    own = mbpp[0].sample_id
    number = own.rpartition("/")[2]
    forms: list[object] = [own, number, int(number), f"Mbpp/{number}", f"mbpp/{number}"]
    assert placed(mbpp, tmp_path / "samples.jsonl", forms) == [own] * len(forms)


@pytest.mark.parametrize("form", ["HumanEval/{}", "Mbpp/x{}", "Mbpp/{}/0", "-{}", "{}.0"])
def test_what_is_no_number_of_this_benchmark_is_no_task_of_it(form: str, mbpp: Dataset, tmp_path: Path) -> None:
    number = mbpp[0].sample_id.rpartition("/")[2]
    with pytest.raises(DataError, match="are for samples that are not among"):
        placed(mbpp, tmp_path / "samples.jsonl", [form.format(number)])


def test_humanevals_tasks_go_by_their_id(tmp_path: Path) -> None:
    with closing(dataset_of("humaneval")) as dataset:
        ids = [dataset[turn].sample_id for turn in range(len(dataset))]
        assert placed(dataset, tmp_path / "samples.jsonl", list(reversed(ids))) == ids[::-1]


def test_an_index_is_the_place_in_the_file_whatever_the_order_of_asking(tmp_path: Path) -> None:
    with closing(dataset_of("gsm8k")) as dataset:
        turns = dataset.turns()
        assert [dataset[turn].sample_id for turn in turns] == [f"main/{n}" for n in range(len(dataset))]


# --- options -----------------------------------------------------------------------------------------------

SAMPLE = Sample(sample_id="a/0", subset="a", question="Which one?", target="B", choices=["1", "10", "100", "11"])
OURS = "Which one?\nA. 1\nB. 10\nC. 100\nD. 11\nAnswer:"


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        ("Which one?\n(A) 1\n(B) 10\n(C) 100\n(D) 11", True),
        ("Which one?\n1) 1\n2) 10\n3) 100\n4) 11", True),
        ("Which one?\nA: 1 B: 10 C: 100 D: 11\nThink, then answer A, B, C or D.", True),
        ("Example. Which one?\nA. 11\nB. 1\n\nWhich one?\nA. 1\nB. 10\nC. 100\nD. 11", True),
        ("Which one?\n(A) 100\n(B) 10\n(C) 1\n(D) 11", False),
        ("Which one?\n(A) 10\n(B) 1\n(C) 11\n(D) 100", False),
        ("Which one?\nA. 11\nB. 100\nC. 10\nD. 1", False),
        ("Which one?", True),
        ("Which one?\nAnswer in words.", True),
        ("Which one?\n- 100\n- 10\n- 1\n- 11", True),  # no letters, so none that could mean another option
        ("Which one?\nA. 1\nB. 10\nC. 100", False),
        ("", True),
    ],
)
def test_options_in_another_order_are_found_out(theirs: str, same: bool) -> None:
    assert same_options(SAMPLE, OURS, theirs) is same


def test_what_counts_is_the_order_that_our_own_prompt_shows() -> None:
    shuffled = "Which one?\nA. 100\nB. 1\nC. 11\nD. 10\nAnswer:"
    assert same_options(SAMPLE, shuffled, shuffled)
    assert not same_options(SAMPLE, shuffled, OURS)


@pytest.mark.parametrize("choices", [["x", "xb", "y"], ["b", "a", "c"], ["a", "ab", "abc"], ["+", "-", "="]])
def test_options_that_look_like_letters_are_told_apart(choices: list[str]) -> None:
    sample = Sample(sample_id="a/0", subset="a", question="Which one?", target="A", choices=choices)
    shown = "Which one?" + "".join(f"\n{letter}. {text}" for letter, text in zip("ABC", choices, strict=True))
    assert same_options(sample, shown + "\nAnswer:", shown + "\nGive a letter.")


def answer(*texts: str) -> Answer:
    scores = [Score(logprob=-float(n)) for n in range(len(texts))]
    ask = Loglikelihood(context="Q:", continuations=texts)
    return Answer(index=0, ask=ask, response=Response(key="", scores=scores))


@pytest.mark.parametrize(
    ("theirs", "ours", "order"),
    [
        ([" A", " B"], [" A", " B"], [0, 1]),
        (["B", "A"], [" A", " B"], [1, 0]),
        (["same", "same", "other"], ["other", "same", "same"], [2, 0, 1]),
        (["A", "B", "C"], ["A", "B"], None),
        (["A"], ["A", "B"], None),
        (["A", "C"], ["A", "B"], None),
        (["a", "b"], ["A", "B"], None),
    ],
)
def test_scores_are_put_into_our_order_or_refused(theirs: list[str], ours: list[str], order: list[int] | None) -> None:
    assert score_order(answer(*theirs), ours) == order

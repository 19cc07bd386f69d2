"""The samples of a run: an index that grows with the file, filters, order, and single records."""

from __future__ import annotations

import os
import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard import samples as samples_module
from leaderboard.sample_index import VERDICTS, Verdict, natural_key, verdict
from leaderboard.samples import Filter, Samples, Shelf, Sort, disagreements, find_prediction, find_review, select
from llmuses.markup import VERDICTS as SHARED_VERDICTS
from llmuses.markup import verdict_of
from llmuses.records import Generate, Message, Prediction, Response, Review, Status
from llmuses.store import JsonlStore

# --- what the tests are written with


def review(sample_id="main/0", correct=True, **changes):
    values = {
        "key": f"key-{sample_id}-{changes.get('repeat', 0)}",
        "sample_id": sample_id,
        "subset": sample_id.partition("/")[0],
        "status": Status.SCORED,
        "target": "4",
        "extracted": "4" if correct else "5",
        "scores": {"acc": float(correct)},
        "prompt": f"the question of {sample_id}",
    }
    return Review(**{**values, **changes})


def prediction(sample_id="main/0", text="four", **changes):
    key = changes.pop("key", f"key-{sample_id}-{changes.get('repeat', 0)}")
    return Prediction(
        key=key,
        dataset="d",
        sample_id=sample_id,
        subset="main",
        model="m",
        ask=Generate(messages=(Message("user", "?"),)),
        response=Response(key=key, text=text),
        **changes,
    )


class Run:
    """A reviews file and a predictions file that a test fills."""

    def __init__(self, folder):
        self.reviews_path = folder / "reviews" / "d.jsonl"
        self.predictions_path = folder / "predictions" / "d.jsonl"
        self.reviews = JsonlStore(self.reviews_path, Review)
        self.predictions = JsonlStore(self.predictions_path, Prediction)
        self.samples = Samples(self.reviews_path, self.predictions_path)

    def ids(self, *arguments, **options):
        rows = self.samples.rows()
        chosen = select(rows, *arguments, **options)
        return [each.sample_id for each in self.samples.reviews(rows, chosen)]


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


# --- order


def test_samples_stand_in_the_datasets_order_whatever_the_order_of_asking(run):
    run.reviews.append_all(review(f"main/{n}") for n in (10, 2, 0, 1, 11, 100))
    assert run.ids() == [f"main/{n}" for n in (0, 1, 2, 10, 11, 100)]


def test_subsets_come_one_after_the_other(run):
    run.reviews.append_all(review(name) for name in ("law/1", "anatomy/2", "law/0", "anatomy/0"))
    assert run.ids() == ["anatomy/0", "anatomy/2", "law/0", "law/1"]


def test_ids_that_do_not_name_their_subset_are_grouped_by_it_too(run):
    run.reviews.append_all(
        [review("Mercury_12", subset="easy"), review("ACT_3", subset="hard"), review("Mercury_9", subset="easy")]
    )
    assert run.ids() == ["Mercury_9", "Mercury_12", "ACT_3"]


def test_repeats_of_a_sample_stand_together(run):
    run.reviews.append_all(review(f"main/{n}", repeat=k) for k in (2, 0, 1) for n in (1, 0))
    rows = run.samples.rows()
    shown = run.samples.reviews(rows, select(rows))
    assert [(each.sample_id, each.repeat) for each in shown] == [(f"main/{n}", k) for n in (0, 1) for k in (0, 1, 2)]


@given(st.lists(st.integers(0, 10**8), min_size=2, unique=True))
def test_numbers_in_ids_count_as_numbers(numbers):
    keys = [natural_key("s", f"s/{number}", 0) for number in sorted(numbers)]
    assert all(one < other for one, other in pairwise(keys))


def test_a_list_can_begin_with_the_slowest_or_the_longest(run):
    run.reviews.append_all(
        [
            review("main/0", latency=1.0, tokens=5),
            review("main/1", latency=9.0, tokens=None),
            review("main/2", latency=None, tokens=70),
        ]
    )
    assert run.ids(sort=Sort.SLOWEST) == ["main/1", "main/0", "main/2"]
    assert run.ids(sort=Sort.LONGEST) == ["main/2", "main/0", "main/1"]


# --- verdicts and filters


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_the_index_and_the_shared_words_agree_on_every_verdict(status, score):
    each = review(status=status, scores={"acc": score, "other": 1.0})
    assert verdict(each.status, each.scores) == verdict_of(each)
    assert tuple(VERDICTS) == SHARED_VERDICTS


@pytest.fixture
def mixed(run):
    run.reviews.append_all(
        [
            review("a/0"),
            review("a/1", correct=False),
            review("a/2", status=Status.UNPARSED, correct=False, extracted=None, truncated=True),
            review("b/0", status=Status.REJECTED, correct=False),
            review("b/1", status=Status.FAILED, scores={}),
            review("b/2", truncated=True),
        ]
    )
    return run


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Filter.ALL, ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2"]),
        (Filter.CORRECT, ["a/0", "b/2"]),
        (Filter.NOT_CORRECT, ["a/1", "a/2", "b/0", "b/1"]),
        (Filter.WRONG, ["a/1"]),
        (Filter.UNPARSED, ["a/2"]),
        (Filter.REJECTED, ["b/0"]),
        (Filter.FAILED, ["b/1"]),
        (Filter.TRUNCATED, ["a/2", "b/2"]),
        (Filter.SLOW, []),
        (Filter.DISAGREE, []),
    ],
)
def test_a_filter_leaves_what_its_name_says(mixed, which, expected):
    assert mixed.ids(which) == expected


def test_a_subset_narrows_every_filter_and_one_that_does_not_exist_leaves_nothing(mixed):
    assert mixed.ids(Filter.NOT_CORRECT, "b") == ["b/0", "b/1"]
    assert mixed.ids(Filter.ALL, "c") == []


def test_counts_are_by_verdict(mixed):
    rows = mixed.samples.rows()
    assert {name: rows.count(name) for name in Verdict} == {
        "correct": 2, "wrong": 1, "unparsed": 1, "rejected": 1, "failed": 1,
    }  # fmt: skip


def test_slow_is_the_slowest_twentieth(run):
    run.reviews.append_all(review(f"main/{n}", latency=float(n)) for n in range(100))
    run.reviews.append(review("main/100", latency=None))
    assert run.ids(Filter.SLOW) == [f"main/{n}" for n in range(94, 100)]


def test_a_search_finds_ids_and_words_of_questions_whatever_their_case(run):
    run.reviews.append_all(
        [review("main/0", prompt="A Tank holds water"), review("main/1", prompt="100% of 'tanks'"), review("tank/2")]
    )
    rows = run.samples.rows()
    assert run.ids(among=run.samples.search("TANK")) == ["main/0", "main/1", "tank/2"]
    assert run.ids(among=run.samples.search("100% of 'T")) == ["main/1"], "no character of it is a pattern"
    assert run.ids(among=run.samples.search("tank", in_prompts=False)) == ["tank/2"]
    assert len(select(rows, among=run.samples.search("nowhere"))) == 0


# --- a file that grows, is damaged, is replaced


def test_a_run_without_a_file_yet_has_no_samples(run):
    assert len(run.samples.rows()) == 0
    assert run.ids(Filter.SLOW) == []
    assert run.samples.search("x").tolist() == []


def test_only_what_was_appended_is_read_again(run):
    run.reviews.append_all(review(f"main/{n}") for n in (0, 1))
    assert run.ids() == ["main/0", "main/1"]
    size = os.path.getsize(run.reviews_path)
    with open(run.reviews_path, "r+b") as file:
        first = file.readline()
        file.seek(0)
        file.write(b"#" * (len(first) - 1))  # what was read before is now unreadable: nobody notices
    run.reviews.append(review("main/2", correct=False))
    rows = run.samples.rows()
    assert (len(rows), rows.broken) == (3, 0)
    assert rows.offset[2] == size


def test_the_last_line_of_a_sample_counts(run):
    run.reviews.append_all([review("main/0", status=Status.FAILED, scores={}), review("main/1")])
    assert run.samples.rows().count(Verdict.FAILED) == 1
    run.reviews.append(review("main/0", key="again"))
    rows = run.samples.rows()
    assert (len(rows), rows.count(Verdict.FAILED), rows.count(Verdict.CORRECT)) == (2, 0, 2)
    assert run.samples.reviews(rows, [0])[0].key == "again"


def test_a_line_that_is_being_written_is_not_there_yet(run):
    run.reviews.append(review("main/0"))
    whole = run.reviews_path.read_bytes()
    with open(run.reviews_path, "ab") as file:
        file.write(whole.replace(b"main/0", b"main/1")[:40])
    assert run.ids() == ["main/0"]
    with open(run.reviews_path, "ab") as file:
        file.write(whole.replace(b"main/0", b"main/1")[40:])
    assert run.ids() == ["main/0", "main/1"]


def test_damaged_lines_are_left_out_and_counted(run):
    run.reviews.append(review("main/0"))
    with open(run.reviews_path, "ab") as file:
        file.write(b'{"sample_id": "main/1"}\nnot json\n')
    run.reviews.append(review("main/2"))
    rows = run.samples.rows()
    assert (run.ids(), rows.broken) == (["main/0", "main/2"], 2)


def test_a_file_whose_only_line_is_damaged_is_read_once(run):
    run.reviews_path.parent.mkdir(parents=True)
    run.reviews_path.write_bytes(b"not json\n")
    assert run.samples.rows().broken == 1
    assert run.samples.rows().broken == 1


@pytest.mark.parametrize("fresh_inode", [True, False], ids=["another inode", "the same inode"])
def test_a_file_that_was_replaced_is_read_from_its_start(run, tmp_path, fresh_inode):
    run.reviews.append_all(review(f"main/{n}") for n in range(3))
    assert len(run.samples.rows()) == 3
    other = JsonlStore(tmp_path / "other.jsonl", Review)
    other.append_all(review(f"main/{n}", correct=False) for n in range(5))
    if fresh_inode:
        os.replace(other.path, run.reviews_path)
    else:
        run.reviews_path.write_bytes(other.path.read_bytes())
    rows = run.samples.rows()
    assert (len(rows), rows.count(Verdict.WRONG)) == (5, 5)


def test_a_file_that_was_replaced_by_one_with_the_same_end_is_read_again_too(run, tmp_path):
    run.reviews.append_all([review("main/0"), review("main/1")])
    assert run.samples.rows().count(Verdict.CORRECT) == 2
    other = JsonlStore(tmp_path / "other.jsonl", Review)
    other.append_all([review("main/0", correct=False), review("main/1")])
    assert os.path.getsize(other.path) == os.path.getsize(run.reviews_path)
    os.replace(other.path, run.reviews_path)
    assert run.samples.rows().count(Verdict.CORRECT) == 1


def test_a_file_that_vanished_has_no_samples(run):
    run.reviews.append(review())
    assert len(run.samples.rows()) == 1
    run.reviews_path.unlink()
    assert len(run.samples.rows()) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 1), st.sampled_from(list(Status)), st.booleans()), max_size=25
    ),
    st.integers(1, 7),
)
def test_reading_bit_by_bit_comes_to_the_same_as_reading_at_once(tmp_path_factory, lines, step):
    run = Run(tmp_path_factory.mktemp("run"))
    reviews = [review(f"main/{n}", right, repeat=k, status=status) for n, k, status, right in lines]
    for start in range(0, len(reviews), step):
        run.reviews.append_all(reviews[start : start + step])
        run.samples.rows()
    grown, at_once = run.samples.rows(), Samples(run.reviews_path, run.predictions_path).rows()
    for column in ("name", "question", "offset", "verdict", "truncated", "tokens", "family", "number", "repeat"):
        assert np.array_equal(getattr(grown, column), getattr(at_once, column))
    assert {each.sample_id for each in reviews} == set(run.ids())


def test_many_readers_of_a_growing_run_all_see_a_consistent_index(run):
    problems = []

    def read():
        for _ in range(30):
            rows = run.samples.rows()
            shown = run.samples.reviews(rows, range(len(rows)))
            if [each.sample_id for each in shown] != [f"main/{n}" for n in range(len(rows))]:
                problems.append([each.sample_id for each in shown])

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for n in range(200):
        run.reviews.append(review(f"main/{n}"))
    for reader in readers:
        reader.join()
    assert problems == []
    assert len(run.samples.rows()) == 200


# --- single records


def test_a_prediction_is_found_by_the_review_that_judged_it(run):
    run.predictions.append_all(prediction(f"main/{n}", text=f"answer {n}") for n in range(50))
    assert run.samples.prediction(review("main/31")).response.text == "answer 31"
    run.predictions.append(prediction("main/50", text="answer 50"))
    assert run.samples.prediction(review("main/50")).response.text == "answer 50"
    assert find_prediction(run.predictions_path, review("main/31")).response.text == "answer 31"


def test_of_two_answers_under_one_key_the_newer_is_shown(run):
    run.predictions.append_all([prediction(text="first"), prediction(text="second")])
    assert run.samples.prediction(review()).response.text == "second"
    assert find_prediction(run.predictions_path, review()).response.text == "second"


def test_an_answer_to_another_prompt_is_not_shown_for_a_review(run):
    run.predictions.append_all([prediction(key="asked before", text="old"), prediction(key="asked now", text="new")])
    assert run.samples.prediction(review(key="asked before")).response.text == "old"
    assert run.samples.prediction(review(key="never asked")) is None
    assert find_prediction(run.predictions_path, review(key="asked before")).response.text == "old"
    assert find_prediction(run.predictions_path, review(key="never asked")) is None
    run.predictions.append(prediction(key="asked later", text='"asked before"'))
    assert find_prediction(run.predictions_path, review(key="asked before")).response.text == "old"


def test_two_samples_with_equal_prompts_share_a_key_and_keep_their_own_answers(run):
    run.predictions.append_all([prediction("main/0", key="k", text="zero"), prediction("main/1", key="k", text="one")])
    assert run.samples.prediction(review("main/0", key="k")).response.text == "zero"
    assert run.samples.prediction(review("main/1", key="k")).response.text == "one"
    assert find_prediction(run.predictions_path, review("main/0", key="k")).response.text == "zero"


def test_one_review_is_found_from_the_end_of_a_file_without_an_index(run):
    run.reviews.append_all(review(f"main/{n}", repeat=k) for n in range(20) for k in range(2))
    run.reviews.append_all([review("main/7", key="again"), review("main/8", prompt='it says "main/7" in passing')])
    assert find_review(run.reviews_path, "main/7", 0).key == "again"
    assert find_review(run.reviews_path, "main/7", 1).key == "key-main/7-1"
    assert find_review(run.reviews_path, "main/99", 0) is None
    assert find_review(run.reviews_path.with_name("none.jsonl"), "main/7", 0) is None


@given(st.integers(20, 900), st.lists(st.sampled_from(["a/1", "a/11", 'q"uote', "中文/1", "x" * 300]), max_size=12))
def test_a_search_from_the_end_finds_what_a_reading_from_the_start_finds(tmp_path_factory, block, names):
    run = Run(tmp_path_factory.mktemp("run"))
    run.reviews.append_all(review(name, key=str(place)) for place, name in enumerate(names))
    usual, samples_module._BLOCK = samples_module._BLOCK, block
    try:
        for name in ("a/1", "a/11", 'q"uote', "中文/1", "x" * 300, "1"):
            found = find_review(run.reviews_path, name, 0)
            expected = [str(place) for place, each in enumerate(names) if each == name][-1:]
            assert ([found.key] if found else []) == expected
    finally:
        samples_module._BLOCK = usual


# --- between runs


def test_runs_disagree_where_one_is_right_and_the_other_is_not(tmp_path):
    here, there = Run(tmp_path / "1"), Run(tmp_path / "2")
    here.reviews.append_all([review("m/0"), review("m/1", correct=False), review("m/2"), review("m/3")])
    there.reviews.append_all([review("m/3"), review("m/2", correct=False), review("m/1"), review("m/9", correct=False)])
    assert disagreements(here.samples.rows(), [there.samples.rows()]).tolist() == [False, True, True, False]


def test_a_different_question_under_the_same_id_is_no_disagreement(tmp_path):
    here, there = Run(tmp_path / "1"), Run(tmp_path / "2")
    here.reviews.append_all([review("m/0"), review("m/1")])
    there.reviews.append_all(
        [review("m/0", correct=False, prompt="from other rows"), review("m/1", correct=False, target="7")]
    )
    assert not disagreements(here.samples.rows(), [there.samples.rows()]).any()


def test_an_answer_that_failed_disagrees_with_nothing(tmp_path):
    here, there = Run(tmp_path / "1"), Run(tmp_path / "2")
    here.reviews.append_all([review("m/0"), review("m/1", status=Status.FAILED, scores={})])
    there.reviews.append_all([review("m/0", status=Status.FAILED, scores={}), review("m/1")])
    assert not disagreements(here.samples.rows(), [there.samples.rows()]).any()


def test_a_run_without_samples_disagrees_with_nothing(tmp_path):
    here, there = Run(tmp_path / "1"), Run(tmp_path / "2")
    there.reviews.append(review())
    assert disagreements(here.samples.rows(), [there.samples.rows()]).tolist() == []
    assert disagreements(there.samples.rows(), [here.samples.rows()]).tolist() == [False]


def test_the_shelf_keeps_an_index_until_newer_ones_need_its_place(tmp_path):
    runs = [Run(tmp_path / str(n)) for n in range(3)]
    shelf = Shelf(most_lines=25)
    first = shelf.samples(runs[0].reviews_path, runs[0].predictions_path)
    for run in runs:
        run.reviews.append_all(review(f"main/{n}") for n in range(10))
        shelf.samples(run.reviews_path, run.predictions_path).rows()
    assert shelf.samples(runs[2].reviews_path, runs[2].predictions_path).rows()
    again = shelf.samples(runs[0].reviews_path, runs[0].predictions_path)
    assert again is not first
    assert len(again.rows()) == 10

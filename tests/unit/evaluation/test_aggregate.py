"""From reviews to estimates where each question is asked several times: means, pass@k, bounds, spread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.evaluation.aggregate import Aggregate, alike
from llmuses.records import Review, Status
from llmuses.statistics.pass_at_k import pass_at_k


def answers(sample_id: str, verdicts: str, subset: str = "main") -> list[Review]:
    """Return the reviews of one question: ``+`` right, ``-`` wrong, ``?`` unparsed, ``!`` failed, one a repeat."""
    statuses = {"+": Status.SCORED, "-": Status.SCORED, "?": Status.UNPARSED, "!": Status.FAILED}
    return [
        Review(
            key="k",
            sample_id=sample_id,
            subset=subset,
            repeat=repeat,
            status=statuses[verdict],
            target="x",
            scores={} if verdict == "!" else {"acc": float(verdict == "+")},
        )
        for repeat, verdict in enumerate(verdicts)
    ]


def aggregate(*questions: str, subsets: tuple[str, ...] = ("main",)) -> Aggregate:
    found = Aggregate(("acc",), repeats=len(questions[0]))
    for place, verdicts in enumerate(questions):
        subset = subsets[place % len(subsets)]
        for review in answers(f"{subset}/{place}", verdicts, subset):
            found.add(review)
    return found


def test_pass_at_k_is_the_mean_over_questions_of_the_unbiased_estimate() -> None:
    found = aggregate("+--?", "++--", "----", "++++")
    expected = [pass_at_k(4, right, 2) for right in (1, 2, 0, 4)]
    assert found.estimate("acc").score == pytest.approx(7 / 16)
    second = found.estimate("acc", k=2)
    assert second.score == pytest.approx(sum(expected) / 4)
    assert second.n == 16
    assert second.ci95 is not None and second.ci95[0] < (second.score or 0) < second.ci95[1]
    assert found.estimate("acc", k=4).score == pytest.approx(3 / 4)


def test_a_question_with_fewer_than_k_answers_is_left_out_and_bounded() -> None:
    found = aggregate("+-!!", "--+-", "-!!!", "----")
    assert found.estimate("acc", k=2).score == pytest.approx((1.0 + pass_at_k(4, 1, 2) + 0) / 3)
    low, high = found.estimate("acc", k=2).bounds or (None, None)
    assert low == pytest.approx((pass_at_k(4, 1, 2) * 2 + 0 + 0) / 4)
    assert high == pytest.approx((pass_at_k(4, 3, 2) + pass_at_k(4, 1, 2) + pass_at_k(4, 3, 2) + 0) / 4)


def test_a_question_without_any_answer_is_in_the_bounds_only() -> None:
    found = aggregate("++--", "!!!!")
    found.missing("main", 4)  # a third question, never asked
    estimate = found.estimate("acc", k=2)
    assert estimate.score == pytest.approx(pass_at_k(4, 2, 2))
    assert estimate.bounds == pytest.approx((pass_at_k(4, 2, 2) / 3, (pass_at_k(4, 2, 2) + 2) / 3))


def test_where_no_question_has_k_answers_there_is_no_score() -> None:
    estimate = aggregate("+!!", "-!!").estimate("acc", k=2)
    assert (estimate.score, estimate.n, estimate.ci95) == (None, 0, None)
    assert estimate.bounds == pytest.approx(((pass_at_k(3, 1, 2)) / 2, 1.0))


def test_subsets_have_a_pass_at_k_of_their_own_and_a_mean() -> None:
    found = aggregate("+--", "---", "++-", "+++", subsets=("a", "b"))
    a, b = found.estimate("acc", ["a"], k=2).score or 0.0, found.estimate("acc", ["b"], k=2).score or 0.0
    assert (a, b) == pytest.approx(((2 / 3 + 1) / 2, 0.5))
    assert found.estimate("acc", weigh=alike, k=2).score == pytest.approx((a + b) / 2)


def test_the_spread_over_repeats_is_that_of_each_repeat_alone() -> None:
    found = aggregate("+--", "++-", "+!-", "--!")
    assert found.repeat_scores == pytest.approx([3 / 4, 1 / 3, 0.0])


@given(st.lists(st.text("+-?!", min_size=3, max_size=3), min_size=1, max_size=8))
def test_whatever_comes_back_figures_are_shares_and_more_tries_never_hurt(questions: list[str]) -> None:
    found = aggregate(*questions)
    scores = []
    for k in (1, 2, 3):
        estimate = found.estimate("acc", k=k)
        if estimate.score is not None and estimate.ci95:
            assert 0 <= estimate.ci95[0] <= estimate.score <= estimate.ci95[1] <= 1
            scores.append(estimate.score)
        if estimate.bounds:
            assert 0 <= estimate.bounds[0] <= estimate.bounds[1] <= 1
            if k == 1 and estimate.score is not None:
                assert estimate.bounds[0] - 1e-9 <= estimate.score <= estimate.bounds[1] + 1e-9
    if not any("!" in question for question in questions):
        assert scores == sorted(scores)


def by_instructions(*prompts: tuple[int, int]) -> Aggregate:
    """Return an aggregate over prompts given as (followed, of so many); (0, 0) is a failed one."""
    found = Aggregate(("prompt", "instructions"), by_parts={"instructions"})
    for place, (followed, parts) in enumerate(prompts):
        share = followed / parts if parts else 0.0
        found.add(
            Review(
                key="k",
                sample_id=str(place),
                subset="main",
                status=Status.SCORED if parts else Status.FAILED,
                target="x",
                scores={"prompt": float(share == 1), "instructions": share} if parts else {},
                parts=parts or 1,
            )
        )
    return found


def test_a_metric_by_parts_weighs_parts_alike_and_the_others_weigh_samples() -> None:
    found = by_instructions((1, 1), (1, 2), (0, 3), (2, 2))
    instructions = found.estimate("instructions")
    assert (instructions.score, instructions.n) == (pytest.approx(4 / 8), 8)
    assert (found.estimate("prompt").score, found.estimate("prompt").n) == (2 / 4, 4)


def test_the_parts_of_one_sample_are_a_cluster() -> None:
    # Eight instructions that stand or fall together by twos tell as much as four.
    together = by_instructions(*[(2, 2), (0, 2)] * 20).estimate("instructions")
    alone = by_instructions(*[(1, 1), (0, 1)] * 20).estimate("instructions")
    assert together.stderr == pytest.approx(alone.stderr)
    assert together.n == 2 * alone.n


def test_a_failed_sample_is_taken_to_have_as_many_parts_as_the_others() -> None:
    found = by_instructions((1, 2), (4, 4), (0, 0))
    assert found.estimate("instructions").bounds == pytest.approx((5 / 9, 8 / 9))
    assert found.estimate("prompt").bounds == pytest.approx((1 / 3, 2 / 3))

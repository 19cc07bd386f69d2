"""Adding up: win rates, mean scores, a judge's liking for a place, and intervals that cover."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.pipeline.judging import Slot, is_swapped
from arena.pipeline.questions import Question
from arena.pipeline.tally import agreement, mean_scores, pairs_of, position_bias, win_rates
from llmuses.judge.verdicts import PairVerdict
from llmuses.records import Battle, Winner

A, B, TIE = (PairVerdict(winner, 1.0) for winner in (Winner.MODEL_A, Winner.MODEL_B, Winner.TIE))


def battle(question: object, one: str, two: str, winner: Winner, judge: str = "j") -> Battle:
    return Battle(battle_id="", question_id=str(question), model_a=one, model_b=two, winner=winner, judge=judge)


def slot(question: str, one: str, two: str | None = None) -> Slot:
    return Slot(Question(question, "c", "en", ("?",)), one, two)


def test_a_win_rate_counts_ties_half_and_says_what_the_missing_ones_could_change() -> None:
    fought = [
        battle(1, "x", "y", Winner.MODEL_A),
        battle(2, "x", "y", Winner.MODEL_B),
        battle(3, "x", "y", Winner.TIE),
        battle(4, "y", "x", Winner.MODEL_B),
    ]
    rows = win_rates(fought, ["x", "y", "z"], [slot("5", "x", "y"), slot("6", "x", "z")])
    assert [row.model for row in rows] == ["x", "y", "z"]
    x, y, z = rows
    assert (x.value, x.wins, x.ties, x.losses, x.missing) == (0.625, 2, 1, 1, 2)
    assert x.bounds == pytest.approx((2.5 / 6, 4.5 / 6))
    assert y.value == 0.375 and y.bounds == pytest.approx((1.5 / 5, 2.5 / 5))
    assert (z.value, z.ci95, z.n, z.bounds) == (None, None, 0, (0.0, 1.0))


def test_against_a_baseline_its_own_line_is_left_out() -> None:
    rows = win_rates([battle(1, "x", "base", Winner.BOTH_BAD)], ["x", "base"], baseline="base")
    assert [(row.model, row.value) for row in rows] == [("x", 0.5)]


def test_judges_that_agree_on_every_question_add_no_certainty() -> None:
    chance = random.Random(0)
    one = [battle(n, "x", "y", chance.choice([Winner.MODEL_A, Winner.MODEL_B]), "j1") for n in range(50)]
    three = one + [battle(b.question_id, "x", "y", b.winner, judge) for b in one for judge in ("j2", "j3")]
    (alone, _), (panel, _) = win_rates(one, ["x", "y"]), win_rates(three, ["x", "y"])
    assert alone.ci95 == pytest.approx(panel.ci95) and panel.n == 150


def test_intervals_of_win_rates_cover_where_questions_hang_together() -> None:
    chance = random.Random(1)
    covered = 0
    for _ in range(400):
        fought = []
        for question in range(60):
            ease = chance.gauss(0, 1.5)
            for other in ("a", "b", "c"):
                won = chance.random() < 1 / (1 + 2.718281828 ** -(0.4 + ease))
                fought.append(battle(question, "x", other, Winner.MODEL_A if won else Winner.MODEL_B))
        (row,) = (row for row in win_rates(fought, ["x", "a", "b", "c"]) if row.model == "x")
        assert row.ci95 is not None
        covered += row.ci95[0] <= 0.5703 <= row.ci95[1]
    assert 0.92 <= covered / 400 <= 0.98


def test_mean_scores_stay_between_one_and_ten() -> None:
    rows = mean_scores([("x", "1", 10.0), ("x", "2", 10.0), ("y", "1", 1.0)], ["x", "y"], [slot("3", "x")])
    assert [row.value for row in rows] == [10.0, 1.0]
    assert rows[0].bounds == pytest.approx((7.0, 10.0))
    for row in rows:
        assert row.ci95 is not None and 1.0 <= row.ci95[0] <= row.ci95[1] <= 10.0


BIASES = {
    "the same winner in both orders": ((A, B), {"consistent": 1, "first_share": 0.5}),
    "two ties": ((TIE, TIE), {"consistent": 1, "first_share": None, "decisive": 0}),
    "the first both times": ((A, A), {"contradictory": 1, "first": 1, "second": 0, "first_share": 1.0}),
    "the second both times": ((B, B), {"contradictory": 1, "first": 0, "second": 1, "first_share": 0.0}),
    "a tie once": ((A, TIE), {"lenient": 1, "contradictory": 0, "decisive": 1}),
    "one order unread": ((A, None), {"both": 0, "decisive": 1, "first_share": 1.0}),
    "nothing read": ((None, None), {"both": 0, "decisive": 0, "ci95": None}),
}


@pytest.mark.parametrize(("pair", "expected"), BIASES.values(), ids=BIASES)
def test_a_liking_for_a_place_is_told_from_both_orders(
    pair: tuple[PairVerdict | None, PairVerdict | None], expected: dict[str, object]
) -> None:
    found = position_bias([pair])
    assert {name: getattr(found, name) for name in expected} == expected


@given(st.lists(st.tuples(st.sampled_from([A, B, TIE, None]), st.sampled_from([A, B, TIE, None]))))
def test_every_pair_in_both_orders_is_counted_once(pairs: list[tuple[PairVerdict | None, PairVerdict | None]]) -> None:
    found = position_bias(pairs)
    assert found.consistent + found.lenient + found.contradictory == found.both
    assert found.first + found.second == found.contradictory


def test_pairs_and_agreement_are_counted_whatever_the_order_of_names() -> None:
    fought = [
        battle(1, "x", "y", Winner.MODEL_A, "j1"),
        battle(1, "x", "y", Winner.MODEL_A, "j2"),
        battle(2, "y", "x", Winner.MODEL_A, "j1"),
        battle(2, "y", "x", Winner.TIE, "j2"),
    ]
    (pair,) = pairs_of(fought)
    assert (pair.model_a, pair.wins_a, pair.wins_b, pair.ties) == ("x", 2, 1, 1)
    assert agreement(fought) == 0.5
    assert agreement(fought[:1]) is None


def test_the_drawn_order_is_fair_and_the_same_in_every_run() -> None:
    slots = [slot(str(n), "x", "y") for n in range(2000)]
    drawn = [is_swapped(one, 0) for one in slots]
    assert drawn == [is_swapped(one, 0) for one in slots] != [is_swapped(one, 1) for one in slots]
    assert abs(sum(drawn) - 1000) < 4 * 22.4

"""Both orders of a pair: a judge that contradicts itself when the answers change places has decided nothing."""

from __future__ import annotations

from typing import NamedTuple

from llmuses.judge.verdicts import PairVerdict
from llmuses.records import Winner


class Combined(NamedTuple):
    """What two verdicts over the same pair add up to.

    ``winner`` is None where a verdict is missing. ``contradictory``: each order had another winner. ``unparsed`` counts
    the verdicts that could not be read.
    """

    winner: Winner | None
    contradictory: bool
    unparsed: int


def combine(first: PairVerdict | None, swapped: PairVerdict | None) -> Combined:
    """Return what a judge said over both orders, in terms of the first order.

    ``swapped`` is as the judge said it when the answers had changed places: its A is the first order's B. A model wins where
    both orders say so; all else is a tie (Zheng et al. 2023, "Judging LLM-as-a-Judge", section 3.4). One order alone
    decides nothing: it would bring the judge's liking for a place back in.
    """
    unparsed = (first is None) + (swapped is None)
    if first is None or swapped is None:
        return Combined(None, False, unparsed)
    one, two = first.winner, swapped.turned().winner
    if one == two:
        return Combined(one, False, 0)
    return Combined(Winner.TIE, {one, two} == {Winner.MODEL_A, Winner.MODEL_B}, 0)

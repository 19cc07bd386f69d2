"""Outputs of real models come to the published figures through ``llmuses score``; ``python -m tests.parity.published``
runs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmuses.records import Review, Status
from tests.parity.published import DATA, Outcome, run_case
from tests.parity.published_cases import CASES, Case

QUICK = {
    "gsm8k, rho-math-1b": 36.16,
    "gsm8k, qwen-plus by EvalScope, predictions": 100.0,
    "bbh navigate, cot": 96.4,
}


@pytest.mark.skipif(not (DATA / "outputs").is_dir(), reason="needs the models' outputs in ../shared/data")
@pytest.mark.parametrize("name", QUICK)
def test_a_published_score_is_met_and_every_difference_explained(name: str, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == name)
    outcome = run_case(case, DATA, tmp_path)
    assert round(100 * outcome.score, 2) == QUICK[name]
    assert outcome.unexplained == []


def test_a_difference_counts_unless_it_has_a_reason_or_the_label_another_measure() -> None:
    review = Review(key="", sample_id="main/7", subset="main", status=Status.SCORED, target="7", scores={"acc": 1.0})
    case = CASES[0]
    assert case.why == {}

    def unexplained(case: Case) -> list[Review]:
        return Outcome(case, 8, 1.0, {"main/7": False}, [review]).unexplained

    assert unexplained(case) == [review]
    assert unexplained(case._replace(why={"main/8": "another one"})) == [review]
    assert unexplained(case._replace(why={"main/7": "its label is wrong"})) == []
    assert unexplained(case._replace(measure="other tests")) == []

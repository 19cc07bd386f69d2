"""Real judges' texts are read as their authors read them; where not, the reason is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.judges import DATA, EQUAL_RATINGS, SAID_EQUAL, alpaca, llmbar, main

FOLDER = DATA / "outputs" / "judge" / "LLMBar" / "Natural" / "evaluators"
there = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the judges' texts are not in {FOLDER}")

DIFFERENCES = {
    ("GPT-4", "Vanilla"): {},
    ("GPT-4", "CoT"): {},
    ("GPT-4", "Rating"): {EQUAL_RATINGS: 20},
    ("ChatGPT", "Vanilla"): {},
    ("ChatGPT", "CoT"): {SAID_EQUAL: 1},
    ("ChatGPT", "Rating"): {EQUAL_RATINGS: 94},
}


@there
@pytest.mark.parametrize(("judge", "kind"), DIFFERENCES)
def test_every_verdict_of_llmbars_judges_is_the_published_one_but_for_ties(judge: str, kind: str) -> None:
    outcome = llmbar(FOLDER / judge / kind)
    assert len(outcome.readings) == 200
    differ = [reading.why for reading in outcome.readings if not reading.agrees]
    assert {why: differ.count(why) for why in differ} == DIFFERENCES[judge, kind]
    assert outcome.unexplained == 0


@there
def test_alpacaevals_annotations_add_up_to_its_leaderboard() -> None:
    found = list(alpaca(DATA))
    assert len(found) == 8
    assert [outcome.name for outcome in found if outcome.unexplained] == []


def test_a_folder_without_the_texts_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err

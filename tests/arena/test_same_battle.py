"""Which lines are of one battle: what was compared decides, whoever judged it; then ``battle_id``, then ``question_id``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battle_files import open_battles
from arena.comparisons import comparison_id
from arena.same_battle import SAME_BATTLE, SameBattle
from llmuses.records import Battle, Message, Winner

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def battle(**more: Any) -> Battle:
    told = {
        "battle_id": "b", "question_id": "q", "model_a": "one", "model_b": "two", "winner": Winner.MODEL_A,
        "question": "Why?", "output_a": "Since.", "output_b": "因为。",
    }  # fmt: skip
    return Battle(**{**told, **more})


@given(question=TEXTS, one=TEXTS, two=TEXTS)
def test_the_same_answers_have_the_same_id_on_either_side_and_whoever_judged_them(
    question: str, one: str, two: str
) -> None:
    seen = battle(question=question, output_a=one, output_b=two)
    turned = battle(
        question=question, model_a="two", model_b="one", output_a=two, output_b=one, battle_id="another", question_id="own",
        judge="gpt-4o", winner=Winner.TIE, category="maths", tstamp=9.0,
    )  # fmt: skip
    assert comparison_id(seen) == comparison_id(turned) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"question": "Why not?"},
        {"output_a": "Since then."},
        {"output_b": ""},
        {"output_a": "因为。", "output_b": "Since."},
        {"model_a": "three"},
        {"conversation": [Message("user", "Why?"), Message("user", "And now?")]},
    ],
)
def test_another_question_another_answer_or_another_model_is_another_comparison(other: dict[str, Any]) -> None:
    assert comparison_id(battle(**other)) != comparison_id(battle())


def test_a_conversation_of_one_prompt_is_that_prompt_and_what_an_assistant_says_in_it_is_no_prompt() -> None:
    said = [Message("user", "Why?"), Message("assistant", "Since.")]
    assert comparison_id(battle(conversation=said)) == comparison_id(battle())


@pytest.mark.parametrize("missing", ["question", "output_a", "output_b"])
def test_a_line_without_its_texts_has_no_id(missing: str) -> None:
    assert comparison_id(battle(**{missing: None})) is None


def keys(folder: Path, lines: Iterable[dict[str, Any]]) -> list[int]:
    """Return the key of each line of people, then of each of the judge."""
    told = [{"model_a": "one", "model_b": "two", "winner": "model_a", **line} for line in lines]
    path = folder / "battles.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in told))
    with open_battles([path], columns=("judge",), derived=SAME_BATTLE) as table:
        same = SameBattle(table)
        found = [same.verdicts(name) for name in ("human", "j")]
        return [key for side in found for key in side.key[np.argsort(side.row)].tolist()]


VOTE: dict[str, Any] = {"judge": "human"}
VERDICT: dict[str, Any] = {"judge": "j"}
TURNED = {"model_a": "two", "model_b": "one"}

ONE_BATTLE = {
    "what was compared is the same": (
        {"comparison_id": "c", "battle_id": "1"},
        {"comparison_id": "c", "battle_id": "2"},
    ),
    "so it is with sides swapped": ({"comparison_id": "c"}, {"comparison_id": "c", **TURNED}),
    "neither says what was compared": ({"battle_id": "1"}, {"battle_id": "1", **TURNED}),
    "neither has any id": ({"question_id": "q"}, {"question_id": "q"}),
    "a vote that names the judge's battle alone": ({"battle_id": "1"}, {"comparison_id": "c", "battle_id": "1"}),
    "another question's name": ({"battle_id": "1", "question_id": "q"}, {"battle_id": "1", "question_id": "r"}),
}
TWO_BATTLES = {
    "other answers to the same question": (
        {"comparison_id": "c", "question_id": "q"}, {"comparison_id": "d", "question_id": "q"},
    ),
    "other answers in a battle of the same name": (
        {"comparison_id": "c", "battle_id": "1"}, {"comparison_id": "d", "battle_id": "1"},
    ),
    "other models": ({"comparison_id": "c"}, {"comparison_id": "c", "model_b": "three"}),
    "one id is a battle's and the other what was compared": ({"battle_id": "x"}, {"comparison_id": "x"}),
    "one id is a question's and the other a battle's": ({"question_id": "x"}, {"battle_id": "x"}),
    "a question alone, and a battle over it": ({"question_id": "q"}, {"question_id": "q", "battle_id": "1"}),
    "no id at all": ({}, {}),
    "a question without a name": ({"question_id": ""}, {"question_id": ""}),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_BATTLE)
def test_lines_of_one_battle(case: str, tmp_path: Path) -> None:
    vote, verdict = ONE_BATTLE[case]
    one, two = keys(tmp_path, [VOTE | vote, VERDICT | verdict])
    assert one == two


@pytest.mark.parametrize("case", TWO_BATTLES)
def test_lines_of_two_battles(case: str, tmp_path: Path) -> None:
    vote, verdict = TWO_BATTLES[case]
    one, two = keys(tmp_path, [VOTE | vote, VERDICT | verdict])
    assert one != two


def test_a_vote_on_one_judges_battle_is_one_on_every_judges_battle_over_the_same_answers(tmp_path: Path) -> None:
    vote = VOTE | {"battle_id": "first"}
    first, second = (VERDICT | {"comparison_id": "c", "battle_id": name} for name in ("first", "second"))
    assert len(set(keys(tmp_path, [vote, first, second]))) == 1


def test_a_battles_name_that_stands_for_two_comparisons_tells_nothing_of_a_line_without_one(tmp_path: Path) -> None:
    vote = VOTE | {"battle_id": "7"}
    verdicts = [VERDICT | {"comparison_id": name, "battle_id": "7"} for name in ("c", "d")]
    assert len(set(keys(tmp_path, [vote, *verdicts]))) == 3

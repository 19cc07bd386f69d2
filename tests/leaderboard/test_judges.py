"""Judges beside each other below an arena's board: where a judge's verdicts are on it, and people voted on the same answers."""

from __future__ import annotations

import json

import pytest

from leaderboard.arena_board_ratings import Desk
from leaderboard.arena_board_view import arena_view
from leaderboard.arenas import Arenas
from tests.support.fake_runs import HOSTILE
from tests.support.pages import Page, check_harmless, visit


def write(outputs, judges, name="arena-judged", votes=1):
    """Write 120 answers' battles: people's votes, and each judge's verdicts, which are right as often as said."""
    path = outputs / name / "battles.jsonl"
    path.parent.mkdir(parents=True)
    with open(path, "w") as file:
        for n in range(120):
            pair = {"model_a": "xyz"[n % 3], "model_b": "yzx"[n % 3], "comparison_id": f"c{n}", "question_id": f"q{n}"}
            right, wrong = ("model_a", "model_b") if n % 2 else ("model_b", "model_a")
            lines = [{**pair, "battle_id": f"v{n}", "judge": "human", "winner": right}] * votes
            for judge, share in judges.items():
                said = right if n % 20 < 20 * share else wrong
                lines.append({**pair, "battle_id": f"{judge}{n}", "judge": judge, "winner": said})
            file.writelines(json.dumps(line) + "\n" for line in lines)


def shown(outputs, lang="en", **query):
    desk = Desk(Arenas(outputs), patience=60)
    try:
        return Page(arena_view(desk, visit(lang, **query)))
    finally:
        desk.close()


def test_judges_stand_beside_each_other_with_what_can_be_told(tmp_path):
    write(tmp_path, {"good": 0.95, "fair": 0.9, "poor": 0.5}, votes=2)
    page = shown(tmp_path, votes="judge", judge="good")
    assert "on the 120 battles that people and all of these judges decided" in page.text
    assert "Whether good agrees with people better than fair cannot be told from these battles." in page.text
    assert page.text.count("llmuses audit --battles arena-judged/battles.jsonl") == 1
    for words in ("95.0", "95% interval 89.5 to 97.7", "50.0", "One person with another"):
        assert words in page.text


@pytest.mark.parametrize(("lang", "words"), [("en", "good agrees with people best."), ("zh", "good 与人最一致。")])
def test_the_best_judge_is_named_where_it_can_be_told(tmp_path, lang, words):
    write(tmp_path, {"good": 0.95, "poor": 0.5})
    assert words in shown(tmp_path, lang, votes="judge").text


@pytest.mark.parametrize("query", [{}, {"votes": "people"}])
def test_a_board_of_peoples_votes_is_without_them(tmp_path, query):
    write(tmp_path, {"good": 0.95})
    assert "Agrees %" not in shown(tmp_path, **query).text


def test_the_arena_on_this_site_says_nothing_of_votes_that_are_not_published(tmp_path):
    write(tmp_path, {"good": 0.95}, "arena-live")
    (source,) = Arenas(tmp_path).sources()
    assert source.live and Arenas(tmp_path).judges(source) is None


def test_a_judges_name_is_text(tmp_path):
    write(tmp_path, {HOSTILE: 0.95, "poor": 0.5})
    check_harmless(shown(tmp_path, votes="judge"))

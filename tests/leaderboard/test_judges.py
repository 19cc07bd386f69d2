"""Judges beside each other below an arena's board: where a judge's verdicts are on it, and people voted on the same answers."""

from __future__ import annotations

import json

import pytest

from arena.audit_records import Agreement, JudgeAgreement, Lead, SameBattles, Share
from leaderboard.arena_board_ratings import Desk
from leaderboard.arena_board_view import arena_view
from leaderboard.arenas import Arenas
from leaderboard.board_words import Words
from leaderboard.judges_html import judges_section
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


def test_a_board_of_peoples_votes_is_without_them(tmp_path):
    write(tmp_path, {"good": 0.95})
    assert "Agrees %" not in shown(tmp_path).text


def test_the_arena_on_this_site_says_nothing_of_votes_that_are_not_published(tmp_path):
    write(tmp_path, {"good": 0.95}, "arena-live")
    (source,) = Arenas(tmp_path).sources()
    assert source.live and Arenas(tmp_path).judges(source) is None


def section(lang="en", low=0.1, name="good"):
    """Return the section of two judges, of which the first leads by no less than ``low``."""
    share = Share(n=20, share=0.9, ci95=(0.7, 0.97))
    judges = [
        JudgeAgreement(judge=judge, agreement=Agreement(all=share, decided=share, kappa=None, kappa_ci95=None))
        for judge in (name, "poor")
    ]
    lead = Lead(judge=name, other="poor", battles=20, difference=0.4, ci95=(low, 0.7))
    return Page(
        judges_section(SameBattles(battles=20, judges=judges, leads=[lead], people=None), Words(lang, "arena_board"))
    )


@pytest.mark.parametrize(
    ("lang", "low", "words"),
    [
        ("en", 0.1, "good agrees with people best."),
        ("zh", 0.1, "good 与人最一致。"),
        ("en", -0.1, "Whether good agrees with people better than poor cannot be told from these battles."),
        ("zh", -0.1, "从这些对战还看不出 good 是否比 poor 更接近人的判断。"),
        ("en", -0.1, "40.0 points (−10.0 to 70.0)"),
    ],
)
def test_the_best_judge_is_named_where_it_can_be_told(lang, low, words):
    assert words in section(lang, low).text


def test_a_judges_name_is_text():
    check_harmless(section(name=HOSTILE))

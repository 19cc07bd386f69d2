"""``llmuses rate --robust``: from files of votes with texts and voters to a board that a few cannot move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from arena import Rule, rate
from arena.battle_files import Derived, Selection, open_battles
from arena.fitting import Part, figures_of
from arena.ratings.counts import Floats
from llmuses.cli import main
from llmuses.errors import UsageError
from tests.arena.ratings.arenas import draw_strengths, play
from tests.simulations.attacked import Attacked, attack, honest_votes, lines_of, name_of


def written(path: Path, arena: Attacked) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines_of(arena)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def honest() -> Attacked:
    return honest_votes(np.random.default_rng(0), models=12, number=5000)


def ratings(path: Path, robust: bool) -> dict[str, float]:
    return {model.model: model.rating or 0.0 for model in rate(path, Rule(robust=robust)).models}


def test_prompts_that_give_models_away_move_nothing_and_no_line_is_deleted(honest: Attacked, tmp_path: Path) -> None:
    arena = attack(np.random.default_rng(1), honest, "for the target", 60, number=150, prompts="giveaway")
    before, path = written(tmp_path / "before.jsonl", honest), written(tmp_path / "b.jsonl", arena)
    target = name_of(arena.target)
    assert ratings(path, robust=False)[target] - ratings(before, robust=False)[target] > 25
    assert abs(ratings(path, robust=True)[target] - ratings(before, robust=True)[target]) < 1
    found = rate(path, Rule(robust=True))
    assert any("prompt asks the models who they are" in note for note in found.notes)
    assert any("names itself or its maker" in note for note in found.notes)
    assert path.read_text(encoding="utf-8").count("\n") == 5150


def test_one_voter_with_one_prompt_is_said_to_repeat_it_and_to_be_partial(honest: Attacked, tmp_path: Path) -> None:
    arena = attack(np.random.default_rng(1), honest, "for the target", 1, number=150, prompts="same")
    notes = " ".join(rate(written(tmp_path / "b.jsonl", arena), Rule(robust=True)).notes)
    for reason in ("repeat a prompt", "judge a model unlike everybody else", "of their weight altogether"):
        assert reason in notes


def test_what_is_not_blind_or_not_by_people_is_left_out_or_left_alone(honest: Attacked, tmp_path: Path) -> None:
    lines = lines_of(honest)
    for n, line in enumerate(lines):
        if n % 10 == 0:
            line["anony"] = False
        if n % 2:
            line |= {"judge": "gpt", "voter": None, "question": "the same for all"}
    path = tmp_path / "b.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = rate(path, Rule(robust=True))
    assert 4400 < found.battles < 4500, "a tenth chose its models by name; verdicts of a judge repeat its questions"


def test_without_texts_and_voters_nothing_is_weighed_down(tmp_path: Path) -> None:
    arena = play(np.random.default_rng(3), draw_strengths(np.random.default_rng(1), 6), 1500, 0.2)
    battles = zip(arena.first, arena.second, arena.outcome, strict=True)
    lines = [
        {"model_a": f"m{a}", "model_b": f"m{b}", "winner": ("model_a", "model_b", "tie")[o]} for a, b, o in battles
    ]
    path = tmp_path / "b.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert ratings(path, robust=True) == pytest.approx(ratings(path, robust=False))
    assert rate(path, Rule(robust=True)).battles == 1500


def test_a_person_that_stands_as_the_judge_is_a_voter(tmp_path: Path) -> None:
    """As FastChat's logs have it."""
    lines = [
        {"model_a": "x", "model_b": "y", "winner": "model_a" if n % 2 else "model_b", "judge": f"arena_user_{n % 3}"}
        for n in range(30)
    ]
    path = tmp_path / "b.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with open_battles([path], Selection(judge="human"), ("voter",)) as table:
        assert len(set(table.arrays("voter")["voter"].tolist())) == 3
        assert table.counts().battles == 30


# --- weights in a table --------------------------------------------------------------------------------------


def test_weights_multiply_add_up_in_counts_and_squares_and_take_battles_out(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    winners = ["model_a", "model_a", "model_b", "tie"]
    path.write_text("".join(
        json.dumps({"model_a": "x", "model_b": "y", "winner": winner, "voter": voter}) + "\n"
        for winner, voter in zip(winners, ["p", "p", "q", None], strict=True)
    ))  # fmt: skip
    with open_battles(
        [path], None, ("voter",), {"twice": Derived("{voter} || {voter}", ("voter",), "VARCHAR")}
    ) as table:
        assert sorted(table.texts("voter", "twice"), key=str) == [("p", "pp"), ("p", "pp"), ("q", "qq"), (None, None)]
        found = table.arrays("row", "weight", "voter")
        assert found["weight"].tolist() == [1, 1, 1, 1]
        assert len(set(found["voter"].tolist())) == 3

        def weigh(factors: Floats) -> None:
            order = np.argsort(found["outcome"], kind="stable")
            table.weigh(found["row"][order], factors)

        weigh(np.array([0.5, 0.5, 1.0, 0.0]))
        weigh(np.array([0.5, 1.0, 1.0, 1.0]))
        assert [float(own[0]) for own in table.counts()[3:]] == [0.75, 1, 0]
        assert [float(own[0]) for own in table.counts(power=2)[3:]] == [0.25**2 + 0.5**2, 1, 0]
        assert len(table.arrays()["outcome"]) == 3
    with open_battles([path]) as table, pytest.raises(KeyError):
        table.weigh(np.array([0]), np.array([0.5]))


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_battles_that_all_weigh_the_same_are_rated_like_battles_without_weights(
    ties: Literal["half", "davidson"], honest: Attacked, tmp_path: Path
) -> None:
    path, rule = written(tmp_path / "b.jsonl", honest), Rule(ties=ties)
    with open_battles([path], None, ("voter",)) as table:
        kept = np.arange(len(table.names))
        plain = figures_of(table, rule, Part(), table.counts(), kept)
        table.weigh(table.arrays("row")["row"], np.full(5000, 0.25))
        weighed = figures_of(table, rule, Part(), table.counts(), kept)
    np.testing.assert_allclose(weighed.ratings, plain.ratings, atol=1e-6)
    np.testing.assert_allclose(weighed.ci95, plain.ci95, atol=1e-6)


# --- the command ---------------------------------------------------------------------------------------------


def test_the_command_says_what_it_weighed_and_how_few_votes_would_flip_the_first_place(
    honest: Attacked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "b.jsonl", honest)
    board = tmp_path / "board.json"
    assert main(["rate", "--battles", str(path), "--robust", "--output", str(board)]) == 0
    saved = json.loads(board.read_text())
    assert saved["rule"]["robust"] is True
    first = saved["first_place"]
    assert first["model"] == saved["models"][0]["model"] != first["by"]
    assert first["removed"] > 0 and first["added"] > 0
    assert "left out are" in capsys.readouterr().err
    assert main(["rate", "--battles", str(path)]) == 0
    assert f"{first['model']} would be first no longer without" in " ".join(capsys.readouterr().out.split())


def test_weights_and_elo_exclude_each_other(honest: Attacked, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="robust"):
        rate(written(tmp_path / "b.jsonl", honest), Rule(robust=True, method="elo"))

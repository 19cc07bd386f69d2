"""Ratings that follow a growing file: the same as from scratch, whatever happens to the file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import Follower, Rule, rate
from arena.rating_records import Scale
from llmuses.cli import main
from llmuses.errors import DataError, UnknownNameError, UsageError
from tests.arena.ratings.arenas import draw_strengths, play

WINNERS = ("model_a", "model_b", "tie")


def drawn(seed: int, number: int, models: int = 6) -> list[str]:
    rng = np.random.default_rng(seed)
    arena = play(rng, draw_strengths(rng, models), number, ties=0.2)
    return [
        json.dumps({"battle_id": f"{seed}-{n}", "model_a": f"m{a}", "model_b": f"m{b}", "winner": WINNERS[outcome],
                    "judge": ("human", "gpt")[n % 2], "anony": n % 7 != 0})
        for n, (a, b, outcome) in enumerate(zip(*arena[1:], strict=True))
    ]  # fmt: skip


def append(path: Path, lines: Iterable[str]) -> Path:
    with open(path, "a") as file:
        file.writelines(line + "\n" for line in lines)
    return path


RULES = [
    Rule(),
    Rule(ties="davidson"),
    Rule(judge="human"),
    Rule(blind_only=True),
    Rule(scale=Scale(anchor=("m1", 1200.0))),
]


@pytest.mark.parametrize("rule", RULES)
def test_new_votes_give_exactly_what_all_votes_give(rule: Rule, tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 400))
    follower = Follower(path, rule)
    assert follower.ratings() == rate(path, rule)
    append(path, drawn(2, 150, models=9))
    assert follower.ratings() == rate(path, rule)
    assert Follower(path, rule).ratings() == rate(path, rule), "the state file alone is enough"


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 400))
    assert Follower(path).update() == 400
    append(path, drawn(2, 10))
    again = Follower(path)
    assert again.update() == 10
    assert again.update() == 0


def test_lines_that_are_no_battles_are_counted_alike(tmp_path: Path) -> None:
    odd: list[Any] = ["{torn", '{"model_a": "x"}', '{"model_a": "m1", "model_b": "m1", "winner": "tie"}',
                      '{"model_a": "m1", "model_b": "m2", "winner": "nobody"}', '{"model_a": "m1", "model_b": "m2", "win": "Tie"}',
                      '{"model_a": "m0", "model_b": "m3", "winner": "tie (bothbad)", "judge": "arena_user_77"}']  # fmt: skip
    path = append(tmp_path / "b.jsonl", [*drawn(1, 300), *odd])
    follower = Follower(path)
    assert follower.ratings() == rate(path)
    append(path, odd)
    assert follower.ratings() == rate(path)
    assert len(follower.ratings().notes) == 4, "three reasons to skip, and that people and a judge count alike"


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 300))
    follower = Follower(path)
    follower.update()
    whole = drawn(2, 1)[0]
    with open(path, "a") as file:
        file.write(whole[:20])
    assert follower.update() == 0
    with open(path, "a") as file:
        file.write(whole[20:] + "\n")
    assert follower.update() == 1
    assert follower.ratings() == rate(path)


def replaced(path: Path) -> None:
    fresh = append(path.with_name("new"), drawn(5, 500))
    os.replace(fresh, path)


def cut(path: Path) -> None:
    path.write_text("".join(line + "\n" for line in drawn(1, 200)))


def rewritten_in_place(path: Path) -> None:
    with open(path, "r+") as file:
        file.writelines(line + "\n" for line in drawn(6, 600))


def rewritten_with_the_same_beginning(path: Path) -> None:
    lines = drawn(1, 300)[:100] + drawn(7, 400)
    with open(path, "r+") as file:
        file.writelines(line + "\n" for line in lines)


@pytest.mark.parametrize("change", [replaced, cut, rewritten_in_place, rewritten_with_the_same_beginning])
def test_another_file_in_its_place_is_read_from_the_start(change: Callable[[Path], None], tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 300))
    follower = Follower(path)
    follower.ratings()
    change(path)
    assert follower.ratings() == rate(path)
    assert Follower(path).ratings() == rate(path)


def test_exclusion_lines_count_whatever_they_take_out(tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 300))
    follower = Follower(path)
    follower.ratings()
    append(path, [json.dumps({"battle_id": f"1-{n}", "reason": "repeated"}) for n in range(40)])
    assert follower.ratings() == rate(path)
    assert follower.ratings().battles == 260


@pytest.mark.parametrize("state", [b"", b"garbage", b"\x80"])
def test_a_broken_state_file_is_made_anew(state: bytes, tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 300))
    Path(f"{path}.counts").write_bytes(state)
    assert Follower(path).ratings() == rate(path)


def test_a_state_file_of_another_rule_is_not_used(tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 300))
    Follower(path).ratings()
    assert Follower(path, Rule(judge="gpt")).ratings() == rate(path, Rule(judge="gpt"))


def test_what_cannot_be_kept_up_to_date_is_said(tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 300))
    for rule in (Rule(cluster="question"), Rule(by="category"), Rule(method="elo"), Rule(robust=True)):
        with pytest.raises(UsageError, match="up to date"):
            Follower(path, rule)
    with pytest.raises(UnknownNameError):
        Follower(path, Rule(scale=Scale(anchor=("nobody", 1.0)))).ratings()
    with pytest.raises(DataError, match="no such file"):
        Follower(tmp_path / "none.jsonl").ratings()


def test_the_command_keeps_counts_beside_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 300))
    board = tmp_path / "board.json"
    assert main(["rate", "--battles", str(path), "--incremental", "--output", str(board)]) == 0
    assert (tmp_path / "b.jsonl.counts").is_file()
    once = json.loads(board.read_text())
    assert main(["rate", "--battles", str(path), "--output", str(board)]) == 0
    assert json.loads(board.read_text()) == once
    assert main(["rate", "--battles", str(path), str(path), "--incremental"]) == 2
    assert "one file" in capsys.readouterr().err


def test_few_new_votes_cost_milliseconds(tmp_path: Path) -> None:
    path = append(tmp_path / "b.jsonl", drawn(1, 5000, models=40))
    follower = Follower(path)
    follower.ratings()
    append(path, drawn(2, 1000, models=40))
    began = time.process_time()
    assert follower.update() == 1000
    assert time.process_time() - began < 0.25

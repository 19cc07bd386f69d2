"""What a budget of judge calls is spent on: pairs drawn by a policy of matchmaking, each with the chance that it had."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from arena.pipeline.judging import judged
from arena.pipeline.matching import Drawn
from arena.pipeline.run import Result, run_arena
from llmuses.errors import Interrupted, UsageError
from llmuses.records import Battle
from llmuses.store import JsonlStore
from tests.arena.pipeline.arenas import Worth, write_answers, write_config, write_questions

MODELS = "abcdef"


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMUSES_OUTPUTS", raising=False)
    Worth.calls.clear()
    write_questions(tmp_path, 60)


def files(folder: Path, questions: int = 60) -> list[str]:
    """Return answers of models of which a and b are alike, and each of the others is clearly worse than the one before."""
    worths = {"a": [9, 8, 8], "b": [8, 9, 8], "c": [6], "d": [4], "e": [2], "f": [1]}
    return [write_answers(folder, name, [own[n % len(own)] for n in range(questions)]) for name, own in worths.items()]


def config(folder: Path, budget: int, questions: int = 60, **matchmaking: Any) -> Path:
    return write_config(
        folder,
        files(folder, questions),
        args={"position_bias_mitigation": None},
        budget=budget,
        matchmaking=matchmaking,
    )


def battles(result: Result) -> list[Battle]:
    return list(JsonlStore(result.folder / "battles.jsonl", Battle))


def met(found: list[Battle]) -> Counter[tuple[str, str]]:
    return Counter((battle.model_a, battle.model_b) for battle in found)


def test_active_spends_it_where_the_best_are_not_told_apart_and_writes_each_chance_down(tmp_path: Path) -> None:
    result = run_arena(config(tmp_path, 200, policy="active", top=2))
    found = battles(result)
    assert len(found) == len(Worth.calls) == 200
    assert met(found)["a", "b"] > 40, "uniform play would come to 13"
    assert {battle.policy for battle in found} == {"active"}
    chances = [battle.pair_probability or 0.0 for battle in found]
    assert min(chances) >= 0.1 / 15 and max(chances) > 0.3
    drawn = {
        (d.question_id, d.model_a, d.model_b): d.pair_probability
        for d in JsonlStore(result.folder / "matches.jsonl", Drawn)
    }
    assert drawn == {(b.question_id, b.model_a, b.model_b): b.pair_probability for b in found}
    assert result.report is not None and any("active" in note for note in result.report.notes)


def test_fewest_plays_all_pairs_as_often(tmp_path: Path) -> None:
    found = battles(run_arena(config(tmp_path, 150, policy="fewest", floor=0.0001)))
    assert set(met(found).values()) == {10} and len(met(found)) == 15


def test_a_pair_whose_questions_are_used_up_is_drawn_no_more(tmp_path: Path) -> None:
    write_questions(tmp_path, 16)
    result = run_arena(config(tmp_path, 239, questions=16, policy="active", top=2))
    assert len(battles(result)) == 239 and set(met(battles(result)).values()) == {15, 16}


def test_against_a_baseline_only_pairs_with_it_are_drawn(tmp_path: Path) -> None:
    *others, baseline = files(tmp_path)
    result = run_arena(
        write_config(
            tmp_path,
            others,
            args={"mode": "pairwise_baseline", "position_bias_mitigation": None},
            reviews={"baseline_file": baseline},
            budget=50,
            matchmaking={"policy": "fewest", "floor": 0.0001},
        )
    )
    assert met(battles(result)) == {(name, "f"): 10 for name in "abcde"}
    assert {round(battle.pair_probability or 0.0, 3) for battle in battles(result)} == {0.2, 0.25, 0.333, 0.5, 1.0}


def test_single_answers_are_drawn_without_a_policy(tmp_path: Path) -> None:
    args = {"mode": "single"}
    run_arena(write_config(tmp_path, files(tmp_path), args=args, budget=100))
    assert len(Worth.calls) == 100
    with pytest.raises(UsageError, match="no pairs"):
        run_arena(write_config(tmp_path, files(tmp_path), args=args, budget=100, matchmaking={"policy": "fewest"}))


def test_a_run_that_is_stopped_goes_on_with_what_was_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []

    def stopped(*args: Any) -> Any:
        rounds.append(args)
        if len(rounds) == 4:
            raise KeyboardInterrupt
        return judged(*args)

    monkeypatch.setattr("arena.pipeline.run.judged", stopped)
    with pytest.raises(Interrupted):
        run_arena(config(tmp_path, 200, policy="active"))
    before = (tmp_path / "outputs" / "arena-cfg" / "matches.jsonl").read_bytes()
    assert before.count(b"\n") == 80 and len(Worth.calls) == 60
    monkeypatch.setattr("arena.pipeline.run.judged", judged)
    result = run_arena(config(tmp_path, 200, policy="active"))
    assert (result.folder / "matches.jsonl").read_bytes().startswith(before)
    assert len(battles(result)) == len(set(Worth.calls)) == len(Worth.calls) == 200
    first = (result.folder / "battles.jsonl").read_bytes()
    run_arena(config(tmp_path, 200, policy="active"))
    assert len(Worth.calls) == 200 and (result.folder / "battles.jsonl").read_bytes() == first


def test_a_larger_budget_keeps_what_was_judged_and_the_chances_that_it_had(tmp_path: Path) -> None:
    earlier = {b.battle_id: b.pair_probability for b in battles(run_arena(config(tmp_path, 100)))}
    assert list(earlier.values()) == pytest.approx([1 / 15] * 100)
    found = battles(run_arena(config(tmp_path, 250, policy="active")))
    assert {b.battle_id: b.pair_probability for b in found[:100]} == earlier
    assert [b.policy for b in found] == ["uniform"] * 100 + ["active"] * 150
    assert len(Worth.calls) == 250

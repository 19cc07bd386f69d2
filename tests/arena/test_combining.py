"""``--combine ppi``: people's votes and a judge's verdicts out of battle files, and when that is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import Rule, rate
from arena.combining import mix_tail
from llmuses.cli import main
from llmuses.errors import DataError, UnknownNameError, UsageError
from tests.simulations.people_and_judge import MODELS, Votes, draw_votes, draw_world

PPI = Rule(combine="ppi")
WINNER = {1.0: "model_a", 0.0: "model_b", 0.5: "tie"}


def drawn(seed: int = 5) -> Votes:
    rng = np.random.default_rng(seed)
    return draw_votes(rng, draw_world(rng), 600, 3000)


def lines(votes: Votes, judge: str = "gpt") -> Iterator[dict[str, Any]]:
    people, more = votes.people, votes.more
    for n, (a, b, human, verdict, chance) in enumerate(zip(*people[:4], votes.chance, strict=True)):
        same = {"battle_id": f"b{n}", "question_id": f"q{n}", "model_a": f"m{a}", "model_b": f"m{b}"}
        yield {**same, "winner": WINNER[human], "judge": "human", "pair_probability": chance}
        yield {**same, "winner": WINNER[verdict], "judge": judge}
    for n, (a, b, verdict) in enumerate(zip(*more, strict=True)):
        yield {"battle_id": f"o{n}", "question_id": f"r{n}", "model_a": f"m{a}", "model_b": f"m{b}",
               "winner": WINNER[verdict], "judge": judge}  # fmt: skip


def write(path: Path, battles: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in battles))
    return path


@pytest.fixture(scope="module")
def battles() -> list[dict[str, Any]]:
    return list(lines(drawn()))


def widths(ratings: Any) -> float:
    return float(np.mean([model.ci95[1] - model.ci95[0] for model in ratings.models]))


def test_it_is_narrower_than_people_and_near_them(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", battles)
    together, people = rate(path, PPI), rate(path, Rule(judge="human"))
    assert together.battles == 3600
    assert together.trust is not None and 0.3 < together.trust < 1
    assert len(together.models) == MODELS
    assert together.notes == []
    assert widths(together) < widths(people)


def test_sides_swapped_by_the_judge_are_the_same_battle(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    other = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
    turned = [
        {**line, "model_a": line["model_b"], "model_b": line["model_a"], "winner": other[line["winner"]]}
        if line["judge"] == "gpt" else line for line in battles
    ]  # fmt: skip
    one, two = rate(write(tmp_path / "1.jsonl", battles), PPI), rate(write(tmp_path / "2.jsonl", turned), PPI)
    assert [m.rating for m in one.models] == pytest.approx([m.rating for m in two.models])


def test_lines_without_an_id_are_the_same_battle_by_question_and_pair(
    battles: list[dict[str, Any]], tmp_path: Path
) -> None:
    bare = [{k: v for k, v in line.items() if k != "battle_id"} for line in battles]
    one, two = rate(write(tmp_path / "1.jsonl", battles), PPI), rate(write(tmp_path / "2.jsonl", bare), PPI)
    assert [m.rating for m in one.models] == pytest.approx([m.rating for m in two.models])


def test_votes_on_answers_serve_every_judge_of_them_in_battles_of_its_own(
    battles: list[dict[str, Any]], tmp_path: Path
) -> None:
    same = [{**line, "comparison_id": f"of {line['battle_id']}"} for line in battles]
    people = [{**line, "battle_id": f"{line['battle_id']} of a person"} for line in same if line["judge"] == "human"]
    gpt = [line for line in same if line["judge"] == "gpt"]
    kin = [{**line, "judge": "claude", "battle_id": f"{line['battle_id']} of claude"} for line in gpt]
    before = rate(write(tmp_path / "1.jsonl", battles), PPI)
    path = write(tmp_path / "2.jsonl", people + gpt + kin)
    for judge in ("gpt", "claude"):
        found = rate(path, Rule(combine="ppi", judge=judge))
        assert [m.rating for m in found.models] == pytest.approx([m.rating for m in before.models])


def test_votes_need_not_say_what_kind_their_questions_are_of(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    kinds = [{**line, "category": "maths"} if line["judge"] == "gpt" else line for line in battles]
    assert rate(write(tmp_path / "b.jsonl", kinds), PPI).trust


def test_several_verdicts_on_a_battle_count_as_their_mean(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    twice = [line for line in battles for _ in range(2 if line["judge"] == "gpt" else 1)]
    one, two = rate(write(tmp_path / "1.jsonl", battles), PPI), rate(write(tmp_path / "2.jsonl", twice), PPI)
    assert [m.rating for m in one.models] == pytest.approx([m.rating for m in two.models])


def test_people_whose_battles_the_judge_did_not_decide_are_left_out_and_counted(
    battles: list[dict[str, Any]], tmp_path: Path
) -> None:
    less = [line for line in battles if not (line["judge"] == "gpt" and line["battle_id"] in ("b1", "b2", "b3"))]
    ratings = rate(write(tmp_path / "b.jsonl", less), PPI)
    assert ratings.notes == ["3 battles that people decided are left out: gpt did not decide them."]


def test_a_chance_that_is_missing_is_refused(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    less = [
        {**line, "pair_probability": None if line["battle_id"] == "b7" else line.get("pair_probability")}
        for line in battles
    ]
    with pytest.raises(DataError, match=r"1 of 600 battles have no pair_probability"):
        rate(write(tmp_path / "b.jsonl", less), PPI)


def test_other_kinds_of_questions_are_refused_and_named(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    kinds = [{**line, "category": "maths" if int(line["battle_id"][1:]) % (2 if line["battle_id"][0] == "b" else 5) else "code"}
             for line in battles]  # fmt: skip
    with pytest.raises(DataError, match=r"category (maths|code) is \d+% of people's and \d+% of the judge's"):
        rate(write(tmp_path / "b.jsonl", kinds), PPI)
    alike = [{**line, "category": "maths" if int(line["battle_id"][1:]) % 3 else "code"} for line in battles]
    assert rate(write(tmp_path / "c.jsonl", alike), PPI).trust


def test_it_must_be_clear_which_judge_is_meant(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", [*battles, {**battles[1], "judge": "claude"}])
    with pytest.raises(UsageError, match="name 2"):
        rate(path, PPI)
    assert rate(path, Rule(combine="ppi", judge="gpt")).battles == 3600
    with pytest.raises(UnknownNameError, match="gemini"):
        rate(path, Rule(combine="ppi", judge="gemini"))


def test_without_battles_that_both_decided_it_is_refused(battles: list[dict[str, Any]], tmp_path: Path) -> None:
    people = [line for line in battles if line["judge"] == "human"]
    other = [line for line in battles if line["battle_id"].startswith("o")]
    with pytest.raises(DataError, match=r"both decided .* 0 found"):
        rate(write(tmp_path / "b.jsonl", people + other), PPI)


def test_the_command_takes_it_and_refuses_what_it_excludes(
    battles: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, board = write(tmp_path / "b.jsonl", battles), tmp_path / "board.json"
    assert main(["rate", "--battles", str(path), "--combine", "ppi", "--output", str(board)]) == 0
    written = json.loads(board.read_text())
    assert 0 < written["trust"] <= 1
    assert written["rule"]["combine"] == "ppi"
    assert main(["rate", "--battles", str(path), "--combine", "ppi", "--ties", "davidson"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_mixes_that_chance_explains_are_told_from_others() -> None:
    assert mix_tail([50, 50], [500, 500]) == pytest.approx(1, abs=0.1)
    assert mix_tail([70, 30], [500, 500]) < 0.001
    assert mix_tail([100], [1000]) == 1
    assert mix_tail([98, 1, 1], [990, 5, 5]) > 0.1, "rare kinds are one kind"

"""``llmuses rate`` and ``arena.rate``: from files of battles, ours and others', to ratings and what is said beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import rate
from arena.rating_records import Rule, Scale
from arena.ratings.graph import Place
from llmuses.cli import main
from llmuses.errors import DataError, UnknownNameError, UsageError
from tests.arena.ratings.arenas import Arena, draw_strengths, play

WINNERS = ("model_a", "model_b", "tie")


def write(path: Path, lines: Iterable[dict[str, Any] | str]) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def battle(a: str, b: str, winner: str, **more: Any) -> dict[str, Any]:
    return {"battle_id": f"{a}-{b}-{id(object())}", "model_a": a, "model_b": b, "winner": winner, **more}


def lines_of(arena: Arena, **more: Any) -> list[dict[str, Any]]:
    return [
        {"battle_id": f"b{n}", "question_id": f"q{n // 2}", "model_a": f"m{a}", "model_b": f"m{b}",
         "winner": WINNERS[outcome], "tstamp": n, **more}
        for n, (a, b, outcome) in enumerate(zip(arena.first, arena.second, arena.outcome, strict=True))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def arena() -> Arena:
    rng = np.random.default_rng(11)
    return play(rng, draw_strengths(rng, 6), 3000, ties=0.2)


@pytest.fixture(scope="module")
def battles(arena: Arena, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("battles") / "battles.jsonl", lines_of(arena))


def test_the_strongest_comes_first_with_interval_rank_and_battles(battles: Path, arena: Arena) -> None:
    ratings = rate(battles)
    order = [f"m{index}" for index in np.argsort(-arena.strengths)]
    assert [model.model for model in ratings.models] == order
    assert ratings.battles == 3000
    assert sum(model.battles for model in ratings.models) == 6000
    assert np.mean([model.rating for model in ratings.models if model.rating]) == pytest.approx(1000)
    for place, model in enumerate(ratings.models, 1):
        assert model.rating is not None and model.ci95 is not None and model.rank is not None
        assert model.ci95[0] < model.rating < model.ci95[1]
        assert model.rank[0] <= place <= model.rank[1]
    assert ratings.notes == []


def test_people_and_judges_in_one_file_are_not_rated_alike_without_a_word(tmp_path: Path) -> None:
    votes = [battle("a", "b", "model_b", voter="v")] * 6 + [battle("a", "b", "model_a", voter="v")] * 4
    path = write(tmp_path / "live.jsonl", [*votes, *[battle("a", "b", "model_a", judge="my-judge")] * 9])
    whole = rate(path)
    assert whole.models[0].model == "a" and whole.battles == 19
    (note,) = whole.notes
    assert note.startswith(
        "10 battles are votes by people and 9 verdicts of my-judge, and all count alike: --judge human"
    )
    people = rate(path, Rule(judge="human"))
    assert (people.models[0].model, people.battles, people.notes) == ("b", 10, [])
    assert rate(path, Rule(by="judge")).notes == []


def test_four_hundred_points_are_odds_of_ten_to_one(tmp_path: Path) -> None:
    lines = [battle("strong", "weak", "model_a")] * 100 + [battle("strong", "weak", "model_b")] * 10
    strong, weak = rate(write(tmp_path / "b.jsonl", lines)).models
    assert strong.rating is not None and weak.rating is not None
    assert strong.rating - weak.rating == pytest.approx(400)


TIE, ROUND = [battle("x", "y", "tie")], [battle("x", "y", "tie"), battle("y", "z", "tie"), battle("z", "x", "both_bad")]


@pytest.mark.parametrize("lines", [TIE, ROUND * 10], ids=["one tie", "many ties"])
@pytest.mark.parametrize(
    "rule",
    [Rule(), Rule(ties="davidson"), Rule(cluster="question"), Rule(dedup=True), Rule(robust=True), Rule(style=True),
     Rule(method="elo")],
    ids=["bt", "davidson", "clusters", "dedup", "robust", "style", "elo"],
)  # fmt: skip
def test_ties_alone_are_no_certainty(lines: list[dict[str, Any]], rule: Rule, tmp_path: Path) -> None:
    texts = {"question": "Why?", "output_a": "So.", "output_b": "So it is.", "voter": "v", "question_id": "q"}
    models = rate(write(tmp_path / "battles.jsonl", ({**line, **texts} for line in lines)), rule).models
    for model in models:
        assert model.rating == pytest.approx(1000)
        assert model.rank == (1, len(models))
        assert model.ci95 is None or model.ci95[1] - model.ci95[0] > 100, "a few ties tell nobody apart this well"


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_a_new_model_that_tied_once_is_known_worse_than_those_that_played_a_lot(
    battles: Path, ties: str, tmp_path: Path
) -> None:
    more = write(tmp_path / "more.jsonl", [battle("new", "m2", "tie")])
    width = {m.model: m.ci95[1] - m.ci95[0] for m in rate([battles, more], Rule(ties=ties)).models if m.ci95}
    assert width["new"] > 500 > 2 * max(wide for model, wide in width.items() if model != "new")


def test_a_file_that_is_named_twice_counts_once(battles: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(battles)
    assert rate([battles, battles, link]).battles == 3000


def test_an_anchor_moves_everybody_and_no_interval(battles: Path) -> None:
    plain = rate(battles)
    anchored = rate(battles, Rule(scale=Scale(anchor=("m3", 1200.0))))
    assert next(model.rating for model in anchored.models if model.model == "m3") == pytest.approx(1200)
    for one, two in zip(plain.models, anchored.models, strict=True):
        assert one.ci95 is not None and two.ci95 is not None
        assert two.ci95[1] - two.ci95[0] == pytest.approx(one.ci95[1] - one.ci95[0])
    with pytest.raises(UnknownNameError, match="m33"):
        rate(battles, Rule(scale=Scale(anchor=("m33", 1200.0))))


def test_ways_of_rating_agree_where_they_should(battles: Path) -> None:
    plain = {model.model: model.rating for model in rate(battles).models}
    clustered = {model.model: model.rating for model in rate(battles, Rule(cluster="question")).models}
    davidson = rate(battles, Rule(ties="davidson"))
    elo = rate(battles, Rule(method="elo"))
    assert clustered == pytest.approx(plain)
    assert [model.model for model in davidson.models] == list(plain)
    assert davidson.ties is not None and 0.2 < davidson.ties < 1
    for model in elo.models:
        assert model.rating == pytest.approx(plain[model.model], abs=60)
        assert model.online == pytest.approx(model.rating, abs=60)


@pytest.mark.parametrize(
    ("spelling", "points"),
    [("model_a", 1), ("model_b", 0), ("tie", 0.5), ("both_bad", 0.5), ("tie (bothbad)", 0.5), ("Tie", 0.5), ("A", 1)],
)
def test_a_winner_is_read_as_other_programs_spell_it(spelling: str, points: float, tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", [battle("x", "y", spelling), battle("x", "y", "tie")])
    won = {model.model: model.won for model in rate(path).models}
    assert won["x"] == (points + 0.5) / 2


def test_the_older_name_of_the_winner_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", [{"model_a": "x", "model_b": "y", "win": "model_b"}, battle("x", "y", "tie")])
    assert [model.model for model in rate(path).models if model.rating is None] == ["y", "x"] or rate(path).battles == 2


def test_what_is_no_battle_is_counted_and_left_out(tmp_path: Path) -> None:
    good = [battle("x", "y", "model_a"), battle("y", "x", "model_a")] * 5
    bad = ["{torn", battle("x", "y", "nobody"), battle("x", "x", "model_a"), {"model_a": "x"}, "[]"]
    ratings = rate(write(tmp_path / "b.jsonl", [*good, *bad]))
    assert ratings.battles == 10
    assert "1 lines name no winner that is known." in ratings.notes
    assert "1 lines let a model play itself." in ratings.notes
    assert any(note.endswith("are no battles.") for note in ratings.notes)


def test_an_exclusion_line_takes_a_battle_out_wherever_it_stands(tmp_path: Path) -> None:
    lines = [{**battle("x", "y", "model_a"), "battle_id": f"b{n}"} for n in range(4)]
    lines += [{**battle("x", "y", "model_b"), "battle_id": f"c{n}"} for n in range(4)]
    first = write(tmp_path / "b.jsonl", lines)
    second = write(
        tmp_path / "e.jsonl", [{"battle_id": "b0", "reason": "repeated"}, {"battle_id": "c3", "reason": "bot"}]
    )
    ratings = rate([first, second])
    assert ratings.battles == 6
    assert ratings.notes == ["2 lines are taken out by exclusion lines."]
    assert first.read_text().count("\n") == 8, "nothing is deleted"


def test_a_model_without_a_bound_has_no_rating_and_a_reason(tmp_path: Path) -> None:
    lines = [battle("x", "y", "model_a"), battle("y", "x", "model_a")] * 9
    lines += [battle("god", "x", "model_a"), battle("y", "dog", "model_a"), battle("p", "q", "tie")]
    ratings = rate(write(tmp_path / "b.jsonl", lines))
    by_name = {model.model: model for model in ratings.models}
    assert by_name["god"].place is Place.ONLY_WON
    assert by_name["dog"].place is Place.ONLY_LOST
    assert by_name["p"].place is Place.APART
    assert by_name["god"].rating is by_name["god"].ci95 is by_name["god"].rank is None
    assert {model.rank for model in ratings.models if model.rank} == {(1, 2)}
    assert any("god" in note and "above" in note for note in ratings.notes)


def test_only_the_battles_asked_for_are_taken(tmp_path: Path) -> None:
    lines = [battle("x", "y", winner, judge=judge, category=category, language="zh", anony=anony)
             for winner, judge, category, anony in [
                 ("model_a", "human", "maths", True), ("model_b", "human", "maths", True),
                 ("model_b", "gpt", "maths", True), ("model_a", "gpt", "maths", True),
                 ("model_a", "gpt", "code", False), ("model_b", "gpt", "code", True)]]  # fmt: skip
    path = write(tmp_path / "b.jsonl", lines)
    assert rate(path).battles == 6
    assert rate(path, Rule(judge="human")).battles == 2
    assert rate(path, Rule(category="maths", judge="gpt")).battles == 2
    assert rate(path, Rule(blind_only=True)).battles == 5
    by_judge = rate(path, Rule(by="judge")).groups
    assert {name: sum(model.battles for model in models) // 2 for name, models in by_judge.items()} == {
        "gpt": 4,
        "human": 2,
    }
    with pytest.raises(DataError, match="no line is a battle"):
        rate(path, Rule(language="en"))


def test_settings_that_exclude_each_other_and_missing_files_are_said(tmp_path: Path, battles: Path) -> None:
    with pytest.raises(UsageError, match="elo"):
        rate(battles, Rule(method="elo", cluster="question"))
    with pytest.raises(UsageError, match="half"):
        rate(battles, Rule(ties="davidson", cluster="voter"))
    with pytest.raises(DataError, match="no such file"):
        rate(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="no line is a battle"):
        rate(write(tmp_path / "empty.jsonl", []))


# --- the command -------------------------------------------------------------------------------------------


def test_the_command_writes_what_outside_programs_rely_on(battles: Path, tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    assert main(["rate", "--battles", str(battles), "--anchor", "m0=1100", "--output", str(path)]) == 0
    written = json.loads(path.read_text())
    first = written["models"][0]
    assert {"model", "rating", "ci95", "rank", "battles"} <= first.keys()
    assert written["rule"]["method"] == "bt"
    assert written["rule"]["scale"]["anchor"] == ["m0", 1100.0]
    table = tmp_path / "board.csv"
    assert main(["rate", "--battles", str(battles), "--output", str(table)]) == 0
    rows = list(csv.DictReader(table.open()))
    assert [row["model"] for row in rows] == [model["model"] for model in written["models"]]


def test_the_command_prints_a_table(battles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--battles", str(battles)]) == 0
    printed = capsys.readouterr().out
    assert "3,000 battles, Bradley-Terry" in printed
    assert all(f"m{index}" in printed for index in range(6))


@pytest.mark.parametrize("wrong", [["--anchor", "m0"], ["--anchor", "m0=high"], ["--output", "board.txt"]])
def test_what_cannot_be_meant_is_said_in_one_line(
    wrong: list[str], battles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rate", "--battles", str(battles), *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# --- categories that borrow --------------------------------------------------------------------------------


def in_categories(tmp_path: Path, votes: dict[str, int], **more: Any) -> Path:
    rng = np.random.default_rng(21)
    truth, lines = draw_strengths(rng, 6), []
    for category, number in votes.items():
        own = truth + rng.normal(0, 0.3, 6)
        lines += [{**line, "category": category, **more} for line in lines_of(play(rng, own, number, ties=0.2))]
    return write(tmp_path / "categories.jsonl", lines)


def test_a_category_with_few_votes_borrows_and_says_so(tmp_path: Path) -> None:
    ratings = rate(in_categories(tmp_path, {"maths": 6000, "code": 6000, "poems": 60}), Rule(by="category"))
    assert list(ratings.groups) == ["code", "maths", "poems"]
    borrowed = {name: np.mean([model.borrowed for model in models]) for name, models in ratings.groups.items()}
    assert borrowed["poems"] > 0.6 > 0.4 > borrowed["maths"]
    assert ratings.spread is not None and 10 < ratings.spread < 150
    assert all(model.borrowed is None for model in ratings.models)
    alone = rate(in_categories(tmp_path, {"maths": 6000, "code": 6000, "poems": 60}), Rule(category="poems"))
    assert width(ratings.groups["poems"]) < 0.9 * width(alone.models)


def width(models: list[Any]) -> float:
    return float(np.mean([model.ci95[1] - model.ci95[0] for model in models]))


def test_intervals_of_categories_are_clustered_like_all_others(tmp_path: Path) -> None:
    path = in_categories(tmp_path, {"maths": 3000, "code": 3000})
    twice = write(tmp_path / "twice.jsonl", [line for line in path.read_text().splitlines() for _ in range(4)])
    plain = rate(twice, Rule(by="category"))
    clustered = rate(twice, Rule(by="category", cluster="question"))
    assert width(clustered.groups["maths"]) > 1.3 * width(plain.groups["maths"])


def test_judges_are_rated_apart(tmp_path: Path) -> None:
    ratings = rate(in_categories(tmp_path, {"maths": 500}, judge="gpt"), Rule(by="judge"))
    assert ratings.spread is None
    assert [model.borrowed for model in ratings.groups["gpt"]] == [None] * 6


def test_a_column_with_a_value_for_each_battle_is_no_category(tmp_path: Path) -> None:
    lines = [
        {**line, "category": f"c{n}"}
        for n, line in enumerate(lines_of(play(np.random.default_rng(0), np.zeros(3), 400)))
    ]
    with pytest.raises(UsageError, match="400 different"):
        rate(write(tmp_path / "b.jsonl", lines), Rule(by="category"))

"""Rows of other programs become battles: who won, who judged, what was asked; what decides nothing is counted."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arena import rate
from arena.formats import convert, convert_files
from llmuses.cli import main
from llmuses.errors import DataError
from llmuses.records import HUMAN, Battle, Winner
from llmuses.store import JsonlStore

SHARED = Path(__file__).parents[4] / "shared" / "data" / "outputs" / "judge" / "alpaca_eval"

SERVED = {
    "tstamp": 1700000000.5,
    "type": "leftvote",
    "models": ["", ""],
    "ip": "192.0.2.7",
    "states": [
        {"model_name": "vicuna-13b", "messages": [["USER", "old"], ["ASSISTANT", "old"], ["USER", "Hi?"], ["ASSISTANT", "Hello!"]], "offset": 2},
        {"model_name": "koala-13b", "messages": [["USER", "Hi?"], ["ASSISTANT", "Hm."]], "offset": 0},
    ],
}  # fmt: skip
LOGGED = {
    "model_a": "gpt-4",
    "model_b": "alpaca-13b",
    "winner": "tie (bothbad)",
    "judge": "arena_user_412",
    "question_id": "4b1",
    "turn": 1,
    "anony": False,
    "language": "English",
    "tstamp": 1682351591.1,
    "conversation_a": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}, {"role": "user", "content": "Two?"}, {"role": "assistant", "content": "2"}],
    "conversation_b": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "I"}, {"role": "user", "content": "Two?"}, {"role": "assistant", "content": "II"}],
}  # fmt: skip
PUBLISHED = {
    "id": "c4f47a",
    "model_a": "qwen3-235b",
    "model_b": "gpt-5",
    "winner": "both_bad",
    "evaluation_session_id": "d1",
    "conversation_a": [{"role": "user", "content": [{"type": "text", "text": "你好", "image": None}]}, {"role": "assistant", "content": [{"type": "text", "text": "您好"}]}],
    "conversation_b": [{"role": "user", "content": [{"type": "text", "text": "你好", "image": None}]}, {"role": "assistant", "content": [{"type": "text", "text": "嗨"}]}],
    "language": "zh",
    "timestamp": "2025-06-19T01:02:03",
}  # fmt: skip
COMPARED = {
    "id": 30192,
    "model_a": "gpt-4-1106-preview",
    "model_b": "gpt-4-0613",
    "prompt": '["Is it right?", "And now?"]',
    "response_a": '["No.", "Yes."]',
    "response_b": '["Perhaps.", null]',
    "winner_model_a": 0,
    "winner_model_b": 1,
    "winner_tie": 0,
}
MT_BENCH = {
    "question_id": 81,
    "model_1": "alpaca-13b",
    "model_2": "gpt-4",
    "g1_winner": "model_2",
    "g2_winner": "model_2",
    "judge": ["gpt-4", "pair-v2"],
    "g1_judgment": "… [[B]]",
    "g2_judgment": "… [[A]]",
    "turn": 1,
    "tstamp": 1687222818.7,
}
ALPACA = {
    "instruction": "Name a colour.",
    "output_1": "Blue.",
    "generator_1": "text_davinci_003",
    "output_2": "Red, since it is warm.",
    "generator_2": "my-model",
    "dataset": "helpful_base",
    "annotator": "alpaca_eval_gpt4",
    "preference": 2,
}
HARD = {
    "question_id": "328c",
    "model": "my-model",
    "judge": "gpt-4-1106-preview",
    "games": [{"user_prompt": "…", "judgment": "…", "score": "B>A"}, {"judgment": "…", "score": "A>>B"}],
    "tstamp": 1713000000.0,
}
BROWSED = {
    "model_a": "50b.a",
    "model_b": "50b.b",
    "scores": [7.0, 9.0],
    "win": "model_b",
    "anony": True,
    "tstamp": 1688612117.2,
    "language": "NA",
    "question_id": 2,
    "category": "翻译",
    "question": "送货上门 英文",
    "output_a": "At the Door",
    "output_b": "Delivery to your door",
}


def one(row: dict[str, Any], baseline: str | None = None) -> Battle:
    (battle,) = convert([row], baseline)
    return battle


CASES = {
    "FastChat's server, blind": (SERVED, {"model_a": "vicuna-13b", "model_b": "koala-13b", "winner": Winner.MODEL_A, "judge": HUMAN, "anony": True, "question": "Hi?", "output_a": "Hello!", "output_b": "Hm."}),
    "FastChat's server, names shown": (SERVED | {"models": ["vicuna-13b", "koala-13b"], "type": "bothbad_vote"}, {"winner": Winner.BOTH_BAD, "anony": False}),
    "FastChat's cleaned log": (LOGGED, {"winner": Winner.BOTH_BAD, "voter": "arena_user_412", "judge": HUMAN, "anony": False, "language": "English", "question": "One?", "output_a": "1\n\n2", "question_id": "4b1"}),
    "MT-bench's human votes": (LOGGED | {"judge": "expert_12", "winner": "model_a"}, {"winner": Winner.MODEL_A, "voter": "expert_12", "judge": HUMAN}),
    "MT-bench's votes of GPT-4": (LOGGED | {"judge": "gpt4_pair", "winner": "model_b"}, {"winner": Winner.MODEL_B, "judge": "gpt4_pair", "voter": None}),
    "LMArena's set of 2025": (PUBLISHED, {"battle_id": "c4f47a", "winner": Winner.BOTH_BAD, "language": "zh", "question": "你好", "output_b": "嗨"}),
    "LMSYS's 55,000 votes": (COMPARED, {"battle_id": "30192", "winner": Winner.MODEL_B, "question": "Is it right?", "output_a": "No.\n\nYes."}),
    "MT-bench's judge": (MT_BENCH, {"winner": Winner.MODEL_B, "judge": "gpt-4", "question_id": "81", "verdicts": [Winner.MODEL_B, Winner.MODEL_B]}),
    "MT-bench's judge, second turn, contradictory": (MT_BENCH | {"g1_winner": "model_1", "turn": 2}, {"winner": Winner.TIE, "question_id": "81/turn2", "verdicts": [Winner.MODEL_A, Winner.MODEL_B]}),
    "AlpacaEval": (ALPACA, {"winner": Winner.MODEL_B, "judge": "alpaca_eval_gpt4", "scores": {"model_a": 0, "model_b": 1}, "output_b": "Red, since it is warm."}),
    "AlpacaEval, weighted": (ALPACA | {"preference": 1.25}, {"winner": Winner.MODEL_A, "scores": {"model_a": 0.75, "model_b": 0.25}}),
    "AlpacaEval, an early tie": (ALPACA | {"preference": 0}, {"winner": Winner.TIE}),
    "Arena-Hard 2": (HARD | {"baseline": "o3-mini"}, {"model_a": "o3-mini", "model_b": "my-model", "winner": Winner.MODEL_B, "verdicts": [Winner.MODEL_B, Winner.MODEL_B]}),
    "qa_browser": (BROWSED, {"winner": Winner.MODEL_B, "scores": {"model_a": 7.0, "model_b": 9.0}, "category": "翻译", "language": None, "question_id": "2"}),
    "older llmuses, both orders": ({k: v for k, v in BROWSED.items() if k != "win"} | {"win_1": "model_a", "win_2": "model_b"}, {"winner": Winner.TIE, "verdicts": [Winner.MODEL_A, Winner.MODEL_B]}),
}  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), CASES.values(), ids=CASES)
def test_each_format_becomes_a_battle(row: dict[str, Any], expected: dict[str, Any]) -> None:
    battle = one(row)
    assert {name: getattr(battle, name) for name in expected} == expected


def test_arena_hard_0_1_needs_to_be_told_its_baseline() -> None:
    assert one(HARD, "gpt-4-0314").model_a == "gpt-4-0314"
    refused = convert([HARD])
    assert list(refused) == []
    assert "--baseline NAME" in next(iter(refused.skipped))


NO_BATTLES = {
    "a chat and no vote": (SERVED | {"type": "chat"}, "no vote of two models"),
    "a verdict that failed there": (MT_BENCH | {"g2_winner": "error"}, "a verdict could not be read there"),
    "an annotation without preference": (ALPACA | {"preference": None}, "no preference"),
    "a game without score": (HARD | {"baseline": "b", "games": [{"score": None}, {"score": "A=B"}]}, "a verdict could not be read there"),
    "only one game": (HARD | {"baseline": "b", "games": [{"score": "A>B"}]}, "a verdict could not be read there"),
    "a model against itself": (LOGGED | {"model_b": "gpt-4"}, "a model against itself"),
    "a winner that is no word": (LOGGED | {"winner": "invalid"}, "winner 'invalid' is unknown"),
    "two winners": (COMPARED | {"winner_tie": 1}, "no winner, or several"),
    "a score of one answer": ({"question_id": 81, "model": "m", "judge": ["gpt-4", "single-v1"], "score": 7, "turn": 1}, "a score of one answer is no battle"),
    "something else": ({"hello": "world"}, "no format that is known"),
    "states that are missing": (SERVED | {"states": [{}]}, "a row of fastchat that is broken (IndexError)"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "reason"), NO_BATTLES.values(), ids=NO_BATTLES)
def test_what_decides_nothing_is_counted_with_its_reason(row: dict[str, Any], reason: str) -> None:
    found = convert([row])
    assert list(found) == []
    assert dict(found.skipped) == {reason: 1}


def test_the_same_row_twice_is_one_battle_and_an_address_is_not_kept() -> None:
    found = convert([SERVED, SERVED])
    (battle,) = found
    assert found.skipped == {"the same row again": 1}
    assert battle.voter and "192" not in battle.voter


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.jsonl.gz", "rows.csv"])
def test_lines_lists_tables_and_gzip_are_read_alike(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    rows = [COMPARED | {"id": number} for number in range(3)]
    if name.endswith(".csv"):
        with open(path, "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(COMPARED))
            table.writeheader()
            table.writerows(rows)
    else:
        text = json.dumps(rows) if name.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    assert [battle.winner for battle in convert_files([path])] == [Winner.MODEL_B] * 3


def test_a_broken_line_is_named_and_a_line_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(LOGGED) + '\n{"model_a": "x", "mod')
    assert len(list(convert_files([path]))) == 1
    path.write_text(json.dumps(LOGGED) + "\n{broken\n" + json.dumps(LOGGED) + "\n")
    with pytest.raises(DataError, match=r"log\.jsonl:2: not a JSON object"):
        list(convert_files([path]))


def test_the_command_writes_battles_that_can_be_rated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = tmp_path / "votes.jsonl", tmp_path / "battles.jsonl"
    rows = [LOGGED | {"tstamp": n, "winner": ("model_a", "model_b", "model_a")[n % 3]} for n in range(9)]
    source.write_text("".join(json.dumps(row) + "\n" for row in [*rows, LOGGED | {"winner": "?"}]))
    assert main(["convert", str(source), "--output", str(output)]) == 1
    said = capsys.readouterr()
    assert "9 battles (9 of votes)" in said.out and "1 rows left out: winner '?' is unknown" in said.err
    assert len(list(JsonlStore(output, Battle))) == 9
    assert [model.model for model in rate(output).models] == ["gpt-4", "alpaca-13b"]


def test_files_without_a_battle_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = tmp_path / "other.jsonl", tmp_path / "battles.jsonl"
    source.write_text('{"hello": 1}\n')
    assert main(["convert", str(source), "--output", str(output)]) == 2
    assert "no row is a battle (no format that is known)" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.jsonl"]


@pytest.mark.skipif(not SHARED.exists(), reason="the published annotations are not on this machine (../shared)")
@pytest.mark.parametrize("name", ["NullModel", "claude-2", "vicuna-13b", "gemma-7b-it", "Qwen-14B-Chat"])
def test_published_annotations_give_the_published_win_rates(name: str) -> None:
    (path,) = SHARED.glob(f"*/{name}.json.gz")
    with open(next(SHARED.glob("*leaderboard.csv")), encoding="utf-8") as file:
        (published,) = (row for row in csv.DictReader(file) if row[""] == name)
    battles = list(convert_files([path]))
    wins = sum(battle.winner is Winner.MODEL_B for battle in battles)
    losses = sum(battle.winner is Winner.MODEL_A for battle in battles)
    assert (wins, losses, len(battles)) == (
        int(published["n_wins"]),
        int(published["n_wins_base"]),
        int(published["n_total"]),
    )
    rate_ = sum((battle.scores or {})["model_b"] for battle in battles) / len(battles)
    assert 100 * rate_ == pytest.approx(float(published["win_rate"]))


def test_battles_that_are_taken_out_or_withdrawn_are_not_handed_on(tmp_path: Path) -> None:
    own = [{"battle_id": f"b{n}", "question_id": "q", "model_a": "m", "model_b": "n", "winner": "tie", "question": "a"} for n in range(4)]  # fmt: skip
    gone = [
        {"battle_id": "b1", "reason": "a model names itself"},
        {"battle_id": "b2", "redacted": True, "reason": "withdrawn"},
    ]
    first, second = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    first.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in [gone[1], *own]))
    second.write_bytes(json.dumps(gone[0]).encode() + b"\n")
    for found in (convert_files([first, second]), convert(iter([*own, *gone]))):
        assert [battle.battle_id for battle in found] == ["b0", "b3"]
        assert (found.taken_out, found.skipped.total()) == (2, 0)


def test_our_own_lines_come_back_whole() -> None:
    own = Battle(
        battle_id="b", question_id="q", model_a="m", model_b="n", winner=Winner.BOTH_BAD, judge="some-judge", voter="v",
        tier="login", policy="active", pair_probability=0.25, anony=False, question="a", latency_a=1.5,
    )  # fmt: skip
    (found,) = convert([msgspec.to_builtins(own)])
    assert found == own

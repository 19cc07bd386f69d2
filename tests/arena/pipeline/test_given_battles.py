"""Battles that are there already are judged once more: what people voted on, whoever asked it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from arena.audit import audit
from arena.formats import convert_files
from arena.pipeline.given_battles import read_given
from arena.pipeline.run import Result, Talk, run_arena
from llmuses.errors import DataError, UsageError
from llmuses.records import Battle, Exclusion, Message, Record, Redaction, Restoration, Winner
from llmuses.settings import arena_dir
from llmuses.store import JsonlStore
from llmuses.visibility import decide, standing
from tests.arena.pipeline.arenas import Longer, Worth, ref


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMUSES_OUTPUTS", raising=False)
    Longer.calls.clear()


def vote(number: int, **more: Any) -> Battle:
    told = {
        "battle_id": f"v{number}", "question_id": "hi", "question": "Hi?", "model_a": "one", "model_b": "two",
        "output_a": f"Hello {'!' * number}", "output_b": "你好", "winner": Winner.MODEL_A, "voter": "ada",
        "policy": "uniform", "pair_probability": 0.5, "finish_a": "stop", "finish_b": "length",
    }  # fmt: skip
    return Battle(**{**told, **more})


def given(folder: Path, lines: Sequence[Record]) -> Path:
    with JsonlStore(folder / "votes.jsonl", Record) as store:
        store.append_all(lines)
    return folder / "votes.jsonl"


def config(folder: Path, **more: Any) -> Path:
    content = {"battles_file": "votes.jsonl", "reviews_gen": {"reviewer": {"ref": ref(Longer)}}, **more}
    (folder / "again.yaml").write_text(yaml.safe_dump(content))
    return folder / "again.yaml"


def hidden(folder: Path) -> bool:
    stands = standing(folder)
    return stands is not None and stands.hidden


def battles(result: Result) -> list[Battle]:
    return list(JsonlStore(result.folder / "battles.jsonl", Battle))


def test_each_pair_of_answers_is_judged_once_and_meets_the_votes_on_it(tmp_path: Path) -> None:
    turned = vote(
        2, battle_id="v2 of bob", voter="bob", model_a="two", model_b="one", output_a="你好", output_b="Hello !!"
    )
    path = given(tmp_path, [vote(1), vote(2), turned, vote(3)])
    result = run_arena(config(tmp_path))
    assert len(Longer.calls) == 3 * 2, "three pairs of answers to one prompt, in both orders"
    assert result.complete and result.report is not None
    assert (result.report.planned, result.report.decided, result.report.missing) == (3, 3, {})
    told = battles(result)[0]
    assert (told.judge, told.policy, told.pair_probability) == ("Longer", "uniform", 0.5)
    assert (told.question, told.output_b, told.finish_b) == ("Hi?", "你好", "length")
    # votes written before lines said what they compare: convert says it
    from llmuses.cli import main

    assert main(["convert", str(path), "--output", "known.jsonl"]) == 0
    found = audit([tmp_path / "known.jsonl", result.folder / "battles.jsonl"]).same_battles
    assert found is not None and found.judges[0].agreement.all.n == 3


def test_what_visitors_of_the_live_arena_wrote_is_hidden_until_somebody_publishes_it(tmp_path: Path) -> None:
    given(arena_dir(tmp_path / "outputs"), [vote(1)])
    again = config(tmp_path, battles_file=str(arena_dir(tmp_path / "outputs") / "votes.jsonl"))
    folder = run_arena(again).folder
    assert hidden(folder)
    decide(folder, False, "", "ada")
    run_arena(again)
    assert not hidden(folder), "who published it is not overruled by the next run"
    given(tmp_path, [vote(1)])
    other = config(tmp_path).rename(tmp_path / "other.yaml")
    assert not hidden(run_arena(other).folder), "votes that lie elsewhere are nobody's secret"


def test_nothing_is_judged_twice_and_what_people_add_is_judged_next(tmp_path: Path) -> None:
    given(tmp_path, [vote(1), vote(2)])
    first = battles(run_arena(config(tmp_path)))
    given(tmp_path, [vote(3)])
    again = battles(run_arena(config(tmp_path)))
    assert again[:2] == first and len(again) == 3 and len(Longer.calls) == 6


def test_a_conversation_is_judged_whole_and_still_meets_its_vote(tmp_path: Path) -> None:
    said = [Message("user", "Hi?"), Message("user", "And now?")]
    path = given(tmp_path, [vote(1, conversation=said, output_a="Hello!\n\nBye.", output_b="你好\n\n再见")])
    run_arena(config(tmp_path))
    assert Longer.calls[0] == ("Hi?\n\nAnd now?", "Hello!\n\nBye.", "你好\n\n再见")
    (result,) = JsonlStore(tmp_path / "outputs" / "arena-again" / "battles.jsonl", Battle)
    (slot,) = read_given(path).slots
    assert result.comparison_id == slot.question.question_id


def test_what_was_taken_out_or_withdrawn_is_not_judged_and_what_was_let_in_again_is(tmp_path: Path) -> None:
    given(tmp_path, [
        *(vote(number) for number in range(1, 5)),
        Exclusion(battle_id="v1", reason="spam", tstamp=1.0), Redaction(battle_id="v2", tstamp=1.0),
        Exclusion(battle_id="v3", reason="spam", tstamp=1.0), Restoration(battle_id="v3", restored="was none", tstamp=2.0),
        Restoration(battle_id="v2", restored="no", tstamp=2.0),
    ])  # fmt: skip
    assert [battle.output_a for battle in battles(run_arena(config(tmp_path)))] == ["Hello !!!", "Hello !!!!"]


def test_what_people_withdraw_after_it_was_judged_is_withdrawn_there_too_by_the_same_command(tmp_path: Path) -> None:
    given(tmp_path, [vote(1), vote(2), vote(3)])
    run_arena(config(tmp_path))
    given(tmp_path, [Redaction(battle_id="v2", tstamp=1.0)])
    result = run_arena(config(tmp_path))
    assert result.report is not None and any(
        "1 earlier battles are no longer in" in note for note in result.report.notes
    )
    path = result.folder / "battles.jsonl"
    assert [battle.output_a for battle in convert_files([path])] == ["Hello !", "Hello !!!"]
    before = path.read_bytes()
    run_arena(config(tmp_path))
    assert path.read_bytes() == before


def test_what_a_judge_of_texts_cannot_see_is_left_out_and_counted(tmp_path: Path) -> None:
    given(tmp_path, [vote(1), vote(2, category="image"), vote(3, output_a=None), vote(4, question=None)])
    (tmp_path / "votes.jsonl").open("a").write('{"model_a": "one"}\n')
    report = run_arena(config(tmp_path)).report
    assert report is not None and report.decided == 1
    assert {note for note in report.notes if "not judged" in note} == {
        "2 lines of votes.jsonl are not judged: their lines do not hold prompt and answers.",
        "1 lines of votes.jsonl are not judged: an image is part of the prompt.",
        "1 lines of votes.jsonl are not judged: no format that is known.",
    }


def test_a_budget_draws_from_the_battles(tmp_path: Path) -> None:
    given(tmp_path, [vote(number) for number in range(1, 10)])
    report = run_arena(config(tmp_path, budget=8)).report
    assert report is not None and report.decided == 4 and len(Longer.calls) == 8


def test_battles_without_texts_leave_nothing_to_judge(tmp_path: Path) -> None:
    given(tmp_path, [vote(1, output_a=None)])
    with pytest.raises(DataError, match="there is nothing to judge"):
        run_arena(config(tmp_path))
    assert not (tmp_path / "outputs").exists()


REFUSED = {
    "neither": ({"battles_file": ""}, "name a questions_file, or a battles_file"),
    "both": ({"questions_file": "q.jsonl"}, "and not both"),
    "answers as well": ({"answers_gen": {"m": {"model": "baseline:echo"}}}, "leave out answers_gen"),
    "no judge": ({"reviews_gen": {"enable": False}}, "enable reviews_gen"),
    "another mode": ({"reviews_gen": {"reviewer": {"ref": ref(Worth), "args": {"mode": "single"}}}}, "mode pairwise"),
    "a file that is not there": ({"battles_file": "gone.jsonl"}, "there is no such file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    given(tmp_path, [vote(1)])
    more, words = REFUSED[case]
    with pytest.raises(UsageError, match=words) as problem:
        run_arena(config(tmp_path, **more))
    assert "\n" not in str(problem.value)


# --- A dry run shows what the judge would be sent -----------------------------------------------------------------


def test_a_dry_run_shows_one_call_whole_and_no_letter_of_it_moves_the_terminal(tmp_path: Path) -> None:
    given(tmp_path, [vote(1, output_a="Hello \x1b[2J\r\x9b!")])
    reviewer = {"args": {"model": "openai:nobody", "model_args": {"base_url": "http://127.0.0.1:9/v1"}}}
    said: list[str] = []
    path = config(tmp_path, reviews_gen={"reviewer": reviewer})
    run_arena(path, dry_run=True, talk=Talk(None, said.append, lambda *_: None))
    (shown,) = (line for line in said if "as it would be sent" in line)
    assert "question " in shown and "one and two" in shown
    assert "[system]" in shown and "[user]" in shown
    assert "Hello \\x1b[2J\\r\\x9b!" in shown and "你好" in shown
    (first, *_) = (
        json.loads(line) for line in (tmp_path / "outputs/arena-again/dry-run/verdicts/dry-run.jsonl").open()
    )
    sent = "\n".join(f"[{message['role']}]\n{message['content']}" for message in first["ask"]["messages"])
    assert sent.replace("\x1b", "\\x1b").replace("\r", "\\r").replace("\x9b", "\\x9b") in shown
    said.clear()
    run_arena(config(tmp_path), talk=Talk(None, said.append, lambda *_: None))
    assert not any("as it would be sent" in line for line in said)

"""Battles written down while the judge is still at work: what is decided for good is there early, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from arena.pipeline import arriving
from arena.pipeline.run import run_arena
from llmuses.errors import LlmusesError
from llmuses.records import Battle
from llmuses.store import JsonlStore
from tests.arena.pipeline.arenas import Moody, Worth, write_answers, write_config, write_questions


class Watched(Worth):
    """Looks, at each call, how many battles are written down."""

    calls: ClassVar[list[tuple[str, str, str | None]]] = []
    seen: ClassVar[list[int]] = []

    def review(self, question: str, answer_a: str, answer_b: str | None) -> str:
        """Return a verdict in brackets."""
        found = list(Path("outputs").glob("*/battles.jsonl"))
        self.seen.append(len(list(JsonlStore(found[0], Battle))) if found else 0)
        return super().review(question, answer_a, answer_b)


class Dies(Worth):
    """Ends the run after 20 calls, until ``cured``."""

    calls: ClassVar[list[tuple[str, str, str | None]]] = []
    cured: ClassVar[bool] = False

    def review(self, question: str, answer_a: str, answer_b: str | None) -> str:
        """Return a verdict in brackets."""
        if len(self.calls) >= 20 and not self.cured:
            raise KeyboardInterrupt
        return super().review(question, answer_a, answer_b)


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(arriving, "EVERY", 0.0)
    monkeypatch.delenv("LLMUSES_OUTPUTS", raising=False)
    for kind in (Watched, Dies, Moody):
        kind.calls.clear()
    Watched.seen.clear()
    Dies.cured = Moody.cured = False
    write_questions(tmp_path, 9)


def config(folder: Path, kind: type, **more: Any) -> Path:
    files = [
        write_answers(folder, name, [start + n % 4 for n in range(9)])
        for name, start in (("low", 1), ("mid", 3), ("top", 5))
    ]
    return write_config(folder, files, kinds=(kind,), **more)


def test_battles_are_there_before_the_judge_has_ended_and_each_is_there_once(tmp_path: Path) -> None:
    result = run_arena(config(tmp_path, Watched))
    assert Watched.seen[0] == 0
    assert 0 < Watched.seen[-1] < 27
    assert Watched.seen == sorted(Watched.seen)
    found = list(JsonlStore(result.folder / "battles.jsonl", Battle))
    assert len(found) == len({battle.battle_id for battle in found}) == 27


def test_what_was_decided_before_an_end_in_the_middle_stays_and_is_not_written_again(tmp_path: Path) -> None:
    path = config(tmp_path, Dies)
    with pytest.raises((LlmusesError, KeyboardInterrupt)):
        run_arena(path)
    (record,) = Path("outputs").glob("*/battles.jsonl")
    before = record.read_bytes()
    assert 0 < len(list(JsonlStore(record, Battle))) < 27
    Dies.cured = True
    run_arena(path)
    assert record.read_bytes().startswith(before)
    assert len(list(JsonlStore(record, Battle))) == 27


def test_what_a_judge_has_not_said_legibly_is_not_decided_early_and_takes_nothing_out(tmp_path: Path) -> None:
    path = config(tmp_path, Moody)
    run_arena(path)
    Moody.cured = True
    result = run_arena(path)
    assert len(list(JsonlStore(result.folder / "battles.jsonl", Battle))) == 24, "of q5 the judge said nothing twice"
    lines = (result.folder / "battles.jsonl").read_text().splitlines()
    assert len(lines) == 24, "no exclusion among them"

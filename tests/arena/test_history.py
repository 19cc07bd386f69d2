"""Ratings over time: each moment's are those of the battles up to it."""

from __future__ import annotations

import pytest

from arena.history import rating_history
from arena.rating import rate
from arena.rating_records import Rule
from llmuses.errors import DataError
from llmuses.records import HUMAN, Battle
from llmuses.store import JsonlStore
from tests.support.arenas import write_arena


def test_each_moment_is_what_rate_makes_of_the_battles_up_to_it(tmp_path):
    path = write_arena(tmp_path) / "battles.jsonl"
    moments = rating_history(path, Rule(judge=HUMAN), moments=4)
    assert [moment.battles for moment in moments] == sorted(moment.battles for moment in moments)
    battles = [b for b in JsonlStore(path, Battle) if b.battle_id not in ("b00007", "b00009")]
    for number, moment in enumerate(moments):
        part = tmp_path / f"part{number}.jsonl"
        with JsonlStore(part, Battle) as store:
            store.append_all([battle for battle in battles if battle.tstamp <= moment.tstamp])
        expected = {line.model: (line.rating, line.battles) for line in rate(part, Rule(judge=HUMAN)).models}
        assert {line.model: (pytest.approx(line.rating), line.battles) for line in moment.models} == expected


def test_battles_without_times_have_no_history(tmp_path):
    path = tmp_path / "battles.jsonl"
    path.write_text('{"model_a": "a", "model_b": "b", "winner": "tie"}\n' * 3)
    assert rating_history(path) == []


def test_a_file_without_battles_is_said(tmp_path):
    path = tmp_path / "battles.jsonl"
    path.write_text("{}\n")
    with pytest.raises(DataError):
        rating_history(path)

"""People's votes as an admin sees them: the last ones, what takes them out and brings them back, what withdraws them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from llmuses.errors import UsageError
from llmuses.records import HUMAN, Exclusion, Record, Redaction, Restoration
from llmuses.store import JsonlStore, Sync, query

_COLUMNS = {
    "battle_id": "VARCHAR",
    "model_a": "VARCHAR",
    "model_b": "VARCHAR",
    "winner": "VARCHAR",
    "judge": "VARCHAR",
    "voter": "VARCHAR",
    "tier": "VARCHAR",
    "question": "VARCHAR",
    "reason": "VARCHAR",
    "restored": "VARCHAR",
    "redacted": "BOOLEAN",
    "tstamp": "DOUBLE",
}

_EXCERPT = 200

_SQL = f"""
    WITH narrow AS MATERIALIZED (
        SELECT battle_id, model_a, model_b, winner, coalesce(judge, '{HUMAN}') AS judge, voter, tier,
            left(question, {_EXCERPT}) AS question, reason, restored, coalesce(redacted, false) AS redacted,
            coalesce(tstamp, 0) AS tstamp
        FROM lines),
    marks AS (
        SELECT battle_id, bool_or(redacted) AS withdrawn, max(tstamp) AS said,
            arg_max(reason, tstamp) FILTER (reason IS NOT NULL) AS reason,
            max(tstamp) FILTER (reason IS NOT NULL) AS taken_out, max(tstamp) FILTER (restored IS NOT NULL) AS restored
        FROM narrow WHERE model_a IS NULL GROUP BY battle_id)
    SELECT battle_id, model_a, model_b, winner, voter, tier, question, tstamp,
        CASE WHEN taken_out > coalesce(marks.restored, -1) THEN marks.reason END AS excluded,
        coalesce(withdrawn, false) AS withdrawn, coalesce(said, 0) AS said
    FROM narrow AS votes LEFT JOIN marks USING (battle_id)
    WHERE model_a IS NOT NULL AND judge = '{HUMAN}'"""


class Vote(NamedTuple):
    """A vote: who met, what was said by whom, and whether it counts. ``tstamp`` in seconds since 1970.

    ``excluded`` says why it does not count, None where it does. ``said`` is when the last line about it was written.
    """

    battle_id: str
    model_a: str
    model_b: str
    winner: str
    voter: str | None
    tier: str | None
    question: str | None
    tstamp: float
    excluded: str | None
    withdrawn: bool
    said: float


class Wanted(NamedTuple):
    """Which votes: of one voter, with one model, those that are taken out (``excluded``) or those of ``voters``."""

    voter: str | None = None
    model: str | None = None
    excluded: bool = False
    voters: Sequence[str] | None = None


def last_votes(path: Path, wanted: Wanted, number: int) -> list[Vote]:
    """Return the last votes of a file of battles, the newest first. Those that were withdrawn are not shown."""
    conditions, given = ["NOT coalesce(withdrawn, false)"], dict[str, object]()
    for name, value, sql in (
        ("voter", wanted.voter, "voter = $voter"),
        ("model", wanted.model, "(model_a = $model OR model_b = $model)"),
        ("voters", list(wanted.voters) if wanted.voters is not None else None, "list_contains($voters, voter)"),
    ):
        if value is not None:
            conditions.append(sql)
            given[name] = value
    if wanted.excluded:
        conditions.append("taken_out > coalesce(marks.restored, -1)")
    sql = f"{_SQL} AND {' AND '.join(conditions)} ORDER BY votes.tstamp DESC, battle_id LIMIT {number:d}"
    return [Vote(*row) for row in query([path], _COLUMNS, sql, given)]


def exclude(path: Path, battle_ids: Sequence[str], reason: str) -> int:
    """Take votes out of the ratings and return how many counted before. Raises UsageError for one that is not there."""
    votes = [vote for vote in _votes(path, battle_ids) if vote.excluded is None]
    return _write(path, (Exclusion(battle_id=vote.battle_id, reason=reason, tstamp=_after(vote)) for vote in votes))


def exclude_voter(path: Path, voter: str, reason: str) -> int:
    """Take all votes of a voter out of the ratings and return how many counted before. Raises UsageError for an unknown one."""
    votes = last_votes(path, Wanted(voter=voter), 1 << 40)
    if not votes:
        raise UsageError(f"there is no vote of {voter}.")
    counted = [vote for vote in votes if vote.excluded is None]
    return _write(path, (Exclusion(battle_id=vote.battle_id, reason=reason, tstamp=_after(vote)) for vote in counted))


def restore(path: Path, battle_ids: Sequence[str], reason: str) -> int:
    """Have votes count again and return how many did not before. Raises UsageError for one that is not there."""
    votes = [vote for vote in _votes(path, battle_ids) if vote.excluded is not None]
    return _write(path, (Restoration(battle_id=vote.battle_id, restored=reason, tstamp=_after(vote)) for vote in votes))


def withdraw(path: Path, battle_ids: Sequence[str]) -> int:
    """Withdraw battles on request, for good. Raises UsageError for one that is not there: nothing is withdrawn then."""
    known = {
        row[0]
        for row in query(
            [path],
            {"battle_id": "VARCHAR", "model_a": "VARCHAR"},
            "SELECT DISTINCT battle_id FROM lines WHERE model_a IS NOT NULL AND list_contains($wanted, battle_id)",
            {"wanted": list(battle_ids)},
        )
    }
    if missing := [battle_id for battle_id in battle_ids if battle_id not in known]:
        raise UsageError(f"{path} holds no battle {' and no battle '.join(missing)}: nothing was withdrawn.")
    now = time.time()
    return _write(path, (Redaction(battle_id=battle_id, tstamp=now) for battle_id in battle_ids))


def _votes(path: Path, battle_ids: Sequence[str]) -> list[Vote]:
    given = {"wanted": list(battle_ids)}
    votes = [Vote(*row) for row in query([path], _COLUMNS, f"{_SQL} AND list_contains($wanted, battle_id)", given)]
    known = {vote.battle_id for vote in votes if not vote.withdrawn}
    if missing := [battle_id for battle_id in battle_ids if battle_id not in known]:
        raise UsageError(f"there is no vote {' and no vote '.join(missing)}.")
    return votes


def _after(vote: Vote) -> float:
    """Return now, or a moment after what was said of the vote before where a clock went back: the last word counts."""
    return max(time.time(), vote.said + 1e-3)


def _write(path: Path, lines: Iterable[Record]) -> int:
    with JsonlStore(path, Record, Sync.ALWAYS) as store:
        return store.append_all(lines)

"""How AI battles stand that a job fights: read from the config that it was given and the arena's folder."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec

from arena.pipeline.config import ArenaConfig, Orders, found, judge_args, read_config, slug
from arena.pipeline.questions import Question, read_questions
from arena.pipeline.report_records import ArenaReport
from leaderboard.arenas import Source
from llmuses.errors import LlmusesError
from llmuses.jobs import Job
from llmuses.records import Battle
from llmuses.store import read_json
from llmuses.web.admin.room import Room

_TAIL = 256_000
"""Bytes at the end of a file of battles in which the newest are looked for."""


class BattleJob(NamedTuple):
    """An arena of a job: its file of battles where there is one, the stores of its answers and verdicts, how many answers and
    battles there are, and will be."""

    name: str
    source: Source | None
    stores: list[Path]
    answers: int
    all_answers: int
    battles: int
    all_battles: int
    report: ArenaReport | None = None
    """What came out, of a job that has ended; None where it ended before the report."""

    @property
    def undecided(self) -> bool:
        """Return whether it ended and no battle was decided though some were to be."""
        return self.report is not None and not self.report.decided and self.report.planned > 0


class Wanted(NamedTuple):
    """What a config asks for: answers, battles, and the judge's calls for these."""

    answers: int
    battles: int
    calls: int


def wanted(config: ArenaConfig, questions: Sequence[Question]) -> Wanted:
    """Return what a config of pairs asks for. Raises UsageError for a judge's arguments that cannot be meant."""
    players = [name for name, player in config.answers_gen.items() if player.enable]
    battles = len(questions) * len(list(combinations(players, 2)))
    orders = [judge_args(reviewer).position_bias_mitigation for reviewer in config.reviews_gen.reviewers]
    each = sum(2 if order is Orders.SWAP else 1 for order in orders)
    if config.budget is not None:
        battles = min(battles, config.budget // each)
    return Wanted(sum(len(question.turns) for question in questions) * len(players), battles, battles * each)


def battle_job(room: Room, job: Job) -> BattleJob | None:
    """Return how a job's battles stand, None where it fights none."""
    path = config_of(job)
    if path is None:
        return None
    name = f"arena-{slug(path.stem)}"
    folder, source = room.outputs / name, room.arenas.source(name)
    stores = {kind: sorted((folder / kind).glob("*.jsonl")) for kind in ("answers", "verdicts")}
    plan = _wanted(path, path.stat().st_mtime_ns) if path.exists() else None
    fought = sum(number for _, number in room.arenas.facts(source).judges) if source else 0
    return BattleJob(
        name,
        source,
        [*stores["answers"], *stores["verdicts"]],
        sum(map(_lines, stores["answers"])),
        plan.answers if plan else 0,
        fought,
        plan.battles if plan else 0,
        _report(folder / "report.json") if job.status.ended else None,
    )


def _report(path: Path) -> ArenaReport | None:
    try:
        return _report_as_of(path, path.stat().st_mtime_ns)
    except (OSError, LlmusesError):
        return None


@functools.lru_cache(64)
def _report_as_of(path: Path, changed: int) -> ArenaReport:
    return read_json(path, ArenaReport)


def config_of(job: Job) -> Path | None:
    """Return the config that a job of battles was given, None for other jobs."""
    command = list(job.command)
    if command[:1] != ["arena"] or "-c" not in command[:-1]:
        return None
    return Path(command[command.index("-c") + 1])


@functools.lru_cache(64)
def _wanted(path: Path, changed: int) -> Wanted | None:
    try:
        config = read_config(path)
        return wanted(config, read_questions(found(config.questions_file, path.resolve().parent, "questions_file")))
    except LlmusesError:
        return None


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def newest(source: Source, number: int) -> list[Battle]:
    """Return the last battles of a file, newest first. Lines that are none are passed over."""
    try:
        with open(source.battles, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            lines = file.read().splitlines()
    except OSError:
        return []
    battles = []
    for line in reversed(lines):
        try:
            battles.append(msgspec.json.decode(line, type=Battle))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if len(battles) == number:
            break
    return battles

"""Who answers and who is judged, as a config names them: models that are asked, and files of answers that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from arena.pipeline.config import ArenaConfig, PlayerConfig, found
from arena.pipeline.questions import rows
from llmuses.errors import DataError, UnknownNameError, UsageError
from llmuses.judge.templates import JudgeMode

ASKED_BY = "llmuses"
"""Marks the answers of a file that were asked here: they follow from the store, and are asked anew where that asks for it."""


class Player(NamedTuple):
    """One model of an arena. ``config`` is None where only a file of its answers is known."""

    name: str
    config: PlayerConfig | None
    answers: Path | None = None
    """A file of answers from elsewhere, or the one that they are written to."""

    @property
    def asked(self) -> bool:
        """Return whether the model is to be asked what it has not answered."""
        return self.config is not None and self.config.enable


class Cast(NamedTuple):
    """All players. ``judged`` are those that are compared or scored; ``baseline`` is what they are compared with."""

    players: list[Player]
    judged: list[Player]
    baseline: Player | None


def cast_of(config: ArenaConfig, beside: Path, mode: JudgeMode) -> Cast:
    """Return who plays. Raises UsageError or UnknownNameError for names that lead nowhere, DataError for a broken file."""
    own = {name: Player(name, player, _output(player)) for name, player in config.answers_gen.items()}
    targets = config.reviews_gen.targets
    if targets:
        judged = [_named(target, own, beside, "target_answers") for target in targets]
    else:
        judged = [player for player in own.values() if player.asked]
    baseline = _baseline(config, own, beside) if mode is JudgeMode.BASELINE else None
    judged = [player for player in judged if baseline is None or player.name != baseline.name]
    everybody = {player.name: player for player in own.values() if player.asked}
    for player in [*judged, *([baseline] if baseline else [])]:
        if everybody.setdefault(player.name, player) != player:
            raise UsageError(f"two files of answers are of a model called '{player.name}'.")
    _check_number(config, judged, mode)
    return Cast(list(everybody.values()), judged, baseline)


def _check_number(config: ArenaConfig, judged: Sequence[Player], mode: JudgeMode) -> None:
    if len({player.name for player in judged}) < len(judged):
        raise UsageError("target_answers names one model twice.")
    if not judged and not any(player.enable for player in config.answers_gen.values()):
        raise UsageError("no model is enabled in answers_gen, and target_answers names nobody.")
    if config.reviews_gen.enable and len(judged) < (2 if mode is JudgeMode.PAIRWISE else 1):
        raise UsageError(
            f"mode {mode} needs {'two models' if mode is JudgeMode.PAIRWISE else 'a model'} or more to judge: "
            "enable them in answers_gen or name them in target_answers."
        )


def _output(player: PlayerConfig) -> Path | None:
    return Path(player.output_file).expanduser() if player.output_file else None


def _baseline(config: ArenaConfig, own: Mapping[str, Player], beside: Path) -> Player:
    named = config.reviews_gen.baseline_file or config.rating_gen.baseline_model
    if not named:
        raise UsageError("mode pairwise_baseline needs a baseline_file, or a baseline_model of answers_gen.")
    baseline = _named(named, own, beside, "baseline_file" if config.reviews_gen.baseline_file else "baseline_model")
    called = config.rating_gen.baseline_model
    if called and called != baseline.name:
        if baseline.config is None:
            return baseline._replace(name=called)
        raise UsageError(f"baseline_model is '{called}', but baseline_file is of '{baseline.name}'.")
    return baseline


def _named(target: str, own: Mapping[str, Player], beside: Path, key: str) -> Player:
    """Return the player that a name, its output_file or a file of answers stands for."""
    if target in own:
        return own[target]
    place = Path(target).expanduser()
    for player in own.values():
        if player.answers is not None and player.answers.absolute() == place.absolute():
            return player
    if "/" not in target and not place.suffix:
        raise UnknownNameError(f"model in {key}", target, own)
    path = found(target, beside, key)
    answers = read_answers(path)
    return Player(answers.model or path.stem.removeprefix("answer_"), None, path)


class AnswerFile(NamedTuple):
    """What a file of answers holds: the model's name if it says so, each question's answers in the order of turns, and
    which of them another program gave (they carry no key)."""

    model: str | None
    turns: dict[str, tuple[str, ...]]
    foreign: set[str]


def read_answers(path: Path) -> AnswerFile:
    """Return the answers of a file: our own, old llmuses' (``answer``), FastChat's (``choices``) or plain ones (``output``).

    Raises DataError that names the line.
    """
    answers = AnswerFile(None, {}, set())
    for place, row in rows(path):
        identifier = row.get("question_id")
        if identifier is None:
            raise DataError(f"{place}: an answer needs a question_id.")
        turns = _turns(row, place)
        answers.turns[str(identifier)] = turns
        if row.get("asked_by") != ASKED_BY:
            answers.foreign.add(str(identifier))
        name = row.get("model_id") or row.get("model") or row.get("generator")
        if name and answers.model is None:
            answers = answers._replace(model=str(name))
    return answers


def _turns(row: Mapping[str, Any], place: str) -> tuple[str, ...]:
    said: Any = row.get("turns")
    if row.get("choices"):
        said = row["choices"][0].get("turns") if isinstance(row["choices"][0], dict) else None
    for name in ("answer", "output", "reference", "text"):
        said = said or row.get(name)
    turns = (said,) if isinstance(said, str) else tuple(said or ())
    if not turns or not all(isinstance(turn, str) for turn in turns):
        raise DataError(f"{place}: an answer is a text under 'answer', or texts under choices[0].turns.")
    return turns

"""The first step: every model answers every question, turn by turn, through ``infer``.

``answers/MODEL.jsonl`` holds the first answers, ``answers/MODEL.turn2.jsonl`` those to a second question, and so on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from arena.pipeline.config import slug
from arena.pipeline.folder import ArenaFolder, ArenaState, Known, typed
from arena.pipeline.players import ASKED_BY, Player, read_answers
from arena.pipeline.questions import Question
from llmuses.errors import StoreError
from llmuses.evaluation.plan import generation_config
from llmuses.inference import Item, infer, stored, superseded
from llmuses.models import Model, load_model
from llmuses.models.load import parse_spec, public_args
from llmuses.records import (
    ErrorKind,
    Generate,
    GenerationConfig,
    Message,
    Mode,
    Prediction,
    Request,
    Response,
    Sample,
)

Progress = Callable[[str, int, int], None]
"""Is told how a step goes: what is done, how many of how many."""


class Answer(NamedTuple):
    """A model's answers to one question, a text a turn, and what is known of how they came; seconds over all turns."""

    turns: tuple[str, ...]
    finish: str | None = None
    latency: float | None = None
    generation: GenerationConfig | None = None


class Missing(NamedTuple):
    """Why there is no answer: ``failed`` may pass, ``rejected`` is for good, ``absent`` was never given."""

    kind: str
    reason: str


class Played(NamedTuple):
    """What a model answered, by question, and what is missing."""

    answers: dict[str, Answer]
    missing: dict[str, Missing]


class TurnItems:
    """What one model is asked in one turn: those questions whose earlier turns it answered."""

    def __init__(
        self,
        dataset: str,
        questions: Sequence[Question],
        turn: int,
        before: dict[str, Answer],
        config: GenerationConfig,
    ):
        self._dataset = dataset
        self._turn = turn
        self._before = before
        self._config = config
        self._questions = [q for q in questions if len(q.turns) > turn and (turn == 0 or q.question_id in before)]

    def __len__(self) -> int:
        return len(self._questions)

    def __getitem__(self, index: int) -> Item:
        question = self._questions[index]
        said = self._before[question.question_id].turns if self._turn else ()
        messages = []
        for number, asked in enumerate(question.turns[: self._turn + 1]):
            messages.append(Message("user", asked))
            if number < self._turn:
                messages.append(Message("assistant", said[number]))
        sample = Sample(sample_id=question.question_id, subset=question.category, question=question.text, target="")
        return Item(self._dataset, sample, 0, Generate(messages=tuple(messages), config=self._config))


def answers_of(
    player: Player, questions: Sequence[Question], folder: ArenaFolder, state: ArenaState, progress: Progress
) -> Played:
    """Return a player's answers: those from a file, those that are stored, and, of a model that is asked, the rest.

    Raises ModelError and its like where a model cannot be loaded or asked, DataError for a broken file of answers.
    """
    given = _given(player)
    if player.config is None or (not player.asked and player.name not in state.models):
        return _only_given(player, questions, given)
    open_questions = [question for question in questions if question.question_id not in given]
    played = Played(_fitting(given, questions), {})
    if open_questions:
        _answer(player, open_questions, played, folder, state, progress)
    if player.asked and player.answers is not None:
        _write(player, questions, played, set(given))
    return played


def _given(player: Player) -> dict[str, tuple[str, ...]]:
    """Return the answers that a player's file holds and that were not asked here."""
    if player.answers is None or not player.answers.is_file():
        return {}
    answers = read_answers(player.answers)
    if player.config is None or not player.config.enable:
        return answers.turns
    return {identifier: answers.turns[identifier] for identifier in answers.foreign}


def _fitting(given: dict[str, tuple[str, ...]], questions: Iterable[Question]) -> dict[str, Answer]:
    return {
        question.question_id: Answer(given[question.question_id][: len(question.turns)])
        for question in questions
        if len(given.get(question.question_id, ())) >= len(question.turns)
    }


def _only_given(player: Player, questions: Sequence[Question], given: dict[str, tuple[str, ...]]) -> Played:
    answers = _fitting(given, questions)
    where = f"not in {player.answers}" if player.answers else "never asked"
    absent = (question for question in questions if question.question_id not in answers)
    return Played(answers, {question.question_id: Missing("absent", where) for question in absent})


def _answer(
    player: Player,
    questions: Sequence[Question],
    played: Played,
    folder: ArenaFolder,
    state: ArenaState,
    progress: Progress,
) -> None:
    """Ask a model what is open, turn by turn; add what came back to ``played``."""
    assert player.config is not None
    config = generation_config(GenerationConfig(), player.config.generation_config)
    name = slug(player.name)
    with closing(_Player(player, state)) as model:
        answers: dict[str, Answer] = {}
        total = sum(len(question.turns) for question in questions)
        done = 0
        for turn in range(max(len(question.turns) for question in questions)):
            dataset = name if turn == 0 else f"{name}.turn{turn + 1}"
            items = TurnItems(dataset, questions, turn, answers, config)
            later = dict(answers)
            reuse = [superseded(folder.answers.of(dataset).path)]
            answered: Generator[tuple[Item, Prediction], None, object]
            if player.asked:
                answered = infer(model, items, folder.answers, reuse=reuse)
            else:
                answered = stored(model.identity, items, folder.answers, failures=True)
            with closing(answered) as predictions:
                for item, prediction in predictions:
                    _add(item, prediction, later, played.missing, config)
                    done += 1
                    progress(player.name, done, total)
            answers = later
    for question in questions:
        answer = answers.get(question.question_id)
        if answer is not None and len(answer.turns) == len(question.turns):
            played.answers[question.question_id] = answer
        else:
            played.missing.setdefault(question.question_id, Missing("absent", "it was never asked and is not enabled"))
    state.models[player.name] = Known(
        spec=player.config.spec,
        args=typed(public_args(player.config.model_args)),
        identity=model.identity,
        tstamp=time.time(),
    )


def _add(
    item: Item,
    prediction: Prediction,
    answers: dict[str, Answer],
    missing: dict[str, Missing],
    config: GenerationConfig,
) -> None:
    identifier, response = item.sample.sample_id, prediction.response
    if response.error is not None:
        kind = "rejected" if response.error.kind is ErrorKind.REJECTED else "failed"
        missing[identifier] = Missing(kind, f"{response.error.code}: {response.error.message}".rstrip(": "))
        answers.pop(identifier, None)
        return
    before = answers.get(identifier)
    latency = (response.latency or 0.0) + ((before.latency or 0.0) if before else 0.0)
    turns = (*(before.turns if before else ()), response.text or "")
    answers[identifier] = Answer(turns, response.finish_reason, latency, config)


class _Player:
    """A model that is loaded when it is first asked: where all its answers are stored, its weights stay on the disk."""

    prefers = Mode.GENERATE
    details: Mapping[str, Any] = {}

    def __init__(self, player: Player, state: ArenaState):
        assert player.config is not None
        self.name = player.name
        self._spec, self._args = player.config.spec, player.config.model_args
        self._model: Model | None = None
        known = state.models.get(player.name)
        if known is not None and (not player.asked or self._is_still(known)):
            self.identity = known.identity
        else:
            self.identity = self._loaded().identity

    def _is_still(self, known: Known) -> bool:
        """Whether a model is named as before and, where it is a folder, was not written to since."""
        same = known.spec == self._spec and known.args == typed(public_args(self._args))
        return same and _changed(Path(parse_spec(self._spec).name).expanduser()) < known.tstamp

    def _loaded(self) -> Model:
        if self._model is None:
            self._model = load_model(self._spec, **self._args)
        return self._model

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Answer as the model does. Raises what the model raises, StoreError where it is no longer what it was."""
        waiting = iter(requests)
        first = next(waiting, None)
        if first is None:
            return
        model = self._loaded()
        if model.identity != self.identity:
            raise StoreError(
                f"{self.name} is not what it was when it answered; remove arena.json to have it answer anew."
            )
        yield from model.run(_again(first, waiting))

    def close(self) -> None:
        """Free the model, if it was loaded."""
        if self._model is not None:
            self._model.close()


def _again(first: Request, rest: Iterator[Request]) -> Iterator[Request]:
    yield first
    yield from rest


def _changed(path: Path) -> float:
    """Return when a folder's files were last written, 0 where it is none."""
    return max((entry.stat().st_mtime for entry in os.scandir(path)), default=0.0) if path.is_dir() else 0.0


def _write(player: Player, questions: Sequence[Question], played: Played, given: set[str]) -> None:
    """Write a player's answers where its config wants them: old llmuses' and FastChat's names for the same texts.

    ``asked_by`` says that an answer was asked here; answers from elsewhere stay without.
    """
    assert player.answers is not None
    lines = []
    for question in questions:
        answer = played.answers.get(question.question_id)
        if answer is None:
            continue
        row: dict[str, Any] = {
            "question_id": question.question_id,
            "category": question.category,
            "text": question.text,
            "model_id": player.name,
            "answer": answer.turns[0],
            "choices": [{"index": 0, "turns": list(answer.turns)}],
        }
        if question.question_id not in given:
            row["asked_by"] = ASKED_BY
        lines.append(msgspec.json.encode(row))
    write_lines(player.answers, lines)


def write_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Replace a file of lines whole. Raises StoreError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(b"".join(line + b"\n" for line in lines))
        os.replace(fresh, path)
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem

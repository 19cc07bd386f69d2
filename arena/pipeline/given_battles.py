"""Battles that are there already, whoever decided them: their prompts and answers, to be judged once more.

So that a judge can be asked about what people voted on, in the live arena or elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from arena.comparisons import BETWEEN_TURNS, WITH_IMAGE, prompts
from arena.formats import convert_files
from arena.pipeline.answers import Answer
from arena.pipeline.judging import Slot
from arena.pipeline.questions import UNSORTED, Question, language_of
from llmuses.errors import DataError
from llmuses.records import Battle


class GivenBattles(NamedTuple):
    """What a file of battles gives to judge: each pair of answers once, as a question of its own with two models' answers."""

    path: Path
    questions: Sequence[Question]
    slots: Sequence[Slot]
    answers: Mapping[str, Mapping[str, Answer]]
    notes: Sequence[str]

    @property
    def models(self) -> list[str]:
        """Return who played, in the order of names."""
        return sorted(self.answers)

    @property
    def compared(self) -> set[str]:
        """Return what is compared, by its ids."""
        return {question.question_id for question in self.questions}


def read_given(path: Path) -> GivenBattles:
    """Return the battles of a file in its order: our own or another program's, people's or a judge's.

    Battles that exclusion or redaction lines name are left out, and so are those without their texts and those with images,
    which a judge of texts cannot see: notes count them. A conversation is one question: all prompts, then all answers of a
    side. A question is known by what was compared, since one prompt may have had other answers in another battle. Raises
    DataError where nothing is left.
    """
    questions: list[Question] = []
    slots: list[Slot] = []
    answers: dict[str, dict[str, Answer]] = {}
    seen: set[str] = set()
    battles = convert_files([path])
    left_out: Counter[str] = Counter()
    for battle in battles:
        compared = battle.comparison_id
        if compared is None:
            left_out["their lines do not hold prompt and answers"] += 1
        elif battle.category == WITH_IMAGE:
            left_out["an image is part of the prompt"] += 1
        elif compared not in seen:
            seen.add(compared)
            question = _question(battle, compared)
            questions.append(question)
            slots.append(
                Slot(question, battle.model_a, battle.model_b, policy=battle.policy, chance=battle.pair_probability)
            )
            for name, answer in _answers(battle):
                answers.setdefault(name, {})[compared] = answer
    if not questions:
        raise DataError(f"{path}: no battle holds its prompt and both answers, so that there is nothing to judge.")
    left_out.update(battles.skipped)
    notes = [f"{number:,} lines of {path.name} are not judged: {why}." for why, number in left_out.items()]
    return GivenBattles(path, questions, slots, answers, notes)


def _question(battle: Battle, identifier: str) -> Question:
    text = BETWEEN_TURNS.join(prompts(battle))
    return Question(identifier, battle.category or UNSORTED, battle.language or language_of(text), (text,))


def _answers(battle: Battle) -> Iterator[tuple[str, Answer]]:
    config = battle.generation_config
    for name, output, finish, latency in (
        (battle.model_a, battle.output_a, battle.finish_a, battle.latency_a),
        (battle.model_b, battle.output_b, battle.finish_b, battle.latency_b),
    ):
        yield name, Answer((output or "",), finish, latency, config)

"""What the form of AI battles says, and the config that it comes to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import zip_longest
from math import comb
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from arena.pipeline.config import BUILT_IN, parse_config
from arena.pipeline.questions import Question, read_questions
from llmuses.errors import StoreError, UnknownNameError, UsageError
from llmuses.jobs.devices import device_of, devices_of
from llmuses.models.obstacles import obstacle
from llmuses.settings import REGISTRY, model_entries
from llmuses.web.admin.battle_job import Wanted, wanted
from llmuses.web.admin.evaluation import known_models
from llmuses.web.admin.room import Asked, Room

QUESTIONS = REGISTRY / "data" / "question.jsonl"
"""The questions that come with llmuses."""

Order = Literal["swap_position", "randomize_order"]
Policy = Literal["uniform", "fewest", "active"]
ORDERS: tuple[Order, ...] = ("swap_position", "randomize_order")
POLICIES: tuple[Policy, ...] = ("uniform", "fewest", "active")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


class BattlesAsked(Asked, kw_only=True, frozen=True):
    """The whole form. ``number`` is how many questions are taken, evenly from the categories; all where nothing is said."""

    name: str
    models: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    number: int | None = None
    budget: int | None = None
    max_tokens: int | None = None
    judge: str = ""
    orders: Order = "swap_position"
    policy: Policy = "uniform"
    hidden: bool = False


class BattlePlan(NamedTuple):
    """A config as it will be written to ``path``, the questions, and what all of it takes."""

    path: Path
    text: str
    questions: list[Question]
    own_questions: Path | None
    pairs: int
    wanted: Wanted
    hidden: bool = False


def judge_names() -> list[str]:
    """Return who may judge: the models of models.yaml."""
    return list(model_entries())


def plan_of(asked: BattlesAsked, room: Room) -> BattlePlan:
    """Return what would be done. Raises UsageError and UnknownNameError as the command would."""
    import yaml

    _check(asked)
    questions = _chosen(asked)
    path = room.log.folder / f"battles-{asked.name}.yaml"
    whole = read_questions(QUESTIONS)
    own = None if questions == whole else path.with_suffix(".questions.jsonl")
    content: dict[str, Any] = {
        "questions_file": own.name if own else str(QUESTIONS.resolve()),  # one's own lies beside the config, wherever
        "answers_gen": {name: {"model": name, **_generation(asked)} for name in asked.models},
        "reviews_gen": {
            "enable": True,
            "reviewer": {
                "ref": BUILT_IN,
                "args": {"model": asked.judge, "mode": "pairwise", "position_bias_mitigation": asked.orders},
            },
        },
        "rating_gen": {"enable": True, "metrics": ["elo", "bt"]},
    }
    if asked.budget is not None:
        content["budget"] = asked.budget
    if asked.policy != "uniform":
        content["matchmaking"] = {"policy": asked.policy}
    config = parse_config(content, path.name)
    return BattlePlan(
        path,
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True),
        questions,
        own,
        comb(len(asked.models), 2),
        wanted(config, questions),
        asked.hidden,
    )


def _generation(asked: BattlesAsked) -> dict[str, Any]:
    """Return a model's generation settings, a mapping of its own each time: YAML writes a shared one as a reference."""
    return {} if asked.max_tokens is None else {"generation_config": {"max_tokens": asked.max_tokens}}


def _check(asked: BattlesAsked) -> None:
    if not _NAME.fullmatch(asked.name):
        raise UsageError(
            "a name has letters, digits, dots, hyphens and underscores, and begins with a letter or digit."
        )
    if len(set(asked.models)) < 2:
        raise UsageError("a battle needs two models or more.")
    for model in asked.models:
        if model not in known_models():
            raise UnknownNameError("model", model, known_models())
    if asked.judge not in judge_names():
        raise UnknownNameError("judge", asked.judge, judge_names())
    for name in (*asked.models, asked.judge):
        if why := obstacle(name):
            raise UsageError(f"{name}: {why}")
    if asked.number is not None and asked.number < 1:
        raise UsageError("at least one question is asked.")


def _chosen(asked: BattlesAsked) -> list[Question]:
    """Return the questions of the form's categories, so many of them, evenly from the categories."""
    whole = read_questions(QUESTIONS)
    categories = list(dict.fromkeys(question.category for question in whole))
    for category in asked.categories:
        if category not in categories:
            raise UnknownNameError("category", category, categories)
    piles = [
        [q for q in whole if q.category == name] for name in categories if name in (asked.categories or categories)
    ]
    dealt = [question for row in zip_longest(*piles) for question in row if question is not None]
    taken = {question.question_id for question in dealt[: asked.number]}
    return [question for question in whole if question.question_id in taken]


def command_of(plan: BattlePlan, room: Room) -> list[str]:
    """Return the arguments after ``llmuses`` that carry a plan out."""
    hidden = ["--hidden"] if plan.hidden else []
    return ["arena", "-c", str(plan.path.resolve()), "--yes", *hidden, "--outputs", str(room.outputs)]


def device_for(asked: BattlesAsked) -> str:
    """Return the device that the battles occupy."""
    return devices_of([device_of(name, {}) for name in (*asked.models, asked.judge)])


def write_plan(plan: BattlePlan) -> None:
    """Write a plan's config and questions. Raises UsageError where the name is taken, StoreError where nothing can be written."""
    try:
        plan.path.parent.mkdir(parents=True, exist_ok=True)
        with open(plan.path, "x", encoding="utf-8") as file:  # whoever makes the config has the name
            if plan.own_questions is not None:
                _write_questions(plan.own_questions, plan.questions)
            file.write(plan.text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise UsageError(
            f"there are battles called {plan.path.stem.removeprefix('battles-')}: choose another name."
        ) from None
    except OSError as problem:
        raise StoreError(f"cannot write {plan.path}: {problem.strerror or problem}") from problem


def _write_questions(path: Path, questions: Sequence[Question]) -> None:
    rows = [
        {
            "question_id": question.question_id,
            "category": question.category,
            "language": question.language,
            "turns": list(question.turns),
            "reference": list(question.references),
        }
        for question in questions
    ]
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))

"""Small arenas without a server: answers in files, and reviewers of one's own that read an answer's worth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml


def worth(answer: str) -> int:
    """Return the number that an answer says it is worth."""
    return int(re.findall(r"\d+", answer)[-1])


class Worth:
    """Prefers the answer that is worth more; counts its calls."""

    free = True
    calls: ClassVar[list[tuple[str, str, str | None]]] = []

    def review(self, question: str, answer_a: str, answer_b: str | None) -> str:
        """Return a verdict in brackets."""
        self.calls.append((question, answer_a, answer_b))
        if answer_b is None:
            return f"[[{worth(answer_a)}]]"
        one, two = worth(answer_a), worth(answer_b)
        return "[[C]]" if one == two else "[[A]]" if one > two else "[[B]]"


class Contrary(Worth):
    """Prefers the answer that is worth less."""

    calls: ClassVar[list[tuple[str, str, str | None]]] = []

    def review(self, question: str, answer_a: str, answer_b: str | None) -> str:
        """Return a verdict in brackets."""
        said = super().review(question, answer_a, answer_b)
        return said.translate(str.maketrans("AB", "BA"))


class Moody(Worth):
    """Raises for questions with a 3, says nothing for those with a 5 until ``cured``."""

    cured: ClassVar[bool] = False
    calls: ClassVar[list[tuple[str, str, str | None]]] = []

    def __init__(self, patience: int = 1):
        self.patience = patience

    def review(self, question: str, answer_a: str, answer_b: str | None) -> str:
        """Return a verdict in brackets, or none."""
        said = super().review(question, answer_a, answer_b)
        if "3" in question and not self.cured:
            raise TimeoutError("not today")
        return "" if "5" in question else said


class Longer(Worth):
    """Prefers the longer answer; of answers that are as long, the one that comes first in the alphabet."""

    calls: ClassVar[list[tuple[str, str, str | None]]] = []

    def review(self, question: str, answer_a: str, answer_b: str | None) -> str:
        """Return a verdict in brackets."""
        assert answer_b is not None
        self.calls.append((question, answer_a, answer_b))
        one, two = ((-len(answer), answer) for answer in (answer_a, answer_b))
        return "[[C]]" if one == two else "[[A]]" if one < two else "[[B]]"


class Paid(Worth):
    """Costs money."""

    free = False


def ref(kind: type) -> str:
    """Return how a config names a reviewer."""
    return f"{kind.__module__}:{kind.__name__}"


def write_questions(folder: Path, count: int) -> None:
    """Write questions q0, q1, ... into ``questions.jsonl``."""
    lines = [{"question_id": f"q{n}", "category": "abc"[n % 3], "text": f"Number {n}?"} for n in range(count)]
    (folder / "questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_answers(folder: Path, model: str, worths: Sequence[int]) -> str:
    """Write a model's answers to q0, q1, ... and return the file's name."""
    path = folder / f"answer_{model}.jsonl"
    lines = [
        {"question_id": f"q{n}", "model_id": model, "answer": f"{model} says {value}"} for n, value in enumerate(worths)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def write_config(
    folder: Path,
    files: Sequence[str],
    kinds: Sequence[type] = (Worth,),
    args: Mapping[str, Any] | None = None,
    reviews: Mapping[str, Any] | None = None,
    **more: Any,
) -> Path:
    """Write a config over files of answers, judged by reviewers of one's own."""
    reviewers = [{"ref": ref(kind), "args": dict(args or {})} for kind in kinds]
    content = {
        "questions_file": "questions.jsonl",
        "reviews_gen": {"reviewer": reviewers, "target_answers": list(files), **(reviews or {})},
        **more,
    }
    path = folder / "cfg.yaml"
    path.write_text(yaml.safe_dump(content))
    return path

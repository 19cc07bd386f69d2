"""Rows in the shape of MMLU, HellaSwag and ARC, of made-up words: as long as real ones, and nobody's property."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SUBJECT = "anatomy"
"""The subset of MMLU that the made-up rows stand under."""

_SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "on", "us")]


class Words:
    """Draws sentences from a vocabulary of 2,000 words of which few are frequent, as in a language."""

    def __init__(self, seed: int):
        self._chance = random.Random(seed)
        words = random.Random(0)
        self._words = ["".join(words.choices(_SYLLABLES, k=words.choice((1, 1, 2, 2, 3)))) for _ in range(2_000)]
        self._weights = [1 / (rank + 5) for rank in range(len(self._words))]

    def sentence(self, least: int, most: int) -> str:
        """Return a sentence of so many words."""
        words = self._chance.choices(self._words, self._weights, k=self._chance.randint(least, most))
        return " ".join(words).capitalize() + "."

    def number(self, below: int) -> int:
        """Return a number from 0 on."""
        return self._chance.randrange(below)


def text() -> Iterator[str]:
    """Yield sentences to train a tokenizer on."""
    words = Words(1)
    for _ in range(3_000):
        yield words.sentence(5, 30)


def write(folder: Path, questions: int) -> None:
    """Write ``mmlu`` (the authors' CSV), ``mmlu_hub`` (the same rows as the hub has them), ``hellaswag`` and ``arc``."""
    for split, number in (("dev", 5), ("test", questions)):
        rows = [_mmlu(words) for words in _words("mmlu", split, number)]
        place = folder / "mmlu" / split / f"{SUBJECT}_{split}.csv"
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([row["question"], *row["choices"], "ABCD"[row["answer"]]] for row in rows)
        _lines(folder / "mmlu_hub" / f"{split}.jsonl", rows)
    for split, number in (("train", 40), ("validation", questions)):
        rows = [_hellaswag(words, index) for index, words in enumerate(_words("hellaswag", split, number))]
        _lines(folder / "hellaswag" / f"{split}.jsonl", rows)
    for split, number in (("train", 60), ("test", questions)):
        rows = [_arc(words, index) for index, words in enumerate(_words("arc", split, number))]
        _lines(folder / "arc" / "ARC-Challenge" / f"{split}.jsonl", rows)


def _words(name: str, split: str, number: int) -> Iterator[Words]:
    for index in range(number):
        yield Words(random.Random(f"{name} {split} {index}").getrandbits(32))


def _mmlu(words: Words) -> dict[str, Any]:
    return {
        "question": words.sentence(45, 95),
        "choices": [words.sentence(10, 24) for _ in range(4)],
        "answer": words.number(4),
    }


def _hellaswag(words: Words, index: int) -> dict[str, Any]:
    first, second = words.sentence(30, 55), words.sentence(2, 4).rstrip(".")
    return {
        "ind": index,
        "activity_label": words.sentence(2, 3).rstrip("."),
        "ctx_a": first,
        "ctx_b": second.lower(),
        "ctx": f"{first} {second}",
        "split": "train",
        "split_type": "indomain",
        "label": str(words.number(4)),
        "endings": [words.sentence(15, 30).lower() for _ in range(4)],
        "source_id": f"activitynet~v_{index}",
    }


def _arc(words: Words, index: int) -> dict[str, Any]:
    texts = [words.sentence(2, 7).rstrip(".") for _ in range(4)]
    return {
        "id": f"Made_{index}",
        "question": words.sentence(15, 30),
        "choices": {"text": texts, "label": list("ABCD")},
        "answerKey": "ABCD"[words.number(4)],
    }


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

"""What a scripted arena's models and its judge say: the better answer is known, and so is every trouble that the judge makes.

A model called ``skill-70`` answers with a worth around 70; the judge finds the worths in its prompt and prefers the higher one. Of
answers that do not say what they are worth it prefers the shorter one.
"""

from __future__ import annotations

import random
import re
from zlib import crc32

TROUBLES = {
    "rubbish": "lorem ipsum 42 dolor sit",
    "foreign": "Kumpikaan vastaus ei vakuuta minua, enkä osaa päättää.",
    "empty": "",
    "both": "[[A]] is my verdict.\n\n[[B]] is my verdict.",
    "refuses": "I'm sorry, but I can't help with that.",
}
"""What a judge may say that is no verdict."""


def worth(model: str, question: str) -> int:
    """Return what a scripted model's answer to a question is worth, 0 to 99: around the number in its name."""
    skill = int(model.rpartition("-")[2])
    return min(99, max(0, skill + crc32(f"{model}/{question}".encode()) % 31 - 15))


def answer(model: str, question: str) -> str:
    """Return a scripted model's answer to a question."""
    return f"{model.title()} thinks that its answer is worth {worth(model, question)}."


def preferred(one: int, two: int) -> str:
    """Return the letter of the better of two worths, C for a tie."""
    return "C" if one == two else "A" if one > two else "B"


def trouble_of(prompt: str, shares: dict[str, float], seed: int = 0) -> str | None:
    """Return the trouble that the judge makes of a prompt, None for none; ``first`` says A whatever it sees."""
    drawn = random.Random(f"{seed}/{prompt}").random()
    for kind, share in shares.items():
        drawn -= share
        if drawn < 0:
            return kind
    return None


def verdict(prompt: str, shares: dict[str, float], seed: int = 0) -> str:
    """Return what the judge says to a prompt: reasons and a verdict in brackets, or a trouble."""
    kind = trouble_of(prompt, shares, seed)
    if kind in TROUBLES:
        return TROUBLES[kind]
    worths = [int(number) for number in re.findall(r"answer is worth (\d+)", prompt)]
    if len(worths) == 1:
        return f"It says what it is worth.\n\nRating: [[{max(1, round(worths[0] / 10))}]]"
    if not worths:
        worths = [-len(answer) for answer in re.findall(r"<answer-[ab]-\w+>(.*?)</answer", prompt, re.DOTALL)]
    one, two = sum(worths[: len(worths) // 2]), sum(worths[len(worths) // 2 :])
    letter = "A" if kind == "first" else preferred(one, two)
    return f"I compared what both are worth.\n\n[[{letter}]]"

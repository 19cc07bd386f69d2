"""Texts of 60 KB that a pattern with nested repetition would never get through."""

from __future__ import annotations

SIZE = 60_000

_PIECES = (
    " ", "\n", "*", "(", "$", "\\", "-", "A ", "A, ", "A or ", "A. x\nB. y\n", "1", "1,", "1,111", "1/", "1 / ", "- ", "1 + ",
    "\\boxed{", "\\boxed{A} ", "\\frac{1}{", "answer", "answer: ", "answer to ", "the answer is a ", "#### ", "so it is ",
    "答案是", "选A", "A正确", "A is correct. ", "Paris ", "<<", "1\u00a0", "wait, ", "B. No, wait. ", "Some might think ", "答案是A。不对，",
    "Option (A) is ", "The wrong answer is A. ", "If you say ", "Answer (A) ", "...",
)  # fmt: skip

HOSTILE = [
    *[f"The answer is {piece * (SIZE // len(piece))}!" for piece in _PIECES],
    "Answer:" + "\n" * SIZE + "7",
    ("answer" + " " * 500) * 120,
    ("\\boxed{" + "{" * 1000) * 60,
    ("answer to " + "x " * 50) * 600,
    ("A. " + "x" * 100 + "\n") * 600,
    ("1" * 1000 + "/") * 60,
]

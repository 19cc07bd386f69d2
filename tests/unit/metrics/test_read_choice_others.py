"""What an answer says of options that it does not choose, and answers that are taken back: a third table."""

from __future__ import annotations

import pytest

from llmuses.metrics.choice import read_choice
from tests.unit.metrics.test_read_choice import CITIES

# the options one by one beside the answer, or no answer
OPTIONS_SPOKEN_OF: dict[str, str | None] = {
    "The answer is (C).\n\nOption (A) is about supply. Option (D) describes a decrease.": "C",
    "Answer: C\n\n**Option (A)**: It lies on the Seine.\n**Option (D)**: It lies at a fjord.": "C",
    "**Option (A)**: It lies on the Seine.\n\n**Option (B)**: It lies on the Thames.\n\n**Option (D)**: It lies at a fjord.\n\nC": "C",
    "Option (A): the Seine.\nOption (D): a fjord.\n\nC": "C",
    "Option (C) is right.\nOption (D) is wrong.": "C",
    "Option (D) is wrong.\nOption (C) is right.": "C",
    "We consider option (A) and option (D). I can't decide.": None,
    "We consider option (A) and then option (D).": None,
    "Option (A) is about supply. Option (D) describes a decrease.": None,
    "Option (A) would be too far.": None,
    "Option (A) describes a river.": None,
    "Choice (A) is about supply. Choice (D) describes a decrease.": None,
    "The answer is (C). Choice (A) would be too far north.": "C",
    "The answer is (C). Answer (A) is about another river.": "C",
    "Answer: C\n\nAnswer (A): the Seine.\nAnswer (D): a fjord.": "C",
    "Answer (B)": "B",
    "Answer (B).": "B",
    "Answer **B**": "B",
    "Final answer (B)": "B",
    "The correct option (B) is the one on the Thames.": "B",
    "Answer (B) London": "B",
    "Answer **(B) London**": "B",
    "Answer (B) because the Thames": "B",
    "So my final choice **B**.": "B",
    "Option (B)": "B",
    "Choice **B**": "B",
    "Option **B**: London": "B",
    "I compared them all. Choice (B)": "B",
    "Reasoning first.\n\nOption (B)": "B",
}  # fmt: skip


@pytest.mark.parametrize(("text", "letter"), OPTIONS_SPOKEN_OF.items())
def test_an_option_that_is_only_spoken_of_is_not_the_answer(text: str, letter: str | None) -> None:
    reading = read_choice(text, CITIES)
    assert (reading and reading.value) == letter

"""What stands at a place of an answer to a question with options: a letter that is a label, or an option's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from llmuses.metrics import announcements as say
from llmuses.metrics.options import option_at, text_end
from llmuses.metrics.reading import Reading


class Answer(NamedTuple):
    """An answer as it is read: folded, with the labels and the texts of its options."""

    text: str
    letters: str
    choices: Sequence[str]

    def label(self, place: int) -> str:
        """Return the letter at ``place`` as a capital, "" where no option has it.

        A small letter that is an option's text (options ``a``, ``b``, ``c``, ``d`` in another order) may mean either.
        """
        letter = self.text[place : place + 1]
        if not letter or letter not in self.letters + self.letters.lower():
            return ""
        texts = zip(self.letters.lower(), self.choices, strict=True)
        is_other = letter.islower() and any(text.strip() == letter != label for label, text in texts)
        return "" if is_other else letter.upper()

    def option_at(self, place: int) -> tuple[int, int] | None:
        """Return which option's text stands at ``place`` and where it ends; a text that looks like a label does not."""
        found = option_at(self.text, place, self.choices)
        if found and found[1] == place + 1 and self.text[place].upper() in self.letters:
            return None
        return found

    def own_text(self, letter: str) -> str:
        """Return the text of a letter's option."""
        return self.choices[self.letters.index(letter)]


class SeveralError(Exception):
    """The answer chooses more than one option."""


def option_after(answer: Answer, start: int, rule: str, strict: bool) -> Reading | None:
    """Return the option that stands after an announcement, by its letter or its text.

    ``strict``: the announcement is a weak one, the option has to be all that follows. Raises SeveralError where two
    letters are chosen.
    """
    text = answer.text
    opened = say.OPEN.match(text, start)
    place = opened.end() if opened else start
    for begin in (after_space(text, start), place):  # an option may begin with what opens others: "$5", "(A ∨ B)"
        found = answer.option_at(begin)
        if found and (not strict or say.CLOSED.match(text, found[1])):
            return Reading(answer.letters[found[0]], (begin, found[1]), "option_text")
    if _is_label(answer, place, strict):
        if names_another(answer, place):
            raise SeveralError
        return Reading(answer.label(place), (place, place + 1), rule)
    named = None if strict else say.LAST_IN_BRACKETS.match(text, start)
    return Reading(named[1], named.span(1), rule) if named and named[1] in answer.letters else None


def after_space(text: str, start: int) -> int:
    """Return the first place from ``start`` on where no white space stands."""
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _is_label(answer: Answer, place: int, strict: bool) -> bool:
    """Whether an announced letter is an option's label, not an article, a pronoun, an initial or a part of a name."""
    text, following = answer.text, answer.text[place + 1 : place + 2]
    if not answer.label(place) or (following.isascii() and following.isalnum()) or begins_an_option(answer, place):
        return False
    if say.CLOSED.match(text, place + 1):
        return True
    if text[place].islower():
        return False
    if strict:
        return say.ITEM.match(text, place + 1) is not None
    return goes_on(answer, place) or (text[place] not in "AI" and following.isspace())


def begins_an_option(answer: Answer, place: int) -> bool:
    """Whether a letter is the first one of an option's text, as in "A dog" or "B cells"."""
    ends = (text_end(answer.text, place, choice) for choice in answer.choices)
    return any(end is not None and end > place + 1 for end in ends)


def goes_on(answer: Answer, place: int) -> bool:
    """Whether a letter is followed by what can only follow a label: a reason, or its own option's text."""
    if say.LOOSELY_CLOSED.match(answer.text, place + 1):
        return True
    after = after_space(answer.text, place + 1)
    return text_end(answer.text, after, answer.own_text(answer.label(place))) is not None


def names_another(answer: Answer, place: int) -> bool:
    """Whether a second letter is chosen beside the one at ``place``."""
    found = say.ANOTHER.match(answer.text, place + 1)
    if found is None:
        return False
    at = found.start("joined") if found["joined"] else found.start("listed")
    if not answer.label(at) or answer.text[at].isupper() != answer.text[place].isupper():
        return False
    is_word = answer.text[at] in "AIai" and re.match(r"\s[a-z]", answer.text[at + 1 : at + 3])
    return not is_word or re.match(r"\s(?:are|both|is)\s", answer.text[at + 1 : at + 7]) is not None


def is_own_text(answer: Answer, place: int) -> bool:
    """Whether a label is followed by its own option's text, and nothing else."""
    gap = say.LABEL_GAP.match(answer.text, place + 1)
    end = text_end(answer.text, gap.end() if gap else place + 1, answer.own_text(answer.label(place)))
    return end is not None and say.ALONE.match(answer.text, end) is not None

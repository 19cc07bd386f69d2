"""Reading a result of a known kind where an answer states it: one of a few words, a list of words, brackets.

What an answer states comes after its last announcement ("So the answer is", "Answer:", "####", a box); without one it is
the answer's beginning or its last line, and only where nothing else stands there. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from llmuses.metrics.reading import Reading, fold

_ANNOUNCED = re.compile(
    r"\b(?:answer|result|solution|conclusion|output)\b[\s*_\"']{0,8}+(?:(?:to|for|of)(?![a-z])[^.\n:]{0,80}?)?"
    r"(?:\s{0,3}+(?:is|would\s+be|must\s+be|should\s+be|:|=)(?!\w)){1,2}"
    r"|####|\\boxed\{(?:\\text\{)?|<answer>|答案\s{0,3}+(?:是|为|:)",
    re.IGNORECASE,
)
_LATEST = 64
"""How many announcements are looked at, counted from the end."""
_MARKUP = r"[\s*_`\"'$(\[{:>#-]{0,12}+"
_NO_MARKUP = re.compile(r"[^\s*_:`\"'$]")
_LONGEST = 4000
"""How much of a statement is looked at, in characters."""


def statements(text: str) -> Iterator[tuple[int, int]]:
    """Yield where an answer states a result, the last announcement first: to the end of its line, or of the next one
    that is not blank where nothing but markup follows on its own line."""
    for match in list(_ANNOUNCED.finditer(text))[: -_LATEST - 1 : -1]:
        start = match.end()
        if first := _NO_MARKUP.search(text, start):
            start = max(start, text.rfind("\n", start, first.start()) + 1)
        yield start, min(_line_end(text, start), start + _LONGEST)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _last_line(text: str) -> tuple[int, int]:
    end = len(text.rstrip())
    return text.rfind("\n", 0, end) + 1, end


# --- one of a few words ------------------------------------------------------------------------------------


def read_label(text: str, words: Mapping[str, str], plain: Collection[str] = ()) -> Reading | None:
    """Return the label that an answer states, None where it states none or two.

    ``words`` maps the words for a label, in lower case, to the label as it is compared; "is not" before one turns it into
    the other of two. ``plain`` are those words that may end a last sentence ("so the argument is invalid"): not "no", which
    sentences are full of.
    """
    folded = fold(text)
    pattern = re.compile(
        rf"(?P<other>\b(?:is|are|be)\s{{1,3}}not\s{{1,3}}(?:\w+\s{{1,3}})?)?(?P<no>\bnot\s{{1,3}})?"
        rf"\b(?P<word>{'|'.join(words)})\b",
        re.IGNORECASE,
    )
    for start, end in statements(folded):
        match = pattern.search(folded, start, end)
        if match and not match["no"]:
            return _label(match, words, "announced")
    opening = re.compile(rf"{_MARKUP}(?P<other>)(?P<word>{'|'.join(words)})\b(?!\s+or\b)", re.IGNORECASE).match(folded)
    if opening:
        return _label(opening, words, "opening")
    start, end = _last_line(folded)
    found = list(pattern.finditer(folded, start, end))
    match = found[-1] if found else None
    if match is None or match["no"] or not re.fullmatch(r"\W*", folded[match.end() : end]):
        return None
    alone = not re.search(r"\w", folded[start : match.start()])
    return _label(match, words, "last_line") if alone or match["word"].lower() in plain else None


def _label(match: re.Match[str], words: Mapping[str, str], rule: str) -> Reading:
    label = words[match["word"].lower()]
    if match["other"]:
        label = next(other for other in words.values() if other != label)
    return Reading(label, match.span("word"), rule)


# --- words in an order -------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\s,;<>→]+")
_NUMBERED = re.compile(r"\W*[0-9]{1,3}[.)]\W*")
_ITEM = re.compile(r"\s*(?:[-*•]|[0-9]{1,3}[.)])\s+(?=\S)")


def read_words(text: str, known: Collection[str]) -> Reading | None:
    """Return the words that an answer lists, in lower case and with single spaces between them.

    A list may stand on one line, with or without commas, or have a line for each word. It begins with the first word that
    is ``known``, so that "the words are: ..." is no part of it.
    """
    folded = fold(text)
    for start, end in statements(folded):
        if reading := _words(folded, start, end, known, "announced"):
            return _with_lines_below(folded, start, reading, known)
    lines = [line for line in folded.split("\n") if line.strip()]
    if lines and all(_holds_words_only(line, known) for line in lines):
        return _words(folded, 0, len(folded), known, "whole_answer")
    return _words(folded, *_last_line(folded), known, "last_line")


def _with_lines_below(text: str, start: int, reading: Reading, known: Collection[str]) -> Reading:
    """Return the reading with the words on the lines below it, where each has a line of its own."""
    if " " in reading.value:
        return reading
    end = _line_end(text, reading.span[1])
    while end < len(text):
        following = _line_end(text, end + 1)
        if not _holds_words_only(text[end + 1 : following], known):
            break
        end = following
    return _words(text, start, end, known, reading.rule) or reading


def _holds_words_only(line: str, known: Collection[str]) -> bool:
    item = _ITEM.match(line)
    words = [word for _, word in _tokens(line, item.end() if item else 0, len(line))]
    return bool(words) and all(word in known for word in words)


def _words(text: str, start: int, end: int, known: Collection[str], rule: str) -> Reading | None:
    """Return the list that begins with the first known word and goes up to a full stop: what is not known spoils it."""
    found: list[tuple[int, str]] = []
    for place, word in _tokens(text, start, end):
        if word in known or (found and word not in ("and", "then")):
            found.append((place, word))
        if found and re.match(r"[*_`\"')\]}$]{0,4}[.!;](?:\s|$)", text[place + len(word) : end]):
            break
    if not found:
        return None
    last, word = found[-1]
    return Reading(" ".join(word for _, word in found), (found[0][0], last + len(word)), rule)


def _tokens(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text, start, end):
        bare = match.group().strip("*_`\"'.:()[]{}$\\-•!?")
        if bare and not _NUMBERED.fullmatch(match.group()):
            yield match.start() + match.group().find(bare), bare.lower()


# --- brackets ----------------------------------------------------------------------------------------------

_BRACKETS = re.compile(r"[()\[\]{}<>](?:[\s,]*[()\[\]{}<>])*")
_ONLY_BRACKETS = re.compile(
    r"(?:[^()\[\]{}<>:\n]{0,200}:)?[\s`*$.\"']*(?P<all>[()\[\]{}<>](?:[\s,]*[()\[\]{}<>])*)[\s`*$.\"']*"
)


def read_brackets(text: str) -> Reading | None:
    """Return the sequence of brackets that an answer gives, with single spaces between them."""
    folded = fold(text)
    for start, end in statements(folded):
        boxed = folded[:start].endswith("{")
        match = _BRACKETS.search(folded, start, folded.rfind("}", start, end) if boxed else end)
        if match:
            return _bracket_reading(match.group(), match.span(), "announced")
    for start, end in ((0, len(folded)), _last_line(folded)):
        if match := _ONLY_BRACKETS.fullmatch(folded, start, end):
            return _bracket_reading(match["all"], match.span("all"), "whole_answer" if start == 0 else "last_line")
    return None


def _bracket_reading(found: str, span: tuple[int, int], rule: str) -> Reading:
    return Reading(" ".join(re.sub(r"[\s,]", "", found)), span, rule)

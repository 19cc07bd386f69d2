"""Reading which option a written answer chooses, in any of the ways models write it, English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from llmuses.metrics import announcements as say
from llmuses.metrics.choice_places import (
    Answer,
    SeveralError,
    after_space,
    begins_an_option,
    goes_on,
    is_own_text,
    names_another,
    option_after,
)
from llmuses.metrics.options import text_end
from llmuses.metrics.reading import Reading, boxed, fold

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LATEST = 64
"""How many announcements are looked at, counted from the end."""

_TURNS = 8
"""How many of the places are looked at where an answer takes itself back, counted from the end."""


def read_choice(text: str, choices: Sequence[str]) -> Reading | None:
    """Return the letter of the option that an answer chooses, None where it chooses none or more than one.

    In this order: the last ``\\boxed{}``; the last announcement ("the answer is (B)", "答案是B", "I would go with B") of
    a letter or of an option's text; a letter that the answer opens with; the verdicts on the letters ("A 错误，B 正确");
    a letter alone on the last line; a list with marks ("B. London ✅"); a weaker announcement that ends the answer ("it must be B"); an option's text alone.

    Nothing is guessed: an ordinary capital, such as the article in "A dog barks" or the letter of "B cells", is never
    taken, nor one of a list of options that the answer only repeats, nor one that it says others choose. What takes an
    answer back ("Wait, ...") counts: then the answer after it is read, or none. Where letter and text disagree the letter counts.
    """
    options = choices[: len(_LETTERS)]
    try:
        answer = _before_next_question(Answer(fold(text), _LETTERS[: len(options)], options))
        for rule in (_boxed, _announced, _opening, _verdicts, _last_line, _marked, _sensible, _hinted, _option_text):
            if reading := rule(answer):
                return _as_corrected(answer, reading) if rule in _EARLY else reading
    except SeveralError:
        pass
    return None


def _as_corrected(answer: Answer, reading: Reading) -> Reading | None:
    """Return what an answer says after it has taken a first one back; None where that is not clear."""
    text, end = answer.text, reading.span[1]
    taken_back = list(say.TAKEN_BACK.finditer(text, end))[-_TURNS:]
    for match in reversed(taken_back):
        rest = answer._replace(text=text[match.end() :])
        for rule in (_corrected, _announced, _last_line, _hinted):
            if found := rule(rest):
                start, stop = found.span
                return found._replace(span=(match.end() + start, match.end() + stop))
    firm = next(
        (m for m in taken_back if m["firm"] or (m["beside"] and not re.search(r"\w", text[end : m.start()]))), None
    )
    if firm is None:
        return reading
    others = set(say.CAPITAL.findall(text, firm.end())) & set(answer.letters) - {reading.value, "A", "I"}
    return reading if not others and say.CONFIRMED.search(text, firm.end()) else None


def _corrected(answer: Answer) -> Reading | None:
    match = say.CORRECTED.match(answer.text)
    reading = option_after(answer, match.end(), "announced", strict=not match["led"]) if match else None
    return None if reading is None or _is_asked(answer, reading.span[1], at_end=True) else reading


def _before_next_question(answer: Answer) -> Answer:
    """Return the answer without the questions that a base model puts to itself after it has answered its own."""
    following = say.NEXT_QUESTION.search(answer.text)
    if following is None:
        return answer
    first_line = answer.text[: following.start()].lstrip("\n").partition("\n")[0]
    head = answer._replace(text=answer.text[: answer.text.find(first_line) + len(first_line)])
    return head if len(first_line) < 200 and (_opening(head) or _announced(head)) else answer


# --- the rules ---------------------------------------------------------------------------------------------


def _boxed(answer: Answer) -> Reading | None:
    place = boxed(answer.text)
    if place is None:
        return None
    inside = answer._replace(text=answer.text[: place[1]])
    word = say.BOXED_WORD.match(inside.text, place[0])
    reading = option_after(inside, word.end() if word else place[0], "boxed", strict=False)
    return reading._replace(rule="boxed") if reading else None


def _announced(answer: Answer) -> Reading | None:
    denied: set[str] = set()
    otherwise: Reading | None = None
    for match in list(say.ANNOUNCED.finditer(answer.text))[: -_LATEST - 1 : -1]:
        if not _is_meant(answer, match):
            continue
        if match.lastgroup == "noun" and (no := say.DENIED.match(answer.text, match.end())):
            if no["meant"] and no["meant"] in answer.letters:
                return Reading(no["meant"], no.span("meant"), "announced")
            denied.add(no["denied"])
            continue
        reading = option_after(answer, match.end(), "announced", strict=match.lastgroup in say.STRICT)
        if reading and _heads_a_list(answer, match, reading):
            continue
        if reading and reading.value not in denied and not _is_asked(answer, reading.span[1]):
            if not _is_of_another_case(answer, match):
                return reading
            otherwise = otherwise or reading
    return otherwise


def _heads_a_list(answer: Answer, match: re.Match[str], reading: Reading) -> bool:
    """Whether an announcement stands above a list of the options, the next one of which follows: "Options given - option:"."""
    text, (start, end) = answer.text, reading.span
    if "\n" not in text[match.start() : start] or not say.LISTED.match(match.group()):
        return False
    following = answer.letters[answer.letters.index(reading.value) + 1 :][:1]
    if not following or say.CHOSEN.search(text[max(0, match.start() - 24) : match.start()]):
        return False
    labels = (say.LABEL_LINE.match(line) for line in text[end : end + 4000].split("\n")[1:])
    return following in {label[1] for label in labels if label}


def _is_meant(answer: Answer, match: re.Match[str]) -> bool:
    """Whether an announcement is the answer's own: not "I would not choose", "the wrong answer is", "Many choose"."""
    before = answer.text[max(0, match.start() - 100) : match.start()]
    if say.NOT_MEANT.search(before[-40:]):
        return False
    if match.lastgroup in say.NOUNS and say.OTHER.search(before[-40:]):
        return False
    clause = say.CLAUSE.search(before)
    return clause is None or say.SOMEONE.search(clause.group()) is None


def _is_of_another_case(answer: Answer, match: re.Match[str]) -> bool:
    """Whether an announcement may be about another question: "For the UK the answer would be A"."""
    before = answer.text[max(0, match.start() - 120) : match.start()]
    return "would" in match.group() and say.OTHERWISE.search(before) is not None


def _is_asked(answer: Answer, end: int, at_end: bool = False) -> bool:
    """Whether what was read ends on a question mark, with more after it unless ``at_end``: "The answer is A? No"."""
    after = answer.text[end:].lstrip("*_`\"')]} ")
    return after.startswith("?") and (at_end or len(after.strip()) > 1)


def _hinted(answer: Answer) -> Reading | None:
    """Read what all of the weaker announcements say, the last of which ends the answer: "It must be B"."""
    readings = []
    for match in list(say.HINTED.finditer(answer.text))[-_LATEST:]:
        if _is_meant(answer, match):
            reading = option_after(answer, match.end(), "hinted", strict=True)
            if reading and not _is_asked(answer, reading.span[1], at_end=True):
                readings.append(reading)
    if len({reading.value for reading in readings}) != 1 or not say.ALONE.match(answer.text, readings[-1].span[1]):
        return None
    return readings[-1]


def _opening(answer: Answer) -> Reading | None:
    text = answer.text
    before = say.BEFORE_OPENING.match(text)
    place = before.end() if before else 0
    if not answer.label(place) or say.VERDICT.match(text, place):
        return None
    if text[place].islower() and not say.LOWER_LABEL.match(text, place + 1):
        return None
    if not say.CLOSED.match(text, place + 1) and (text[place].islower() or not goes_on(answer, place)):
        return None
    if (
        text.startswith("I,", place)
        or _is_asked(answer, place + 1, at_end=True)
        or say.SELF_ASKED.match(text, place)
        or _is_discussed(answer, place)
    ):
        return None
    if say.MARKED_WRONG.match(text, place + 1):
        return None
    if begins_an_option(answer, place) or _repeats_options(answer, place) or names_another(answer, place):
        return None
    return Reading(answer.label(place), (place, place + 1), "opening")


def _is_discussed(answer: Answer, place: int) -> bool:
    """Whether an answer that opens with a letter only speaks of it, or of one option after the other."""
    text = answer.text
    closed = say.CLOSED.match(text, place + 1)
    own = answer.own_text(answer.label(place))
    if goes_on(answer, place) or (closed and text_end(text, after_space(text, closed.end()), own) is not None):
        return False
    if not say.OPTION_WORD.search(text[max(0, place - 24) : place]):
        return say.DISCUSSED.match(text, place + 1) is not None
    others = {match[1] for match in say.OPTION_LINE.finditer(text, place, place + 20_000)} & set(answer.letters)
    return bool(others - {answer.label(place)}) or say.DISCUSSED_OPTION.match(text, place + 1) is not None


def _repeats_options(answer: Answer, place: int) -> bool:
    """Whether the letter at ``place`` only begins a list of the options, on one line or on several."""
    line, _, rest = answer.text[place : place + 4000].partition("\n")
    next_letter = answer.letters[answer.letters.index(answer.label(place)) + 1 :][:1]
    if next_letter and line[1:2] in (".", ")", ":"):
        for match in re.finditer(rf"(?<!\w){next_letter}{re.escape(line[1:2])}\s{{1,3}}", line[1:]):
            if text_end(line[1:], match.end(), answer.own_text(next_letter)) is not None:
                return True
    label = say.LABEL_LINE.match(rest.lstrip().partition("\n")[0])
    return label is not None and label[1] in answer.letters and label[1] != line[0]


def _verdicts(answer: Answer) -> Reading | None:
    """Read "B is the correct answer"; else the one letter called right, all others wrong or a verdict in the last sentence."""
    chosen: dict[str, int] = {}
    right: dict[str, int] = {}
    true: dict[str, int] = {}
    wrong: dict[str, int] = {}
    latest = 0
    for match in say.VERDICT.finditer(answer.text):
        if is_own_text(answer._replace(text=answer.text[: match.end()]), match.start("letters")):
            continue  # an option that says "True" or "错误", repeated under its letter
        kind = chosen if match["answer"] else right if match["right"] else true if match["true"] else wrong
        latest = match.start()
        kind.update((m.group(), m.start()) for m in re.compile("[A-Z]").finditer(answer.text, *match.span("letters")))
    if not chosen and len(right | true) == 1:
        letter = next(iter(right | true))
        in_last_sentence = right and not re.search(r"[.;]\s|[\n。]", answer.text[latest:].rstrip(" \n.。*"))
        if in_last_sentence or {letter, *wrong} >= set(answer.letters):
            chosen = right | true
    return _only(answer, chosen)


def _marked(answer: Answer) -> Reading | None:
    """Read the one option of a list that is marked as right where others are marked as wrong: "B. London ✅"."""
    marks = list(say.MARKED.finditer(answer.text))[-_LATEST:]
    wrong = {match["letter"] for match in marks if match["wrong"] or match["no"]}
    right = {match["letter"]: match.start("letter") for match in marks if match["right"] or match["yes"]}
    if any(match["yes"] for match in marks):  # it may be the wrong one that is asked for: all others have to be wrong
        return _only(answer, right) if len(wrong - set(right)) > 1 and {*wrong, *right} >= set(answer.letters) else None
    return _only(answer, right) if wrong - set(right) else None


def _sensible(answer: Answer) -> Reading | None:
    """Read the one letter of which "makes the most sense" or "only ... works" is said."""
    found = list(say.SENSIBLE.finditer(answer.text))[-_LATEST:]
    return _only(answer, {match[match.lastindex or 0]: match.start(match.lastindex or 0) for match in found})


def _only(answer: Answer, places: Mapping[str, int]) -> Reading | None:
    """Return the reading of a letter by its place, None where there are none or several."""
    if len(places) != 1:
        return None
    letter, place = next(iter(places.items()))
    return Reading(letter, (place, place + 1), "announced") if letter in answer.letters else None


def _last_line(answer: Answer) -> Reading | None:
    """Read a letter, alone or with its option's text, on the last line; not the last of a list of options."""
    text = answer.text.rstrip()
    begin = text.rfind("\n") + 1
    if begin == 0 or len(text) - begin > 1000:
        return None
    last = answer._replace(text=text[begin:])
    reading = _opening(last)
    if reading is None:
        return None
    start, end = reading.span
    is_alone = say.ALONE.match(last.text, end) is not None
    if not (is_alone or is_own_text(last, start)):
        return None
    above = text[max(0, begin - 1000) : begin].rstrip().rpartition("\n")[2]
    if say.OTHERS_LINE.search(above[-60:]):
        return None
    if (label := say.LABEL_LINE.match(above)) and label[1] in answer.letters:
        is_next = answer.letters.find(reading.value) == answer.letters.index(label[1]) + 1
        if not is_alone or is_next or say.ALONE.match(above, label.end()):
            return None  # the last one of a list of options
    return reading._replace(span=(begin + start, begin + end), rule="last_line")


_EARLY = (_boxed, _announced, _opening)
"""The rules that read an answer which may be taken back after it."""


def _option_text(answer: Answer) -> Reading | None:
    """Read an option's text that is the whole first line or the whole last one; not where these two disagree."""
    text = answer.text.strip()
    offset = answer.text.find(text)
    last = text.rfind("\n") + 1
    readings = [
        reading
        for begin, end in sorted({(0, (text + "\n").find("\n")), (last, len(text))})
        if (reading := _option_line(answer, text[begin:end], offset + begin))
    ]
    return readings[0] if len({reading.value for reading in readings}) == 1 else None


def _option_line(answer: Answer, line: str, offset: int) -> Reading | None:
    opened = say.OPEN.match(line)
    for begin in (opened.end() if opened else 0, 0):
        found = answer._replace(text=line).option_at(begin)
        if found is None:
            continue
        index, end = found
        own_letter = re.compile(rf"\s{{0,3}}\({answer.letters[index]}\)").match(line, end)
        if say.ALONE.match(line, own_letter.end() if own_letter else end) or say.TEXT_IS_RIGHT.match(line, end):
            return Reading(answer.letters[index], (offset + begin, offset + end), "option_text")
    return None

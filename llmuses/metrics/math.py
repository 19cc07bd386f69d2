"""Reading the mathematical answer that a text ends on: a formula, a number, a set, a word.

What was read is compared by ``math_pool.py``. Every pattern is bounded, so that the time grows with the length of the
text and not faster, whatever a model writes.
"""

from __future__ import annotations

import re
from collections import deque

from llmuses.metrics.math_scan import FORMULA, expressions, formula_content, formula_run, math_end, whole_expression
from llmuses.metrics.numbers import read_number
from llmuses.metrics.reading import Reading, before_next_question, fold

LONGEST = 2000
"""Characters: what is longer is no answer."""

_LATEST = 16
"""How many announcements and boxes are looked at, counted from the end."""

_HOPE = re.compile(r"I hope (?:it|this|that) is correct", re.IGNORECASE)
_FINAL = re.compile(r"final answer (?:is|are)[:\s]{0,4}", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)[ \t]{0,3}(?:\{|(?=[0-9A-Za-z]))")
_BRACE = re.compile(r"\\[\\{}]|[{}]")
_ANNOUNCED = re.compile(
    r"(?P<strong>####[ \t]{0,4}"
    r"|\banswers?\b[\s*_\"']{0,8}+(?:(?:to|for|in|of|here|then|therefore|thus|,)(?![a-z])[^.\n:$]{0,80}?[\s*_,]{1,4}+)?"
    r"(?:(?:is|are|was|equals|=)(?!\w)|(?:would|should|must|will)\s+be(?!\w))"
    r"|\bfinal\s+answers?[\s*_#\"']{0,8}+:"
    r"|答案[^0-9\n:$\\]{0,8}?(?:是|为)|最终答案[\s*]{0,6}+:)"
    r"|(?P<weak>\b(?:final\s+)?answers?[*_]{0,3}+(?::|\s{0,3}+\n)|答案[\s*]{0,3}+:|答\s{0,3}+:)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[\s*_:\"'`>#]{0,40}+")
_NOT = re.compile(r"(?:not|n't|never)\b|不", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:(?!(?:not|and|or|because|since|between|either)\b)[A-Za-z]{1,14}[ ,:]{1,2}+){1,6}+(?=\$|\\\(|\\\[)|[^\x00-\x7f$\\0-9]{1,8}(?=[$\\])"
)
"""A few words before a formula: "the point $(3, 4)$"."""
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$|[*\"'])|。|\n")
_WORDS = re.compile(
    r"(?:(?:the|a|an)\s)?(?P<words>[^\W\d_]+(?:['-][^\W\d_]+){0,3}(?: [^\W\d_]+(?:['-][^\W\d_]+){0,3}){0,3})"
    r"(?=[\s*_\"')]*(?:$|[,(:]|(?:because|since|as|so)\b))",
    re.IGNORECASE,
)
_WORD_ALONE = re.compile(r"(?P<word>[A-Za-z]{1,30}|[\u4e00-\u9fff]{1,3})[*_.\"'`。!]{0,4}")
_BETWEEN = re.compile(
    r"(?:\s|[$&~]|\\[()\[\],;: !]|\\q?quad)*+(?:[a-zA-Z]{1,20}\s+){0,2}"
    r"(?:\\text\s?\{)?\s{0,3}(?:,\s*(?:and|or)\b|,|;|and\b|or\b|、|和|或|以及)"
    r"(?:\s|[$&~{}]|\\[()\[\],;: !]|\\q?quad|\\text\s?\{)*+"
    r"(?:[a-zA-Z](?:_\{?\w{1,3}\}?)?(?:\([a-zA-Z]\))?\s*=(?:\s|[$~])*+)?$"
)
"""What stands between the boxes of one answer: "\\boxed{1}$ and $x_2 = \\boxed{2}"."""
_BROKEN_OFF = re.compile(r"\\\[|\\\(|\$\$|\\begin\{|\\boxed\{(?![^{}]{0,99}\})|\$[^$\n]{0,200}?\\[a-z]")
"""A formula is open where the text ends."""
_AROUND = 400
"""Characters on either side of a number in which the expression is looked for that it belongs to."""
_POWER = re.compile(r"[0-9)}]\s?\^\s?\{?(?P<of>[0-9]{1,9})(?=[^0-9]{0,400}$)")
"""The power that a text ends on: no number by itself."""
_SIGNS = re.compile(r"[√π∞]|\\(?:pi|sqrt|frac|infty)(?![a-z])|[A-Za-z)]\s?=\s?[^\s=]")
"""What tells an expression without digits from letters."""
_ARITHMETIC = re.compile(r"[^=A-Za-z\\√π,]{1,400}=(?:[^=A-Za-z\\√π,]{1,400}=){0,20}+\s*")
"""A calculation before its result."""
_LABELLED = re.compile(r"\\text\s?\{[^{}]{0,40}\}")


def read_math(text: str) -> Reading | None:
    """Return the mathematical answer that a text gives, None where it gives none.

    In this order: the sentence "The final answer is …. I hope it is correct."; the last ``\\boxed{}``, with those that
    it is enumerated with; the last announcement ("The answer is", "####", "答案是"); a text or a last line that is
    nothing but mathematics; the last formula (``$…$``, ``$$…$$``, ``\\(…\\)``, ``\\[…\\]``) or the last expression without
    such marks, often a number, whichever comes later. "Answer:" alone counts only where the answer is all that its line holds.

    The value is LaTeX as written, without what encloses it; several answers are joined by commas. A word may be an
    answer where it is boxed, announced, or the whole text. What a base model writes after its answer, under "Problem:"
    or the like, is not looked at.
    """
    folded = fold(text)
    hope = _HOPE.search(folded)
    if hope is not None:  # what a base model writes after it belongs to a question of its own
        folded = folded[: hope.end()]
        if reading := _sentence(folded, hope.start()):
            return reading
    folded = before_next_question(folded, lambda head: (_boxed(head) or _announced(head)) is not None)
    return _boxed(folded) or _announced(folded) or _alone(folded) or _last(folded)


def boxed_math(text: str) -> str | None:
    """Return the content of the last box of a reference solution, None where it has none."""
    reading = _boxed(fold(text))
    return None if reading is None else reading.value


# --- the ways to say it ------------------------------------------------------------------------------------


def _sentence(text: str, end: int) -> Reading | None:
    """Read "The final answer is …" before "I hope it is correct"."""
    found = deque(_FINAL.finditer(text, max(0, end - LONGEST), end), maxlen=1)
    if not found:
        return None
    if reading := _boxed(text, found[0].end(), end):
        return reading._replace(rule="final_answer")
    reading = _statement(text, found[0].end(), end, "final_answer")
    return reading or _reading(text, found[0].end(), end, "final_answer")


def _boxed(text: str, start: int = 0, stop: int | None = None) -> Reading | None:
    stop = len(text) if stop is None else stop
    boxes: list[tuple[int, int, int]] = []  # where it opens, where its content begins and ends; the last box first
    for match in reversed(deque(_BOX.finditer(text, start, stop), maxlen=_LATEST)):
        end = _box_end(text, match.end(), stop) if match.group().endswith("{") else _bare_box_end(text, match.end())
        if end is None or not text[match.end() : end].strip():
            if boxes:
                break
            continue
        if boxes and not (end < boxes[-1][0] and _enumerated(text[end : boxes[-1][0]])):
            break
        boxes.append((match.start(), match.end(), end))
    if not boxes:
        return None
    contents = dict.fromkeys(_cleaned(text[begin:end]) for _, begin, end in reversed(boxes))
    return Reading(", ".join(contents), (boxes[-1][1], boxes[0][2]), "boxed")


def _box_end(text: str, begin: int, stop: int) -> int | None:
    depth = 1
    for brace in _BRACE.finditer(text, begin, min(stop, begin + LONGEST)):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return brace.start()
    return None


def _bare_box_end(text: str, begin: int) -> int:
    end = begin
    while end < min(len(text), begin + 40) and text[end] not in " $\n\\.":
        end += 1
    return end


def _enumerated(between: str) -> bool:
    """Whether two boxes belong to one answer by what stands between them, closing brace of the first included."""
    if len(between) > 80:
        return False
    return _BETWEEN.match(_LABELLED.sub(_comma, between[1:])) is not None


def _comma(label: re.Match[str]) -> str:
    return "," if re.search(r"\b(?:and|or)\b|,", label.group()) else " "


def _announced(text: str) -> Reading | None:
    for match in reversed(deque(_ANNOUNCED.finditer(text), maxlen=_LATEST)):
        reading = _statement(text, match.end(), len(text), "announced", whole=match["weak"] is not None)
        if reading is not None:
            return reading
    return None


def _statement(text: str, start: int, stop: int, rule: str, whole: bool = False) -> Reading | None:
    """Read what is announced at ``start``: formulas, mathematics without dollar signs, or a few words.

    ``whole``: only where nothing else stands on the line.
    """
    begin = min(_skip(_MARKUP, text, start), stop)
    lead = _LEAD.match(text, begin, stop)
    if lead is not None and _NOT.search(lead.group()):
        return None
    run = formula_run(text, lead.end() if lead else begin, stop)
    if run is not None:
        contents, end = run
        if whole and not _ends_line(text, end, stop):
            return None
        return Reading(", ".join(map(_cleaned, contents)), (lead.end() if lead else begin, end), rule)
    end = math_end(text, begin, min(stop, begin + LONGEST))
    if end > begin and _is_answer(text[begin:end]):
        return None if whole and not _ends_line(text, end, stop) else _reading(text, begin, end, rule)
    sentence = _SENTENCE_END.search(text, begin, min(stop, begin + 200))
    words = _WORDS.match(text, begin, sentence.start() if sentence else min(stop, begin + 200))
    if words is None or _NOT.search(words["words"]):
        return None
    if whole and (words["words"].count(" ") > 1 or not _ends_line(text, words.end("words"), stop)):
        return None
    return _reading(text, *words.span("words"), rule)


def _alone(text: str) -> Reading | None:
    """Read a text, or its last line, that is mathematics and nothing else; or a text that is one word."""
    end = len(text.rstrip())
    begin = text.rfind("\n", 0, end) + 1
    if end - begin > LONGEST:
        return None
    begin = _skip(_MARKUP, text, begin)
    first = not text[:begin].strip("*_ \n\t#>`")
    run = formula_run(text, begin, end)
    if run is not None and _ends_line(text, run[1], end):
        return Reading(", ".join(_last_side(_cleaned(content)) for content in run[0]), (begin, run[1]), "alone")
    stop = math_end(text, begin, end)
    if stop > begin and _ends_line(text, stop, end) and (_is_answer(text[begin:stop]) or first):
        return _reading(text, begin, stop, "alone")
    if first and (word := _WORD_ALONE.fullmatch(text, begin, end)) is not None:
        return _reading(text, *word.span("word"), "alone")
    return None


def _last(text: str) -> Reading | None:
    formula, after = None, 0
    for match in FORMULA.finditer(text, max(0, len(text) - 20_000)):
        content = formula_content(match)
        if content is not None and len(content[0].strip()) <= LONGEST and re.search(r"[\w\\]", content[0]):
            formula, after = content, match.end()
    if _BROKEN_OFF.search(text, after if formula else max(0, len(text) - 20_000)):
        return None
    number = read_number(text)
    if formula is None or (number is not None and (number.rule != "last_number" or number.span[0] >= formula[2])):
        return _last_expression(text, after, number)
    return Reading(_last_side(_cleaned(formula[0])), formula[1:], "last_formula")


def _last_expression(text: str, after: int, number: Reading | None) -> Reading | None:
    """Return the last expression in plain text, which is often a number; never a number that is a piece of one.

    ``after``: where the last formula ends.
    """
    if number is None and re.search(r"[0-9]", text[after:]):
        power = _POWER.search(text, max(after, len(text) - _AROUND))
        if power is None:
            return None  # several numbers
        number = Reading(power["of"], power.span("of"), "last_number")
    place = number.span[0] if number else len(text.rstrip())
    line = max(text.rfind("\n", 0, place) + 1, place - _AROUND), min(len(text), place + _AROUND)
    if number is None or number.rule == "last_number":
        begin = number.span[1] if number else line[0]
        for run in reversed(list(expressions(text, begin, line[1]))):
            if run[0] > begin - (number is None) and _SIGNS.search(text, *run):
                return _reading(text, *run, "last_formula")
    if number is None:
        return None
    line_end = text.find("\n", number.span[1], line[1])
    span = whole_expression(text, number.span, (line[0], line[1] if line_end < 0 else line_end))
    if span is None:
        return None
    begin, end = span
    chain = _ARITHMETIC.match(text, begin, end)
    begin = chain.end() if chain else begin
    if not text[begin : number.span[0]].strip("$\\+- ") and end <= number.span[1] and text[end - 1] not in "kK":
        return number
    return _reading(text, begin, end, "last_formula")


# --- small parts -------------------------------------------------------------------------------------------


def _reading(text: str, begin: int, end: int, rule: str) -> Reading | None:
    value = _cleaned(text[begin:end])
    return Reading(value, (begin, end), rule) if value and len(value) <= LONGEST else None


def _cleaned(content: str) -> str:
    """Return a formula without what encloses it and without the stop after it."""
    value = content.strip()
    for _ in range(3):
        value = value.rstrip(" \t\n.,;:。").lstrip()
        value = value.removesuffix("\\\\").strip()
        for opens, closes in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**")):
            inside = value[len(opens) : -len(closes)]
            if (
                value.startswith(opens)
                and value.endswith(closes)
                and len(value) > 2 * len(opens)
                and opens not in inside
            ):
                value = inside.strip()
    return value


def _last_side(value: str) -> str:
    """Return what a derivation over several lines comes to; a formula of one line stays as it is."""
    if "\\\\" not in value or re.search(r"\\begin\{(?:[pbvBV]?matrix|array|cases)", value):
        return value
    side = re.sub(r"\\(?:begin|end)\{[a-z]{1,12}\*?\}", "", value).rpartition("=")[2]
    return _cleaned(side.replace("&", "")) or value


def _is_answer(value: str) -> bool:
    """Whether mathematics without dollar signs says something: "a" and "I" are words."""
    return (
        re.search(r"[0-9\\]|[^\x00-\x7f]", value) is not None or re.fullmatch(r"\(?[B-HJ-Zb-z]\)?", value) is not None
    )


def _ends_line(text: str, end: int, stop: int) -> bool:
    rest = text[end : min(stop, end + 60)].partition("\n")[0]
    return re.fullmatch(r"(?:\s|[.*_`\"')}$。!])*+(?:[a-z/]{1,12}(?:\^?[23]|[²³])?[\s.*_]*){0,2}+", rest) is not None


def _skip(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start

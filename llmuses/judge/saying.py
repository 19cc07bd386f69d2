"""What a judge decided, from everything in its text that looks like a verdict."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from llmuses.judge.judge_text import JudgeText

T = TypeVar("T")

_SIGNS = r"[\s*_#`\"'.,:;=()\[\]{}$\\<>!|~-]"
_HEADING = re.compile(
    r"(?:(?:verdict|winner|decision|judge?ment|conclusion|choice|preference|outcome|result|rating|score|grade|vote|answer)"
    r"(?:\s+(?:is|would\s+be|for\s+this\s+\w{1,12}|overall|in\s+favou?r\s+of))?"
    r"|\b(?:choose|pick|select|prefer|go\s+with|vote\s+for|conclude|settle\s+on)"
    r"|(?:判定|裁定|裁决|结论|判断|评判|选择|胜者|获胜者|胜出者|获胜方|评分|打分|得分|分数|总分|结果|评价|答案|我选|更好的是)(?:结果|结论)?(?:是|为)?)"
    rf"{_SIGNS}{{0,16}}(?:is|是|为)?{_SIGNS}{{0,12}}$",
    re.IGNORECASE,
)
_FINAL = re.compile(r"\b(?:final|revised|corrected|updated)\b|最终|最后|修正|更正", re.IGNORECASE)
_CHANGES = re.compile(
    r"\b(?:final(?:ly)?|revis\w{1,4}|correct(?:ion|ed)|on\s+(?:second\s+thoughts?|reflection|balance)|reconsider\w{0,3}|wait|actually"
    r"|chang(?:e|ed|ing)\s+my|instead|update[sd]?|however|but|re-?evaluat\w{1,4}|re-?read\w{0,3}|mistake\w{0,2})\b"
    r"|更正|修正|重新|最终|改为|改判|不对|但是|然而|不过|仔细|再看|再想|纠正",
    re.IGNORECASE,
)
_JOINS = re.compile(
    rf"{_SIGNS}{{0,6}}(?:(?:or|and|vs\.?|versus|nor|或者?|和|还是|与|、|/|、)\s{{0,3}})?(?:(?:a|for)\s)?{_SIGNS}{{0,6}}",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"[\s\"'`*_]{0,6}(?:(?:if|when|for\s+(?:a\s+)?tie|means?|indicat\w{1,4})\b|表示|代表|如果|若|当|意味|指)",
    re.IGNORECASE,
)

_MOST = 40
"""A text with more verdicts than these is looked at where it begins and where it ends."""


class Said(NamedTuple, Generic[T]):
    """Something that looks like a verdict, and where it stands."""

    value: T
    start: int
    end: int


def own(text: JudgeText, found: Sequence[Said[T]]) -> list[Said[T]]:
    """Return what the judge says itself: not what it reports, quotes in passing, lists or explains."""
    if len(found) > _MOST:
        found = [*found[: _MOST // 5], *found[-_MOST:]]
    listed = set()
    for one, two in itertools.pairwise(found):
        between = text.text[one.end : two.start]
        if one.value != two.value and "\n" not in between and _JOINS.fullmatch(between):
            listed |= {one.start, two.start}
    return [
        said
        for said in found
        if said.start not in listed
        and not _EXPLAINS.match(text.text, said.end)
        and not _quoted_in_passing(text, said)
        and not text.reported(said.start, said.end)
    ]


def decide(text: JudgeText, said: Sequence[Said[T]], closes: Callable[[Said[T]], bool] | None = None) -> T | None:
    """Return the verdict that stands: the one under a heading, on a line of its own or at the end; None where they contradict.

    A later one counts against an earlier one only where the judge says that it changed its mind, or calls it final.
    """
    closing = [one for one in said if (closes(one) if closes else is_closing(text, one, said))]
    pool = closing or list(said)
    last = pool[-1] if pool else None
    others = [one for one in pool if last is not None and one.value != last.value]
    if last is None or not others:
        return last.value if last else None
    same_line = text.line(others[-1].start, others[-1].end) == text.line(last.start, last.end)
    between = text.text[others[-1].end : last.start]
    only_final = _is_final(text, last) and not any(_is_final(text, one) for one in others)
    if closing and (only_final or (_CHANGES.search(between) and not (same_line and not heading(text, last)))):
        return last.value
    return None


def heading(text: JudgeText, said: Said[T]) -> str:
    """Return the words on the same line that announce a verdict ("My final verdict is"), "" where there are none."""
    lead = text.text[max(text.line(said.start, said.end).start, said.start - 120) : said.start]
    return lead if _HEADING.search(lead) else ""


def is_alone(text: JudgeText, said: Said[T]) -> bool:
    """Return whether a line holds nothing else."""
    line = text.line(said.start, said.end)
    return not re.search(r"\w", text.text[line.start : said.start] + text.text[said.end : line.end])


def is_closing(text: JudgeText, said: Said[T], among: Sequence[Said[T]]) -> bool:
    """Return whether a verdict is said as one: announced, on a line of its own, or the last word of the text."""
    if heading(text, said) or is_alone(text, said):
        return True
    begin = said.start - len(text.sentence(said.start))
    rivals = any(begin <= one.start < said.start and one.value != said.value for one in among)
    return text.is_last(said.end) and not rivals


def _is_final(text: JudgeText, said: Said[T]) -> bool:
    return bool(_FINAL.search(heading(text, said)))


def _quoted_in_passing(text: JudgeText, said: Said[T]) -> bool:
    """Return whether a verdict stands in a quotation that holds more than it, or in the middle of a sentence."""
    quotation = text.quoted(said.start, said.end)
    if quotation is None:
        return False
    rest = text.text[quotation.start : said.start] + text.text[said.end : quotation.end]
    if re.search(r"\w", rest) and not (heading(text, said) and len(rest) < 60):
        return True
    line = text.line(quotation.start, quotation.end)
    outside = text.text[line.start : quotation.start]
    return bool(re.search(r"\w", outside)) and not _HEADING.search(outside)

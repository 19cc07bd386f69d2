"""A judge's text with what is not its own words set aside: thoughts, quotations, what it repeats from the answers.

A judge that writes about an answer may quote it, and the answer may hold a verdict. So a verdict counts only where the judge
says it itself: not in a quotation, not after "answer B claims", not in a passage that stands in an answer as it is.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from llmuses.metrics.reading import fold
from llmuses.models.reasoning import split_reasoning

_SET_ASIDE = (
    re.compile(r"^[ \t]{0,8}>[^\n]*", re.MULTILINE),  # a quotation in Markdown
    re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL),
)
_TAG = re.compile(r"<(?P<name>[a-z-]{1,30}(?:-[a-z0-9]{1,3})?-[0-9a-f]{8})>")
"""An opening tag of the judge's own prompt."""
_FENCE = re.compile(
    r"^[ \t]{0,8}(`{3,}|~{3,})[^\n]{0,40}\n(?P<inside>.*?)(?:\n[ \t]{0,8}\1|\Z)", re.DOTALL | re.MULTILINE
)
_SHORT = 400
"""A fence or quotation longer than this is no way to set off a verdict."""
_QUOTES = re.compile(
    r"“[^“”]{0,2000}”|「[^「」]{0,2000}」|『[^『』]{0,2000}』|`[^`\n]{1,400}`|(?<![\w])'[^'\n]{1,400}'(?!\w)"
)
_STRAIGHT = re.compile(r'(?<!\\)"')
_SENTENCE_END = re.compile(r"[.!?;](?=\s)|[。！？；\n]")
_OWN = re.compile(
    r"\b(?:so|therefore|thus|hence|consequently|accordingly|i|i'd|i'll|my|overall|in conclusion|to conclude)\b"
    r"|因此|所以|因而|综上|总之|总的来说|我的|我认为|我选|故",
    re.IGNORECASE,
)
_REPORTS = re.compile(
    r"\b(?:says|said|saying|claims?|claimed|claiming|writes|wrote|instructs|instructed|instructing|tells|told|telling|demands"
    r"|injects?|injected|injection|embeds?|embedded|inserts?|inserted|hidden|hides|manipulat\w{1,8}|fake[sd]?|pretends?"
    r"|(?:attempt|tries|trying|tried)\w{0,3}\sto\s(?:influence|sway|trick|steer|force|get|make|fool|manipulate))\b"
    r"|\basks?(?:ed|ing)?\s(?:the|me|us|for|that)\b"
    r"|写道|写了|写着|写有|声称|自称|宣称|试图|企图|注入|伪造|诱导|命令|指示|假装|冒充|说道|说[:\"“]|隐藏|末尾(?:写|加|有)",
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"(?:\b(?:states|stating|writing|written|contain(?:s|ed|ing)|includ(?:es|ed|ing)|asks|reads|outputting|prints|quot(?:es|ed|ing)|ends|ending"
    r"|starts|repeat(?:s|ed|ing)|line|string|comment|phrase|words?|sentence|text|just|only|simply)\b|要求|包含|含有|一句|一行|字样|文字|只有)[^,;，；]{0,80}$",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"(?:\b(?:answer|response|output|assistant|model|reply|conversation)\s?\(?[AB12]\b|(?:回答|答案|助手|模型|输出|回复)\s?[AB12]|原文|原话"
    r"|\b(?:it|answer|response|output|assistant|model|reply)\s(?:\w{2,10}\s){0,2}(?:reads|says|ends|begins|contains|holds|writes|wrote|is)\b"
    r"|(?:回答|答案|助手|模型|输出|回复)(?:如下|是|写道|内容))[^\n]{0,80}[:：]$",
    re.IGNORECASE,
)
_SIDES = re.compile(r"(?<![A-Za-z0-9])[AB12](?![A-Za-z0-9])")
_HEADING_WORD = re.compile(
    r"verdict|winner|decision|judge?ment|conclusion|\bchoice\b|preference|rating|score|判定|裁定|裁决|结论|判断|评判|胜者|评分|得分|分数|结果",
    re.IGNORECASE,
)


class Span(NamedTuple):
    """A part of a text, in characters."""

    start: int
    end: int


class JudgeText:
    """A judge's answer without its thoughts, in plain signs (``fold``), quotations blanked.

    ``text`` has the length of the answer; ``material`` are the texts that the judge was shown.
    """

    def __init__(self, text: str, material: Sequence[str] = ()):
        answer = split_reasoning(text)[1]
        self._quotes = list(_quotations(answer))
        self.text = fold(_blanked(answer))
        self._material = [_known(each) for each in material if each.strip()]
        self._squeezed, self._places = _squeezed(self.text) if self._material else ("", [])

    def sentence(self, start: int) -> str:
        """Return what the sentence says before a place, within its line."""
        begin = max(0, start - 600)
        for end in _SENTENCE_END.finditer(self.text, begin, start + 1):
            if end.end() <= start:
                begin = end.end()
        return self.text[begin:start]

    def line(self, start: int, end: int) -> Span:
        """Return the line, or lines, that hold a part."""
        after = self.text.find("\n", end)
        return Span(self.text.rfind("\n", 0, start) + 1, len(self.text) if after < 0 else after)

    def quoted(self, start: int, end: int) -> Span | None:
        """Return the quotation that a part stands in."""
        return next((Span(*span) for span in self._quotes if span[0] < start and end < span[1]), None)

    def is_last(self, end: int) -> bool:
        """Return whether nothing but signs follows."""
        return not re.search(r"\w", self.text[end : end + 2000])

    def reported(self, start: int, end: int) -> bool:
        """Return whether the judge only says that somebody else said this: an answer, or a passage of one."""
        run = self._run(start, end)
        if run is not None and run.weight >= self._enough(run, end):
            return True
        start = run.start if run else start
        lead = self.sentence(start)
        own = list(_OWN.finditer(lead))
        lead_of_own = lead[own[-1].end() :] if own else lead
        if _REPORTS.search(lead_of_own) or _HOLDS.search(lead_of_own):
            return True
        if self._material and run is None:
            return False
        begin = self.line(start, end).start
        announced = self.text[begin:start]
        alone = not re.search(r"\w", announced) or (len(announced) < 40 and bool(_HEADING_WORD.search(announced)))
        return _introduces(lead) or (alone and _introduces(self.text[max(0, begin - 400) : begin]))

    def _enough(self, run: _Run, end: int) -> float:
        """Return from how many letters around a verdict on it is taken to be copied.

        At the very end more are needed, as a judge ends in formulas that anybody can guess; fewer where an answer is repeated
        from its first word.
        """
        if not self.is_last(end):
            return 24
        return 40 if run.from_first else 60

    def _run(self, start: int, end: int) -> _Run | None:
        """Return the longest passage around a part that stands in the material just so, blanks and case aside."""
        if not self._material:
            return None
        first, last = _index(self._places, start), _index(self._places, end)
        part, best = self._squeezed[first:last], None
        for text in self._material:
            at = text.find(part)
            for _ in range(20):
                if at < 0:
                    break
                left = _common(self._squeezed[max(0, first - 300) : first][::-1], text[max(0, at - 300) : at][::-1])
                right = _common(self._squeezed[last : last + 300], text[at + len(part) : at + len(part) + 300])
                around = self._squeezed[first - left : first] + self._squeezed[last : last + right]
                weight = len(around) + 1.5 * sum(letter >= "\u2e80" for letter in around)
                if best is None or weight > best.weight:
                    best = _Run(weight, self._places[first - left], left == at)
                at = text.find(part, at + 1)
        return best


class _Run(NamedTuple):
    weight: float
    start: int
    from_first: bool


def _common(one: str, two: str) -> int:
    """Return how many characters two texts begin with in common."""
    for index, (left, right) in enumerate(zip(one, two, strict=False)):
        if left != right:
            return index
    return min(len(one), len(two))


def _squeezed(text: str) -> tuple[str, list[int]]:
    """Return a text without blanks and decoration, in small letters, and the place of each letter."""
    kept = [
        (letter.lower(), place)
        for place, letter in enumerate(fold(text))
        if not (letter.isspace() or letter in "*_`\"'")
    ]
    return "".join(letter[:1] for letter, _ in kept), [place for _, place in kept]


@lru_cache(maxsize=512)
def _known(text: str) -> str:
    """Return a text that was shown to a judge, squeezed: each answer meets several others, in both orders."""
    return _squeezed(text)[0]


def _index(places: Sequence[int], place: int) -> int:
    return bisect.bisect_left(places, place)


def _introduces(text: str) -> bool:
    """Return whether the last words of a text say that an answer's words follow ("Answer B reads:")."""
    last = re.split(r"[.!?]\s|[。！？\n]", text.rstrip(" \n`*_\"'"))[-1]
    both = len(set(_SIDES.findall(last))) > 1  # "Comparing answer A and answer B:"
    return bool(_INTRODUCES.search(last)) and not both and not _HEADING_WORD.search(last)


def _blanked(text: str) -> str:
    """Return a text of the same length in which quotations that no verdict of the judge stands in are blank."""

    def blank(match: re.Match[str]) -> str:
        return _blank(match.group())

    def fenced(match: re.Match[str]) -> str:
        kept = len(match["inside"]) <= _SHORT and not _introduces(
            fold(text[max(0, match.start() - 400) : match.start()])
        )
        return match.group() if kept else blank(match)

    for pattern in _SET_ASIDE:
        text = pattern.sub(blank, text)
    at, unclosed = 0, set[str]()
    while tag := _TAG.search(text, at):
        closing = f"</{tag['name']}>"
        end = -1 if closing in unclosed else text.find(closing, tag.end())
        if end < 0:
            unclosed.add(closing)
            at = tag.end()
        else:
            at = end + len(closing)
            text = text[: tag.start()] + _blank(text[tag.start() : at]) + text[at:]
    return _FENCE.sub(fenced, text)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _quotations(text: str) -> Iterator[tuple[int, int]]:
    """Yield where quotations in quotation marks stand; straight marks pair up within a line, else across lines."""
    yield from (match.span() for match in _QUOTES.finditer(text))
    open_at: int | None = None
    for line in re.finditer(r"[^\n]+", text):
        marks = [match.start() for match in _STRAIGHT.finditer(text, *line.span())]
        if open_at is not None and len(marks) % 2:
            yield open_at, marks.pop(0) + 1
            open_at = None
        for first, second in zip(marks[::2], marks[1::2], strict=False):
            yield first, second + 1
        if len(marks) % 2:
            open_at = marks[-1]

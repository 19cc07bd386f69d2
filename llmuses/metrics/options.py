"""Finding the text of an option inside an answer that does not name its letter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmuses.metrics.reading import fold

_MARKUP = "*_`\"'$\\"
_MOST_MARKUP = 32
_SPACE = re.compile(r"\s{1,40}")
_ARTICLE = re.compile(r"(?:the|an?)\s+", re.IGNORECASE)
_BOUNDARY = re.compile(
    r"[*_`\"'$)\]}>\\]{0,8}(?:\s{0,40}(?:$|[;!?。、)\]}>|<]|,(?!\d))|[.:](?!\d)|\s{0,40}\n|\s{1,3}[-–—(\[]"
    r"|\s{1,3}(?:because|since|as|due|for|which|while|but|so|rather|instead|not|in|with|option|choice)\s"
    r"|\s{1,3}(?:is|would\s+be|must\s+be)\s{1,3}(?:the\s{1,3})?(?:correct|right|best)(?!\w)"
    r"|\s{0,3}(?:因为|由于|这|选项|项))",
    re.IGNORECASE,
)


def text_end(text: str, start: int, option: str) -> int | None:
    """Return where an option's text ends that stands at ``start``, None where it does not stand there.

    Case, width, the amount of space, emphasis and quotes in the text, and a full stop at the option's end do not count.
    """
    wanted = fold(option).strip().rstrip(" .。;")
    at, place, skipped = 0, start, 0
    while at < len(wanted):
        if wanted[at].isspace():
            space = _SPACE.match(text, place)
            if space is None:
                return None
            at += len(wanted[at:]) - len(wanted[at:].lstrip())
            place = space.end()
        elif place >= len(text):
            return None
        elif text[place] == wanted[at] or text[place].casefold() == wanted[at].casefold():
            at, place = at + 1, place + 1
        elif text[place] in _MARKUP and skipped < _MOST_MARKUP:
            place, skipped = place + 1, skipped + 1
        else:
            return None
    return place if wanted else None


def option_at(text: str, start: int, options: Sequence[str]) -> tuple[int, int] | None:
    """Return which option's text stands at ``start`` and where it ends, None where none does or two do.

    The longest one counts, and only where it ends with a sentence, a bracket or a word such as "because": "Paris" is
    not read out of "Paris Hilton". An article before it may differ.
    """
    found = _longest(text, start, options)
    if found is None:
        bare = [
            _ARTICLE.sub("", option.strip(), count=1) if _ARTICLE.match(option.strip()) else option
            for option in options
        ]
        article = _ARTICLE.match(text, start)
        found = _longest(text, article.end() if article else start, bare)
    return found


def _longest(text: str, start: int, options: Sequence[str]) -> tuple[int, int] | None:
    ends = [(end, index) for index, option in enumerate(options) if (end := text_end(text, start, option)) is not None]
    ends = [(end, index) for end, index in ends if _is_boundary(text, end)]
    if not ends:
        return None
    longest = max(end for end, _ in ends)
    indices = [index for end, index in ends if end == longest]
    return (indices[0], longest) if len(indices) == 1 else None


def _is_boundary(text: str, end: int) -> bool:
    return _BOUNDARY.match(text, end) is not None

"""Reading which option a written answer chooses, in any of the ways models write it, English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from llmuses.metrics.reading import Reading

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_OPEN = r"[\s*_`'\"“‘(（\[【{<]*(?:\\(?:boxed|text|textbf|mathbf|mathrm)\{)*[\s*(（]*"
"""What may stand between "the answer is" and the letter: emphasis, quotes, brackets, LaTeX."""

_ANNOUNCE = (
    r"(?:(?:answer|option|choice|solution)(?:\s+(?:to|for)\s+[^.\n:]{1,60}?)?[\s*_]*"
    r"(?:is|would\s+be|should\s+be|must\s+be|[:：=])(?:[\s*_]*[:：])?"
    r"(?:\s+(?:therefore|thus|clearly|likely|probably|most\s+likely))?(?:\s+(?:option|choice|letter))?"
    r"|(?:答案|选项|选择|正确(?:的)?(?:答案|选项)?)[\s*]*(?:应该?)?(?:是|为|选|[:：])(?:选项|选)?"
    r"|(?:故|应|因此|所以)?选择?(?:选项)?)"
)


def read_choice(text: str, choices: Sequence[str]) -> Reading | None:
    """Return the letter of the option that an answer chooses, None where it chooses none or more than one.

    In this order: the last boxed letter, the last announcement ("the answer is (B)", "答案是B"), a letter that the
    answer opens with, a letter alone on the last line, the text of one option alone or after an announcement. An
    ordinary capital, such as the article in "A dog barks", is never taken.
    """
    letters = _LETTERS[: len(choices)]
    for rule in (_boxed, _announced, _opening, _last_line):
        if match := rule(text, letters):
            if _offers_another(text, match.end(1), letters):
                return None
            return Reading(match.group(1).upper(), match.span(1), rule.__name__.strip("_"))
    return _option_text(text, choices)


def _last(pattern: str, text: str, flags: re.RegexFlag = re.NOFLAG) -> re.Match[str] | None:
    match = None
    for match in re.finditer(pattern, text, flags):
        pass
    return match


def _boxed(text: str, letters: str) -> re.Match[str] | None:
    return _last(rf"\\boxed\{{\s*(?:\\text(?:bf|rm)?\{{)?\s*\(?([{letters}])\b", text)


def _end(letters: str) -> str:
    """Return a lookahead for the end of an option's letter. An "A" or "I" before a word is an article or a pronoun."""
    closed = r"(?=\s*(?:[.,;:)）\]】}>*_`'\"”’、，。；：!！$|/]|$|\n|\\\)|\\\]))"
    reason = r"(?=\s+(?:because|since|as\b|due|for\b|is\b|and\b|or\b|[-–—(]))"
    chinese = r"(?=\s*[一-鿿])"
    other = "".join(letter for letter in letters if letter not in "AI")
    word = rf"|(?<=[{other}])(?=\s)" if other else ""
    return rf"(?:{closed}|{reason}|{chinese}{word})"


def _announced(text: str, letters: str) -> re.Match[str] | None:
    upper = _last(rf"(?i:{_ANNOUNCE}){_OPEN}([{letters}])(?![A-Za-z0-9]){_end(letters)}", text)
    lower = _last(rf"(?i:{_ANNOUNCE}){_OPEN}([{letters.lower()}])(?=[)\s]*(?:[.)*]|$|\n))(?![A-Za-z0-9])", text)
    found = [match for match in (upper, lower) if match]
    return max(found, key=lambda match: match.start(1)) if found else None


def _opening(text: str, letters: str) -> re.Match[str] | None:
    return re.match(rf"{_OPEN}(?:(?:[Oo]ption|[Cc]hoice|选项)\s*)?([{letters}])(?![A-Za-z0-9']){_end(letters)}", text)


def _last_line(text: str, letters: str) -> re.Match[str] | None:
    return re.search(rf"\n{_OPEN}([{letters}])[\s.)）\]】}}*_`'\"”’。]*$", text.rstrip())


def _offers_another(text: str, end: int, letters: str) -> bool:
    """Whether a letter is followed by "or C", "/C", "和C": the answer then chooses more than one."""
    return bool(re.match(rf"[\s)*）]*(?:or|and|/|&|,|，|、|或者?|和)\s*[(*（]*(?:option\s+)?[{letters}](?![A-Za-z0-9'’])", text[end:]))


def _option_text(text: str, choices: Sequence[str]) -> Reading | None:
    stripped = text.strip()
    start = text.find(stripped)
    announced = _last(rf"(?i:{_ANNOUNCE})\s*([^\n]+)", text)
    places = [(stripped, start)]
    if announced:
        places.insert(0, (announced.group(1), announced.start(1)))
    wanted = [_plain(choice) for choice in choices]
    for place, offset in places:
        plain = _plain(place)
        found = [index for index, choice in enumerate(wanted) if choice and choice == plain]
        if len(found) == 1:
            return Reading(_LETTERS[found[0]], (offset, offset + len(place)), "option_text")
    return None


def _plain(text: str) -> str:
    """Return a text in one spelling: width, case, outer punctuation and spaces do not count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[*_`\"“”‘’]", "", folded).strip(" \t\n.,;:!?。，；：！？()（）[]【】").split())

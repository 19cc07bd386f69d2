"""Counting the sentences and the words of a text by rules, without any data from outside.

The rules follow what the Punkt algorithm (Kiss and Strunk 2006, "Unsupervised Multilingual Sentence Boundary Detection")
does with its English model, which IFEval's own script counts sentences with: lines do not end a sentence, list numbers
("1. Apples") are one of their own. Instead of its trained tables there is a list of abbreviations and one of words that
begin sentences.
"""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof gen sen rep reps lt col maj messrs st jr sr ph.d
    jan feb aug sept sep oct nov dec wed fri inc ltd co corp cos bros vs ave ft mg
    ariz calif colo conn fla ga ill kan ky mich minn nev okla ore pa tenn va vt wash wis""".split()
)
_LETTERS = re.compile(r"(?!(?:e\.g|i\.e|p\.s|p\.p\.s)$)[a-z](?:\.[a-z])+")
"""Letters with points between them, as in "U.S."; "e.g.", "i.e." and "P.S." are no abbreviations to Punkt's model."""
_INITIALS = frozenset("cdefghklmnprstvw")
"""Letters that never end a sentence; the others may, as in "so does B. The next"."""
_AFTER_ABBREVIATIONS = frozenset(
    """although among both but despite even finally he here however i if in indeed instead it many meanwhile moreover
    most nevertheless nor please similarly since so some such the there therefore these they this though thus under when
    which while yet your""".split()
)
"""Words that begin a sentence behind an abbreviation or an ellipsis when they have a capital letter."""
_COMMON = _AFTER_ABBREVIATIONS | frozenset(
    """a after all also an and are as at because before by can did do does each every first for from have how is its let
    my no not now of on once one only our second she that their then this those to today until we what where who why
    with you""".split()
)

_MAY_END = re.compile(r"[.?!](?=[)\";}\]*:@'({\[‘’“”«»]|\s+(?P<next>\S{1,80}))")
_BEFORE = re.compile(r"[^\s()\"{}\[\]:;*@?!,‘“”«»]*\Z")
_WORD = re.compile(r"[^\W_]*")
_CLOSING = re.compile(r"[\"')\]}‘’“”«»]+(?=\s|--|$)")
_NUMBER = re.compile(r"[0-9][0-9.,-]*")
_LONGEST_WORD = 80


def sentences(text: str) -> list[str]:
    """Return the sentences of an English text, without the space around them."""
    found: list[str] = []
    start = 0
    for match in _MAY_END.finditer(text):
        if match.start() < start or not _ends(text, match.start(), match["next"]):
            continue
        closing = _CLOSING.match(text, match.end() if match["next"] is None else match.start("next"))
        end = closing.end() if closing else match.end()
        found.append(text[start:end].strip())
        start = end
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def count_sentences(text: str) -> int:
    """Return how many sentences an English text has."""
    return len(sentences(text))


def _ends(text: str, place: int, following: str | None) -> bool:
    """Whether a sentence ends with the sign at ``place``, before the token ``following``."""
    if text[place] != ".":
        return True
    found = _BEFORE.search(text, max(0, place - _LONGEST_WORD), place)
    before = found.group().lower() if found else ""
    opened = _WORD.match(following or "")
    word = opened.group() if opened else ""
    begins = word.istitle() and word.lower() in _AFTER_ABBREVIATIONS
    if before.endswith(".") or (not before and text[max(0, place - 9) : place].rstrip().endswith(".")):
        return begins  # an ellipsis, its points side by side or apart
    last = before.rpartition("-")[2]
    if last in _ABBREVIATIONS or _LETTERS.fullmatch(last):
        return begins
    if len(before) == 1 and before.isalpha():
        return before not in _INITIALS and (not word[:1].isalpha() or (word.istitle() and word.lower() in _COMMON))
    if _NUMBER.fullmatch(before):
        return not word[:1].islower()
    return True


def count_words(text: str) -> int:
    r"""Return how many words a text has: runs of letters, digits and ``_``, so that "well-known" and "don't" are two."""
    return len(re.findall(r"\w+", text))


_SPLIT = re.compile(r"--+|\.\.\.|''|``|[\[\](){}<>,;@#$%&?!\"“”‘«»]|:(?=\s|$)|(?<=\D):(?=\D)")
_ENDING = re.compile(r"(?i)('s|'m|'d|'ll|'re|'ve|n't|')$")
"""What is a word of its own: of "DON'T" both parts count."""


def count_capital_words(text: str) -> int:
    """Return how many words are in capitals: one letter or more, none of them small ("I", "U.S.", "COVID-19").

    Words are parted by spaces and punctuation, as in the Penn Treebank; hyphens and slashes do not part them.
    """
    count = 0
    for piece in text.split():
        for token in _SPLIT.split(piece):
            word, *ending = _ENDING.split(token)
            count += word.isupper() + any(part.isupper() for part in ending)
    return count

"""Reading the number that a written answer ends on, and comparing numbers by value.

Every pattern is bounded, so that the time grows with the length of the text and not faster, whatever a model writes.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from decimal import Decimal
from fractions import Fraction

from llmuses.metrics.reading import Reading, before_next_question, boxed, fold

_LATEST = 64
"""How many announcements are looked at, counted from the end."""

_POINTS = r"[0-9]{1,3}(?:\.[0-9]{3})++,[0-9]++(?![.,]?[0-9])|[0-9]{1,3}(?:\.[0-9]{3}){2,}+(?![.,]?[0-9])"
"""Points between thousands, where a comma for the decimals or a second point tells them from a decimal point."""
_GROUPED = (
    r"[0-9]{1,3}(?:(?:,|\{,\}|\\,|_|'|[\u00a0\u2009\u202f])[0-9]{3})++(?![0-9])"
    r"|[0-9]{1,2}(?:,[0-9]{2}(?=,))++,[0-9]{3}(?![0-9])"
)
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_^])(?:(?:\\?[$€£¥₹₩₽₫₺฿]|\b(?:USD|EUR|GBP|RMB|CNY|INR|Rs|RM)\b\.?)\s?)?(?P<sign>-)?(?:"
    r"(?P<mixed>[0-9]{1,6}(?:\s|\s?\\[dt]?(?=frac)))?(?:"
    r"\\?[dt]?frac\{(?P<over>[0-9]{1,9})\}\{(?P<under>[0-9]{1,9})\}"
    r"|(?P<top>[0-9]{1,9})\s?[/⁄]\s?(?P<bottom>[0-9]{1,9})(?![0-9/]|\.[0-9]))"
    rf"|(?P<whole>[0-9]{{0,6}})(?P<vulgar>[{_VULGAR}])"
    rf"|(?P<plain>{_POINTS}|(?:{_GROUPED}|[0-9]++)(?:\.[0-9]++)?|(?<![0-9A-Za-z.])\.[0-9]++)"
    r"(?:[eE](?P<e>[+-]?[0-9]{1,2})(?![0-9A-Za-z])|\s?(?:×|\\times|\\cdot|[x*])\s?10\s?\^\s?\{?(?P<ten>-?[0-9]{1,2})\}?)?"
    r"(?!\s?\^))"
)
"""One number as models write it: currency, grouping, decimals, fractions and mixed numbers, powers of ten."""

_ANNOUNCED = re.compile(
    r"(?P<strong>####|<answer>"
    r"|\banswer\b[\s*_\"']{0,8}+(?:(?:to|for|in|of|here|then|,)(?![a-z])[^.\n:]{0,80}?[\s*_,]{1,4}+)?"
    r"(?:(?:is|was|equals|=)(?!\w)|(?:would|should|must|will)\s+be(?!\w))"
    r"|\bfinal\s+answer[\s*_\"']{0,8}+:"
    r"|答案[^0-9\n:]{0,8}?(?:是|为)|最终答案\s{0,3}+:)"
    r"|(?P<weak>\banswer[\s*_\"']{0,8}+:|答案\s{0,3}+:|答\s{0,3}+:)",
    re.IGNORECASE,
)
_ALONE = re.compile(r"[$*]{0,4}-?[0-9][0-9,]{0,12}(?:\.[0-9]{1,6})?(?:\s[a-z]{1,12})?[*.]{0,4}")
_MARKUP = re.compile(r"[\s*_:$\\(\[{\"'`>]{0,40}+")
_CLAUSE_ENDS = re.compile(r"[.;!?,。;,](?=\s|$)|\s(?:because|since|as|so|which|where|when|and|but|if|that)\s|\(|<")
_EQUALS = re.compile(r"[=≈]\s{0,3}+[*_\\(\[{]{0,6}+")
_SPACED = re.compile(r"[0-9]{1,3}(?: [0-9]{3}){1,5}+(?:\.[0-9]++)?(?![0-9])")
_SCALE = re.compile(
    r"\s?(?:\\text\{\s?)?(?:(?P<thousand>thousand(?![a-z])|千(?![克米瓦卡字]))|(?P<million>million(?![a-z])|百万)|(?P<billion>billion(?![a-z])|十亿)"
    r"|(?P<wan>万)|(?P<yi>亿))",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"(?:(?P<thousand>[kK])|(?P<million>M)|(?P<billion>B|bn))(?![A-Za-z0-9^])")
"""A letter that follows at once: "1.5k", and "$2M" after a currency, since 2M may be metres or a product."""
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "wan": 10**4, "yi": 10**8}
_MINUS = re.compile(r"(?:\bnegative\s|(?:\b(?:is|be)\s|=\s?|:\s?|^)minus\s|负)(?:\\?[$€£¥])?$", re.IGNORECASE)
_ANOTHER = re.compile(
    r",(?=[0-9]{1,2}(?![0-9])|[0-9]{4})|\s?(?:-|–|—|~|:|\s(?:to|or)\s|或|到|至)\s?(?:\\?[$€£¥])?[0-9]"
)
_NO_MORE_WORDS = re.compile(r"(?:[\s%]{0,3}+[^\W\d]{1,20}+){0,4}+[\W_]{0,24}+$")
_FEW_WORDS = re.compile(
    r"(?:approximately|approx\.?|about|around|a\s+total\s+of|total|[a-zA-Z]\s?=|[^\x00-\x7f]{1,8}|[\s$*_(\\:])*+$",
    re.IGNORECASE,
)
_NEAR = 400
"""Characters on either side of the last number that count as its line."""
_BOLD = re.compile(r"\*\*(?P<inside>[^*\n]{1,80})\*\*")
_SENTENCE = re.compile(r"[.!?](?:\*\*)?\s|。")
_GOES_ON = re.compile(r"\s?(?:[:=≈×÷+/]|[-*x]\s?[0-9$])")
_UNIT_ONLY = re.compile(r"[%*]{0,3}(?:\s[^\W\d]{1,20}){0,2}[*]{0,2}\s")
"""What may stand between a number and a remark about it: its unit."""
_DASH = re.compile(r"(?<![0-9)\]]\s)(?<!\S)–(?=\\?[$€£¥]?[0-9])")
"""A dash that stands for a minus: "it is –5"; not one between two numbers."""
_CALCULATION = re.compile(r"<<[^<>\n]{0,200}>>")


class _SeveralError(Exception):
    """The answer gives more than one number."""


def read_number(text: str) -> Reading | None:
    """Return the number that an answer gives, None where it holds none or offers several ("5 or 6").

    In this order: the last ``\\boxed{}``; the last announcement ("The answer is", "####", "<answer>", "答案是") with the first number
    of its sentence, or, where that begins a calculation, what the calculation comes to; the last number of the text,
    but for what its sentence has in bold print, and for a remark in brackets ("$460 (45 hours)").
    "Answer:" alone counts only where a number stands under it, since it may head a whole solution. Where an answer is taken
    back at once ("... is 42. Wait, that's wrong"), what comes after that is read.

    The value has no separators, currency, percent sign or trailing zeros; a fraction stays one (``7/2``). Thousands are
    told by commas, thin spaces, apostrophes and, where decimals or a second one show it, points ("1.000,5"); by plain
    spaces ("1 000") in a box or an announcement alone, since elsewhere two numbers may stand there. A power of ten in
    words or a letter after digits counts ("2 million", "3万", "1万2千", "1.5k", "$2M"); other words for numbers ("twenty", "二十") are not worked out.

    What a base model writes after its answer, under "Question:" or the like, is not looked at.
    """
    # Calculator annotations, <<2*3=6>>, repeat what stands beside them.
    folded = _CALCULATION.sub(lambda match: " " * len(match.group()), fold(text))
    folded = _DASH.sub("-", folded)
    folded = before_next_question(folded, _answers)
    try:
        reading = _boxed(folded) or _announced(folded)
        return (_corrected(folded, reading) if reading else None) or reading or _last(folded)
    except _SeveralError:
        return None


_TAKEN_BACK = re.compile(
    r"[^0-9]{0,40}?(?:\bI\s(?:have\s)?made\s(?:a|an)\s(?:\w{1,12}\s)?(?:mistake|error)\b"
    r"|\b(?:that|this)(?:'s|\sis|\swas)\s(?:not\s(?:right|correct)|wrong|incorrect)\b|\bscratch\sthat\b|\bcorrection\s?:"
    r"|不对|更正|算错|我错了)",
    re.IGNORECASE,
)
"""Right after an answer: that it is none."""


def _corrected(text: str, reading: Reading) -> Reading | None:
    """Return the number that comes after an answer which is taken back at once, None where it is not."""
    taken_back = _TAKEN_BACK.match(text, reading.span[1])
    if taken_back is None:
        return None
    rest = " " * taken_back.end() + text[taken_back.end() :]
    return _announced(rest) or _last(rest)


def _answers(text: str) -> bool:
    """Whether a text gives a number, or several, by a box or an announcement, or is nothing but one."""
    try:
        return (_boxed(text) or _announced(text)) is not None or _ALONE.fullmatch(text.strip()) is not None
    except _SeveralError:
        return True


def _boxed(text: str) -> Reading | None:
    place = boxed(text)
    if place is None:
        return None
    start = max(text.rfind("=", *place) + 1, place[0])
    match = _NUMBER.search(text, start, place[1])
    if match is None:
        return None
    if re.match(
        r"\s?(?:,\s|,(?=[0-9])|\\text\{\s?(?:or|and)|or\s|and\s)[^0-9]{0,12}[0-9]", text[match.end() : place[1]]
    ):
        raise _SeveralError
    return _reading(text, match, "boxed", spaced=True)


def _announced(text: str) -> Reading | None:
    for match in list(_ANNOUNCED.finditer(text))[: -_LATEST - 1 : -1]:
        begin = _after_markup(text, match.end())
        line_end = text.find("\n", begin, begin + 600)
        line_end = min(len(text), begin + 600) if line_end < 0 else line_end
        number = _NUMBER.search(text, begin, line_end)
        if number is None:
            continue
        between = text[begin : number.start()]
        if match["weak"] and not _stands_alone(text, between, number.end(), line_end):
            continue
        if re.search(r"\bnot\b|n't\b|不", between):
            continue
        return _result(text, number, between, line_end)
    return None


def _after_markup(text: str, start: int) -> int:
    match = _MARKUP.match(text, start)
    end = match.end() if match else start
    # A sign, a currency or a backslash belongs to the number.
    while end > start and text[end - 1] in "$\\":
        end -= 1
    return end


def _stands_alone(text: str, before: str, end: int, line_end: int) -> bool:
    """Whether the number after "Answer:" is all that its line holds, or its line is the last one with a digit."""
    if _FEW_WORDS.match(before) and _NO_MORE_WORDS.match(text, end, line_end):
        return True
    return _DIGIT.search(text, line_end) is None


_DIGIT = re.compile(r"[0-9]")


def _result(text: str, number: re.Match[str], between: str, line_end: int) -> Reading:
    """Return the number, or what the calculation that it begins comes to. Raises _SeveralError for a range."""
    if re.search(r"\b(?:between|either)\b", between, re.IGNORECASE):
        raise _SeveralError
    clause = _CLAUSE_ENDS.search(text, number.end(), line_end)
    clause_end = clause.start() if clause else line_end
    for equals in reversed(list(_EQUALS.finditer(text, number.end(), clause_end))):
        if result := _NUMBER.match(text, equals.end()):
            return _reading(text, result, "announced")
    if _ANOTHER.match(text, number.end()):
        raise _SeveralError
    return _reading(text, number, "announced", spaced=True)


def _last(text: str) -> Reading | None:
    last = deque(_NUMBER.finditer(text), maxlen=1)
    if not last:
        return None
    return _reading(text, _emphasised(text, last[0]) or _explained(text, last[0]) or last[0], "last_number")


def _emphasised(text: str, last: re.Match[str]) -> re.Match[str] | None:
    """Return the only number in bold print in the sentence of the last number: "costs **$64** for 16 glasses"."""
    begin = max(text.rfind("\n", 0, last.start()) + 1, last.start() - _NEAR)
    end = text.find("\n", last.end(), last.end() + _NEAR)
    end = min(len(text), last.end() + _NEAR) if end < 0 else end
    begin = max([begin, *(stop.end() for stop in _SENTENCE.finditer(text, begin, last.start()))])
    found = []
    for bold in _BOLD.finditer(text, begin, end):
        numbers = list(_NUMBER.finditer(text, *bold.span("inside")))
        if numbers:
            found.append((bold, numbers))
    if len(found) != 1 or len(found[0][1]) != 1:
        return None
    bold, number = found[0][0], found[0][1][0]
    heads = text[bold.start("inside") : number.start()].strip()  # "**Step 2**", "**2. Total:**"
    if (
        heads
        or re.match(r"[.)]\s?\w|[^*]*:", text[number.end() : bold.end("inside")])
        or _GOES_ON.match(text, bold.end())
    ):
        return None
    return number


def _explained(text: str, last: re.Match[str]) -> re.Match[str] | None:
    """Return the number that the text ends on but for a remark in brackets: "she earns $460 (45 hours)"."""
    close = len(text.rstrip(" \n.*"))
    begin = text.rfind("(", max(0, close - 80), close)
    if begin < 0 or not (text.endswith(")", 0, close) and begin < last.start()):
        return None
    if ")" in text[begin : close - 1] or not re.search(r"[A-Za-z]{2}|[=×*+]", text[begin:close]):
        return None
    before = deque(_NUMBER.finditer(text, max(0, begin - 60), begin), maxlen=1)
    return before[0] if before and _UNIT_ONLY.fullmatch(text, before[0].end(), begin) else None


def _reading(text: str, match: re.Match[str], rule: str, spaced: bool = False) -> Reading:
    start, end = match.span()
    negative = match["sign"] is not None and not _follows_a_term(text, match.start("sign"))
    if match["sign"] is None and _has_sign_before(text, start):
        start, negative = text.rfind("-", 0, start), True
    elif match["sign"] is None and _MINUS.search(text, max(0, start - 16), start):
        negative = True
    elif match["sign"] is not None and not negative:
        start = match.end("sign")
    value = _value(match)
    if spaced and match["plain"] and (wide := _SPACED.match(text, match.start("plain"))) and wide.end() > end:
        value, end = plain_number(wide.group()), wide.end()
    if compound := _compound(text, match):
        value, (start, end) = plain_number(f"{_added(compound):f}"), compound.span()
        return Reading(("-" if negative else "") + value, (start, end), rule)
    scale = _SCALE.match(text, end) or _suffix(text, match)
    if scale is not None and scale.lastgroup is not None and "/" not in value and len(value) < 24:
        value, end = plain_number(f"{Decimal(value) * _SCALES[scale.lastgroup]:f}"), scale.end()
    return Reading(("-" if negative else "") + value, (start, end), rule)


_PART = r"[0-9]{1,9}+(?:\.[0-9]{1,9}+)?\s?"
_COMPOUND = re.compile(
    rf"{_PART}[亿万]\s?(?:{_PART}(?:千万|百万|万|千|百)\s?){{0,3}}(?:{_PART}(?:千|百)|[0-9]{{3,4}}(?![0-9.]))?"
)
_PARTS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s?(亿|千万|百万|万|千|百|)")
_CHINESE = {"亿": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4, "千": 10**3, "百": 10**2, "": 1}


def _compound(text: str, number: re.Match[str]) -> re.Match[str] | None:
    """Return the number of several Chinese parts that a number is one of: "1万2千", "2亿3千万", "3万2000"."""
    if number["plain"] is None:
        return None
    for found in _COMPOUND.finditer(text, max(0, number.start("plain") - 40), number.end() + 40):
        if found.start() <= number.start("plain") < found.end() and len(_PARTS.findall(found.group())) > 1:
            return found
    return None


def _added(compound: re.Match[str]) -> Decimal:
    parts = _PARTS.findall(compound.group())
    return sum((Decimal(digits) * _CHINESE[scale] for digits, scale in parts), Decimal(0))


def _suffix(text: str, number: re.Match[str]) -> re.Match[str] | None:
    suffix = _SUFFIX.match(text, number.end())
    return suffix if suffix and (suffix["thousand"] or not number.group()[0].isdigit()) else None


def _follows_a_term(text: str, place: int) -> bool:
    """Whether a minus stands after a number, a name or a bracket: it then takes away from that."""
    before = text[max(0, place - 2) : place]
    return re.search(r"(?:\w|[)\]%]|[0-9)] )$", before) is not None


def _has_sign_before(text: str, start: int) -> bool:
    """Whether a minus stands before a number's currency sign ("-$5"), or apart from it after "=" ("= - 5")."""
    before = text[max(0, start - 4) : start]
    if before.endswith("-"):
        return not _follows_a_term(text, start - 1)
    return bool(re.search(r"=\s?-\s$", before))


def _value(match: re.Match[str]) -> str:
    if match["over"] or match["top"]:
        top, bottom = match["over"] or match["top"], match["under"] or match["bottom"]
        mixed = re.sub(r"[^0-9]", "", match["mixed"] or "") or "0"
        if int(bottom) == 0 or mixed == "0":
            return f"{top}/{bottom}"
        return str(int(mixed) + Fraction(int(top), int(bottom)))
    if match["vulgar"]:
        part = Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(10)
        return str(int(match["whole"] or 0) + part)
    plain = plain_number(match["plain"])
    if exponent := match["e"] or match["ten"]:
        return plain_number(f"{Decimal(plain).scaleb(int(exponent)):f}")
    return plain


def plain_number(text: str) -> str:
    """Return a number without separators, currency signs, spaces, idle zeros: ``-$1,200.50`` is ``-1200.5``.

    ``1.200,50`` and ``1.200.000`` are read as they are meant on the European continent; ``1.200`` has three decimals.
    """
    plain = unicodedata.normalize("NFKC", text).replace("−", "-")
    if re.fullmatch(rf"[-+]?(?:{_POINTS})", plain):
        plain = plain.replace(".", "").replace(",", ".")
    plain = re.sub(r"[\s,$€£¥₹₩₽₫₺฿%_'{}\\]", "", plain).rstrip(".")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    plain = re.sub(r"^([+-]?)0*(?=[0-9])", r"\1", re.sub(r"^([+-]?)\.", r"\g<1>0.", plain)).removeprefix("+")
    return "0" if plain == "-0" else plain


def equal_numbers(one: str, other: str) -> bool:
    """Whether two numbers have one value; fractions and decimals compare exactly. False where one is no number."""
    plain = plain_number(one), plain_number(other)
    if any(len(number) > 4000 or "e" in number.lower() for number in plain):
        return False  # beyond what is worth working out: 1e999999999 would fill the memory
    try:
        return Fraction(plain[0]) == Fraction(plain[1])
    except (ValueError, ZeroDivisionError):
        return False

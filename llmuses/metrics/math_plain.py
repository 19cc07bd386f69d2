"""Mathematical answers in one plain form, and what plain forms alone decide: equal texts, numbers, words.

What they leave open is for a computer algebra system, in a process of its own (``math_pool.py``).
"""

from __future__ import annotations

import re
from fractions import Fraction

from llmuses.metrics.reading import fold

LONGEST = 500
"""Characters: longer answers are not compared."""

_MACROS = {
    r"\\[dtc]frac(?![a-z])": r"\\frac",
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|qquad|quad|mleft|mright)(?=[^a-z]|x|y|$)": " ",
    r"(?<!\\)\\(?:[,;:!> ]|hspace\*?\{[^{}]*\}|phantom\{[^{}]*\})": " ",
    r"\\(?:leq|leqslant|le)(?![a-z])|≤": r"\\le ",
    r"\\(?:geq|geqslant|ge)(?![a-z])|≥": r"\\ge ",
    r"\\(?:neq|ne)(?![a-z])|≠": r"\\ne ",
    r"\\lt(?![a-z])": "<",
    r"\\gt(?![a-z])": ">",
    r"\\(?:lvert|rvert|vert|mid)(?![a-z])": "|",
    r"\\(?:dots|ldots|cdots|dotsc|dotsb)(?![a-z])": r"\\dots ",
    r"\\approx(?![a-z])|≈": r"\\approx ",
    r"\\(?:varnothing|emptyset)(?![a-z])|∅": r"\\emptyset ",
    r"\\(?:lbrace)(?![a-z])": r"\\{",
    r"\\(?:rbrace)(?![a-z])": r"\\}",
    r"\\begin\{(?:smallmatrix|[bvBV]?matrix)\}": r"\\begin{pmatrix}",
    r"\\end\{(?:smallmatrix|[bvBV]?matrix)\}": r"\\end{pmatrix}",
    r"\\infinity(?![a-z])|∞": r"\\infty ",
    r"π|(?<![A-Za-z\\])pi(?![A-Za-z])": r"\\pi ",
    r"√(?=\()": r"\\sqrt",
    r"(?:√|(?<![A-Za-z\\])sqrt)\s?([0-9]+|[a-z](?![a-z]))": r"\\sqrt{\1}",
    r"×": r"\\times ",
    r"·": r"\\cdot ",
    r"÷": "/",
    r"±": r"\\pm ",
    r"∪": r"\\cup ",
    r"∩": r"\\cap ",
    r"∈": r"\\in ",
    r"²": "^2",
    r"³": "^3",
    r"\^\s?(?:\\circ(?![a-z])|\{\s?\\circ\s?\})|\\degree(?![a-z])|º": "°",
    r"\\%": "%",
    r"\\mbox\s?\{": r"\\text{",
    r"\\(?:mathrm|textbf|mathbf|textit|mathit|textrm|textsf|operatorname|bf|rm)\s?\{": r"\\text{",
    r"\\frac\s?([0-9])\s?([0-9])": r"\\frac{\1}{\2}",
    r"\\frac\s?([0-9a-z])\s?\{": r"\\frac{\1}{",
    r"(\\frac\{[^{}]*\})\s?([0-9a-z])(?![}])": r"\1{\2}",
    r"\\sqrt\s?([0-9a-z])": r"\\sqrt{\1}",
    r"([_^])\s?\{\s?(\w)\s?\}": r"\1\2",
    r"\{([^{}]*)\\over(?![a-z])([^{}]*)\}": r"\\frac{\1}{\2}",
}
_MACRO_PATTERNS = [(re.compile(pattern), plain) for pattern, plain in _MACROS.items()]
_DOUBLED = re.compile(r"\\\\(?=[a-zA-Z])")
_ROWS = re.compile(r"matrix|array|cases|align")
_CURRENCY = re.compile(r"\\?[$€£¥₹]|(?<![A-Za-z])(?:USD|EUR|GBP|RMB|CNY|US)(?![A-Za-z])")
_GROUPED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9]|,[0-9])")
_SPLIT_THOUSANDS = re.compile(r"(?<=[0-9])(?:\{,\}|,?\\!|,\s?\\!|\\,|[\u00a0\u2009\u202f])\s?(?=[0-9]{3}(?![0-9]))")
_AND = re.compile(
    r",?\s*\\text\s?\{\s*(?:,?\s*(?:and|or)|和|或)\s*\}|(?<![A-Za-z\\{])\s*,?\s*(?:and|or)\s*(?![A-Za-z])|(?<=[0-9)\]}])\s?(?:and|or)\s?|[、和或]"
)
_LABEL = re.compile(r"^\\text\s?\{[^{}]*[A-Za-z]{2}[^{}]*\}\s?[:=]?(?=[^:=]*[0-9\\])(?!\s?\\text)")
"""Words before a value: "\\text{The area is } 5"."""
_TEXT = re.compile(r"\\text\s?\{([^{}]*)\}")
_UNITS = (
    "square cubic sq cu units? inch(?:es)? in foot feet ft yards? yd miles? mi mph kmh km/h m/s meters? metres? cm mm km kg mg "
    "grams? kilograms? pounds? lbs? ounces? oz tons? liters? litres? ml gallons? quarts? pints? cups? hours? hrs? minutes? mins? "
    "seconds? secs? days? weeks? months? years? old dollars? cents? euros? yuan rupees? degrees? radians? percent(?:age)? per "
    "points? people students? ways? digits? numbers? solutions? integers? times? apples? marbles? books? coins? centimeters? "
    "kilometers? millimeters? hectares? acres? 元 个 厘米 千米 公里 米 平方米 立方米 度 人 种 天 小时 分钟 秒 岁 千克 公斤 克 升 只 本 次"
)
_UNIT = re.compile(
    rf"(?:\s|(?<=[0-9%}})°]))(?:{'|'.join(_UNITS.split())})(?![A-Za-z])[.]?(?:\s?\^\s?\{{?[23]\}}?)?$", re.IGNORECASE
)
_METRES = re.compile(r"(?<=[0-9])\s(?:m|g|s|h|L|N|J|W|V)(?:\s?\^\s?\{?[23]\}?)?$")
_UNIT_TEXT = re.compile(
    r"(?<=[0-9A-Za-z%})°])\s?\\text\s?\{(?!\s?(?:[ap]\.?\s?m\b))[^{}]*\}(?:\s?\^\s?(?:[23]|\{\s?[23]\s?\}))?$"
)
_SPACE = re.compile(r"(\\[A-Za-z]+)\s+(?=[A-Za-z])|\s+")
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)(?:(?P<mixed>[0-9]{1,9})?\\frac\{(?P<minus>-?)(?P<over>[0-9]{1,40})\}\{(?P<under>[0-9]{1,40})\}"
    r"|(?P<top>[0-9]{1,40})/(?P<bottom>[0-9]{1,40})"
    r"|(?P<before>[0-9]{0,40})\.(?P<once>[0-9]{0,40})\\(?:overline|bar|dot)\{(?P<again>[0-9]{1,40})\}|(?P<plain>[0-9]{1,1000}(?:\.[0-9]{0,1000})?|\.[0-9]{1,1000}))"
)
_SHORT_WORDS = frozenset({"odd", "yes", "no", "one", "all"})
"""Words of fewer than four letters that answer a question; other short ones may be products of variables."""
_SHORT_TEXT = re.compile(r"\\text\s?\{\s?[^\W\d_]{3}\s?\}")
_WORD = re.compile(r"(?=.*[^\W\d_]{4})[^\W\d_]{1,40}(?:[ '-][^\W\d_]{1,40}){0,8}")
_ASSIGNED = re.compile(
    r"(?:[A-Za-z]{1,3}|\\[a-z]+|\|[A-Z]{1,3}\|)(?:_(?:\{[^{}]{1,12}\}|\w))?'?(?:\([^()=]{1,12}\))?(?:\\in|=)(?![^{]*\\end)"
)
_BASE = re.compile(r"(-?[0-9A-Z]{1,200})_(?:\{([0-9]{1,2})\}|([0-9]))")


def tidy(text: str, joined: bool = True) -> str:
    """Return an answer with one spelling for each sign: no spaces, marks of formulas, size or colour commands.

    ``joined``: "1,000" is one thousand; else it stays as written and may be two numbers.
    """
    plain = fold(text).replace("\n", " ").replace("−", "-").replace("–", "-").strip()
    if not _ROWS.search(plain):
        plain = _DOUBLED.sub(r"\\", plain)
    plain = _SPLIT_THOUSANDS.sub("", plain)
    if joined:
        plain = _GROUPED.sub(lambda match: match.group().replace(",", ""), plain)
    plain = re.sub(r"\\[()]|(?<!\\)\\[\[\]]|\*\*", " ", plain)
    plain = _CURRENCY.sub("", plain)
    for pattern, sign in _MACRO_PATTERNS:
        plain = pattern.sub(sign, plain)
    plain = _AND.sub(",", plain)
    return plain.strip().rstrip(".,;:。").strip()


def _squeezed(plain: str) -> str:
    return _SPACE.sub(lambda match: f"{match[1]} " if match[1] else "", plain)


def without_unit(plain: str) -> str:
    """Return a tidy answer without the unit after its number, as text or as a known word, and without degrees."""
    for _ in range(3):
        shorter = _UNIT_TEXT.sub("", plain)
        shorter = _METRES.sub("", _UNIT.sub("", shorter)).rstrip("° ").rstrip()
        if shorter == plain or not re.search(r"[0-9A-Za-z\\]", shorter):
            return plain
        plain = shorter
    return plain


def math_form(text: str, joined: bool = True) -> str:
    """Return an answer as algebra reads it: tidy, without unit, texts in plain letters, without spaces."""
    plain = _LABEL.sub("", without_unit(tidy(text, joined)))
    plain = _squeezed(_TEXT.sub(r"\1", plain))
    if (single := re.fullmatch(r"\(([A-Za-z])\)", plain)) is not None:
        return single[1]
    return _whole_group(plain)


def _whole_group(plain: str) -> str:
    while plain.startswith("{") and plain.endswith("}") and _closing(plain) == len(plain) - 1 and "," not in plain:
        plain = plain[1:-1]
    return plain


def _closing(plain: str) -> int:
    depth = 0
    for place, sign in enumerate(plain):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth == 0:
            return place
    return -1


def _word_form(text: str) -> str | None:
    """Return a text answer in small letters without marks; None for mathematics."""
    tidied = tidy(text)
    plain = re.sub(r"\s+", " ", _TEXT.sub(r"\1", tidied)).strip(" ()[]'\"{}")
    if _WORD.fullmatch(plain) or plain.casefold() in _SHORT_WORDS or _SHORT_TEXT.fullmatch(tidied):
        return plain.casefold()
    if re.search(r"[0-9]\s?[ap]\.?\s?m\.?$", plain):  # the time of day
        return re.sub(r"[\s.]", "", plain).casefold()
    return None


def _number(form: str) -> Fraction | None:
    match = _NUMBER.fullmatch(form.removesuffix("%"))
    if match is None:
        return None
    if match["plain"]:
        value = Fraction(match["plain"].rstrip("."))
    elif match["again"]:
        once, again = match["once"], match["again"]
        whole = int((match["before"] or "0") + once + again) - int((match["before"] or "0") + once)
        value = Fraction(whole, (10 ** len(again) - 1) * 10 ** len(once))
    else:
        under = int(match["under"] or match["bottom"])
        if under == 0:
            return None
        value = Fraction(int(match["over"] or match["top"]), under)
        if match["mixed"]:
            value = value + int(match["mixed"]) if not match["minus"] else value
        if match["minus"]:
            value = -value
    return -value if match["sign"] == "-" else value


def _equal_numbers(one: Fraction, other: Fraction, forms: tuple[str, str]) -> bool:
    """Whether two numbers are one: exactly, or one is the other rounded to six decimals or more."""
    if one == other:
        return True
    decimals = [len(form.removesuffix("%").partition(".")[2]) for form in forms]
    return (
        max(decimals) >= 6
        and min(decimals) < max(decimals)
        and abs(one - other) * 2 <= Fraction(1, 10 ** max(decimals))
    )


def decide(target: str, answer: str) -> bool | None:
    """Return whether two answers mean the same where their plain forms tell it, None where they leave it open.

    Numbers are compared exactly; a decimal of six places or more also as the rounding of another number. A percent
    sign, a unit, a currency, a number's base or "x =" on one side alone does not count. Words are compared without case.
    """
    one, other = math_form(target), math_form(answer)
    if one == other:
        return one != ""
    words = _word_form(target), _word_form(answer)
    if words[0] is not None and words[0] == words[1]:
        return True
    if _without_name(one) == other or one == _without_name(other):
        return True
    one, other, verdict = _without_bases(one, other)
    if verdict is not None:
        return verdict
    one_value, other_value = _number(_without_name(one)), _number(_without_name(other))
    if one_value is not None and other_value is not None and not (_named(one) and _named(other)):
        return _decide_numbers(one_value, other_value, (_without_name(one), _without_name(other)), (target, answer))
    return False if None not in words else None


def _without_bases(one: str, other: str) -> tuple[str, str, bool | None]:
    """Return two answers without the base that one of them names; False where both do, since another base is asked for."""
    bases = _BASE.fullmatch(one), _BASE.fullmatch(other)
    if bases[0] is None or bases[1] is None:
        return (bases[0][1] if bases[0] else one), (bases[1][1] if bases[1] else other), None
    return one, other, False


def _decide_numbers(one: Fraction, other: Fraction, forms: tuple[str, str], texts: tuple[str, str]) -> bool | None:
    if _equal_numbers(one, other, forms):
        return True
    percent = [form.endswith("%") for form in forms]
    if percent[0] != percent[1]:
        one, other = (one / 100, other) if percent[0] else (one, other / 100)
        return one == other
    # "1,234" may be two numbers.
    return None if any("," in tidy(text, joined=False) for text in texts) else False


def _named(form: str) -> bool:
    return _ASSIGNED.match(form) is not None


def _without_name(form: str) -> str:
    """Return what "x = 5", "f(x) = 5" or "x \\in ..." says of its name."""
    match = _ASSIGNED.match(form)
    rest = form[match.end() :].strip() if match else ""
    return rest if rest and "=" not in rest and "," not in rest else form

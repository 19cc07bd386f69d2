"""Where mathematics stands in a text: between dollar signs, and without them."""

from __future__ import annotations

import re

FORMULA = re.compile(
    r"\$\$(?P<display>(?:\\.|[^$\\]){1,4000}+)\$\$"
    r"|\\\[(?P<bracket>(?:[^\\]|\\(?!\])){1,4000}+)\\\]"
    r"|\\\((?P<paren>(?:[^\\\n]|\\(?!\))){1,2000}+)\\\)"
    r"|\$(?P<dollar>(?:\\.|[^$\\\n]|\n(?!\n)){1,2000}+)\$"
    r"|\\begin\{(?P<env>align|equation|gather|eqnarray)(?P<star>\*?)\}(?P<rows>(?:[^\\]|\\(?!end\{(?:align|equation|gather|eqnarray))){1,4000}+)\\end",
    re.DOTALL,
)
"""A formula between its marks."""
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}\s+[A-Za-z]{2,}")
_TEXT_MACRO = re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox|operatorname|textit|mathit|begin|end)\s?\{[^{}]*+\}")
_CONNECTOR = re.compile(r"\s{0,3}(?:,\s?(?:and|or)\b|,|;|and\b|or\b|、|和|或|以及)\s{0,3}(?=\$|\\\(|\\\[)")

_FUNCTIONS = "arcsin|arccos|arctan|sin|cos|tan|cot|sec|csc|log|ln|exp|sqrt|pi|lcm|gcd|inf"
_TOKEN = re.compile(
    r"\\(?:text|mathrm|textbf|mathbf|mbox|operatorname|textit|mathit)\s?\{[^{}]{0,80}\}"
    r"|\\begin\{(?P<env>[a-z]{0,8}matrix|array|cases)\}(?:[^\\]|\\(?!end\{)){0,1500}+\\end\{(?P=env)\}"
    r"|\\(?!\)|\]|\[|\(|boxed)[A-Za-z]{1,24}|\\[,;:!{}%$\\ |]"
    r"|[0-9]{1,2}:[0-9]{2}(?:\s?[ap]\.?\s?m\b)?|[0-9]++(?:[.,][0-9]++){0,12}+|\.[0-9]++"
    r"|[-+*/^_=<>≤≥≠≈±×÷·√∞π%°!|'(),;:{}\[\]~½⅓¼¾²³$]"
    rf"|(?:{_FUNCTIONS})(?![A-Za-z])|[A-Za-z](?![A-Za-z'])|(?:xy|yz|xz|xyz|ab|bc|ac|abc)(?![A-Za-z'])"
    r"|[α-ωΩ∪∩∈∅]"
)
_SPACE = re.compile(r"[ \t]{0,3}")
_JOIN = re.compile(r"(?:and|or|或|和|、)[ \t]{1,3}(?=[-+0-9(\\\[$]|[a-z] ?=)|[或和、](?=[-+0-9(\\\[$])")
_STOP = re.compile(r"\.(?![0-9])")


def formula_content(match: re.Match[str]) -> tuple[str, int, int] | None:
    """Return what a formula's marks enclose, and where it stands; None where they are currency signs around prose."""
    name = next(name for name in ("display", "bracket", "paren", "dollar", "rows") if match[name] is not None)
    content = match[name]
    if name == "dollar" and _PROSE.search(_TEXT_MACRO.sub(" ", content)):
        return None
    return content, match.start(name), match.end(name)


def formula_run(text: str, start: int, stop: int) -> tuple[list[str], int] | None:
    """Return the formula that stands at ``start`` with those that it is enumerated with, and where the last one ends.

    "$x = 2$ or $x = 3$, since …" gives two. None where no formula stands there.
    """
    contents: list[str] = []
    place = start
    while len(contents) < 16:
        match = FORMULA.match(text, place, stop)
        content = formula_content(match) if match is not None else None
        if match is None or content is None:
            break
        contents.append(content[0])
        end = match.end()
        connector = _CONNECTOR.match(text, end, stop)
        if connector is None:
            return contents, end
        place = connector.end()
    return (contents, end) if contents else None


def math_end(text: str, start: int, stop: int) -> int:
    """Return where mathematics ends that begins at ``start`` without dollar signs; ``start`` where none does.

    It ends before the first word, the end of a sentence or the line; brackets in it are closed; a comma, a colon or an
    article at its end is not part of it.
    """
    place, best, depth = start, start, 0
    while place < stop:
        at = _space(text, place, stop)
        joined = _JOIN.match(text, at, stop)
        at = joined.end() if joined else at
        token = _TOKEN.match(text, at, stop)
        if token is None or _STOP.match(text, at, stop):
            break
        sign = token.group()
        if sign in ("(", "[", "{", "\\{"):
            if sign == "(" and at > place and not depth and _is_remark(text, at, stop):
                break
            depth += 1
        elif sign in (")", "]", "}", "\\}"):
            if not depth:
                break
            depth -= 1
        place = token.end()
        if not depth and not (sign in ",;:=+-*/^_<>~$'" or (sign in "aAI" and at > start and text[at - 1] == " ")):
            best = place
    return best


def _space(text: str, place: int, stop: int) -> int:
    match = _SPACE.match(text, place, stop)
    return match.end() if match else place


def _is_remark(text: str, at: int, stop: int) -> bool:
    """Whether a bracket after a space explains: "18 (16 - 3 + 5 = 18)", "5 (five)"."""
    inside = text[at + 1 : min(stop, at + 200)].partition(")")[0]
    return "=" in inside or re.search(r"(?<!\\)\b[A-Za-z]{3,}", inside) is not None

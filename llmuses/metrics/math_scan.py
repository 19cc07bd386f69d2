"""Where mathematics stands in a text: between dollar signs, and without them."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
_OPENING = re.compile(
    rf"[0-9$(\[{{|√π∞±½⅓¼¾+-]|\.[0-9]|\\(?![\]).,;:! ])|(?:{_FUNCTIONS})(?![A-Za-z])"
    r"|(?![aAI] [^-+*/^=<>≤≥≈])[A-Za-z](?![A-Za-z'])|[α-ω]"
)
"""What mathematics in the middle of prose begins with; "a" and "I" are words unless an operator follows."""
_SKIPPED = re.compile(r"\w{1,60}(?:['-][^\W\d]\w{0,60}){0,4}(?:\^[0-9])?|.", re.DOTALL)
_CUT = re.compile(r":\s+|(?<=[0-9])[ \t]{1,3}(?=\$?[0-9])|(?<![\w)}])[A-Za-z][ \t]{1,3}(?=[0-9])")
"""What parts two things on one line: "Step 3: x = 5", "In room 12 500 people", "Class B 18"."""
_CONDITION = re.compile(r"\b(?:when|if|for|at|since|as|with|where|on|in)\s*$", re.IGNORECASE)
_PAIR = re.compile(r"[^,()\[\]{}]{1,200},\s+(?=[^,()\[\]{}]{1,200}$)")
_UNREAD = "^_≡⌊⌋⌈⌉∑∏∫∂∇⟨⟩⊕⊗∘"


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


def expressions(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield where mathematics begins and ends among the words of a text, without dollar signs.

    The work grows with the square of the length at worst: it is meant for a line.
    """
    place = start
    while place < stop:
        end = math_end(text, place, stop) if _OPENING.match(text, place, stop) else place
        if end > place:
            yield place, end
            place = end
        else:
            skipped = _SKIPPED.match(text, place, stop)
            place = skipped.end() if skipped else place + 1


def whole_expression(text: str, span: tuple[int, int], around: tuple[int, int]) -> tuple[int, int] | None:
    """Return where the expression begins and ends that a number stands in, on a line given by ``around``.

    That is the place of the number itself, sign and currency apart, where it stands alone; None where it is a piece
    of something that cannot be read.
    """
    run = next((run for run in expressions(text, *around) if run[0] <= span[1] - 1 < run[1]), None)
    if run is None:
        return span
    begin, end = run[0], max(run[1], span[1])
    begin = max([begin, *(begin + cut.end() for cut in _CUT.finditer(text[begin : span[0]] + text[span[0]]))])
    begin = min(begin, span[0])
    pair = _PAIR.match(text[begin:end])
    if pair and begin + pair.end() <= span[0]:
        goes_on = re.match(r"\s?[^\W\d]", text[end : around[1]])
        if goes_on or _CONDITION.search(text[max(0, begin - 12) : begin]):  # "In 2010, 5 people", "If x = 1, y = 2"
            begin += pair.end()
    before, after = text[around[0] : begin].rstrip()[-1:], text[end : around[1]].lstrip()[:1]
    return None if (before and before in _UNREAD) or (after and after in _UNREAD) else (begin, end)


def _space(text: str, place: int, stop: int) -> int:
    match = _SPACE.match(text, place, stop)
    return match.end() if match else place


def _is_remark(text: str, at: int, stop: int) -> bool:
    """Whether a bracket after a space explains: "18 (16 - 3 + 5 = 18)", "5 (five)"."""
    inside = text[at + 1 : min(stop, at + 200)].partition(")")[0]
    return "=" in inside or re.search(r"(?<!\\)\b[A-Za-z]{3,}", inside) is not None

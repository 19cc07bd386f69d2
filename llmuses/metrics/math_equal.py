"""Whether two mathematical answers mean the same, through the math-verify library.

It may take any time and memory, and its library's own time-outs need the main thread's signals: it is called in a process
that can be killed (``math_worker.py``), never in the program itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from llmuses.metrics.math_plain import LONGEST, decide, math_form, tidy

_OPENS, _CLOSES = "([{", ")]}"
_MEMBER = re.compile(r"^(?:\([A-Za-z](?:,[A-Za-z]){1,5}\)(?:=|\\in(?![a-z]))|[A-Za-z]\\in(?![a-z]))")
_EQUALS = re.compile(r"(?<![<>:\\])(?<![^0-9)]!)=")
"""An equals sign; "5!=120" begins with a factorial, "x!=5" says that two are not equal."""
_APPROX = re.compile(r"\\approx(?![a-z])")
_PLUS_MINUS = re.compile(r"\\pm(?![a-z])")
_COMPLEX = re.compile(r"(?<![A-Za-z\\])i(?![A-Za-z])")
_COMPOUND = re.compile(r"[-+*/^0-9]|\\(?:frac|sqrt|cdot|times)")
_FACTOR = re.compile(r"(?<![A-Za-z_^0-9.{])[0-9]++(?:\.[0-9]++)?(?=\()|\)(?=\()")
"""What a bracket is multiplied with: the library takes 1000(26) for a mixed number."""
_DESCRIBED = re.compile(r"[<>]|\\(?:le|ge|ne|in|cup|cap|setminus|mathbb)(?![a-z])")
"""A set that is described, not enumerated."""
_MOST_ITEMS = 64


class Shape(NamedTuple):
    """An answer's outer form: ``one`` value, a ``list`` (``3, 5``), a ``set`` or a ``tuple``, which has brackets."""

    kind: str
    items: tuple[str, ...]
    brackets: str = ""


def equal_math(target: str, answer: str) -> bool:
    """Return whether an answer means the same as the target.

    Lists and sets are equal in any order, tuples and vectors in theirs; a tuple may be written without brackets. An
    answer may name what it gives ("x = 5"), and the target too, but an equation is only equal to an equation.
    """
    if max(len(target), len(answer)) > LONGEST:
        return False
    verdict = decide(target, answer)
    if verdict is not None:
        return verdict
    if _equal_forms(math_form(target), math_form(answer)):
        return True
    if any("," in tidy(text, joined=False) for text in (target, answer)):
        split = math_form(target, joined=False), math_form(answer, joined=False)
        return split != (math_form(target), math_form(answer)) and _equal_forms(*split)
    return False


def shape(form: str) -> Shape:
    """Return the outer form of an answer in its ``math_form``."""
    form = _MEMBER.sub("", form)
    for separator in (";", ","):
        items = _split(form, separator)
        if len(items) > 1:
            return Shape("list", items)
    opens = 2 if form.startswith(("\\{",)) else 1 if form[:1] in _OPENS and form else 0
    if opens and len(form) > 2 and _closing(form, opens - 1) == len(form) - 1:
        closes = 2 if form.endswith("\\}") else 1
        inside = form[opens:-closes]
        for separator in (";", ","):
            items = _split(inside, separator)
            if len(items) > 1:
                brackets = form[opens - 1] + form[-1]
                return Shape("set" if "{" in brackets else "tuple", items, brackets)
        if form[opens - 1] == "{":
            return Shape("set", (inside,), "{}")
    if len(_PLUS_MINUS.findall(form)) == 1:
        return Shape("list", tuple(_PLUS_MINUS.sub(sign, form, count=1) for sign in "+-"))
    return Shape("one", (form,))


def _split(form: str, separator: str) -> tuple[str, ...]:
    if separator not in form:
        return (form,)
    parts, depth, begin = [], 0, 0
    for place, sign in enumerate(form):
        if sign in _OPENS:
            depth += 1
        elif sign in _CLOSES:
            depth -= 1
        elif sign == separator and depth == 0:
            parts.append(form[begin:place])
            begin = place + 1
    parts.append(form[begin:])
    return tuple(part for part in parts if part)


def _closing(form: str, start: int) -> int:
    """Return where the bracket closes that opens at ``start``: brackets of intervals may differ in kind."""
    depth = 0
    for place in range(start, len(form)):
        depth += (form[place] in _OPENS) - (form[place] in _CLOSES)
        if depth == 0:
            return place
    return -1


def _equal_forms(target: str, answer: str) -> bool:
    if target == answer:
        return True
    one, other = shape(target), shape(answer)
    if one.kind == other.kind == "one":
        return _equal_values(target, answer)
    if one.kind == "one" or other.kind == "one":
        single, several = (one, other) if one.kind == "one" else (other, one)
        if len(several.items) == 1 and several.kind == "set":
            return _equal_forms(single.items[0], several.items[0])
        return _DESCRIBED.search(single.items[0]) is not None and _verified(target, answer)
    if max(len(one.items), len(other.items)) > _MOST_ITEMS:
        return False
    if "tuple" in (one.kind, other.kind):
        if "set" in (one.kind, other.kind) or (one.kind == other.kind and one.brackets != other.brackets):
            return False
        if len(one.items) != len(other.items):
            return False
        return all(_equal_forms(*pair) for pair in zip(one.items, other.items, strict=True))
    return _same_items(one.items, other.items, _equal_forms)


def _same_items(one: tuple[str, ...], other: tuple[str, ...], equal: Callable[[str, str], bool]) -> bool:
    """Whether two lists hold the same in any order; equality is transitive, so the first match is as good as any.

    What one list says twice counts once where the lengths differ.
    """
    if len(one) != len(other):
        one, other = tuple(dict.fromkeys(one)), tuple(dict.fromkeys(other))
        if len(one) != len(other):
            return False
    left = list(other)
    for item in one:
        found = next((place for place, candidate in enumerate(left) if equal(item, candidate)), None)
        if found is None:
            return False
        del left[found]
    return True


def _equal_values(target: str, answer: str) -> bool:
    """Whether two single values are equal: a chain of equations counts for its end, an approximation for either side."""
    verdict = decide(target, answer)
    if verdict is not None:
        return verdict
    approximated = _APPROX.split(answer)
    if len(approximated) > 1:
        return any(_equal_values(target, side) for side in (approximated[0], approximated[-1]) if side)
    one, other = _EQUALS.split(target), _EQUALS.split(answer)
    if len(one) == len(other) == 1 or not (one[-1] and other[-1]):
        return _verified(target, answer)
    if len(one) > 1 and len(other) > 1:
        return _equal_equations(target, answer, one, other)
    if len(one) > 1 and _COMPOUND.search(re.sub(r"_(?:\{[^{}]*\}|.)|\\frac\{[A-Za-z]+\}\{[A-Za-z]+\}", "", one[0])):
        return False  # the target is an equation: a number is none
    return _equal_values(one[-1], other[-1])


def _equal_equations(target: str, answer: str, one: list[str], other: list[str]) -> bool:
    if one[0] == other[0] or (len(other) > 2 and other[-2] == one[0]):
        return _equal_values(one[-1], other[-1])
    names = [re.fullmatch(r"([A-Za-z])(?:\([A-Za-z]\))?", side) for side in (one[0], other[0])]
    if None not in names and "(" in one[0] + other[0]:  # y = ... and f(x) = ...
        return _equal_values(one[-1], other[-1])
    return _verified(target, answer)


# --- the library -------------------------------------------------------------------------------------------


def _verified(target: str, answer: str) -> bool:
    """Whether math-verify finds two expressions equal; False where one is none."""
    from math_verify import verify

    real = not _COMPLEX.search(target + " " + answer)
    try:
        gold, given = _parsed(target, real), _parsed(answer, real)
    except Exception:  # whatever the grammar or the algebra raises: this is no expression
        return False
    # Without time limits: its own are signals, and the process as a whole has one.
    return bool(verify(gold, given, allow_set_relation_comp=True, timeout_seconds=None))


def _parsed(form: str, real: bool) -> Any:
    import sympy  # type: ignore[import-untyped]
    from latex2sympy2_extended import NormalizationConfig, latex2sympy  # type: ignore[import-untyped]
    from latex2sympy2_extended.latex2sympy2 import ConversionConfig  # type: ignore[import-untyped]

    spelling = NormalizationConfig(basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="none")
    expression = latex2sympy(
        _FACTOR.sub(r"\g<0>\\cdot ", form.replace("°", "").replace("%", "")),
        is_real=real,
        normalization_config=spelling,
        conversion_config=ConversionConfig(lowercase_symbols=False),
    )
    free = getattr(expression, "free_symbols", ())
    units = {symbol: sympy.I for symbol in free if symbol.name == "i"}
    return expression.subs(units) if units else expression

"""LaTeX as MathML, which browsers draw by themselves. What cannot be converted is shown as its source."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element

from arena.live.rendering.safety import MATH_TAGS, MATH_VALUES

LONGEST = 2000
"""Characters: a longer formula is shown as its source. Converting takes about 10 ms for a thousand."""
_DEEPEST = 60

_REFUSED = re.compile(
    r"\\(?:(?:re)?newcommand|provide|def|let|gdef|edef|DeclareMathOperator|href|url|include|input|html|catcode)"
)
"""Macros could make a short formula endless, the others have no business in one."""
_ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|align|split|eqnarray|alignedat|alignat)\*?\}(?:\{\d+\})?")
_GATHERED = re.compile(r"\\(begin|end)\{(?:gathered|gather|multline|equation)\*?\}")
_UNNEEDED = re.compile(
    r"\\(?:nonumber|notag|displaystyle|textstyle|!)(?![a-zA-Z])|\\label\{[^{}]*\}|\\kern-?[\d.]+\s*\w\w"
)


@lru_cache(maxsize=4096)
def formula(source: str, display: bool) -> str:
    """Return a formula as MathML, or its source in ``code``; ``display`` for one that stands alone."""
    tag = "div" if display else "span"
    inner = mathml(source, display)
    if inner is not None:
        return f'<{tag} class="math">{inner}</{tag}>'
    shown = f'<code class="math">{html.escape(source.strip(), quote=False)}</code>'
    return f'<div class="math">{shown}</div>' if display else shown


def mathml(source: str, display: bool) -> str | None:
    """Return the MathML of a formula, None for one that is too long, too deep or not understood."""
    if len(source) > LONGEST or _REFUSED.search(source) or _depth(source) > _DEEPEST:
        return None
    from latex2mathml.converter import convert_to_element

    prepared = _UNNEEDED.sub("", _aligned(source)).strip()
    if not prepared:
        return None
    try:
        root = convert_to_element(prepared, display="block" if display else "inline")
        return _written(root, 0)
    except (Exception, RecursionError):  # a formula that a model got wrong raises whatever it meets
        return None


def _aligned(source: str) -> str:
    def table(columns: str, found: re.Match[str]) -> str:
        return rf"\begin{{array}}{{{columns}}}" if found[1] == "begin" else r"\end{array}"

    source = _ALIGNED.sub(lambda found: table("rlrlrl", found), source)
    return _GATHERED.sub(lambda found: table("c", found), source)


def _depth(source: str) -> int:
    depth = deepest = 0
    for mark in re.findall(r"[{}]", source):
        depth += 1 if mark == "{" else -1
        deepest = max(deepest, depth)
    return max(deepest, len(re.findall(r"\\(?:left|begin|sqrt|over\w*|under\w*)(?![a-zA-Z])", source)) // 2)


def _written(element: Element, depth: int) -> str:
    """Return an element with the tags and attributes that are known, and text that is text.

    Raises ValueError for what it does not know, be it a command that was left as it stood.
    """
    tag = element.tag.rpartition("}")[2]
    text = html.unescape(element.text or "")
    if tag not in MATH_TAGS or depth > 2 * _DEEPEST or (len(text) > 1 and text.startswith("\\")):
        raise ValueError(tag)
    known = MATH_VALUES.get(tag, {})
    kept = "".join(f' {name}="{value}"' for name, value in element.attrib.items() if value in known.get(name, ()))
    inner = "".join(_written(child, depth + 1) + html.escape(html.unescape(child.tail or "")) for child in element)
    return f"<{tag}{kept}>{html.escape(text, quote=False)}{inner}</{tag}>"

"""The last step of rendering: what is not known to be harmless does not leave.

There is no raw HTML in what comes here, for the parser lets none through; this holds should it ever be wrong. Nothing that
passes can run, load, send, move out of its place, take a name of the page's (``id``, ``name``) or bring a style.
"""

from __future__ import annotations

from functools import cache

import nh3

CODE_CLASSES = frozenset({"c-k", "c-s", "c-c", "c-n", "c-f", "c-t", "c-d", "c-gi", "c-gd"})
"""Classes of coloured code: keyword, string, comment, number, name, type, decorator, inserted and deleted line."""

SPACES = ("0.167em", "0.222em", "0.278em", "0.333em", "0.5em", "1em", "2em")
SIZES = ("1.2em", "1.623em", "1.8em", "2.047em", "2.4em", "2.470em", "3em", "3.0em")
"""The only lengths that a formula may name, spaces and brackets: a longer one could cover the page."""

_TEXT = "p br hr strong em s code pre blockquote ul ol li table thead tbody tr th td h3 h4 h5 h6 a span div".split()
_MATH = (
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd mstyle "
    "mphantom menclose mmultiscripts mprescripts none"
).split()
MATH_TAGS = frozenset(_MATH)
MATH_VALUES: dict[str, dict[str, set[str]]] = {
    "math": {"display": {"block", "inline"}},
    "mspace": {"width": set(SPACES), "linebreak": {"newline"}},
    "mo": {
        "minsize": set(SIZES),
        "maxsize": set(SIZES),
        **{
            name: {"true", "false"} for name in ("stretchy", "fence", "separator", "largeop", "movablelimits", "accent")
        },
        "form": {"prefix", "infix", "postfix"},
        "mathvariant": {"normal"},
    },
    "mi": {
        "mathvariant": {"normal", "bold", "italic", "bold-italic", "double-struck", "script", "fraktur", "monospace"}
    },
    "mtd": {"columnalign": {"left", "right", "center"}},
    "mtable": {
        "columnalign": {"left", "right", "center", "right left", "right left right left"},
        "displaystyle": {"true"},
    },
    "mstyle": {"displaystyle": {"true", "false"}, "scriptlevel": {"0", "1", "2"}},
    "mfrac": {"linethickness": {"0", "0em", "0pt"}},
    "menclose": {"notation": {"box", "updiagonalstrike", "downdiagonalstrike", "top", "longdiv", "roundedbox"}},
    "munder": {"accentunder": {"true", "false"}},
    "mover": {"accent": {"true", "false"}},
}
"""The attributes that a formula's elements may have, and the values."""


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags={*_TEXT, *_MATH},
        clean_content_tags={"script", "style"},
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        tag_attribute_values=MATH_VALUES,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        allowed_classes={
            "span": {*CODE_CLASSES, "math"},
            "div": {"md-table", "md-code", "md-lang", "math"},
            "code": {"math"},
            "th": {"right", "center"},
            "td": {"right", "center"},
        },
    )


def clean(html: str) -> str:
    """Return what may be shown of some HTML."""
    return _cleaner().clean(html)

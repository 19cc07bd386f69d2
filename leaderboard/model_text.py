"""What a model wrote, made safe to show: as written, with the part marked that was read out, or rendered.

Nothing of it may act on the page: as written, everything is escaped; rendered, only structure survives (no links that
lead anywhere, no pictures, forms, styles or scripts).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from llmuses.i18n import Lang, text
from llmuses.markup import Markup, count

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

HEAD = 40_000
TAIL = 20_000
"""A longer text is shown by its first and last characters: a browser cannot lay out megabytes in one block."""

_TAGS = frozenset(
    [
        "p",
        "br",
        "hr",
        "em",
        "strong",
        "del",
        "code",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
    ]
)


def as_written(written: str, lang: Lang, span: tuple[int, int] | None = None) -> Markup:
    """Return a text as it was written, with ``span`` (start and end in characters) marked where it lies inside."""
    if len(written) <= HEAD + TAIL:
        return _marked(written, 0, span)
    left_out = text(lang, "browse.left_out", n=count(len(written) - HEAD - TAIL))
    return Markup('{}<span class="u-cut" role="note">{}</span>{}').format(
        _marked(written[:HEAD], 0, span), left_out, _marked(written[-TAIL:], len(written) - TAIL, span)
    )


def _marked(piece: str, offset: int, span: tuple[int, int] | None) -> Markup:
    if span is None:
        return Markup("{}").format(piece)
    start, end = span[0] - offset, span[1] - offset
    if not 0 <= start < end <= len(piece):
        return Markup("{}").format(piece)
    return Markup('{}<mark class="u-mark">{}</mark>{}').format(piece[:start], piece[start:end], piece[end:])


def rendered(written: str, lang: Lang) -> Markup:
    """Return a text as its Markdown means it. HTML in it is shown, not obeyed; pictures become their description."""
    import nh3

    shown = written if len(written) <= HEAD + TAIL else written[:HEAD]
    clean = nh3.clean(_markdown().render(shown), tags=set(_TAGS), attributes={"th": {"align"}, "td": {"align"}})
    note = Markup("")
    if len(shown) < len(written):
        note = Markup('<p class="u-cut" role="note">{}</p>').format(
            text(lang, "browse.left_out", n=count(len(written) - len(shown)))
        )
    return Markup('<div class="u-prose">{}{}</div>').format(Markup(clean), note)


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    reader.add_render_rule("image", _described)
    return reader


def _described(_self: object, tokens: list[object], index: int, _options: object, _env: object) -> str:
    return str(Markup("[{}]").format(getattr(tokens[index], "content", "")))

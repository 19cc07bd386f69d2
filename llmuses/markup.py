"""Pieces of HTML that all pages share. Whatever is put into them is escaped.

Markup is written as ``Markup("<td>{}</td>").format(value)``: ``format`` escapes every value that is not itself
Markup. Never build markup with an f-string. The classes are those of static/components.css.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from markupsafe import Markup as Markup
from markupsafe import escape as escape

from llmuses.i18n import Lang, text
from llmuses.records import Counts, Review, Status

PAGE_JS: Final = "llmuses.page(element, trigger, watch)"
"""``js_on_load`` of a gr.HTML that is a page: see static/shell.js for what it then understands."""

DRAWER_JS: Final = "llmuses.drawer(element, trigger, watch)"
"""``js_on_load`` of the gr.HTML that holds a page's drawer, an ``aside.u-drawer`` or nothing."""

_ICONS: Final = {
    "correct": '<path d="M3 8.5l3.2 3.2L13 4.8"/>',
    "wrong": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "unparsed": '<path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.6"/><path d="M8 12.6v.1"/>',
    "rejected": '<circle cx="8" cy="8" r="5.2"/><path d="M4.4 4.4l7.2 7.2"/>',
    "failed": '<path d="M8 3.2v6M8 12.4v.2"/>',
    "truncated": '<path d="M3.2 8h.1M8 8h.1M12.7 8h.1" stroke-width="2.2"/>',
    "find": '<circle cx="7" cy="7" r="4.2"/><path d="M10.2 10.2L13.5 13.5"/>',
    "moon": '<path d="M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z"/>',
    "sun": '<circle cx="8" cy="8" r="2.9"/>'
    '<path d="M8 1.8v1.4M8 12.8v1.4M1.8 8h1.4M12.8 8h1.4M3.6 3.6l1 1M11.4 11.4l1 1M3.6 12.4l1-1M11.4 4.6l1-1"/>',
    "link": '<path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.4-2.4a2.6 2.6 0 0 0-3.7-3.7l-.9.9"/>'
    '<path d="M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.1 9.2a2.6 2.6 0 0 0 3.7 3.7l.9-.9"/>',
    "copy": '<rect x="5.5" y="5.5" width="8" height="8" rx="1.2"/>'
    '<path d="M10.5 3.2V3a1 1 0 0 0-1-1H3.2A1.2 1.2 0 0 0 2 3.2v6.3a1 1 0 0 0 1 1h.3"/>',
    "download": '<path d="M8 2.5v7.2M4.8 6.7L8 9.9l3.2-3.2M2.8 12.8h10.4"/>',
    "down": '<path d="M3.5 6L8 10.5 12.5 6"/>',
    "up": '<path d="M3.5 10.5L8 6l4.5 4.5"/>',
    "left": '<path d="M10 3.5L5.5 8l4.5 4.5"/>',
    "right": '<path d="M6 3.5L10.5 8 6 12.5"/>',
    "close": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "file": '<path d="M4 2.5h5L12 5.5v8H4z"/><path d="M9 2.5v3h3"/>',
    "clock": '<circle cx="8" cy="8" r="5.5"/><path d="M8 5v3.2l2.2 1.3"/>',
    "lock": '<rect x="3.5" y="7" width="9" height="6.5" rx="1.2"/><path d="M5.5 7V5.2a2.5 2.5 0 0 1 5 0V7"/>',
    "prompt": '<path d="M3 4.5L6.5 8 3 11.5M8.5 11.5H13"/>',
    "info": '<circle cx="8" cy="8" r="5.5"/><path d="M8 7.4v3.4M8 5v.1"/>',
    "again": '<path d="M13 8a5 5 0 1 1-1.5-3.5"/><path d="M12.8 2.2v2.9H9.9"/>',
    "edit": '<path d="M3 13l.6-2.9 7-7a1.2 1.2 0 0 1 1.7 0l.6.6a1.2 1.2 0 0 1 0 1.7l-7 7z"/><path d="M9.4 4.3l2.3 2.3"/>',
    "image": '<rect x="2.2" y="3" width="11.6" height="10" rx="1.2"/><path d="M2.5 11l3.3-3.2 2.5 2.4 1.9-1.7 3.3 2.9"/>'
    '<circle cx="10.3" cy="5.9" r=".9"/>',
    "scales": '<path d="M8 2.5v11M5 13.5h6M3 4.5h10M3 4.5L1.5 9h3zM13 4.5L11.5 9h3z"/>',
    "send": '<path d="M8 13V3.5M4 7.3L8 3.3l4 4"/>',
    "sliders": '<path d="M2.5 5h6.2M11.8 5h1.7M2.5 11h1.7M7.3 11h6.2"/><circle cx="10.2" cy="5" r="1.5"/>'
    '<circle cx="5.8" cy="11" r="1.5"/>',
    "stop": '<rect x="4" y="4" width="8" height="8" rx="1"/>',
}

VERDICTS: Final = ("correct", "wrong", "unparsed", "rejected", "failed")
"""What became of a sample, for people: ``scored`` is told apart into correct and wrong."""


def join(pieces: Iterable[str], between: str = "") -> Markup:
    """Return the pieces one after the other; those that are not Markup are escaped."""
    return Markup(between).join(pieces)


def attrs(**values: object) -> Markup:
    """Return attributes with a space before each: ``None`` and ``False`` are left out, ``True`` stands alone.

    An underscore in a name becomes a hyphen, one at its end is dropped (``class_``).
    """
    written = []
    for name, value in values.items():
        name = name.rstrip("_").replace("_", "-")
        if value is True:
            written.append(Markup(" {}").format(name))
        elif value is not None and value is not False:
            written.append(Markup(' {}="{}"').format(name, value))
    return join(written)


def link(page: str, /, **query: object) -> str:
    """Return a relative address such as ``browse?run=R&dataset=gsm8k``; parameters that are ``None`` are left out.

    The address works under any path that the app is served from. It is text: ``format`` escapes it.
    """
    pairs = [(name, str(value)) for name, value in query.items() if value is not None]
    return f"{page}?{urlencode(pairs, quote_via=quote)}" if pairs else page


def icon(name: str, small: bool = False) -> Markup:
    """Return a drawing that takes the text's colour and that screen readers skip. Raises KeyError for no such name."""
    return Markup(f'<svg class="{"i s" if small else "i"}" viewBox="0 0 16 16" aria-hidden="true">{_ICONS[name]}</svg>')


# --- figures -----------------------------------------------------------------------------------------------


def count(number: int) -> str:
    """Return a whole number with thousands set apart, ``1,319``."""
    return f"{number:,}"


def margin(ci95: tuple[float, float] | None) -> str:
    """Return half the width of an interval in points, ``±1.7``; nothing where there is no interval."""
    return "" if ci95 is None else f"±{100 * half_width(ci95):.1f}"


def lopsided(score: float, ci95: tuple[float, float]) -> bool:
    """Return whether a score lies so far from its interval's middle, as near 0 and 100, that ``±`` would mislead about the ends."""
    return abs(score - (ci95[0] + ci95[1]) / 2) >= max(0.001, half_width(ci95) / 4)


def half_width(ci95: tuple[float, float]) -> float:
    """Return half the width of an interval, a fraction."""
    return (ci95[1] - ci95[0]) / 2


def interval(low: float, middle: float, high: float, reference: float | None = None) -> Markup:
    """Return dot and whisker on the column's axis from 0 to 1, with a dashed line at a reference such as chance.

    The numbers must stand beside it: screen readers skip the drawing.
    """
    mark = Markup("")
    if reference is not None and reference > 0:
        mark = Markup('<b class="ref" style="--r:{:.1f}"></b>').format(100 * reference)
    return Markup('<i class="u-iv" aria-hidden="true" style="--a:{:.1f};--m:{:.1f};--b:{:.1f}">{}</i>').format(
        100 * low, 100 * middle, 100 * high, mark
    )


# --- verdicts ----------------------------------------------------------------------------------------------


def verdict_of(review: Review) -> str:
    """Return one of ``VERDICTS`` for a review: scored is correct where the main score, the first, is 1."""
    if review.status is Status.SCORED:
        return "correct" if next(iter(review.scores.values()), 0.0) >= 1 else "wrong"
    return review.status.value


def verdict(name: str, lang: Lang, bare: bool = False, words: str | None = None) -> Markup:
    """Return a verdict as glyph and word, or glyph and ``words``. ``name`` is one of ``VERDICTS``."""
    return Markup('<span class="u-v {}{}">{}{}</span>').format(
        name,
        " bare" if bare else "",
        icon(name, small=True),
        text(lang, f"web.verdict.{name}") if words is None else words,
    )


def glyph(name: str, lang: Lang) -> Markup:
    """Return a verdict's glyph alone, its word as title and for screen readers."""
    word = text(lang, f"web.verdict.{name}")
    return Markup('<span class="{}" title="{}">{}<span class="sr">{}</span></span>').format(
        name, word, icon(name, small=True), word
    )


def cut_short(lang: Lang, words: str = "") -> Markup:
    """Return the mark of a truncated answer, which stands beside a verdict."""
    title = text(lang, "web.truncated")
    hidden = words or Markup('<span class="sr">{}</span>').format(title)
    return Markup('<span class="u-cutoff sm" title="{}">{}{}</span>').format(
        title, icon("truncated", small=True), hidden
    )


def tally(counts: Counts) -> dict[str, int]:
    """Return how many answers got each of ``VERDICTS``."""
    return {
        "correct": counts.correct,
        "wrong": counts.scored - counts.correct,
        "unparsed": counts.unparsed,
        "rejected": counts.rejected,
        "failed": counts.failed,
    }


def stack(numbers: Mapping[str, int], lang: Lang) -> Markup:
    """Return the bar whose parts are the shares of the verdicts, with a sentence for screen readers."""
    whole = sum(numbers.values()) or 1
    said = ", ".join(text(lang, f"web.number.{name}", n=count(n)) for name, n in numbers.items())
    parts = join(
        Markup('<i class="{}" style="--p:{:.2f}"></i>').format(name, 100 * n / whole)
        for name, n in numbers.items()
        if n
    )
    return Markup('<div class="u-stack" role="img" aria-label="{}">{}</div>').format(said, parts)


def legend(numbers: Mapping[str, int], lang: Lang) -> Markup:
    """Return the numbers of each verdict in words, to stand under ``stack``."""
    words = (
        verdict(name, lang, bare=True, words=text(lang, f"web.number.{name}", n=count(n)))
        for name, n in numbers.items()
    )
    return Markup('<div class="row wrap u-legend">{}</div>').format(join(words))


# --- messages ----------------------------------------------------------------------------------------------


def message(title: str, body: str, sign: str = "info", actions: str = "") -> Markup:
    """Return an empty state or an error in place: what happened, what is kept, what to do. ``sign`` names an icon."""
    return Markup('<div class="u-card u-msg">{}<h3>{}</h3><p class="md">{}</p>{}</div>').format(
        icon(sign), title, body, actions
    )


def note(body: str, kind: str = "", sign: str = "info") -> Markup:
    """Return one line of notice. ``kind`` is empty, ``warn`` or ``err``."""
    return Markup('<div class="u-note {}" role="status">{}<span>{}</span></div>').format(kind, icon(sign), body)


def crumbs(*steps: tuple[str, str | None]) -> Markup:
    """Return the path to this page from (word, address) pairs; the last has no address."""
    pieces = [
        Markup('<a href="{}">{}</a>').format(href, word) if href else Markup('<span class="q">{}</span>').format(word)
        for word, href in steps
    ]
    return Markup('<nav class="u-crumb" aria-label="Path">{}</nav>').format(join(pieces, icon("right", small=True)))

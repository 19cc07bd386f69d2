"""What the parts of a model's page are made of: sections, tables, ratings in words."""

from __future__ import annotations

from collections.abc import Iterable

from llmuses.markup import Markup, half_width, join

FEW_ROWS = 8
"""So many opponents, runs and battles stand on the page; one click shows all."""


def whole(value: float) -> str:
    """Return a rating as it is read: without decimals."""
    return f"{value:,.0f}".replace("-", "−")


def half(ci95: tuple[float, float] | None) -> str:
    """Return half the width of a rating's interval, with its sign; nothing where there is none."""
    return "" if ci95 is None else f"±{half_width(ci95):.0f}"


def signed_points(value: float) -> str:
    """Return by how many points a rating moved, with its sign."""
    return "±0" if abs(value) < 0.5 else f"{value:+.0f}".replace("-", "−")


def section(title: str, about: object, body: Markup, key: str) -> Markup:
    """Return one part of the page under its heading."""
    return Markup(
        '<section aria-labelledby="v-{0}"><div class="row v-cardhead"><h2 class="v-h" id="v-{0}">{1}</h2><span class="sm qq end">{2}</span></div>{3}</section>'
    ).format(key, title, about, body)


def table(label: str, heads: Iterable[tuple[str, str]], rows: Markup, look: str, steps: float = 4) -> Markup:
    """Return a table; a head is (its class, its words or Markup)."""
    written = join(Markup('<th scope="col" class="{}">{}</th>').format(kind, words) for kind, words in heads)
    return Markup(
        '<div class="u-wide" role="region" aria-label="{}" tabindex="0"><table class="u-tbl v-rows {}" style="--steps:{}"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(label, look, f"{steps:g}", written, rows)


def axis(ticks: Iterable[tuple[float, str]]) -> Markup:
    """Return the words along a drawn axis, each at its place (a fraction)."""
    marks = join(Markup('<b style="left:{:.1f}%">{}</b>').format(100 * at, words) for at, words in ticks)
    return Markup('<span class="u-axis" aria-hidden="true">{}</span>').format(marks)

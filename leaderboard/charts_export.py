"""The charts as something to take away: one record a figure that is drawn, and how they are cited."""

from __future__ import annotations

from collections.abc import Mapping

from leaderboard.arena_board_ratings import PATIENT, Desk
from leaderboard.board_words import Words
from leaderboard.boards_head import CITE, cited
from leaderboard.charts import look
from leaderboard.ready import Ready
from leaderboard.results import Runs
from leaderboard.sheets import Sheet
from llmuses.markup import Markup
from llmuses.visit import Visit

FIELDS = ("chart", "model", "about", "value", "ci_low", "ci_high")


def charts_sheet(results: Runs, desk: Desk, query: Mapping[str, str]) -> Sheet | None:
    """Return the figures of the charts that an address shows, ``None`` where nothing is drawn.

    They are named in English whatever the page's language. Scores are points, shares per cent.
    """
    found = look(results, Ready(desk, PATIENT), Visit("en", dict(query)))
    if found.busy or not any(card.figure for card in found.cards):
        return None
    say = Words("en", "charts")
    records = [
        {
            "chart": say(f"card.{card.name}"),
            "model": value.name,
            "about": value.about,
            "value": value.value,
            "ci_low": value.low,
            "ci_high": value.high,
        }
        for card in found.cards
        if card.figure is not None
        for value in card.figure.values
    ]
    of = f"arena {found.source.title}" if found.source is not None else "benchmarks"
    return Sheet(
        caption=f"Charts of {of}; values from ci_low to ci_high are 95% intervals.",
        fields=FIELDS,
        records=records,
        head={"of": of, "column": found.column or None},
        headers=("Chart", "Model", "Of", "Value", "From", "To"),
        cells=[
            [str(record[name]) if index < 3 else _number(record[name]) for index, name in enumerate(FIELDS)]
            for record in records
        ],
        names=frozenset({0, 1, 2}),
    )


def _number(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float | int) else "–"


def charts_beside(results: Runs, desk: Desk, visit: Visit) -> Markup:
    """Return what opens beside the charts: the citation, where the address asks for it."""
    return cited("charts", charts_sheet(results, desk, visit.query) if CITE in visit.query else None, visit)

"""A page of battles as something to take away: how each model did in each category, and how that is cited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaderboard.arena_board_ratings import PATIENT, Desk
from leaderboard.battle_index import BattleShelf
from leaderboard.battles import Hall, Place, Share, place
from leaderboard.boards_head import CITE, cited
from leaderboard.ready import Busy, Ready
from leaderboard.sheets import Sheet
from llmuses.i18n import points
from llmuses.markup import Markup, count, margin
from llmuses.visit import Visit

FIELDS = ("arena", "language", "judge", "category", "model", "share", "ci_low", "ci_high", "battles")


def battles_sheet(desk: Desk, shelf: BattleShelf, query: Mapping[str, str]) -> Sheet | None:
    """Return how models did in the battles of an address, ``None`` where there are none. Shares are fractions.

    It is the page's table by category, with every model: ``category`` is None in the lines over all of them. What narrows
    the list below that table (a model, an opponent, a result) does not narrow the table, nor this.
    """
    ready, there = Ready(desk, PATIENT), place(query)
    sources = ready.arenas.sources()
    source = next((each for each in sources if there.arena in (None, each.name)), None)
    if source is None:
        return None
    try:
        hall = ready.hall(shelf, source)
    except Busy:
        return None
    everyone = Place(language=there.language, judge=there.judge)
    overall = hall.shares(hall.select(everyone))
    if not overall:
        return None
    same = {"arena": source.title, "language": there.language, "judge": there.judge}
    lines = [(None, name, share) for name, share in overall.items()] + _by_group(hall, everyone)
    return Sheet(
        caption=f"Battles of arena {source.title}: the share that each model won, ties as half; ± is the 95% interval.",
        fields=FIELDS,
        records=[{**same, **_record(group, name, share)} for group, name, share in lines],
        head={**same, "battles": sum(share.n for share in overall.values()) // 2},
        headers=("Category", "Model", "Won", "±", "Battles"),
        cells=[
            [group or "All", name, points(share.share), margin(share.ci95).removeprefix("±"), count(share.n)]
            for group, name, share in lines
        ],
        names=frozenset({0, 1}),
    )


def _by_group(hall: Hall, everyone: Place) -> list[tuple[str | None, str, Share]]:
    groups = hall.by_group(everyone)
    if len(groups) < 2:
        return []
    return [(group or "(none)", name, share) for group, shares in groups.items() for name, share in shares.items()]


def _record(group: str | None, name: str, share: Share) -> dict[str, Any]:
    low, high = share.ci95
    return {"category": group, "model": name, "share": share.share, "ci_low": low, "ci_high": high, "battles": share.n}


def battles_beside(desk: Desk, shelf: BattleShelf, visit: Visit) -> Markup:
    """Return what opens beside the battles: the citation, where the address asks for it."""
    return cited("battles", battles_sheet(desk, shelf, visit.query) if CITE in visit.query else None, visit)

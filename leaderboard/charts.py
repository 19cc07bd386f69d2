"""The charts of a view: of an arena's ratings, or of the benchmark board."""

from __future__ import annotations

from leaderboard.board_words import Words
from leaderboard.chart_cards import Look, Shared
from leaderboard.charts_arena import ArenaCharts
from leaderboard.charts_benchmarks import BenchmarkCharts
from leaderboard.ready import Ready
from leaderboard.results import Runs
from llmuses.visit import Visit


def look(results: Runs, ready: Ready, visit: Visit) -> Look:
    """Return what the page shows for a visit."""
    query, say = visit.query, Words(visit.lang, "charts")
    entries = results.runs()
    sources = [s for s in ready.arenas.sources() if not s.live or ready.arenas.published(s) is not None]
    of = query.get("of", "")
    if of not in ("arena", "benchmarks"):
        of = "arena" if sources else "benchmarks"
    shared = Shared(entries, query, say)
    if of == "arena" and sources:
        return ArenaCharts(ready, sources, shared).look()
    return BenchmarkCharts(sources, shared, of).look()

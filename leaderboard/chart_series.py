"""Charts of a few models under the same keys, as lines: by category on a radar, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leaderboard.chart_figures import Dot, Figure, Table, Value, plain, whiskers, written_number

SERIES = tuple(f"var(--u-series-{place})" for place in (1, 2, 3, 4))
SYMBOLS = ("circle", "square", "triangle-up", "diamond")
"""Each compared model's marker, beside its colour."""


class Series(NamedTuple):
    """One line: a model's values, each with its interval, under the same keys as the others'; None where there is none."""

    name: str
    dots: Sequence[Dot | None]


def radar(axes: Sequence[str], series: Sequence[Series], words: Mapping[str, str], digits: int = 0) -> Figure:
    """Return values by category as a radar. ``words`` has ``sentence`` and the head ``kind``."""
    traces = []
    for place, one in enumerate(series):
        values = [None if dot is None else dot.value for dot in one.dots]
        traces.append(
            {
                "type": "scatterpolar",
                "mode": "lines+markers",
                "r": [*values, values[0]],
                "theta": [plain(axis, 20) for axis in (*axes, axes[0])],
                "name": plain(one.name),
                "line": {"color": SERIES[place % 4], "width": 2},
                "marker": {"color": SERIES[place % 4], "symbol": SYMBOLS[place % 4], "size": 7},
                "hovertemplate": f"%{{theta}}: %{{r:,.{digits}f}}<extra>%{{fullData.name}}</extra>",
            }
        )
    every = [dot.value for one in series for dot in one.dots if dot is not None]
    low, high = (min(every), max(every)) if every else (0.0, 1.0)
    room = max((high - low) * 0.25, 1e-9)
    layout = {
        "polar": {"radialaxis": {"range": [low - room, high + room / 4], "angle": 90, "tickangle": 90, "nticks": 5}},
        "margin": {"l": 48, "r": 48, "t": 36, "b": 24},
        "legend": {"orientation": "h", "y": -0.08, "yanchor": "top"},
        "showlegend": True,
    }
    table = _series_table(words["kind"], axes, series, digits)
    return Figure(traces, layout, 380, words["sentence"], table, _series_values(axes, series))


def over_time(
    moments: Sequence[str], series: Sequence[Series], unit: str, words: Mapping[str, str], digits: int = 0
) -> Figure:
    """Return values over time with their intervals. ``moments`` are dates; ``words`` has ``sentence`` and the head ``day``."""
    traces = []
    for place, one in enumerate(series):
        there = [(moment, dot) for moment, dot in zip(moments, one.dots, strict=True) if dot is not None]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [moment for moment, _ in there],
                "y": [dot.value for _, dot in there],
                "error_y": whiskers([dot for _, dot in there], 1),
                "name": plain(one.name),
                "line": {"color": SERIES[place % 4], "width": 2},
                "marker": {"color": SERIES[place % 4], "symbol": SYMBOLS[place % 4], "size": 7},
                "hovertemplate": f"%{{x}}: %{{y:,.{digits}f}}<extra>%{{fullData.name}}</extra>",
            }
        )
    layout = {
        "xaxis": {"fixedrange": True, "type": "date"},
        "yaxis": {"fixedrange": True, "title": {"text": unit}, "tickformat": f",.{digits}f" if digits == 0 else ""},
        "margin": {"l": 8, "r": 16, "t": 36, "b": 32},
        "showlegend": True,
    }
    table = _series_table(words["day"], moments, series, digits)
    return Figure(traces, layout, 340, words["sentence"], table, _series_values(moments, series))


def _series_table(head: str, keys: Sequence[str], series: Sequence[Series], digits: int) -> Table:
    rows = [(key, *(_with_margin(one.dots[place], digits) for one in series)) for place, key in enumerate(keys)]
    return Table((head, *(one.name for one in series)), rows)


def _series_values(keys: Sequence[str], series: Sequence[Series]) -> list[Value]:
    return [
        Value(one.name, key, dot.value, dot.low, dot.high)
        for one in series
        for key, dot in zip(keys, one.dots, strict=True)
        if dot is not None
    ]


def _with_margin(dot: Dot | None, digits: int) -> str:
    return (
        "–"
        if dot is None
        else f"{written_number(dot.value, digits)} ±{written_number((dot.high - dot.low) / 2, digits)}"
    )

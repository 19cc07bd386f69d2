"""Charts as Plotly figures in plain data, each with its sentence and its table. No Plotly is needed to write them.

Colours are names of tokens.css (``var(--u-accent)``): static/charts.js puts in what the theme has, and draws again when
it changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from llmuses.markup import count

INK, QUIET, ACCENT, SOFT, LINE = (
    f"var(--u-{name})" for name in ("ink", "ink-3", "accent", "accent-soft", "accent-line")
)

ROW = 22
"""Pixels a row of a chart of many models."""


class Table(NamedTuple):
    """The same figures as a table: heads, and rows whose first cell is the row's head."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Value(NamedTuple):
    """One figure of a chart, as it is taken away: of which model, of what, and its 95% interval where it has one."""

    name: str
    about: str
    value: float
    low: float | None = None
    high: float | None = None


class Figure(NamedTuple):
    """One chart: what Plotly draws, its height in pixels, what it says in a sentence, its table, its figures."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    height: int
    sentence: str
    table: Table
    values: Sequence[Value] = ()


class Dot(NamedTuple):
    """A named value with its 95% interval."""

    name: str
    value: float
    low: float
    high: float
    first: bool = False
    """Whether it may be the first."""


def plain(name: str, most: int = 34) -> str:
    """Return a name as Plotly may write it: its texts are read as markup, so what would be some is escaped."""
    short = name if len(name) <= most else name[: most - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def whiskers(dots: Sequence[Dot], thickness: float = 1.5) -> dict[str, Any]:
    """Return the intervals of some values as Plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [dot.high - dot.value for dot in dots],
        "arrayminus": [dot.value - dot.low for dot in dots],
        "color": "var(--u-whisker)",
        "thickness": thickness,
        "width": 4,
    }


def written_number(value: float, digits: int) -> str:
    """Return a number as a table has it, with a true minus."""
    return f"{value:,.{digits}f}".replace("-", "−")


def intervals(dots: Sequence[Dot], unit: str, words: Mapping[str, str], digits: int = 0) -> Figure:
    """Return values with their intervals, the first on top; those that may be the first stand on a shaded ground.

    ``words`` has ``sentence`` with {n}, {first}, {value}, and the heads ``model``, ``low``, ``high``.
    """
    first = [place for place, dot in enumerate(dots) if dot.first]
    shapes = []
    if first:
        edges = [dots[place] for place in first]
        low, high = min(dot.low for dot in edges), max(dot.high for dot in edges)
        shapes.append(
            {
                "type": "rect",
                "layer": "below",
                "x0": low,
                "x1": high,
                "y0": first[0] - 0.5,
                "y1": first[-1] + 0.5,
                "fillcolor": SOFT,
                "line": {"width": 0},
            }
        )
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [dot.value for dot in dots],
        "y": list(range(len(dots))),
        "error_x": whiskers(dots),
        "marker": {"color": INK, "size": 8},
        "customdata": [
            [written_number(dot.low, digits), written_number(dot.high, digits), plain(dot.name, 80)] for dot in dots
        ],
        "hovertemplate": f"%{{customdata[2]}}<br>%{{x:,.{digits}f}} (%{{customdata[0]}} – %{{customdata[1]}})<extra></extra>",
    }
    layout = {
        "shapes": shapes,
        "xaxis": {"side": "top", "tickformat": f",.{digits}f" if digits == 0 else "", "fixedrange": True},
        "yaxis": {
            "showgrid": False,
            "fixedrange": True,
            "ticksuffix": "  ",
            "tickfont": {"color": INK, "size": 12},
            "range": [len(dots) - 0.4, -0.6],
            "tickvals": list(range(len(dots))),
            "ticktext": [plain(dot.name) for dot in dots],
        },
        "margin": {"l": 8, "r": 16, "t": 28, "b": 8},
    }
    rows = [
        (dot.name, written_number(dot.value, digits), written_number(dot.low, digits), written_number(dot.high, digits))
        for dot in dots
    ]
    sentence = (
        words["sentence"].format(n=count(len(dots)), first=dots[0].name, value=written_number(dots[0].value, digits))
        if dots
        else ""
    )
    heads = (words["model"], unit, words["low"], words["high"])
    values = [Value(dot.name, unit, dot.value, dot.low, dot.high) for dot in dots]
    return Figure([trace], layout, 56 + ROW * max(3, len(dots)), sentence, Table(heads, rows), values)


class Square(NamedTuple):
    """A square table over models: the value that row i has against column j, None on the diagonal and where there is none.

    ``faint`` says which values rest on few battles; ``middle`` is the value without a side, where there is one.
    """

    names: Sequence[str]
    values: Sequence[Sequence[float | None]]
    faint: Sequence[Sequence[bool]]
    middle: float | None


def heat(square: Square, words: Mapping[str, str], digits: int = 0) -> Figure:
    """Return a square table as a map of colours, its columns numbered as the rows are.

    ``words`` has ``sentence``, ``hover`` with {{y}}, {{x}} and {{z}} as Plotly writes them, and the head ``model``.
    """
    numbers = [str(place) for place in range(1, len(square.names) + 1)]
    rows = [f"{plain(name)}  <b>{number}</b>" for name, number in zip(square.names, numbers, strict=True)]
    text = [
        [
            "" if value is None else "·" if few else written_number(value, digits)
            for value, few in zip(line, faint, strict=True)
        ]
        for line, faint in zip(square.values, square.faint, strict=True)
    ]
    shown = [
        [None if value is None or few else value for value, few in zip(line, faint, strict=True)]
        for line, faint in zip(square.values, square.faint, strict=True)
    ]
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": shown,
        "x": numbers,
        "y": rows,
        "text": text,
        "texttemplate": "%{text}",
        "customdata": [[plain(name, 80) for name in square.names]] * len(square.names),
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "hovertemplate": words["hover"],
        "hoverongaps": False,
    }
    if square.middle is not None:
        reach = max([5.0, *(abs(v - square.middle) for line in shown for v in line if v is not None)])
        trace |= {"zmin": square.middle - reach, "zmax": square.middle + reach, "zmid": square.middle}
    else:
        trace |= {"colorscale": "sequential", "zmin": 0}
    layout = {
        "xaxis": {"side": "top", "showgrid": False, "fixedrange": True, "type": "category", "tickfont": {"color": INK}},
        "yaxis": {
            "autorange": "reversed",
            "showgrid": False,
            "fixedrange": True,
            "type": "category",
            "tickfont": {"color": INK, "size": 12},
            "dtick": 1,
        },
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
    }
    table_rows = [
        (name, *("–" if value is None else written_number(value, digits) for value in line))
        for name, line in zip(square.names, square.values, strict=True)
    ]
    values = [
        Value(name, other, value)
        for name, line in zip(square.names, square.values, strict=True)
        for other, value in zip(square.names, line, strict=True)
        if value is not None
    ]
    table = Table((words["model"], *square.names), table_rows)
    return Figure([trace], layout, 56 + 27 * max(3, len(rows)), words["sentence"], table, values)


class Point(NamedTuple):
    """A model by two matters: ``x`` such as its size, and a value with its interval."""

    x: float
    dot: Dot


def frontier(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other one beats at a smaller or equal x, from left to right."""
    best: list[Point] = []
    for point in sorted(points, key=lambda each: (each.x, -each.dot.value)):
        if not best or point.dot.value > best[-1].dot.value:
            best.append(point)
    return best


def against(points: Sequence[Point], axes: tuple[str, str], words: Mapping[str, str], digits: int = 0) -> Figure:
    """Return values against another matter on a logarithmic axis, with the line of the best at or below each x.

    ``axes`` are what x and y are called; ``words`` has ``sentence`` with {best} and the heads ``model``, ``low``, ``high``.
    """
    best = frontier(points)
    others = [point for point in points if point not in best]
    traces = []
    for group, colour, name in ((others, QUIET, ""), (best, ACCENT, "best")):
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "markers+text" if name else "markers",
            "x": [point.x for point in group],
            "y": [point.dot.value for point in group],
            "error_y": whiskers([point.dot for point in group]),
            "marker": {"color": colour, "size": 9 if name else 7},
            "customdata": [plain(point.dot.name, 80) for point in group],
            "hovertemplate": f"%{{customdata}}<br>{axes[0]}: %{{x:,.3~g}}<br>{axes[1]}: %{{y:,.{digits}f}}<extra></extra>",
            "showlegend": False,
        }
        if name:
            middle = _middle(points)
            sides = ["top right" if point.x < middle else "top left" for point in group]
            trace |= {"text": _labels(group, points), "textposition": sides, "cliponaxis": False}
            trace["textfont"] = {"size": 12, "color": "var(--u-ink-2)"}
        traces.append(trace)
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": [point.x for point in best],
        "y": [point.dot.value for point in best],
        "line": {"shape": "hv", "color": LINE, "width": 1.5},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    layout = {
        "xaxis": {"type": "log", "title": {"text": axes[0]}, "fixedrange": True, **_log_ticks([p.x for p in points])},
        "yaxis": {"fixedrange": True, "title": {"text": axes[1]}, "tickformat": f",.{digits}f" if digits == 0 else ""},
        "margin": {"l": 8, "r": 24, "t": 24, "b": 40},
        "showlegend": False,
    }
    rows = [
        (p.dot.name, f"{p.x:,.4g}", *(written_number(value, digits) for value in (p.dot.value, p.dot.low, p.dot.high)))
        for p in sorted(points, key=lambda each: each.x)
    ]
    heads = (words["model"], axes[0], axes[1], words["low"], words["high"])
    sentence = words["sentence"].format(best=words["comma"].join(point.dot.name for point in best))
    values = [Value(p.dot.name, axes[1], p.dot.value, p.dot.low, p.dot.high) for p in points]
    values += [Value(p.dot.name, axes[0], p.x) for p in points]
    return Figure([line, *traces], layout, 360, sentence, Table(heads, rows), values)


def _middle(points: Sequence[Point]) -> float:
    """Return the x in the middle of a logarithmic axis: names are written towards it, so that none runs over an edge."""
    return math.sqrt(min(point.x for point in points) * max(point.x for point in points))


def _labels(group: Sequence[Point], points: Sequence[Point]) -> list[str]:
    """Return the names that are written beside points; none where one stands so near that they would overlap."""
    across, up = [math.log10(point.x) for point in points], [point.dot.value for point in points]
    wide, high = max(max(across) - min(across), 1e-9), max(max(up) - min(up), 1e-9)
    written: list[Point] = []
    labels = []
    for point in group:
        near = any(
            abs(math.log10(point.x / other.x)) < 0.2 * wide and abs(point.dot.value - other.dot.value) < 0.07 * high
            for other in written
        )
        labels.append("" if near else plain(point.dot.name, 28))
        if not near:
            written.append(point)
    return labels


def _log_ticks(values: Sequence[float]) -> dict[str, Any]:
    """Return ticks at 1 and 3 of each power of ten, with some room beside the outermost values."""
    if not values:
        return {}
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(0.12, 0.06 * (high - low))
    ticks = [step * 10**power for power in range(math.floor(low) - 1, math.ceil(high) + 1) for step in (1, 3)]
    ticks = [tick for tick in ticks if low - room <= math.log10(tick) <= high + room]
    return {
        "range": [low - room, high + room],
        "tickvals": ticks,
        "ticktext": [f"{tick:,.10g}" for tick in ticks],
    }

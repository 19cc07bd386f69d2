"""All that is known of one model: its entries in registers, its ratings, its scores, what it is good and bad at."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from leaderboard.arena_board import FEW
from leaderboard.arenas import Facts, Source, Votes, rule_of, votes_of
from leaderboard.board import Board, Row, make_board
from leaderboard.comparing import named
from leaderboard.figures import Cell, Column
from leaderboard.known_models import Known, Models
from leaderboard.ready import Busy, Ready
from leaderboard.results import RunEntry
from llmuses.errors import LlmusesError
from llmuses.records import Estimate, RegisterLine
from llmuses.settings import ModelEntry, model_entries
from llmuses.statistics.intervals import Z95, wilson

if TYPE_CHECKING:
    from arena.rating_records import ModelRating, Ratings

V = TypeVar("V")

TOO_MANY = 300_000
"""Battles. With more of them ratings with style control are not computed for this page: all texts would be read."""

MOST_KINDS = 80
"""A dataset with more parts than this is told apart by its categories only."""


class Met(NamedTuple):
    """How a model did against one opponent: the share that it won, ties as half, and how far apart their ratings are."""

    model: str
    n: int
    share: float
    ci95: tuple[float, float]
    apart: float


class Group(NamedTuple):
    """A rating in one category or language, ``kind`` says which."""

    kind: str
    name: str
    line: ModelRating


class ArenaFigures(NamedTuple):
    """What one arena says of a model: its line, how many are rated, ratings by group, opponents, the style-controlled line.

    ``busy`` says that some of it is still being computed.
    """

    source: Source
    votes: Votes
    line: ModelRating
    rated: int
    average: float
    groups: list[Group]
    met: list[Met]
    styled: ModelRating | None
    busy: bool


class Kind(NamedTuple):
    """One part of what a model was asked, and how far it is above (or below) the other models there; points are fractions.

    ``against`` is how many other models that is measured by; 0: against the model's own score on the dataset.
    """

    title: str
    name: str
    estimate: Estimate
    apart: float
    margin: float
    against: int
    cell: Cell


class Benchmark(NamedTuple):
    """A figure of the model: its column and cell, the place by score among the models that are ranked there."""

    column: Column
    cell: Cell
    place: int | None
    of: int


class Event(NamedTuple):
    """A line of a register, and which arena's it is."""

    arena: str
    line: RegisterLine


class Model(NamedTuple):
    """Everything on the page; ``busy`` where figures of an arena are on their way."""

    name: str
    known: Known
    entry: ModelEntry | None
    events: list[Event]
    arenas: list[Source]
    arena: ArenaFigures | None
    problem: str
    busy: bool
    row: Row | None
    board: Board
    benchmarks: list[Benchmark]
    strongest: list[Kind]
    weakest: list[Kind]
    runs: list[RunEntry]


class _Soon:
    """Notes whether anything that was asked for was not ready yet."""

    def __init__(self) -> None:
        self.busy = False

    def __call__(self, make: Callable[[], V], otherwise: V) -> V:
        """Return what ``make`` does; ``otherwise`` as long as that is being computed."""
        try:
            return make()
        except Busy:
            self.busy = True
            return otherwise


def find_model(name: str, entries: Sequence[RunEntry], ready: Ready, query: Mapping[str, str]) -> Model | None:
    """Return a model by its name or SPEC, None where nothing here has ever been known of it.

    Raises Busy as long as arenas that may know it are read.
    """
    board = make_board(entries, {})
    rows = named(board)
    row = rows.get(name) or next((each for each in board.rows if name in (each.model, each.spec)), None)
    arenas, soon = ready.arenas.sources(), _Soon()
    nothing = Facts([], [], [])
    sources = [each for each in arenas if name in soon(partial(ready.facts, each), nothing).models]
    events = [
        Event(source.title, line)
        for source in arenas
        for line in ready.arenas.register(source)
        if name in (line.model, line.variant_of)
    ]
    entry = model_entries().get(name)
    if row is None and not sources and not events and entry is None:
        if soon.busy:
            raise Busy
        return None
    runs = [each for each in entries if row is not None and each.run.model == row.model]
    source = next((each for each in sources if each.name == query.get("arena")), sources[0] if sources else None)
    figures, problem = None, ""
    if source is not None:
        try:
            figures = soon(lambda: _arena(name, ready, source, query.get("votes")), None)
        except LlmusesError as trouble:
            problem = str(trouble)
    spec = row.spec if row else next((event.line.model_spec for event in events if event.line.model_spec), "") or ""
    kinds = _kinds(board, row) if row else []
    return Model(
        name=row.model if row is not None and not sources else name,
        known=Models().known(name, spec, runs[0].run.model_details if runs else None),
        entry=entry or _entry_of(spec),
        events=sorted(events, key=lambda event: event.line.tstamp),
        arenas=sources,
        arena=figures,
        problem=problem,
        busy=soon.busy or (figures is not None and figures.busy),
        row=row,
        board=board,
        benchmarks=_benchmarks(board, row) if row else [],
        strongest=[kind for kind in kinds if kind.apart - kind.margin > 0][:5],
        weakest=[kind for kind in kinds[::-1] if kind.apart + kind.margin < 0][:5],
        runs=runs,
    )


def _entry_of(spec: str) -> ModelEntry | None:
    return next((entry for entry in model_entries().values() if spec and entry.model == spec), None)


# --- arenas ------------------------------------------------------------------------------------------------------


def _arena(name: str, ready: Ready, source: Source, wish: str | None) -> ArenaFigures | None:
    facts, soon = ready.facts(source), _Soon()
    votes = votes_of(facts, wish)
    ratings = ready.ratings(source, rule_of(facts, votes))
    line = next((each for each in ratings.models if each.model == name), None)
    if line is None:
        return None
    others = [each.rating for each in ratings.models if each.rating is not None and each.model != name]
    return ArenaFigures(
        source=source,
        votes=votes,
        line=line,
        rated=sum(each.rating is not None for each in ratings.models),
        average=math.fsum(others) / len(others) if others else 0.0,
        groups=soon(lambda: _groups(name, ready, source, facts, votes), []),
        met=soon(lambda: _met(line, ready, source, ratings), []),
        styled=soon(lambda: _styled(name, ready, source, facts, votes), None),
        busy=soon.busy,
    )


def _groups(name: str, ready: Ready, source: Source, facts: Facts, votes: Votes) -> list[Group]:
    found: list[Group] = []
    if source.live or votes == "both":
        return found
    for by, there in (("category", len(facts.categories) > 1), ("language", len(ready.languages(source)) > 1)):
        if there:
            groups = ready.ratings(source, rule_of(facts, votes, by=by)).groups
            lines = [
                (value, next((each for each in models if each.model == name), None)) for value, models in groups.items()
            ]
            found += [Group(by, value, line) for value, line in lines if line is not None and line.ci95 is not None]
    return found


def _styled(name: str, ready: Ready, source: Source, facts: Facts, votes: Votes) -> ModelRating | None:
    if source.live or votes == "both" or sum(n for _, n in facts.judges) > TOO_MANY:
        return None
    try:
        ratings = ready.ratings(source, rule_of(facts, votes, style=True))
    except LlmusesError:  # without texts there is no style to account for
        return None
    return next((each for each in ratings.models if each.model == name and each.rating is not None), None)


def _met(line: ModelRating, ready: Ready, source: Source, ratings: Ratings) -> list[Met]:
    rule = msgspec.structs.replace(ratings.rule, by=None)
    rates = ready.win_rates(source, rule)
    if line.model not in rates.models:
        return []
    at = rates.models.index(line.model)
    rated = {each.model: each.rating for each in ratings.models if each.rating is not None}
    found = []
    for model, share, n in zip(rates.models, rates.observed[at], rates.battles[at], strict=True):
        if share is not None and n:
            apart = abs(rated[model] - rated[line.model])
            found.append(Met(model, n, share, wilson(share * n, n), apart))
    return sorted(found, key=lambda met: met.apart)


def against_average(figures: ArenaFigures) -> tuple[float, tuple[float, float]] | None:
    """Return the share that the model is expected to win against an opponent of average rating, with its interval."""
    if figures.line.rating is None or figures.line.ci95 is None:
        return None

    def share(rating: float) -> float:
        return 1 / (1 + math.pow(10, (figures.average - rating) / 400))

    return share(figures.line.rating), (share(figures.line.ci95[0]), share(figures.line.ci95[1]))


def few(line: ModelRating) -> bool:
    """Return whether a rating rests on too few votes to be shown."""
    return line.battles < FEW


# --- benchmarks ----------------------------------------------------------------------------------------------------


def _benchmarks(board: Board, row: Row) -> list[Benchmark]:
    found = []
    for column in board.all_columns:
        cell = row.cells.get(column.key)
        if cell is None:
            continue
        ranked = sorted(
            (
                each.score
                for other in board.rows
                if (each := other.cells.get(column.key)) and each.ranked and each.score is not None
            ),
            reverse=True,
        )
        place = ranked.index(cell.score) + 1 if cell.ranked and cell.score in ranked else None
        found.append(Benchmark(column, cell, place, len(ranked)))
    return found


def _kinds(board: Board, row: Row) -> list[Kind]:
    """Return the parts of what a model was asked, the one where it is furthest above the others first."""
    found = []
    for column in board.all_columns:
        cell = row.cells.get(column.key)
        if cell is None or not cell.ranked or cell.report is None:
            continue
        others = [
            other.cells[column.key].report
            for other in board.rows
            if other is not row and column.key in other.cells and other.cells[column.key].ranked
        ]
        for name, estimate in _parts(cell).items():
            kind = _kind(column, cell, name, estimate, [_parts_of(report) for report in others if report is not None])
            if kind is not None:
                found.append(kind)
    return sorted(found, key=lambda kind: -kind.apart)


def _parts(cell: Cell) -> Mapping[str, Estimate]:
    assert cell.report is not None
    return _parts_of(cell.report)


def _parts_of(report: object) -> Mapping[str, Estimate]:
    from llmuses.records import Report

    assert isinstance(report, Report)
    parts = report.subsets if 1 < len(report.subsets) <= MOST_KINDS else {}
    return parts or (report.categories if len(report.categories) > 1 else {}) or {"": report}


def _kind(
    column: Column, cell: Cell, name: str, estimate: Estimate, others: Sequence[Mapping[str, Estimate]]
) -> Kind | None:
    if estimate.score is None or estimate.stderr is None:
        return None
    same = [each[name] for each in others if name in each and each[name].score is not None]
    scores = [each.score for each in same if each.score is not None]
    errors = [each.stderr or 0.0 for each in same]
    if scores:
        level, error = math.fsum(scores) / len(scores), math.hypot(*errors) / len(errors)
    elif name and cell.score is not None:
        level, error = cell.score, 0.0
    else:
        return None
    margin = Z95 * math.hypot(estimate.stderr, error)
    return Kind(column.title, name, estimate, estimate.score - level, margin, len(scores), cell)

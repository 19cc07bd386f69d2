"""From battle files to ratings: ``rate(paths)`` is what the command ``llmuses rate`` and a notebook call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from arena.battle_files import BattleTable, Derived, Selection, Skipped, open_battles
from arena.combining import COLUMNS, DERIVED, combine
from arena.first_place import first_place
from arena.fitting import CLUSTERS, Figures, Part, figures_of, pooled_figures
from arena.rating_lines import lines_of, unrated
from arena.rating_records import FirstPlace, ModelRating, Ratings, Rule
from arena.ratings.graph import Standing, standing
from arena.texts import PROMPT, discount_repeats, style_columns
from llmuses.errors import UnknownNameError, UsageError
from llmuses.records import HUMAN


def rate(battles: str | Path | Sequence[str | Path], rule: Rule | None = None) -> Ratings:
    """Return the ratings of the models in one file of battles or several.

    Raises DataError where no line is a battle, UnknownNameError for an anchor that did not play, UsageError for settings
    that exclude each other.
    """
    rule = rule or Rule()
    paths = [battles] if isinstance(battles, str | Path) else list(battles)
    check(rule)
    together = rule.combine == "ppi"
    selection = Selection(
        None if together else rule.judge, rule.category, rule.language, rule.blind_only or rule.robust
    )
    with open_battles(paths, selection, _columns(rule), _derived(paths, rule)) as table:
        weighed = _weigh(table, rule)
        if rule.scale.anchor is not None and rule.scale.anchor[0] not in table.names:
            raise UnknownNameError("model to anchor", rule.scale.anchor[0], table.names)
        whole = _combined(table, rule) if together else _rated(table, rule, Part())
        groups, spread = _grouped(table, rule, whole)
        return Ratings(
            models=whole.models,
            battles=sum(model.battles for model in whole.models) // 2,
            rule=rule,
            groups=groups,
            spread=spread,
            style=None if whole.figures is None else whole.figures.style,
            trust=whole.trust,
            ties=None if whole.figures is None else whole.figures.ties,
            first_place=_first_place(table, rule, whole),
            notes=[*skipped_lines(table.skipped), *_mixed(table, rule), *weighed, *whole.notes],
        )


def check(rule: Rule) -> None:
    """Raise UsageError for settings that exclude each other."""
    if rule.method == "elo" and (rule.ties != "half" or rule.cluster != "none"):
        raise UsageError("method elo knows neither ties davidson nor clusters: leave them out, or take method bt.")
    if rule.ties == "davidson" and rule.cluster != "none":
        raise UsageError("clusters work with ties half only.")
    plain = (rule.method, rule.ties) == ("bt", "half")
    if rule.combine == "ppi" and not (plain and rule.cluster == "none" and rule.by is None and not rule.style):
        raise UsageError("--combine ppi works with method bt and ties half, without --cluster, --by and --style.")
    if rule.style and not (plain and rule.cluster == "none" and rule.by is None):
        raise UsageError("--style works with method bt and ties half, without --cluster and --by.")
    if rule.dedup and (not plain or rule.combine != "none" or rule.robust):
        raise UsageError(
            "--dedup works with method bt and ties half, without --combine; --robust discounts repeated prompts itself."
        )
    if rule.robust and (rule.method, rule.combine) != ("bt", "none"):
        raise UsageError("--robust weighs votes, which works with method bt and without --combine only.")


def _columns(rule: Rule) -> list[str]:
    if rule.combine == "ppi":
        return list(COLUMNS)
    columns: list[str] = [] if rule.by is None else [rule.by]
    columns += ["judge"] if rule.judge is None else []  # for ``_mixed``
    if rule.robust:
        from arena.robustness import COLUMNS as OF_VOTERS

        columns += OF_VOTERS
    return columns + (["tstamp"] if rule.method == "elo" else [])


def _mixed(table: BattleTable, rule: Rule) -> list[str]:
    return mixed_lines(dict(table.values("judge")), rule) if rule.judge is None and rule.combine == "none" else []


def _weigh(table: BattleTable, rule: Rule) -> list[str]:
    """Weigh battles as the rule has it, and return a sentence for each reason why some weigh less."""
    if rule.robust:
        from arena.robustness import weigh

        return weigh(table)
    return discount_repeats(table) if rule.dedup else []


def _derived(paths: Sequence[str | Path], rule: Rule) -> Mapping[str, Derived]:
    if rule.combine == "ppi":
        return DERIVED
    columns = {
        **(style_columns() if rule.style else {}),
        **(PROMPT if rule.dedup else {}),
        **CLUSTERS.get(rule.cluster, {}),
    }
    if not rule.robust:
        return columns
    from arena import robustness

    with open_battles(paths) as table:
        return {**columns, **robustness.derived(table.names)}


class _Rated(NamedTuple):
    """One board: its lines, the figures behind them, and who can be rated."""

    models: list[ModelRating]
    figures: Figures | None
    standing: Standing
    notes: list[str]
    trust: float | None = None


def _rated(table: BattleTable, rule: Rule, part: Part) -> _Rated:
    counts = table.counts(part.where, part.values)
    found = standing(counts)
    figures = figures_of(table, rule, part, counts, found.rated) if len(found.rated) > 1 else None
    return _Rated(lines_of(table.names, counts, found, figures), figures, found, unrated(table.names, counts, found))


def _first_place(table: BattleTable, rule: Rule, whole: _Rated) -> FirstPlace | None:
    if whole.figures is None or rule.method == "elo" or rule.combine != "none" or rule.style:
        return None
    return first_place(table.counts(), table.names, whole.standing, whole.figures, rule.scale)


def _combined(table: BattleTable, rule: Rule) -> _Rated:
    found = combine(table, rule)
    models = lines_of(table.names, found.counts, found.standing, found.figures)
    notes = [*found.notes, *unrated(table.names, found.counts, found.standing)]
    return _Rated(models, found.figures, found.standing, notes, found.trust)


def _grouped(table: BattleTable, rule: Rule, whole: _Rated) -> tuple[dict[str, list[ModelRating]], float | None]:
    """Return a board for each value of the rule's ``by``, and how much they differ where they are pooled.

    Categories and languages are pooled where that is defined: with Bradley-Terry and ties as half-wins. Judges never
    are, since how they differ is the question.
    """
    values = [value for value, _ in table.values(rule.by)] if rule.by else []
    if len(values) > _MOST_GROUPS:
        raise UsageError(
            f"--by {rule.by}: there are {len(values):,} different ones, at most {_MOST_GROUPS} can be rated."
        )
    parts = [Part(f"{rule.by} = ?", (value,)) for value in values]
    if not parts or rule.by == "judge" or rule.method == "elo" or rule.ties == "davidson" or whole.figures is None:
        return {value: _rated(table, rule, part).models for value, part in zip(values, parts, strict=True)}, None
    found, boards = pooled_figures(table, rule, parts, whole.standing.rated), {}
    for value, counts, rated, figures in zip(values, found.counts, found.rated, found.figures, strict=True):
        boards[value] = lines_of(table.names, counts, whole.standing._replace(rated=rated), figures)
    return boards, found.spread


_MOST_GROUPS = 300


def skipped_lines(skipped: Skipped) -> list[str]:
    """Return a sentence for each reason why lines are no battles."""
    words = {
        "unreadable": "are no battles",
        "no_winner": "name no winner that is known",
        "same_model": "let a model play itself",
        "excluded": "are taken out by exclusion lines",
    }
    return [f"{number:,} lines {words[name]}." for name, number in skipped._asdict().items() if number]


def mixed_lines(judges: Mapping[str, int], rule: Rule) -> list[str]:
    """Return a sentence where people's votes and judges' verdicts count alike, as in the file of an arena on the web.

    ``judges`` says how many battles each decided, ``human`` for people.
    """
    people = judges.get(HUMAN, 0)
    verdicts = sum(judges.values()) - people
    if rule.judge is not None or rule.by == "judge" or not people or not verdicts:
        return []
    names = ", ".join(sorted(name for name in judges if name != HUMAN))
    said = f"{people:,} battles are votes by people and {verdicts:,} verdicts of {names}, and all count alike"
    return [f"{said}: --judge {HUMAN} rates by people alone, --judge NAME by a judge."]

"""``audit``: how far judges agree with people, what they favour, and which voters look odd."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.audit_agreement import Said, agreement, said, same_battles
from arena.audit_records import Agreement, Audit, Effect, JudgeAudit, Share
from arena.audit_voters import odd_voters
from arena.battle_files import BattleTable, open_battles
from arena.combining import DERIVED
from arena.rating import skipped_lines
from arena.ratings.bradley_terry import chances, maximise
from arena.ratings.counts import Floats, Ints, count_pairs
from arena.ratings.graph import standing
from arena.ratings.style import fit_styled
from arena.same_battle import SAME_BATTLE, SameBattle, Verdicts
from arena.texts import style_columns
from llmuses.records import HUMAN
from llmuses.statistics.intervals import Z95, wilson

_POINTS = 400 / math.log(10)
_Columns = Mapping[str, NDArray[Any]]


def audit(battles: str | Path | Sequence[str | Path]) -> Audit:
    """Return the audit of one file of battles or several: people's votes and judges' verdicts, in any mix.

    Which lines are of one battle: ``arena.same_battle``. Raises DataError where no line is a battle.
    """
    paths = [battles] if isinstance(battles, str | Path) else list(battles)
    style = style_columns()["style_length"]
    columns = ("judge", "question_id", "category", "voter", "tstamp")
    derived = {**SAME_BATTLE, "category_kind": DERIVED["category_kind"], "style_length": style}
    with open_battles(paths, columns=columns, derived=derived) as table:
        names = [name for name, _ in table.values("judge")]
        same = SameBattle(table)
        decided = {name: same.verdicts(name, "category_kind", "style_length") for name in names}
        whole = {name: said(own) for name, own in decided.items()}
        agreements = _agreements(decided, whole, {kind: name or "none" for kind, name in _labels(table)})
        sides = {name: _battles(own) for name, own in decided.items()}
        judges = [_judge(name, sides, table.names, agreements[name]) for name in names]
        return Audit(
            judges=judges,
            same_battles=same_battles(whole),
            voters=odd_voters(table),
            notes=[*skipped_lines(table.skipped), *_apart(judges)],
        )


def _apart(judges: Sequence[JudgeAudit]) -> list[str]:
    """Return a note where people voted and a judge decided none of their battles."""
    people = any(one.judge == HUMAN for one in judges)
    apart = [one.judge for one in judges if people and one.judge != HUMAN and one.agreement is None]
    return [
        f"{name} and people decided no battle in common: two lines are of one battle where the models and comparison_id are "
        "the same (battle_id in lines without one, question_id where both are missing)."
        for name in apart
    ]


def _battles(found: Verdicts) -> _Columns:
    """Return one judge's battles as columns."""
    return {
        "first": found.first,
        "second": found.second,
        "points": found.points,
        "low_points": found.low_points,
        "key": found.key,
        "length": found.more["style_length"],
    }


class _Agreements(NamedTuple):
    """How one judge agrees with people: on everything, and by category where there are several."""

    all: Agreement | None = None
    categories: Mapping[str, Agreement] = {}


def _agreements(
    decided: Mapping[str, Verdicts], whole: Mapping[str, Said], labels: Mapping[int, str]
) -> dict[str, _Agreements]:
    found = dict.fromkeys(decided, _Agreements())
    people = whole.get(HUMAN)
    if people is None:
        return found
    for name, own in decided.items():
        every = agreement(whole[name], people) if name != HUMAN else None
        if every is None:
            continue
        parts = {label: own.of(own.more["category_kind"] == kind) for kind, label in labels.items()}
        categories = {label: agreement(said(part), people) for label, part in sorted(parts.items())}
        told = {label: part for label, part in categories.items() if part is not None}
        found[name] = _Agreements(every, told if len(labels) > 1 else {})
    return found


def _labels(table: BattleTable) -> list[tuple[int, str | None]]:
    found = table.arrays("row", "category_kind")
    kinds, where = np.unique(found["category_kind"], return_index=True)
    rows = dict(zip(found["row"][where].tolist(), kinds.tolist(), strict=True))
    chosen = ", ".join(str(row) for row in rows)
    return [(rows[row], name) for row, name in table.texts("row", "category", where=f"rowid IN ({chosen})")]


def _judge(name: str, sides: Mapping[str, _Columns], models: list[str], agreements: _Agreements) -> JudgeAudit:
    own = sides[name]
    decided = own["points"] != 0.5
    position, length, expected = _leanings(own, len(models))
    family = [model for model in models if name != HUMAN and family_of(model) == family_of(name)]
    return JudgeAudit(
        judge=name,
        battles=len(own["first"]),
        agreement=agreements.all,
        categories=dict(agreements.categories),
        position=position,
        first_wins=share(int((own["points"] == 1).sum()), int(decided.sum())),
        first_expected=expected,
        swapped=_consistency(own, swapped=True),
        repeats=_consistency(own, swapped=False),
        length=length,
        family=family,
        self_preference=_self_preference(name, sides, models, family),
    )


def share(hits: int, n: int) -> Share:
    """Return a share with Wilson's interval."""
    return Share(n=n, share=hits / n if n else None, ci95=wilson(hits, n) if n else None)


def _only(battles: _Columns, chosen: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: column[chosen] for name, column in battles.items()}


def _consistency(battles: _Columns, swapped: bool) -> Share:
    """Return the share of pairs of verdicts on one battle, next to each other in the file, that have the same outcome."""
    order = np.argsort(battles["key"], kind="stable")
    key, points, first = (battles[name][order] for name in ("key", "low_points", "first"))
    pairs = (key[1:] == key[:-1]) & ((first[1:] != first[:-1]) == swapped)
    return share(int((points[1:] == points[:-1])[pairs].sum()), int(pairs.sum()))


def _leanings(battles: _Columns, models: int) -> tuple[Effect | None, Effect | None, float | None]:
    """Return what standing first and what length are worth, and the share of decided battles that the first should win."""
    part, kept = _rated(battles, models)
    if len(kept) < 2:
        return None, None, None
    first, second, points = part["first"], part["second"], part["points"]
    ones = np.ones((len(first), 1))
    position = _effect(len(kept), first, second, points, ones)
    strengths = maximise(count_pairs(len(kept), first, second, _outcome(points)))
    decided = points != 0.5
    expected = float(chances(strengths, first, second)[decided].mean()) if decided.any() else None
    told = ~np.isnan(part["length"])
    length = None
    if told.any() and part["length"][told].std() > 0:
        x = np.column_stack((ones[told], part["length"][told] / part["length"][told].std()))
        length = _effect(len(kept), first[told], second[told], points[told], x)
    return position, length, expected


def _outcome(points: Floats) -> Ints:
    return np.where(points == 1, 0, np.where(points == 0, 1, 2)).astype(np.int64)


def _rated(battles: _Columns, models: int) -> tuple[dict[str, NDArray[Any]], Ints]:
    """Return the battles among models that can be rated, renumbered, and which these are."""
    kept = standing(count_pairs(models, battles["first"], battles["second"], _outcome(battles["points"]))).rated
    number = np.full(models, -1)
    number[kept] = np.arange(len(kept))
    first, second = number[battles["first"]], number[battles["second"]]
    inside = (first >= 0) & (second >= 0)
    return {**_only(battles, inside), "first": first[inside], "second": second[inside]}, kept


def _effect(models: int, first: Ints, second: Ints, points: Floats, x: Floats) -> Effect | None:
    """Return what the last covariate is worth, None where the battles do not tell."""
    try:
        found = fit_styled(models, first, second, points, x, np.ones(len(first)))
    except (ValueError, np.linalg.LinAlgError):
        return None
    worth = float(found.coefficients[-1]) * _POINTS
    reach = Z95 * math.sqrt(max(0.0, float(found.coefficient_covariance[-1, -1]))) * _POINTS
    return Effect(points=worth, ci95=(worth - reach, worth + reach))


def family_of(model: str) -> str:
    """Return the word that a model's name begins with, without its publisher: ``gpt`` of ``openai/GPT-4o``."""
    found = re.match(r"[a-z]+", model.rsplit("/", 1)[-1].lower())
    return found.group() if found else model.lower()


def _self_preference(
    name: str, sides: Mapping[str, _Columns], models: list[str], family: Sequence[str]
) -> Effect | None:
    """Return what being of the judge's family is worth to it, beside strengths that all judges and people share."""
    others = [side for judge, side in sides.items() if judge != name]
    if not family or len(family) == len(models) or not others:
        return None
    kin = np.isin(models, family).astype(np.float64)
    every = {column: np.concatenate([side[column] for side in (sides[name], *others)]) for column in sides[name]}
    own = np.arange(len(every["first"])) < len(sides[name]["first"])
    every["kin"] = np.where(own, kin[every["first"]] - kin[every["second"]], 0.0)
    part, kept = _rated(every, len(models))
    if len(kept) < 2 or not part["kin"].any():
        return None
    return _effect(len(kept), part["first"], part["second"], part["points"], part["kin"][:, None])

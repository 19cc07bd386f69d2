"""Battles of a table weighed so that a few do not decide for all, with a sentence for each reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.battle_files import BattleTable, Derived
from arena.identity import reveals, suspicious
from arena.ratings.loyalty import Votes
from arena.ratings.robust import Robust, robust_weights
from llmuses.records import HUMAN

COLUMNS = ("judge", "voter")
"""What has to be read beside the columns of ``derived``."""


def derived(models: Sequence[str]) -> dict[str, Derived]:
    """Return the columns that ``weigh`` needs: prompts as numbers, equal where nothing but case, spaces and punctuation
    differs, and the texts of battles in which a model's name or a question for it stands."""
    texts = ("question", "output_a", "output_b")
    pattern = suspicious(models).replace("'", "''").replace("{", "{{").replace("}", "}}")
    hint = " OR ".join(f"coalesce(regexp_matches({{{name}}}, '{pattern}', 'i'), false)" for name in texts)
    kept = {f"hint_{name}": Derived(f"CASE WHEN {hint} THEN {{{name}}} END", texts, "VARCHAR") for name in texts}
    folded = r"md5(trim(regexp_replace(lower({question}), '[\s\p{{P}}]+', ' ', 'g')))"
    return {"prompt": Derived(f"{folded}::VARCHAR", ("question",), "VARCHAR"), **kept}


def weigh(table: BattleTable) -> list[str]:
    """Weigh a table's battles, and return a sentence for each reason why some weigh less.

    Battles that were not blind weigh nothing, whoever judged them; the rest is about people's votes.
    """
    notes = _take_out_revealed(table)
    found = table.arrays("row", "voter", "prompt", where=f"judge = '{HUMAN}'")
    if not len(found["row"]):
        return notes
    votes = Votes(
        len(table.names),
        found["a"].astype(np.int64),
        found["b"].astype(np.int64),
        found["outcome"].astype(np.int64),
        np.unique(found["voter"], return_inverse=True)[1],
        np.unique(found["prompt"], return_inverse=True)[1],
    )
    robust = robust_weights(votes)
    table.weigh(found["row"], robust.weight)
    return [*notes, *_notes(robust, votes, table.names)]


def _take_out_revealed(table: BattleTable) -> list[str]:
    where = "hint_question IS NOT NULL OR hint_output_a IS NOT NULL OR hint_output_b IS NOT NULL"
    rows, asked, named = [], 0, 0
    for row, a, b, question, output_a, output_b in table.texts(
        "row", "a", "b", "hint_question", "hint_output_a", "hint_output_b", where=where
    ):
        found = reveals(question, output_a, output_b, table.names[a], table.names[b])
        if found.asked or found.named:
            rows.append(row)
            asked += found.asked
            named += found.named and not found.asked
    table.weigh(np.array(rows, np.int64), np.zeros(len(rows)))
    words = (
        (asked, "whose prompt asks the models who they are"),
        (named, "in which a model names itself or its maker"),
    )
    return [f"left out are {number:,} battles {why}." for number, why in words if number]


def _notes(robust: Robust, votes: Votes, names: Sequence[str]) -> list[str]:
    notes = []
    reasons = (
        (robust.repeated, "repeat a prompt that is asked far more often than others"),
        (robust.capped, "are by voters who voted on a model so often that one voter would decide"),
        (robust.partial, "are by voters who judge a model unlike everybody else"),
        (robust.crowd, "may be by voters who act as one"),
    )
    for factor, why in reasons:
        touched = int((factor < 0.995).sum())
        if touched:
            notes.append(f"{touched:,} votes {why}: they count as {factor[factor < 0.995].sum():,.0f}.")
    for crowd in robust.crowds:
        shown = " and ".join(f"{'for' if sign > 0 else 'against'} {names[model]}" for model, sign in crowd.aims)
        notes.append(f"about {max(1, round(crowd.voters)):,} voters act as one: {shown}.")
    lost = 1 - float(robust.weight.mean())
    if lost > 0:
        notes.append(f"people's {len(votes.first):,} votes lose {100 * lost:.1f}% of their weight altogether.")
    return notes

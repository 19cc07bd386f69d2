"""What a rating comes to: one line a model, and how it was computed. Written as JSON and CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from arena.ratings.graph import Place
from llmuses.records import Record

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["bt", "elo"]
Ties = Literal["half", "davidson"]
By = Literal["category", "language", "judge"]
Cluster = Literal["none", "question", "voter"]
Combine = Literal["none", "ppi"]


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How strengths become ratings: ``scale`` points of difference are odds of ``base`` to 1, ``mean`` is the average over
    all rated models. With an anchor everything is shifted so that this model has that rating; intervals stay those of the
    strengths around their mean, since an anchor's interval around itself would be zero and everybody else's too wide."""

    scale: float = 400.0
    base: float = 10.0
    mean: float = 1000.0
    anchor: tuple[str, float] | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How battles are rated. ``robust`` takes blind battles only and weighs down what looks like manipulation (see
    ``arena.robustness``). ``judge``, ``category`` and ``language`` take only such battles; ``by`` rates each value of a
    column on its own as well. ``style`` accounts for the outputs' length and Markdown. ``dedup`` weighs battles with a prompt
    asked before down. ``combine`` puts people's votes and the verdicts of ``judge`` together."""

    method: Method = "bt"
    ties: Ties = "half"
    cluster: Cluster = "none"
    combine: Combine = "none"
    style: bool = False
    dedup: bool = False
    by: By | None = None
    scale: Scale = Scale()
    judge: str | None = None
    category: str | None = None
    language: str | None = None
    blind_only: bool = False
    robust: bool = False
    seed: int = 0


class ModelRating(Record, kw_only=True, omit_defaults=False):
    """One model's rating with its 95% interval and the ranks that the battles allow.

    The three are None where the battles bound no rating; ``place`` says why. ``won`` is the share of its battles that it
    won, a tie counting half.
    """

    model: str
    rating: float | None
    ci95: tuple[float, float] | None
    rank: tuple[int, int] | None
    battles: int
    won: float
    place: Place = Place.RATED
    borrowed: float | None = None
    """In a category or language: how much of its rating, from 0 to 1, comes from the overall one."""
    online: float | None = None
    """Elo after all battles in the order of time; ``rating`` is then the median over resampled orders."""


class StyleEffect(Record, kw_only=True, omit_defaults=False):
    """What one matter of style is worth: points of rating for outdoing the opponent in it by one standard deviation of
    (a − b) / (a + b), with the 95% interval; ``sd`` is that standard deviation."""

    name: str
    points: float
    ci95: tuple[float, float]
    sd: float


class FirstPlace(Record, kw_only=True, omit_defaults=False):
    """How few votes would flip the first place: without the ``removed`` ones that matter most ``without`` is first, with
    ``added`` ones more for ``by`` against the first it is ``by``. None where no votes taken away would do it."""

    model: str
    removed: int | None
    without: str | None
    added: int
    by: str


class Ratings(Record, kw_only=True, omit_defaults=False):
    """Ratings of all models, the strongest first, with the rule that made them.

    ``groups`` holds the same for each value of the rule's ``by``. ``notes`` are sentences for people: lines that were no
    battles, models that cannot be rated.
    """

    models: list[ModelRating]
    battles: int
    rule: Rule
    groups: dict[str, list[ModelRating]]
    notes: list[str]
    spread: float | None = None
    """By how many points, as a standard deviation, models' strengths differ between categories or languages, as held-out
    votes have it: what decides how much these borrow."""
    style: list[StyleEffect] | None = None
    trust: float | None = None
    """People and a judge together: λ, how far the judge was trusted, from 0 (people alone) to 1."""
    ties: float | None = None
    """Davidson's ν: how common ties are between equals."""
    first_place: FirstPlace | None = None

    def frame(self) -> pd.DataFrame:
        """Return all boards as one table: ``group`` (empty for all battles together), then a column each for what a model's
        line holds, intervals and ranks in two columns."""
        import pandas as pd

        return pd.DataFrame(
            [_row(group, model) for group, models in {"": self.models, **self.groups}.items() for model in models]
        )


def _row(group: str, model: ModelRating) -> dict[str, object]:
    low, high = model.ci95 or (None, None)
    best, worst = model.rank or (None, None)
    return {
        "group": group,
        "model": model.model,
        "rating": model.rating,
        "low": low,
        "high": high,
        "rank_best": best,
        "rank_worst": worst,
        "battles": model.battles,
        "won": model.won,
        "borrowed": model.borrowed,
        "place": model.place.value,
    }

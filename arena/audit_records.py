"""What an audit of battles finds: how far a judge can be relied on, and which voters look odd."""

from __future__ import annotations

from llmuses.records import Record


class Share(Record, kw_only=True, omit_defaults=False):
    """A share of ``n`` cases with Wilson's 95% interval; all None where there are none."""

    n: int
    share: float | None
    ci95: tuple[float, float] | None


class Effect(Record, kw_only=True, omit_defaults=False):
    """An effect in points of rating with its 95% interval."""

    points: float
    ci95: tuple[float, float]


class Agreement(Record, kw_only=True, omit_defaults=False):
    """A judge against people on the same battles: the share of equal outcomes (win, loss, tie), that share where neither
    said tie, and Cohen's kappa over the three outcomes with its 95% interval."""

    all: Share
    decided: Share
    kappa: float | None
    kappa_ci95: tuple[float, float] | None


class JudgeAudit(Record, kw_only=True, omit_defaults=False):
    """One judge, ``human`` for people.

    ``position``: what standing first is worth; ``first_wins`` the share of decided battles that the first one won,
    ``first_expected`` what the models' strengths alone foretell. ``swapped``: battles asked in both orders with the same
    outcome. ``repeats``: battles asked again in the same order with the same outcome. ``length``: what a text one standard
    deviation longer than its opponent's is worth. ``self_preference``: by how much the judge rates models of its own
    ``family`` above where all other judges have them. None where the battles do not tell.
    """

    judge: str
    battles: int
    agreement: Agreement | None
    categories: dict[str, Agreement]
    position: Effect | None
    first_wins: Share
    first_expected: float | None
    swapped: Share
    repeats: Share
    length: Effect | None
    family: list[str]
    self_preference: Effect | None


class VoterAudit(Record, kw_only=True, omit_defaults=False):
    """A voter who looks automated, or loyal to one model, and why, in a sentence each."""

    voter: str
    votes: int
    reasons: list[str]


class Audit(Record, kw_only=True, omit_defaults=False):
    """An audit of some files of battles; judges by their number of battles, voters by their number of votes."""

    judges: list[JudgeAudit]
    voters: list[VoterAudit]
    notes: list[str]

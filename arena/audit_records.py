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
    said tie, and Cohen's kappa over the three outcomes with its 95% interval. Several votes on a battle share its weight."""

    all: Share
    decided: Share
    kappa: float | None
    kappa_ci95: tuple[float, float] | None


class JudgeAgreement(Record, kw_only=True, omit_defaults=False):
    """One judge of several, with how it agrees with people."""

    judge: str
    agreement: Agreement


class Lead(Record, kw_only=True, omit_defaults=False):
    """How much more often ``judge`` agrees with people than ``other`` does, a fraction, on the ``battles`` that people and both
    decided. The intervals of all pairs of judges hold together with 95% confidence."""

    judge: str
    other: str
    battles: int
    difference: float
    ci95: tuple[float, float]


class SameBattles(Record, kw_only=True, omit_defaults=False):
    """Judges beside each other, the one that agrees with people most often first.

    ``judges`` are compared on the ``battles`` that people and all of them decided; where that is none (0), each is on those
    that people and it decided. ``leads`` has each pair of judges with a battle in common, the one higher up first. ``people``
    is how often two votes on one battle say the same, None where no battle has two.
    """

    battles: int
    judges: list[JudgeAgreement]
    leads: list[Lead]
    people: Share | None

    def behind(self, judge: str) -> Lead | None:
        """Return the lead of the first judge over another one; None where they have no battle in common."""
        best = self.judges[0].judge
        return next((one for one in self.leads if (one.judge, one.other) == (best, judge)), None)

    @property
    def rivals(self) -> list[str]:
        """Return the judges of whom the battles do not tell that they agree with people less than the first one does."""
        leads = [(line.judge, self.behind(line.judge)) for line in self.judges[1:]]
        return [name for name, lead in leads if lead is None or lead.ci95[0] <= 0]


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
    same_battles: SameBattles | None
    voters: list[VoterAudit]
    notes: list[str]

"""Judges beside each other below an arena's board: how far each agrees with people, on the same battles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.board_words import Words
from leaderboard.model_parts import axis, section, table
from llmuses.markup import Markup, count, interval, join

if TYPE_CHECKING:
    from arena.audit_records import JudgeAgreement, SameBattles, Share


def judges_section(found: SameBattles, say: Words) -> Markup:
    """Return the table of the judges and the sentence that says which one agrees with people best, if that can be told."""
    about = say("judges.common", n=count(found.battles)) if found.battles else say("judges.apart")
    heads = [
        ("v-j", say("judge")),
        ("n v-n", say("battles")),
        ("n v-a", say("judges.agrees")),
        ("v-i", axis((share, f"{100 * share:.0f}") for share in (0.25, 0.5, 0.75))),
        ("n v-c", say("judges.kappa")),
        ("n v-b", say("judges.behind")),
    ]
    rows = [_row(found, line, say) for line in found.judges]
    if found.people is not None:
        rows.append(_line(say("judges.people"), found.people, "", "", say))
    body = table(say("judges"), heads, join(rows), "v-judges")
    verdict = Markup('<p class="md u-gap">{}</p>').format(verdict_words(found, say)) if len(found.judges) > 1 else ""
    return Markup('<div class="u-gap">{}</div>').format(section(say("judges"), about, join([body, verdict]), "judges"))


def _row(found: SameBattles, line: JudgeAgreement, say: Words) -> Markup:
    kappa = "–" if line.agreement.kappa is None else f"{line.agreement.kappa:.2f}".replace("-", "−")
    behind, words = found.behind(line.judge), ""
    if behind is not None:
        low, high = (_signed(end) for end in behind.ci95)
        words = say("judges.by", points=_signed(behind.difference), low=low, high=high)
    elif line is not found.judges[0]:
        words = say("judges.never")
    return _line(line.judge, line.agreement.all, kappa, words, say)


def _line(name: str, agrees: Share, kappa: str, behind: str, say: Words) -> Markup:
    share, drawn, said = "–", Markup(""), ""
    if agrees.share is not None and agrees.ci95 is not None:
        low, high = agrees.ci95
        share = f"{100 * agrees.share:.1f}"
        drawn = interval(low, agrees.share, high)
        said = say("to", low=f"{100 * low:.1f}", high=f"{100 * high:.1f}")
    return Markup(
        '<tr><th scope="row"><span class="cut" title="{0}">{0}</span></th><td class="n">{1}</td><td class="n m" title="{2}">{3}'
        '<span class="sr"> {2}</span></td><td class="iv">{4}</td><td class="n">{5}</td><td class="n q">{6}</td></tr>'
    ).format(name, count(agrees.n), said, share, drawn, kappa, behind)


def _signed(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", "−")


def verdict_words(found: SameBattles, say: Words) -> str:
    """Return which judge agrees with people best, or that it cannot be told."""
    best = found.judges[0].judge
    if not found.rivals:
        return say("judges.best", judge=best)
    return say("judges.open", judge=best, others=say("comma").join(found.rivals))

"""An audit as Markdown."""

from __future__ import annotations

from arena.audit_records import Agreement, Audit, Effect, JudgeAudit, SameBattles, Share
from llmuses.records import HUMAN


def audit_markdown(found: Audit) -> str:
    """Return an audit as a Markdown document."""
    lines = ["# Audit of battles", ""]
    if found.same_battles is not None:
        lines += [*_beside(found.same_battles), ""]
    for judge in found.judges:
        lines += [f"## {'People' if judge.judge == HUMAN else judge.judge}", "", f"{judge.battles:,} battles.", ""]
        lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in _rows(judge)), ""]
        if judge.categories:
            lines += ["| agreement with people in | battles | all | without ties | kappa |", "|---|---|---|---|---|"]
            lines += [f"| {_cell(name)} | {part.all.n:,} | {_share(part.all)} | {_share(part.decided)} | {_kappa(part)} |"
                      for name, part in judge.categories.items()] + [""]  # fmt: skip
    lines += ["## Voters who look odd", ""]
    lines += [f"- {_cell(one.voter)} ({one.votes:,} votes): {'; '.join(one.reasons)}." for one in found.voters] or [
        "None."
    ]
    if found.notes:
        lines += ["", "## Notes", "", *(f"- {note}" for note in found.notes)]
    return "\n".join(lines) + "\n"


def _beside(found: SameBattles) -> list[str]:
    """Return the judges beside each other, and whether it can be told which one agrees with people best."""
    where = f"the {found.battles:,} battles that people and all of these judges decided"
    if not found.battles:
        where = "the battles that people and each of these judges decided, since none is common to all"
    lines = ["## Agreement with people", "", f"On {where}.", ""]
    lines += ["| judge | battles | agrees with people | Cohen's kappa | behind the first |", "|---|---|---|---|---|"]
    for line in found.judges:
        part = line.agreement
        cells = (_cell(line.judge), f"{part.all.n:,}", _share(part.all), _kappa(part), _behind(found, line.judge))
        lines.append(f"| {' | '.join(cells)} |")
    if found.people is not None:
        lines.append(f"| one person with another | {found.people.n:,} | {_share(found.people)} | | |")
    return [*lines, "", *_told(found)]


def _behind(found: SameBattles, judge: str) -> str:
    behind = found.behind(judge)
    if behind is None:
        return "" if judge == found.judges[0].judge else "no battle in common"
    points, low, high = (100 * value for value in (behind.difference, *behind.ci95))
    return f"{points:.1f} points ({low:.1f} to {high:.1f}) on {behind.battles:,}"


def _told(found: SameBattles) -> list[str]:
    """Return the sentence that says which judge agrees with people best, or that it cannot be told."""
    best = found.judges[0].judge
    if len(found.judges) < 2:
        return []
    if not found.rivals:
        return [f"{best} agrees with people best."]
    rivals = ", ".join(found.rivals)
    return [f"Whether {best} agrees with people better than {rivals} cannot be told from these battles."]


def _rows(judge: JudgeAudit) -> list[tuple[str, str]]:
    rows = []
    if judge.agreement is not None:
        rows += [
            ("agrees with people", f"{_share(judge.agreement.all)} of {judge.agreement.all.n:,} battles"),
            ("where neither says tie", f"{_share(judge.agreement.decided)} of {judge.agreement.decided.n:,}"),
            ("Cohen's kappa", _kappa(judge.agreement)),
        ]
    if judge.first_wins.n and judge.first_expected is not None:
        rows.append(("the first one wins", f"{_share(judge.first_wins)}; by strength {judge.first_expected:.1%}"))
    rows.append(("standing first is worth", _effect(judge.position)))
    if judge.swapped.n:
        rows.append(("same outcome with sides swapped", f"{_share(judge.swapped)} of {judge.swapped.n:,}"))
    if judge.repeats.n:
        rows.append(("same outcome when asked again", f"{_share(judge.repeats)} of {judge.repeats.n:,}"))
    rows.append(("a text longer by one standard deviation is worth", _effect(judge.length)))
    if judge.family:
        rows.append(
            (f"favour for its own family ({', '.join(map(_cell, judge.family))})", _effect(judge.self_preference))
        )
    return rows


def _share(found: Share) -> str:
    if found.share is None or found.ci95 is None:
        return "–"
    return f"{found.share:.1%} ({found.ci95[0]:.1%} to {found.ci95[1]:.1%})"


def _kappa(found: Agreement) -> str:
    if found.kappa is None or found.kappa_ci95 is None:
        return "–"
    return f"{found.kappa:.2f} ({found.kappa_ci95[0]:.2f} to {found.kappa_ci95[1]:.2f})"


def _effect(found: Effect | None) -> str:
    if found is None:
        return "not told by these battles"
    return f"{found.points:+.1f} points ({found.ci95[0]:+.1f} to {found.ci95[1]:+.1f})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

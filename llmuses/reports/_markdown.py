"""A run's report as Markdown (CommonMark with tables)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from llmuses.i18n import Lang, points, text
from llmuses.records import Estimate, Report, Run
from llmuses.reports._content import Fact, Section, Table, content, interval, margin, marks, number, verdicts

_SPECIAL = re.compile(r"[\\`*{}\[\]<>|#~!&$]|(?<![^\W_])_|_(?![^\W_])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def markdown(run: Run, reports: Iterable[Report], lang: Lang = "en") -> str:
    """Return the report of a run in one language. Names that models and datasets bring along are escaped."""
    said = content(run, reports, lang)
    blocks = [f"# {escape(said.title)}", f"{code(run.model_spec)} · {escape(said.status)} · {code(run.run_id)}"]
    blocks += [f"> {escape(note)}" for note in said.notes]
    blocks += [f"> **{escape(warning)}**" for section in said.sections for warning in section.warnings]
    if said.sections:
        blocks += [f"## {_say(lang, 'results')}", _results(said.sections, lang)]
    for section in said.sections:
        blocks += _section(section, lang)
    blocks += [f"## {_say(lang, 'run')}", _facts(said.facts)]
    if said.command:
        blocks += [f"### {_say(lang, 'reproduce')}", fence(said.command), _say(lang, "reproduce_note")]
    blocks.append(_say(lang, "foot"))
    return "\n\n".join(blocks) + "\n"


def escape(words: str) -> str:
    """Return one line of Markdown that shows exactly these words; line breaks and control characters become spaces."""
    plain = _CONTROL.sub(" ", words).strip()
    escaped = _SPECIAL.sub(r"\\\g<0>", plain)
    return re.sub(
        r"^(\d+)([.)])(?=\s|$)|^([-+=])", r"\1\\\2\3", escaped
    )  # a list or an underline at the line's beginning


def code(words: str) -> str:
    """Return a code span that shows exactly these words. Not for a table's cell: a bar would end it."""
    plain = _CONTROL.sub(" ", words).strip()
    if not plain:
        return ""
    ticks = "`" * (_longest_run("`", plain) + 1)
    pad = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}"


def fence(words: str) -> str:
    """Return a fenced block that nothing in the words can end."""
    ticks = "`" * max(3, _longest_run("`", words) + 1)
    return f"{ticks}bash\n{words}\n{ticks}"


def _longest_run(char: str, words: str) -> int:
    return max((len(found) for found in re.findall(f"{re.escape(char)}+", words)), default=0)


def _say(lang: Lang, name: str) -> str:
    return escape(text(lang, f"report.{name}"))


def _results(sections: list[Section], lang: Lang) -> str:
    head = [_say(lang, name) for name in ("benchmark", "setting", "score", "interval", "n", "counts")]
    rows = [
        [escape(section.report.title), escape(section.setting), *_figures(section.report, lang)] for section in sections
    ]
    return _table(head, "llrrrl", rows)


def _section(section: Section, lang: Lang) -> Iterator[str]:
    report = section.report
    yield f"## {escape(report.title)}"
    if report.score is None:
        yield f"**{_say(lang, 'no_score')}**. {_say(lang, 'no_score_note')}"
    else:
        figure = f"**{points(report.score)}** {margin(report)} ({interval(report, lang)}), n = {number(report.n)}"
        yield f"{figure} · {escape(section.setting)} · {escape(verdicts(report.counts, lang))}"
    yield _facts(section.facts)
    for table in section.tables:
        yield f"### {escape(table.heading)}"
        yield _scores(table, lang)


def _scores(table: Table, lang: Lang) -> str:
    head = [escape(table.kind), *(_say(lang, name) for name in ("score", "interval", "n", "counts"))]
    return _table(head, "lrrrl", [[escape(row.name), *_figures(row.estimate, lang)] for row in table.rows])


def _figures(estimate: Estimate, lang: Lang) -> list[str]:
    said = text(lang, "report.separator").join(words for _, words in marks(estimate.counts, lang))
    return [
        f"{points(estimate.score)} {margin(estimate)}".rstrip(),
        interval(estimate, lang),
        number(estimate.n),
        escape(said or "–"),
    ]


def _facts(facts: Iterable[Fact]) -> str:
    return "\n".join(
        f"- {escape(fact.label)}: {code(fact.value) if fact.code else escape(fact.value)}" for fact in facts
    )


def _table(head: list[str], align: str, rows: list[list[str]]) -> str:
    rule = ["---:" if side == "r" else "---" for side in align]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))

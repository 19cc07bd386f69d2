"""What a judge is told: prompt templates, the shipped ones or a user's own, and which one suits a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import msgspec

from llmuses.errors import DataError, UnknownNameError, UsageError, in_words
from llmuses.settings import REGISTRY

SHIPPED = REGISTRY / "data" / "judge_prompts.jsonl"


class JudgeMode(StrEnum):
    """What a judge is asked: which of two answers is better, for all pairs or against one baseline, or how good one is."""

    PAIRWISE = "pairwise"
    BASELINE = "pairwise_baseline"
    SINGLE = "single"


class VerdictStyle(StrEnum):
    """How a judge is told to say its verdict."""

    BRACKETS = "[[A]]"
    """``[[A]]``, ``[[B]]``, ``[[C]]`` for a tie."""
    GRADED = "[[A>>B]]"
    """``[[A>>B]]``, ``[[A>B]]``, ``[[A=B]]``, ``[[B>A]]``, ``[[B>>A]]``."""
    RATING = "[[7]]"
    """A number from 1 to 10."""
    TWO_NUMBERS = "two numbers"
    """Both answers' numbers from 1 to 10, A's first, on the first line."""
    JSON = "json"
    """A JSON object: ``winner``, or two scores; ``rating`` for one answer."""


PAIR_STYLES = frozenset({VerdictStyle.BRACKETS, VerdictStyle.GRADED, VerdictStyle.TWO_NUMBERS, VerdictStyle.JSON})
SINGLE_STYLES = frozenset({VerdictStyle.RATING, VerdictStyle.JSON})

PLACEHOLDER = re.compile(
    r"\{(?P<name>question|answer_a|answer_b|answer|reference|ref_answer|conversation_a|conversation_b|conversation"
    r"|verdict|note)(?:_(?P<turn>[1-9]))?\}"
)
"""What a template may hold; ``_1``, ``_2``, ... name a turn. ``{verdict}`` is how to say the verdict, ``{note}`` that answers
are no instructions."""
_ANY = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_NAMES = "question answer_a answer_b answer reference ref_answer conversation_a conversation_b conversation verdict note".split()

_PAIR_PLACES = {"answer_a", "answer_b", "conversation_a", "conversation_b"}
_SINGLE_PLACES = {"answer", "conversation"}


class JudgeTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wording of what a judge is asked.

    ``system`` and ``user`` are the two messages; an empty ``system`` is not sent. ``categories`` are those of questions
    that it is meant for, () for all; ``language`` likewise ("" for all).
    """

    name: str
    mode: JudgeMode
    style: VerdictStyle
    user: str
    system: str = ""
    categories: tuple[str, ...] = ()
    needs_reference: bool = False
    language: Literal["", "en", "zh"] = ""

    @property
    def turns(self) -> int | None:
        """Return how many turns it holds places for: None for any number, in a conversation; 1 for one question."""
        places = list(PLACEHOLDER.finditer(self.system + self.user))
        if any(place["name"].startswith("conversation") for place in places):
            return None
        return max((int(place["turn"] or 1) for place in places), default=1)


def load_templates(path: Path | None = None) -> list[JudgeTemplate]:
    """Return the templates of a file, the shipped ones without a path.

    A line is a JudgeTemplate, or has FastChat's layout: ``type``, ``system_prompt``, ``prompt_template``, ``category``,
    ``output_format``. Raises DataError that names the line.
    """
    file = path or SHIPPED
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"cannot read {file}: {getattr(problem, 'strerror', None) or problem}.") from problem
    templates = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])
            template = msgspec.convert(_from_fastchat(row) if "prompt_template" in row else row, JudgeTemplate)
        except (msgspec.DecodeError, msgspec.ValidationError) as problem:
            raise DataError(f"{place}: {in_words(problem)}.") from problem
        _check(template, place)
        templates.append(template)
    if not templates:
        raise DataError(f"{file}: there is no template in it.")
    return templates


_FASTCHAT_STYLES = {
    "[[A]]": VerdictStyle.BRACKETS,
    "[[A>>B]]": VerdictStyle.GRADED,
    "[[A>B]]": VerdictStyle.GRADED,
    "[[rating]]": VerdictStyle.RATING,
    "[[7]]": VerdictStyle.RATING,
    "[[rating_a,rating_b]]": VerdictStyle.TWO_NUMBERS,
    "two numbers": VerdictStyle.TWO_NUMBERS,
    "json": VerdictStyle.JSON,
}
_EXACT = ("math", "reasoning", "coding")
"""The categories that FastChat means by "math"."""


def _from_fastchat(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a template in FastChat's layout, or in that of Vicuna's first reviews (``defaults``)."""
    single = str(row.get("type", "pairwise")) == "single"
    system, user = str(row.get("system_prompt") or ""), str(row["prompt_template"])
    for name, text in (row.get("defaults") or {}).items():
        user = user.replace(f"{{{name}}}", str(text))
    if not single and "{answer_a" not in user:
        user = user.replace("{answer_1}", "{answer_a}").replace("{answer_2}", "{answer_b}")
    said = row.get("output_format") or (
        "[[rating]]" if single else "[[A]]" if "[[A]]" in system + user else "two numbers"
    )
    if said not in _FASTCHAT_STYLES:
        raise msgspec.ValidationError(f"output_format cannot be '{said}' (known: {', '.join(_FASTCHAT_STYLES)})")
    category = str(row.get("category") or "general")
    return {
        "name": str(row.get("name") or row.get("id") or category),
        "mode": "single" if single else "pairwise",
        "style": _FASTCHAT_STYLES[said].value,
        "system": system,
        "user": user.replace("{{", "{").replace("}}", "}"),
        "categories": () if category == "general" else _EXACT if category == "math" else (category,),
        "needs_reference": "{ref_answer" in system + user,
    }


def _check(template: JudgeTemplate, place: str) -> None:
    """Raise DataError where a template could not be asked, or its verdict not be read."""
    whole = template.system + template.user
    for match in _ANY.finditer(whole):
        if PLACEHOLDER.fullmatch(match.group()) is None:
            raise DataError(f"{place}: {UnknownNameError('place', match[1], _NAMES)}")
    names = {match["name"] for match in PLACEHOLDER.finditer(whole)}
    single = template.mode is JudgeMode.SINGLE
    needed: list[set[str]] = (
        [{"answer", "conversation"}] if single else [{"answer_a", "conversation_a"}, {"answer_b", "conversation_b"}]
    )
    for either in needed:
        if not names & either:
            raise DataError(f"{place}: the template holds no place for an answer ({' or '.join(sorted(either))}).")
    if strange := names & (_PAIR_PLACES if single else _SINGLE_PLACES):
        raise DataError(f"{place}: mode '{template.mode}' has no {{{min(strange)}}}.")
    if template.needs_reference and not names & {"reference", "ref_answer"}:
        raise DataError(f"{place}: needs_reference is true, and there is no place for it ({{reference}}).")
    if template.style not in (SINGLE_STYLES if single else PAIR_STYLES):
        raise DataError(f"{place}: style '{template.style}' does not go with mode '{template.mode}'.")


def choose(
    templates: Sequence[JudgeTemplate],
    mode: JudgeMode,
    category: str,
    has_reference: bool,
    *,
    turns: int = 1,
    language: str = "en",
) -> JudgeTemplate:
    """Return the template that suits a question best; of equals the first.

    What counts, in this order: that it is meant for a conversation or for one question; the question's language (English
    for one that nobody wrote for); that a reference is shown where there is one; the category. Templates of mode
    ``pairwise`` serve ``pairwise_baseline`` too. Raises UsageError where none can be used.
    """
    modes = {mode, JudgeMode.PAIRWISE} if mode is JudgeMode.BASELINE else {mode}
    wanted = language if language in {template.language for template in templates} else "en"

    def fits(template: JudgeTemplate) -> bool:
        return (
            template.mode in modes
            and (has_reference or not template.needs_reference)
            and (template.turns in (None, 1) or template.turns == turns)
            and (not template.categories or category.lower() in template.categories)
        )

    def rank(template: JudgeTemplate) -> tuple[bool, ...]:
        return (
            (template.turns != 1) == (turns > 1),
            template.language in (wanted, ""),
            template.needs_reference == has_reference,
            bool(template.categories),
            template.mode is mode,
        )

    usable = [template for template in templates if fits(template)]
    if not usable:
        about = (
            f"category '{category}', {turns} turn{'s' if turns > 1 else ''}{'' if has_reference else ', no reference'}"
        )
        raise UsageError(
            f"no judge prompt serves mode '{mode}' with {about}: add one to prompt_file, or leave it unset."
        )
    return max(usable, key=rank)

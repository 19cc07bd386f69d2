"""Questions of a user's own with answers in words, compared with reference texts or graded by a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from llmuses.benchmarks.base import Example, Judgement, Prompt, conversation
from llmuses.benchmarks.own import OwnFiles, language_of, listed, own_id, text_cell
from llmuses.benchmarks.rows import Row, cell
from llmuses.judge import grading_ask, read_grade
from llmuses.metrics.own import read_narrowed
from llmuses.metrics.reading import Reading
from llmuses.metrics.text import exact_match, rouge, sentence_bleu, token_f1
from llmuses.records import DatasetPlan, Generate, GenerationConfig, Message, Mode, Response, Sample

_METRICS: Mapping[str, tuple[str, ...]] = {
    "rouge": ("rouge_l", "rouge_1", "rouge_2", "bleu"),
    "bleu": ("bleu", "rouge_l", "rouge_1", "rouge_2"),
    "exact": ("exact_match", "f1"),
    "f1": ("f1", "exact_match"),
    "judge": ("correct",),
}
"""The metrics of each variant, the main one first."""


class GeneralQA(OwnFiles):
    """A row has a question (``query``, ``question``, ``input`` or ``prompt``) and a right answer (``response``, ``answer``,
    ``target``, ``output``, ``reference``): a text, or a list of several that are all right.

    It may have a ``system`` message and a ``history``: pairs of question and answer, or messages with role and content.
    The variant says how answers are compared: ``rouge``, ``bleu``, ``exact``, ``f1``, or ``judge``, by a model.
    """

    name = "general_qa"
    title = "Own questions"
    variants = tuple(_METRICS)
    modes: ClassVar[tuple[Mode, ...]] = (Mode.GENERATE,)
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]] = {Mode.GENERATE: _METRICS["rouge"]}
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=1024)

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        answers = listed(cell(row, "response", "answer", "target", "output", "references", "reference"))
        if not answers:
            raise ValueError("it has no right answer")
        details: dict[str, Any] = {"answers": answers, "history": _history(row.get("history"))}
        if system := str(row.get("system") or "").strip():
            details["system"] = system
        return Sample(
            sample_id=own_id(row, subset, index),
            subset=subset,
            question=text_cell(row, "query", "question", "input", "prompt"),
            target=answers[0],
            details=details,
        )

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        asked = conversation("", [Example(shot.question, shot.target, "\n") for shot in shots], sample.question, plan)
        assert isinstance(asked.ask, Generate)
        system = sample.details.get("system")
        before = [Message("system", system)] if system else []
        before += [Message(role, content) for role, content in sample.details["history"]]
        ask = Generate(messages=(*before, *asked.ask.messages), config=plan.generation)
        message, offset = asked.question_at
        return Prompt(ask, (message + len(before), offset), asked.shots)

    # -- scoring

    def metrics_of(self, plan: DatasetPlan) -> tuple[str, ...]:
        return _METRICS[plan.variant]

    def judge(self, sample: Sample, response: Response, plan: DatasetPlan) -> Judgement:
        metrics = self.metrics_of(plan)
        reading = _read(response, plan)
        if reading is None:
            return Judgement(None, dict.fromkeys(metrics, 0.0), reason="the answer is empty")
        if plan.variant == "judge":
            raise ValueError("this answer is scored by a judge model, which was not asked")
        scores = _scores(reading.value, sample.details["answers"], plan.variant)
        return Judgement(reading.value, {name: scores[name] for name in metrics}, reading.span, reading.rule)

    def needs_judge(self, plan: DatasetPlan) -> bool:
        return plan.variant == "judge"

    def judge_ask(self, sample: Sample, response: Response, plan: DatasetPlan) -> tuple[Message, ...] | None:
        reading = _read(response, plan)
        if reading is None:
            return None
        return grading_ask(sample.question, reading.value, sample.details["answers"], language_of(sample.question))

    def read_verdict(self, sample: Sample, response: Response, verdict: str, plan: DatasetPlan) -> Judgement:
        correct = read_grade(verdict)
        if correct is None:
            return Judgement(None, {"correct": 0.0}, reason="the judge's verdict could not be read")
        return Judgement("correct" if correct else "incorrect", {"correct": float(correct)}, rule="judge")


def _read(response: Response, plan: DatasetPlan) -> Reading | None:
    """Return the whole answer, or what the user's own expression finds in it; None where there is nothing."""
    return read_narrowed(plan.extract, response.text or "", _whole)


def _whole(text: str) -> Reading | None:
    answer = text.strip()
    start = text.find(answer)
    return Reading(answer, (start, start + len(answer)), "whole_answer") if answer else None


def _scores(answer: str, references: Sequence[str], variant: str) -> dict[str, float]:
    if variant in ("exact", "f1"):
        return {"exact_match": exact_match(answer, references), "f1": token_f1(answer, references)}
    return {**rouge(answer, references), "bleu": sentence_bleu(answer, references)}


def _history(value: Any) -> list[tuple[str, str]]:
    """Return earlier turns as (role, content). Raises ValueError for what is no conversation."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("its history is no list") from None
    messages: list[tuple[str, str]] = []
    for turn in value or []:
        if isinstance(turn, dict):
            messages.append((str(cell(turn, "role")), str(cell(turn, "content"))))
        elif isinstance(turn, list) and len(turn) == 2:
            messages += [("user", str(turn[0])), ("assistant", str(turn[1]))]
        else:
            raise ValueError("its history is neither pairs of question and answer nor messages with role and content")
    if any(role not in ("system", "user", "assistant") for role, _ in messages):
        raise ValueError("a role in its history is not system, user or assistant")
    return messages

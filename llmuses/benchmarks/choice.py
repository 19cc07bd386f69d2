"""The family of multiple choice: letters scored or written, or the options' own texts scored (cloze)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from llmuses.benchmarks.base import Benchmark, Example, Judgement, Prompt, completion, conversation
from llmuses.metrics.choice import read_choice
from llmuses.metrics.own import read_narrowed
from llmuses.records import DatasetPlan, GenerationConfig, Mode, Response, Sample

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def option_letter(index: int, choices: Sequence[str]) -> str:
    """Return the letter of an option that is counted from 0. Raises ValueError where there is none."""
    if not 0 <= int(index) < len(choices):
        raise ValueError(f"the answer {index} is none of the options 0 to {len(choices) - 1}")
    return LETTERS[int(index)]


class MultipleChoice(Benchmark):
    """Options under letters; ``target`` is the right letter.

    ``generate``: the model writes its answer and the letter is read out of it (``acc``). ``logprob``: the letters'
    log-probabilities after the cue are compared (``acc``); with ``cloze`` those of the options' texts, as a sum
    (``acc``) and divided by the text's length in UTF-8 bytes (``acc_norm``), and no options are shown.
    """

    modes: ClassVar[tuple[Mode, ...]] = (Mode.LOGPROB, Mode.GENERATE)
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]] = {Mode.LOGPROB: ("acc",), Mode.GENERATE: ("acc",)}
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=512)
    cloze: ClassVar[bool] = False
    cue: ClassVar[str] = "Answer:"
    """The words after which the answer is expected."""
    gap: ClassVar[str] = " "
    """What stands between the cue and the answer."""
    chance: ClassVar[float | None] = None
    version: ClassVar[int] = 4  # since 4, a line above the options announces none of them

    def check_sample(self, sample: Sample) -> None:
        super().check_sample(sample)
        letters = LETTERS[: len(sample.choices)]
        if sample.target not in tuple(letters):
            raise ValueError(f"the answer {sample.target!r} is not the letter of one of its {len(letters)} options")

    def intro(self, subset: str, mode: Mode) -> str:
        """Return what stands before the examples."""
        if mode is Mode.GENERATE:
            return (
                "Answer the following multiple choice question. End with a line of the form “Answer: LETTER”, "
                "where LETTER is the letter of the right option.\n\n"
            )
        return ""

    def question(self, sample: Sample, mode: Mode) -> str:
        """Return the question as it is put, up to and with the cue."""
        if self.cloze and mode is Mode.LOGPROB:
            return f"Question: {sample.question}\n{self.cue}"
        options = "".join(f"\n{letter}. {text}" for letter, text in zip(LETTERS, sample.choices, strict=False))
        return f"{sample.question}{options}\n{self.cue}"

    def example_answer(self, sample: Sample, mode: Mode) -> str:
        """Return the answer that a worked example gives."""
        if self.cloze and mode is Mode.LOGPROB:
            return sample.choices[LETTERS.index(sample.target)]
        return sample.target

    def intro_in(self, subset: str, plan: DatasetPlan) -> str:
        """Return ``intro`` as a plan wants it, for a benchmark whose variants differ in it."""
        return self.intro(subset, plan.mode)

    def gap_in(self, plan: DatasetPlan) -> str:
        """Return ``gap`` as a plan wants it, for a benchmark whose variants differ in it."""
        return self.gap

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        mode, gap = plan.mode, self.gap_in(plan)
        intro = self.intro_in(sample.subset, plan)
        examples = [Example(self.question(shot, mode), self.example_answer(shot, mode), gap) for shot in shots]
        question = self.question(sample, mode)
        if mode is Mode.GENERATE:
            return conversation(intro, examples, question, plan)
        texts = sample.choices if self.cloze else LETTERS[: len(sample.choices)]
        return completion(intro, examples, question, [gap + text for text in texts])

    def judge(self, sample: Sample, response: Response, plan: DatasetPlan) -> Judgement:
        if plan.mode is Mode.LOGPROB:
            return self._judge_scores(sample, response)
        reading = read_narrowed(plan.extract, response.text or "", lambda text: read_choice(text, sample.choices))
        if reading is None:
            return Judgement(None, {"acc": 0.0}, reason="no option could be read out of the answer")
        return Judgement(reading.value, {"acc": float(reading.value == sample.target)}, reading.span, reading.rule)

    def _judge_scores(self, sample: Sample, response: Response) -> Judgement:
        scores = response.scores or []
        known = {i: s.logprob for i, s in enumerate(scores) if s.logprob is not None and not math.isnan(s.logprob)}
        if not known or len(scores) != len(sample.choices):
            wrong = dict.fromkeys(self.metrics[Mode.LOGPROB], 0.0)
            return Judgement(None, wrong, reason="no option has a log-probability")
        likeliest = LETTERS[max(known, key=known.__getitem__)]
        acc = float(likeliest == sample.target)
        if not self.cloze:
            return Judgement(likeliest, {"acc": acc}, rule="likeliest_letter")
        per_byte = {i: logprob / max(1, _bytes(sample.choices[i])) for i, logprob in known.items()}
        chosen = LETTERS[max(per_byte, key=per_byte.__getitem__)]
        scored = {"acc_norm": float(chosen == sample.target), "acc": acc}
        return Judgement(chosen, scored, rule="likeliest_text_per_byte")

    def sample_chance(self, sample: Sample, plan: DatasetPlan) -> float:
        return 1 / len(sample.choices)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))

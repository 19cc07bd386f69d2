"""The family of written answers: something is read out of a text and compared with the target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from llmuses.benchmarks.base import Benchmark, Example, Judgement, Prompt, conversation
from llmuses.metrics.own import read_narrowed
from llmuses.metrics.reading import Reading
from llmuses.records import DatasetPlan, Mode, Response, Sample


class Generation(Benchmark):
    """Asks a question with worked examples, reads the answer out, compares it with the target."""

    modes: ClassVar[tuple[Mode, ...]] = (Mode.GENERATE,)
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]] = {Mode.GENERATE: ("acc",)}

    def intro(self, subset: str) -> str:
        """Return what stands before the examples."""
        return ""

    @abstractmethod
    def question(self, sample: Sample) -> str:
        """Return the question as it is put."""

    @abstractmethod
    def example_answer(self, sample: Sample) -> str:
        """Return the answer that a worked example gives."""

    @abstractmethod
    def read(self, text: str, sample: Sample) -> Reading | None:
        """Return what is read out of an answer, None where nothing can be."""

    @abstractmethod
    def equal(self, reading: Reading, sample: Sample) -> bool:
        """Whether what was read means the same as the target."""

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        examples = [Example(self.question(shot), self.example_answer(shot)) for shot in shots]
        return conversation(self.intro(sample.subset), examples, self.question(sample), plan)

    def judge(self, sample: Sample, response: Response, plan: DatasetPlan) -> Judgement:
        reading = read_narrowed(plan.extract, response.text or "", lambda text: self.read(text, sample))
        metric = self.metrics[plan.mode][0]
        if reading is None:
            return Judgement(None, {metric: 0.0}, reason="no answer could be read out of the text")
        return Judgement(reading.value, {metric: float(self.equal(reading, sample))}, reading.span, reading.rule)

"""The family of mathematical answers: a formula is read out of a text and compared through algebra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from llmuses.benchmarks.base import Example, Judgement, Prompt, Scorer, conversation
from llmuses.benchmarks.generation import Generation
from llmuses.metrics.math import read_math
from llmuses.metrics.math_pool import MathPool
from llmuses.metrics.own import read_narrowed
from llmuses.metrics.reading import Reading
from llmuses.records import DatasetPlan, Response, Sample


class MathAnswers(Generation):
    """Asks with worked solutions in the form of Minerva (Lewkowycz et al. 2022), or for a box where there are none.

    ``target`` is the answer as LaTeX, ``details["solution"]`` the worked solution of a train row.
    """

    version: ClassVar[int] = 3  # since 3, digits in names are no numbers, and a power at the end of a text is read
    waits: ClassVar[bool] = True

    def question(self, sample: Sample) -> str:
        return f"Problem:\n{sample.question}\n\nSolution:"

    def example_answer(self, sample: Sample) -> str:
        solution = sample.details.get("solution", "")
        return f"{solution}\nFinal Answer: The final answer is ${sample.target}$. I hope it is correct.".lstrip()

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        if not shots:
            ask = "Solve the following problem step by step. Put the final answer into \\boxed{}.\n\n"
            return conversation(ask, [], sample.question, plan)
        examples = [Example(self.question(shot), self.example_answer(shot), "\n") for shot in shots]
        return conversation("", examples, self.question(sample), plan)

    def read(self, text: str, sample: Sample) -> Reading | None:
        return read_math(text)

    def equal(self, reading: Reading, sample: Sample) -> bool:
        with MathPool(1) as pool:
            return pool.compare(sample.target, reading.value).equal

    def judge(self, sample: Sample, response: Response, plan: DatasetPlan) -> Judgement:
        with self.scorer(plan) as judge:
            return judge(sample, response)

    @contextmanager
    def scorer(self, plan: DatasetPlan) -> Iterator[Scorer]:
        with MathPool() as pool:
            yield partial(self._compared, pool, plan)

    def _compared(self, pool: MathPool, plan: DatasetPlan, sample: Sample, response: Response) -> Judgement:
        reading = read_narrowed(plan.extract, response.text or "", lambda text: self.read(text, sample))
        if reading is None:
            return Judgement(None, {"acc": 0.0}, reason="no answer could be read out of the text")
        found = pool.compare(sample.target, reading.value)
        return Judgement(reading.value, {"acc": float(found.equal)}, reading.span, reading.rule, found.reason)

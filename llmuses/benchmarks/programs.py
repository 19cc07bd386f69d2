"""The family of written programs: what an answer defines is run in the sandbox, and the benchmark's tests call it."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import msgspec

from llmuses.benchmarks.base import Benchmark, Judgement, Scorer
from llmuses.metrics.own import read_narrowed
from llmuses.metrics.python_text import PARSING
from llmuses.metrics.reading import Reading
from llmuses.records import DatasetPlan, Mode, Response, Sample
from llmuses.sandbox import FunctionJob, Limits, Sandbox, open_sandbox

_METRIC = "pass@1"
# Reference solutions need up to 5 seconds of a processor, which other programs may be sharing.
PROGRAM_LIMITS = Limits(seconds=60.0, cpu_seconds=10)


class Programs(Benchmark):
    """Asks for a program, reads it out of the answer, runs the tests on it. What is extracted is the whole program."""

    group = "code"
    modes: ClassVar[tuple[Mode, ...]] = (Mode.GENERATE,)
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]] = {Mode.GENERATE: (_METRIC,)}
    pass_at: ClassVar[tuple[int, ...]] = (1, 10, 100)
    waits: ClassVar[bool] = True
    runs_code: ClassVar[bool] = True

    @abstractmethod
    def read(self, text: str, sample: Sample) -> Reading | None:
        """Return the program that an answer holds, None where there is nothing to run."""

    @abstractmethod
    def job(self, program: str, sample: Sample) -> FunctionJob:
        """Return what the sandbox is asked to run."""

    @contextmanager
    def scorer(self, plan: DatasetPlan) -> Iterator[Scorer]:
        """Open the sandbox and return what scores answers in it.

        Raises SandboxUnavailableError where nothing isolates a program and the plan does not allow to do without.
        """
        with open_sandbox(limits=PROGRAM_LIMITS, unsafe=plan.unsafe_code) as sandbox:
            yield lambda sample, response: self._judged(sample, response, plan, sandbox)

    def judge(self, sample: Sample, response: Response, plan: DatasetPlan) -> Judgement:
        """Return what one answer is worth, in a sandbox of its own: ``scorer`` is the way for many."""
        with self.scorer(plan) as score:
            return score(sample, response)

    def _judged(self, sample: Sample, response: Response, plan: DatasetPlan, sandbox: Sandbox) -> Judgement:
        reading = read_narrowed(plan.extract, response.text or "", lambda text: self.read(text, sample))
        if reading is None:
            return Judgement(None, {_METRIC: 0.0}, reason="no program could be read out of the text")
        # A sandbox that fails raises: that is no wrong answer.
        verdict = sandbox.run(self.job(reading.value, sample))
        return Judgement(
            reading.value,
            {_METRIC: float(verdict.passed)},
            reading.span,
            reading.rule,
            verdict={name: value for name, value in msgspec.to_builtins(verdict).items() if name != "output"},
        )


def tests_tree(test: str) -> ast.Module:
    """Return the tree of a row's tests. Raises ValueError for tests that are no Python: no answer could pass them."""
    try:
        with PARSING:
            return ast.parse(test, "<tests>")
    except SyntaxError as problem:
        raise ValueError(f"its tests are no Python: {problem}") from problem

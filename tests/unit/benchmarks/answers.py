"""Answers that are right and wrong for a sample, as every benchmark has to take them.

The families' answers are made here; a benchmark whose answers look otherwise names its own in ``SPECIAL``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.records import Mode, Response, Sample
from tests.unit.benchmarks.ifeval_answers import FOLLOWING, IGNORING
from tests.unit.benchmarks.plans import scored, written

Answers = list[tuple[Mode, Response]]


class Special(NamedTuple):
    """Makes right and wrong answers of one benchmark."""

    right: Callable[[Sample], Answers]
    wrong: Callable[[Sample], Answers]


def _truthful_qa(sample: Sample, right: bool) -> Answers:
    """Return answers to the default form: logarithms that favour what is true, and the best answer in words."""
    liked = sample.details["true" if right else "false"]
    answer = sample.target if right else sample.choices[sample.details["mc1"][-1]]
    return [
        (Mode.LOGPROB, scored(*[-1.0 if i in liked else -5000.0 for i in range(len(sample.choices))])),
        (Mode.GENERATE, written(answer)),
        (Mode.GENERATE, written(f"The answer is: {answer}")),
    ]


def _bbh(sample: Sample, right: bool) -> Answers:
    texts = ["{}", "The answer is {}.", "So we get\n\n**Answer:** {}"]
    if right:
        return [(Mode.GENERATE, written(text.format(sample.target))) for text in texts]
    others = {"Yes": "No", "No": "Yes", "yes": "no", "no": "yes", "True": "False", "False": "True"}
    others |= {"valid": "invalid", "invalid": "valid", "(A)": "(B)"}
    words = sample.target.split()
    wrong = others.get(sample.target, "(A)" if sample.target.startswith("(") else " ".join(reversed(words)))
    if wrong == sample.target:
        wrong = "123456789" if sample.target.lstrip("-").isdigit() else f"{wrong} {wrong}"
    return [(Mode.GENERATE, written(f"So the answer is {wrong}."))]


def _fenced(*programs: str) -> Answers:
    return [(Mode.GENERATE, written(f"Here is the code:\n```python\n{program}\n```")) for program in programs]


def _completion(sample: Sample) -> Answers:
    """Return the body alone, as a model without a chat template goes on, and the whole function."""
    return [(Mode.GENERATE, written(sample.target)), *_fenced(sample.details["prompt"] + sample.target)]


def _none_of(names: list[str]) -> str:
    """Return a program that defines what is asked for, and does nothing of it."""
    return "\n".join(f"class {name}:\n    def __init__(self, *_): pass\n" for name in names)


SPECIAL: dict[str, Special] = {
    "humaneval": Special(
        _completion,
        lambda sample: [(Mode.GENERATE, written("    pass\n")), *_fenced(_none_of([sample.details["entry_point"]]))],
    ),
    "mbpp": Special(
        lambda sample: [(Mode.GENERATE, written(f"{sample.target}\n[DONE]")), *_fenced(sample.target)],
        lambda sample: _fenced(_none_of(sample.details["names"])),
    ),
    "bbh": Special(lambda sample: _bbh(sample, True), lambda sample: _bbh(sample, False)),
    "general_qa": Special(
        lambda sample: [(Mode.GENERATE, written(sample.target))],
        lambda sample: [(Mode.GENERATE, written("zzz"))],
    ),
    "ifeval": Special(
        lambda sample: [(Mode.GENERATE, written(FOLLOWING[sample.sample_id]))],
        lambda sample: [(Mode.GENERATE, written(IGNORING))],
    ),
    "truthful_qa": Special(lambda sample: _truthful_qa(sample, True), lambda sample: _truthful_qa(sample, False)),
}
"""By the benchmark's name."""


def right_answers(benchmark: Benchmark, sample: Sample) -> Answers:
    """Return answers that score 1 in every metric."""
    if benchmark.name in SPECIAL:
        return SPECIAL[benchmark.name].right(sample)
    if isinstance(benchmark, MultipleChoice):
        right = LETTERS.index(sample.target)
        longest = max(len(choice.encode()) for choice in sample.choices)
        logprobs = [-0.1 if i == right else -9.0 * longest for i in range(len(sample.choices))]
        answers = [
            (Mode.GENERATE, written(f"The answer is {sample.target}.")),
            (Mode.GENERATE, written(sample.target)),
            (Mode.GENERATE, written(f"{sample.target}. {sample.choices[right]}")),
            (Mode.GENERATE, written(f"Let me think.\n\nAnswer: {sample.target}")),
            (Mode.LOGPROB, scored(*logprobs)),
        ]
        return [answer for answer in answers if answer[0] in benchmark.modes]
    return [
        (Mode.GENERATE, written(f"The answer is {sample.target}.")),
        (Mode.GENERATE, written(f"Let me think: 1 + 1 = 2.\n#### {sample.target}")),
        (Mode.GENERATE, written(f"So we get $\\boxed{{{sample.target}}}$.")),
    ]


def wrong_answers(benchmark: Benchmark, sample: Sample) -> Answers:
    """Return answers that can be read and score 0 in every metric."""
    if benchmark.name in SPECIAL:
        return SPECIAL[benchmark.name].wrong(sample)
    if isinstance(benchmark, MultipleChoice):
        letters = LETTERS[: len(sample.choices)]
        wrong = letters[(letters.index(sample.target) + 1) % len(letters)]
        logprobs = [-0.1 if letter == wrong else -5000.0 for letter in letters]
        answers = [(Mode.GENERATE, written(f"Answer: {wrong}")), (Mode.LOGPROB, scored(*logprobs))]
        return [answer for answer in answers if answer[0] in benchmark.modes]
    return [(Mode.GENERATE, written("The answer is 123456789."))]

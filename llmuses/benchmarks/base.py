"""What a benchmark is, and the two families that nearly all are of.

A new benchmark is one class in one file: where its rows come from, how a row becomes a Sample, how it is asked, how
an answer is read and scored. Everything else is here or in the families (``choice.py``, ``generation.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from llmuses.benchmarks.rows import Row, find_files, read_rows
from llmuses.records import Ask, DatasetPlan, Generate, GenerationConfig, Loglikelihood, Message, Mode, Response, Sample


class Prompt(NamedTuple):
    """What is sent for one sample, and where its own question begins after the worked examples.

    ``question_at`` is (index of the message, offset in characters inside it).
    """

    ask: Ask
    question_at: tuple[int, int]
    shots: int


class Judgement(NamedTuple):
    """What an answer was worth. ``extracted`` is None where nothing could be read out: unparsed.

    ``scores`` maps each metric to a number in [0, 1].
    """

    extracted: str | None
    scores: Mapping[str, float]
    span: tuple[int, int] | None = None
    rule: str | None = None
    reason: str | None = None


class HubIds(NamedTuple):
    """Where the rows lie on each hub, and which files are needed."""

    modelscope: str
    huggingface: str
    patterns: tuple[str, ...] = ("*.parquet", "*.jsonl", "*.json", "*.csv")


class Benchmark(ABC):
    """One benchmark. Class attributes describe it; methods turn rows into prompts and answers into scores.

    An instance has no state: the settings of a run (mode, few-shot style, generation) come with its DatasetPlan.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    group: ClassVar[str]
    """The column group on the board: ``knowledge``, ``reasoning``, ``maths``, ``code``, ``instructions``, ``own``."""
    languages: ClassVar[tuple[str, ...]] = ("en",)
    paper: ClassVar[str]
    homepage: ClassVar[str]
    licence: ClassVar[str]
    publish_samples: ClassVar[bool] = True
    """Whether rows may be shown on public pages."""

    hub: ClassVar[HubIds]
    files: ClassVar[tuple[str, ...]]
    """Path templates with {subset}, {split}, {Split}: the authors' layout first, then the hubs'."""
    csv_columns: ClassVar[tuple[str, ...]] = ()
    subsets: ClassVar[tuple[str, ...]]
    categories: ClassVar[Mapping[str, str]] = {}
    """Which category a subset belongs to, for the averages by category."""
    split: ClassVar[str] = "test"
    few_shot_split: ClassVar[str] = "train"
    few_shot: ClassVar[int] = 0
    modes: ClassVar[tuple[Mode, ...]]
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]]
    """The metrics of each mode, the main one first."""
    generation: ClassVar[GenerationConfig] = GenerationConfig()
    chance: ClassVar[float | None] = 0.0
    """The expected score of blind guessing; None where it follows from the samples' number of options."""
    version: ClassVar[int] = 1
    """Raised whenever prompts, extraction or scoring change: scores of different versions are not compared."""

    # -- rows

    def find(self, root: Path, subset: str, split: str) -> list[Path]:
        """Return the files that hold one split of one subset below ``root``, [] where there are none."""
        if root.is_file():
            return [root] if split == self.split and subset == self._subset_of(root) else []
        return find_files(root, self.files, subset, split)

    def _subset_of(self, file: Path) -> str:
        """Return the subset that a single file belongs to, by its path; the first one where the path does not say."""
        path = str(file).lower()
        return next((s for s in self.subsets if s.lower() in path), self.subsets[0])

    def samples(self, root: Path, subset: str, split: str) -> Iterator[Sample]:
        """Yield the samples of one split of one subset in the files' order. Raises DataError for an unreadable row."""
        index = 0
        for path in self.find(root, subset, split):
            for row in read_rows(path, self.csv_columns):
                if not self.belongs(row, subset):
                    continue
                yield self.sample(row, subset, index)
                index += 1

    def belongs(self, row: Row, subset: str) -> bool:
        """Whether a row is of this subset, for layouts that keep several subsets in one file."""
        return True

    @abstractmethod
    def sample(self, row: Row, subset: str, index: int) -> Sample:
        """Return the sample that a row says. Raises KeyError, ValueError or TypeError for a row of another shape."""

    # -- asking

    @abstractmethod
    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        """Return what is sent for a sample, with worked examples before it."""

    # -- scoring

    @abstractmethod
    def judge(self, sample: Sample, response: Response, mode: Mode) -> Judgement:
        """Return what an answer is worth. The response holds a text or scores, never an error."""

    def sample_chance(self, sample: Sample) -> float:
        """Return the expected score of blind guessing on one sample."""
        return self.chance or 0.0


class Example(NamedTuple):
    """A question as it is put and the answer as a worked example gives it."""

    question: str
    answer: str


def conversation(
    intro: str,
    examples: Sequence[Example],
    question: str,
    plan: DatasetPlan,
) -> Prompt:
    """Return a Generate prompt: an introduction, worked examples, the question.

    ``text``: all in one user message, an empty line between the parts. ``turns``: each example is a user and an
    assistant turn, the introduction stands before the first question.
    """
    config = plan.generation
    if plan.few_shot_as == "turns" and examples:
        turns: list[Message] = []
        for example in examples:
            turns += [Message("user", example.question), Message("assistant", example.answer)]
        turns[0] = Message("user", intro + turns[0].content)
        messages = (*turns, Message("user", question))
        return Prompt(Generate(messages=messages, config=config), (len(turns), 0), len(examples))
    before = plain_text(intro, examples)
    message = Message("user", before + question)
    return Prompt(Generate(messages=(message,), config=config), (0, len(before)), len(examples))


def completion(intro: str, examples: Sequence[Example], question: str, continuations: Sequence[str]) -> Prompt:
    """Return a Loglikelihood prompt over the same text that ``conversation`` sends as one message."""
    before = plain_text(intro, examples)
    ask = Loglikelihood(context=before + question, continuations=tuple(continuations))
    return Prompt(ask, (0, len(before)), len(examples))


def plain_text(intro: str, examples: Sequence[Example]) -> str:
    """Return everything that stands before a question: the introduction and the worked examples."""
    return intro + "".join(f"{example.question} {example.answer}\n\n" for example in examples)

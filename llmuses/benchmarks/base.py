"""What a benchmark is, and the two families that nearly all are of.

A new benchmark is one class in one file: where its rows come from, how a row becomes a Sample, how it is asked, how
an answer is read and scored. Everything else is here or in the families (``choice.py``, ``generation.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from llmuses.benchmarks.rows import Filter, Row, column_values, find_files, layout_roots, read_rows, row_place
from llmuses.errors import DataError
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
    verdict: Mapping[str, Any] | None = None
    """What running the code came to, or what the judge said; shown as it is."""


Scorer = Callable[[Sample, Response], Judgement]
"""Says what an answer is worth. The response holds a text or scores, never an error."""


class HubIds(NamedTuple):
    """Where the rows lie on each hub, and which files are needed."""

    modelscope: str
    huggingface: str
    patterns: tuple[str, ...] = ("*.parquet", "*.jsonl", "*.json", "*.csv")
    apart: Mapping[str, tuple[str, str]] = {}
    """The two ids of each subset that lies in a repository of its own."""
    huggingface_revision: str | None = None
    """The branch of Hugging Face that holds the rows, where the main one holds a script alone."""

    def of(self, subset: str) -> HubIds:
        """Return where the rows of one subset lie."""
        return HubIds(*self.apart[subset], self.patterns) if subset in self.apart else self


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

    hub: ClassVar[HubIds | None] = None
    """Where the rows can be downloaded; None for rows that come by local_path alone."""
    files: ClassVar[tuple[str, ...]]
    """Path templates with {subset}, {split}, {Split}: the authors' layout first, then the hubs'."""
    csv_columns: ClassVar[tuple[str, ...]] = ()
    """The columns of a CSV file without a header."""
    subsets: ClassVar[tuple[str, ...]]
    default_subsets: ClassVar[tuple[str, ...] | None] = None
    """What is asked where no subset is named; None for all that are there. For subsets that share rows."""
    variants: ClassVar[tuple[str, ...]] = ()
    """The forms that it can be asked in, the default one first; () where there is only one."""
    subset_column: ClassVar[str | None] = None
    """The column that says which subset a row is of, in files that hold several."""
    subset_labels: ClassVar[Mapping[str, str]] = {}
    """What that column calls a subset, where that is not its own name."""
    categories: ClassVar[Mapping[str, str]] = {}
    """Which category a subset belongs to, for the averages by category."""
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Averages over some subsets beside the categories, each subset alike: their names, and whose mean they are."""
    split: ClassVar[str] = "test"
    split_names: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What files call a split, where that is not, or not only, its own name."""
    few_shot_split: ClassVar[str] = "train"
    few_shot: ClassVar[int] = 0
    modes: ClassVar[tuple[Mode, ...]]
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]]
    """The metrics of each mode, the main one first."""
    generation: ClassVar[GenerationConfig] = GenerationConfig()
    chance: ClassVar[float | None] = 0.0
    """The expected score of blind guessing; None where it follows from the samples' number of options."""
    by_parts: ClassVar[frozenset[str]] = frozenset()
    """The metrics whose unit is a part of a sample, such as one of its instructions: their mean weighs parts alike."""
    pass_at: ClassVar[tuple[int, ...]] = ()
    """The k of pass@k: reported where a sample is asked at least k times. The main metric is then pass@1."""
    waits: ClassVar[bool] = False
    """Whether scoring waits for other processes: answers are then scored on several threads at once."""
    runs_code: ClassVar[bool] = False
    """Whether scoring runs code that the model wrote."""
    version: ClassVar[int] = 1
    """Raised whenever prompts, extraction or scoring change: scores of different versions are not compared."""

    # -- rows

    def subsets_in(self, root: Path) -> tuple[str, ...]:
        """Return the subsets that rows at a place may be of: the benchmark's own, which are the same everywhere."""
        return self.subsets

    def find(self, root: Path, subset: str, split: str) -> list[Path]:
        """Return the files that hold one split of one subset, [] where there are none.

        ``root`` is the folder of a layout, one or two folders above it, or a single file. A single file holds what is
        asked, never the worked examples; its subset is told by its name, its folder's name or its subset column.
        Raises DataError for a single file where none of these tells it.
        """
        return self._locate(root, subset, split)[0]

    def _locate(self, root: Path, subset: str, split: str) -> tuple[list[Path], Filter | None]:
        """Return the files of one split of one subset, and which of their rows are of it."""
        label = self.subset_labels.get(subset, subset)
        shared = None if self.subset_column is None else Filter(self.subset_column, label)
        if root.is_file():
            return self._locate_in_file(root, subset, split, shared)
        names = self.split_names.get(split, (split,))
        examples = split == self.few_shot_split != self.split
        for folder in layout_roots(root, self.name):
            for template in self.files:
                if examples and "{split}" not in template.lower():
                    continue  # a file whose name says no split holds what is asked
                found = find_files(folder, template, subset, names)
                if "{subset}" in template or len(self.subsets) == 1:
                    only = None
                else:
                    found, only = [path for path in found if self._holds(path, shared)], shared
                if found:
                    return found, only
        return [], None

    def _locate_in_file(
        self, file: Path, subset: str, split: str, shared: Filter | None
    ) -> tuple[list[Path], Filter | None]:
        if split == self.few_shot_split != self.split:
            return [], None
        if (named := self.subset_of(file)) is not None:
            return ([file] if named == subset else []), None
        held = self._holds(file, shared)
        if held is None:
            column = f", or add a column '{shared.column}'" if shared else ""
            raise DataError(
                f"{file}: nothing says which subset of {self.name} these rows are; name the file or its folder after "
                f"it, such as {self.subsets[0]}{file.suffix}{column}."
            )
        return ([file] if held else []), shared

    def _holds(self, path: Path, shared: Filter | None) -> bool | None:
        """Whether a file of several subsets has rows of one; None where it does not say."""
        values = None if shared is None else column_values(path, shared.column, self.csv_columns)
        return None if values is None or shared is None else shared.value in values

    def subset_of(self, file: Path) -> str | None:
        """Return the subset that the name of a file or of its folder says, None where neither does."""
        if len(self.subsets) == 1:
            return self.subsets[0]
        names = {_plain_name(subset): subset for subset in self.subsets}
        stem = _plain_name(file.stem)
        said = [subset for name, subset in names.items() if name in stem]
        return max(said, key=len) if said else names.get(_plain_name(file.parent.name))

    def samples(self, root: Path, subset: str, split: str) -> Iterator[Sample]:
        """Yield the samples of one split of one subset in the files' order.

        Raises DataError, with file and place, for a row that cannot be read or has another shape.
        """
        index = 0
        paths, only = self._locate(root, subset, split)
        for path in paths:
            for number, row in read_rows(path, self.csv_columns, only):
                try:
                    sample = self.sample(row, subset, index)
                    self.check_sample(sample)
                except (KeyError, ValueError, TypeError, IndexError, AttributeError) as problem:
                    what = f"no column {problem}" if isinstance(problem, KeyError) else str(problem)
                    raise DataError(f"{row_place(path, number)}: not a row of {self.name} ({what}).") from problem
                yield sample
                index += 1

    def check_sample(self, sample: Sample) -> None:
        """Raise ValueError for a sample that could not be scored: texts that are none, an answer that cannot be right."""
        texts = {"sample_id": sample.sample_id, "question": sample.question, "target": sample.target}
        texts |= {f"choice {number}": choice for number, choice in enumerate(sample.choices, 1)}
        for name, value in texts.items():
            if not isinstance(value, str):
                raise ValueError(f"its {name} is {type(value).__name__} {value!r}, not a text")

    def tag(self, sample: Sample) -> str | None:
        """Return what the report tells samples apart by beside their subsets, such as "Level 3"; None for nothing."""
        return None

    @abstractmethod
    def sample(self, row: Row, subset: str, index: int) -> Sample:
        """Return the sample that a row says. Raises KeyError, ValueError or TypeError for a row of another shape."""

    # -- asking

    @abstractmethod
    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        """Return what is sent for a sample, with worked examples before it."""

    def modes_in(self, variant: str) -> tuple[Mode, ...]:
        """Return the modes that a variant can be asked in, the default one first."""
        return self.modes

    # -- scoring

    def metrics_of(self, plan: DatasetPlan) -> tuple[str, ...]:
        """Return the metrics that a plan's answers are scored by, the main one first."""
        return self.metrics[plan.mode]

    @abstractmethod
    def judge(self, sample: Sample, response: Response, plan: DatasetPlan) -> Judgement:
        """Return what an answer is worth. The response holds a text or scores, never an error."""

    def scorer(self, plan: DatasetPlan) -> AbstractContextManager[Scorer]:
        """Return the scorer of a run, open for as long as its context is.

        It is opened before the model is loaded: one that needs something that the machine lacks raises LlmusesError.
        With ``waits`` it is called from several threads at once.
        """
        return nullcontext(partial(self._judge_in, plan))

    def _judge_in(self, plan: DatasetPlan, sample: Sample, response: Response) -> Judgement:
        return self.judge(sample, response, plan)

    def parts(self, sample: Sample) -> int:
        """Return how many parts a sample has, for the metrics ``by_parts``: their scores are shares of these."""
        return 1

    def needs_judge(self, plan: DatasetPlan) -> bool:
        """Whether a judge model scores the answers of a plan."""
        return False

    def judge_ask(self, sample: Sample, response: Response, plan: DatasetPlan) -> tuple[Message, ...] | None:
        """Return what the judge model is asked about an answer; None where ``judge`` scores this one without it."""
        return None

    def read_verdict(self, sample: Sample, response: Response, verdict: str, plan: DatasetPlan) -> Judgement:
        """Return what an answer is worth by what the judge model said of it."""
        raise NotImplementedError(f"{self.name} is not scored by a judge model")

    def sample_chance(self, sample: Sample, plan: DatasetPlan) -> float:
        """Return the expected score of blind guessing on one sample."""
        return self.chance or 0.0


def _plain_name(name: str) -> str:
    """Return a name as subsets are compared: hubs and people write ``ARC-Easy``, ``arc_easy``."""
    return name.lower().replace("-", "_").replace(" ", "_")


class Example(NamedTuple):
    """A question as it is put and the answer as a worked example gives it; in one text ``gap`` stands between them."""

    question: str
    answer: str
    gap: str = " "


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
    return intro + "".join(f"{example.question}{example.gap}{example.answer}\n\n" for example in examples)

"""The run itself: its plan, and where it stands."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from llmuses.records.base import FORMAT, Record
from llmuses.records.requests import GenerationConfig, Mode


class RunStatus(StrEnum):
    """``running`` with no process behind it means that the run was interrupted."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"
    DONE = "done"


class JudgePlan(Record, kw_only=True, omit_defaults=False):
    """The model that scores answers: its SPEC, its arguments (no secrets), how its verdicts are sampled."""

    model_spec: str
    model_args: dict[str, Any] = {}
    generation: GenerationConfig = GenerationConfig()


class OwnClass(Record, kw_only=True, omit_defaults=False):
    """A benchmark that is a class of the user's own: where its code lies, and what boards have to know of it without that code.

    ``file`` is "" where the class is in no file; ``sha256`` is over the text of its file, without what runs under
    ``if __name__ == "__main__":``, and of the files of the classes that it builds on.
    """

    name: str
    file: str
    sha256: str
    title: str
    group: str
    version: int
    languages: tuple[str, ...]
    publish_samples: bool


class DatasetPlan(Record, kw_only=True, omit_defaults=False):
    """How one dataset is asked in a run, all defaults resolved."""

    dataset: str
    mode: Mode
    few_shot: int
    few_shot_as: Literal["text", "turns"]
    subsets: list[str]
    split: str
    local_path: str | None
    hub: str
    sample_data: bool
    generation: GenerationConfig
    variant: str = ""
    """Which of a benchmark's forms is asked, "" where it has only one."""
    extract: str | None = None
    """The user's own way to read an answer: a regular expression, or ``module:function``."""
    extract_sha256: str | UnsetType = UNSET
    """Over the text of the file that this function is from."""
    judge: JudgePlan | None = None
    """The model that scores the answers, where a model does."""
    unsafe_code: bool = False
    """Whether code that the model wrote runs without isolation."""
    answers: str = ""
    """The kind of file that the answers came from, "" where the model was asked. ``few_shot`` is then what was said of it."""
    own: OwnClass | UnsetType = UNSET
    """The class that was asked, where it is none of llmuses."""


class Order(Record, kw_only=True, omit_defaults=False):
    """The order of asking of one dataset: a stratified permutation that follows from the seed.

    ``sha256`` is over the sample ids in that order, ``n`` counts them; ``set_sha256`` is the same in any order.
    """

    method: str
    seed: int
    n: int
    sha256: str
    set_sha256: str = ""


class DatasetState(Record, kw_only=True, omit_defaults=False):
    """Where a dataset stands in a run: what it holds, its order, what is answered so far."""

    total: int
    """How many (sample, repeat) the run holds."""
    planned: dict[str, int]
    """How many samples of each subset are asked."""
    sha256: str
    order: Order
    chance: float
    borrowed_shots: bool = False
    """Whether worked examples were taken from the shipped sample set."""
    prompts_sha256: str = ""
    """Over what is asked of the first sample of each subset, worked examples and all; "" where nothing is asked."""
    answered: int = 0
    failed: int = 0
    reviewed: int = 0
    """How many of the answered ones have been scored so far, failed ones included: none in the stage ``infer``."""
    correct: float = 0.0
    """The sum of the main metric so far, over what is reviewed and did not fail."""
    unparsed: int = 0
    """How many of those that are reviewed could not be read."""
    seconds: float = 0.0
    served_models: list[str] = []


class Run(Record, kw_only=True, omit_defaults=False):
    """``run.json``: the plan and its hash, versions, dataset fingerprints, order of asking, status, timings."""

    run_id: str
    plan_hash: str
    model: str
    model_spec: str
    model_identity: str
    model_args: dict[str, Any]
    """As typed; a value under a name that speaks of a key or a secret is left out."""
    model_details: dict[str, Any]
    datasets: list[DatasetPlan]
    limit: int | None
    repeats: int
    seed: int
    status: RunStatus
    states: dict[str, DatasetState] = {}
    versions: dict[str, str] = {}
    command: str = ""
    demo: bool = False
    began_hidden: bool = False
    """Whether it was hidden when it began: it is then until somebody publishes it."""
    job: str = ""
    """The job that started it last, "" where a person did."""
    pid: int | None = None
    started: float = 0.0
    updated: float = 0.0
    finished: float | None = None
    seconds: float = 0.0
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format > FORMAT:
            raise ValueError(f"this run is of a newer llmuses (form {self.format}, this one knows {FORMAT}): update it")


class VisibilityLine(Record, kw_only=True, omit_defaults=False):
    """One decision on whether a run is shown in public: the last line of its ``visibility.jsonl`` holds.

    ``by`` is who decided, ``reason`` is empty where none was given.
    """

    hidden: bool
    reason: str = ""
    by: str = ""
    tstamp: float = 0.0

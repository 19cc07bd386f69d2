"""What is compared: lm-evaluation-harness's own tasks, and how llmuses is asked for the same.

Only the standard library is used here: both environments read this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class View(NamedTuple):
    """A task of the harness, one for each subset, and which of its metrics each metric of llmuses must be equal to.

    ``metrics``: the harness's name for each name of llmuses, the main one first.
    """

    name: str
    task: str
    """With {subset} where there is one task for each."""
    metrics: Mapping[str, str]

    def task_of(self, subset: str) -> str:
        """Return the task that holds a subset's rows."""
        return self.task.format(subset=subset)


class Comparison(NamedTuple):
    """One benchmark of llmuses and what the harness has for the same rows."""

    dataset: str
    subsets: Sequence[str]
    path: str
    """Where its rows lie, below the folder of rows."""
    views: Sequence[View]
    few_shot: int = 0
    variant: str | None = None
    batch: int = 16
    """Rows of a batch in the harness: about what is fastest on a CPU."""


MMLU = (
    "electrical_engineering",
    "high_school_computer_science",
    "world_religions",
    "formal_logic",
    "econometrics",
    "high_school_geography",
    "global_facts",
    "marketing",
)
CEVAL = (
    "computer_network",
    "high_school_physics",
    "advanced_mathematics",
    "marxism",
    "chinese_language_and_literature",
    "accountant",
)

COMPARISONS = (
    Comparison(
        "arc",
        ("ARC-Challenge",),
        "arc/ARC-Challenge/test.hf.jsonl",
        (View("arc_challenge", "arc_challenge", {"acc_norm": "acc_bytes", "acc": "acc"}),),
    ),
    Comparison(
        "hellaswag",
        ("default",),
        "hellaswag/hellaswag_val.jsonl",
        (View("hellaswag", "hellaswag", {"acc_norm": "acc_bytes", "acc": "acc"}),),
    ),
    Comparison(
        "ceval",
        CEVAL,
        "ceval",
        (View("ceval", "ceval-valid_{subset}", {"acc": "acc"}),),
        few_shot=5,
        variant="lm-eval",
        batch=2,
    ),
    Comparison(
        "mmlu",
        MMLU,
        "mmlu/data",
        (View("mmlu", "mmlu_{subset}", {"acc": "acc"}),),
        few_shot=5,
        batch=2,
    ),
    Comparison(
        "truthful_qa",
        ("default",),
        "truthful_qa/multiple_choice.hf.jsonl",
        (
            View("truthfulqa_mc1", "truthfulqa_mc1", {"mc1": "acc"}),
            View("truthfulqa_mc2", "truthfulqa_mc2", {"mc2": "acc"}),
        ),
        batch=8,
    ),
)
"""What is compared, quick ones first. The harness's ``acc_norm`` divides by characters, its ``acc_bytes`` by bytes, as the
``acc_norm`` of llmuses does."""

"""Averages over groups of subsets that a benchmark names, such as C-Eval Hard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.rows import Row
from llmuses.evaluation import Result, evaluate
from llmuses.records import Ask, Report, Sample
from tests.support.scripted import ScriptedModel, last_message

SIZES = {"easy": 8, "hard_one": 4, "hard_two": 2}


class Grouped(MultipleChoice):
    """Three subsets of different size, two of which are averaged once more."""

    name = "grouped"
    title = "Grouped"
    group = "own"
    paper = homepage = "https://example.org"
    licence = "CC0-1.0"
    hub = HubIds("a/b", "a/b")
    files = ("{subset}.jsonl",)
    subsets = ("easy", "hard_one", "hard_two")
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {"hard": ("hard_one", "hard_two")}

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=row["q"],
            choices=["x", "y"],
            target=LETTERS[row["a"]],
        )


def run(tmp_path: Path, subsets: list[str]) -> Result:
    for subset, size in SIZES.items():
        # "A" is right for all of easy, for one of the four of hard_one, for one of the two of hard_two.
        rows = [{"q": f"{subset} {n}?", "a": int(subset != "easy" and n > 0)} for n in range(size)]
        (tmp_path / f"{subset}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def answer(ask: Ask) -> str:
        assert last_message(ask)
        return "A"

    args = {"grouped": {"local_path": str(tmp_path), "subset_list": subsets}}
    return evaluate(ScriptedModel(answer), Grouped(), dataset_args=args, outputs=tmp_path / "outputs")


def report(tmp_path: Path, subsets: list[str]) -> Report:
    return run(tmp_path, subsets).reports[0]


def test_a_group_is_the_mean_of_its_subsets_each_alike(tmp_path: Path) -> None:
    hard = report(tmp_path, []).averages["hard"]
    assert hard.score == (1 / 4 + 1 / 2) / 2
    assert hard.n == 6
    assert hard.ci95 is not None and hard.ci95[0] < hard.score < hard.ci95[1]


def test_a_group_of_which_a_subset_was_not_asked_has_no_average(tmp_path: Path) -> None:
    assert "hard" not in report(tmp_path, ["easy", "hard_one"]).averages


def test_reports_name_the_group(tmp_path: Path) -> None:
    folder = run(tmp_path, []).folder
    assert "Mean of the subsets “hard” (unweighted)" in (folder / "report.md").read_text("utf-8")

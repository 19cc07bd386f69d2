"""Where on a hub the rows of a benchmark are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.evaluation import dataset
from llmuses.hub import Hub
from llmuses.records import Mode
from tests.unit.benchmarks.plans import plan_for


@pytest.mark.parametrize(
    ("name", "hub", "place"),
    [
        ("hellaswag", Hub.MODELSCOPE, ("evalscope/hellaswag", None)),
        ("hellaswag", Hub.HUGGINGFACE, ("Rowan/hellaswag", "refs/convert/parquet")),
        ("cmmlu", Hub.MODELSCOPE, ("evalscope/cmmlu", None)),
        ("cmmlu", Hub.HUGGINGFACE, ("haonan-li/cmmlu", "refs/convert/parquet")),
        ("mmlu", Hub.HUGGINGFACE, ("cais/mmlu", None)),
    ],
)
def test_a_dataset_that_is_a_script_on_hugging_face_is_taken_from_its_converted_branch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, hub: Hub, place: tuple[str, str | None]
) -> None:
    asked = []

    def fetch(repo_id: str, hub: Hub, revision: str | None, patterns: Sequence[str]) -> Path:
        asked.append((repo_id, revision))
        assert "*.parquet" in patterns or any(pattern.endswith(".parquet") for pattern in patterns)
        return tmp_path

    monkeypatch.setattr(dataset, "fetch_dataset", fetch)
    benchmark = get_benchmark(name)
    plan = msgspec.structs.replace(plan_for(benchmark, Mode.GENERATE), hub=hub, sample_data=False)
    assert dataset.locate(benchmark, plan, benchmark.subsets[0]) == tmp_path
    assert asked == [place]

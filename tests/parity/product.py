"""Asks llmuses through its public functions, as a notebook would."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llmuses
from llmuses import evaluate
from llmuses.benchmarks import get_benchmark
from llmuses.evaluation.runner import Result
from llmuses.hub import Hub
from llmuses.models.transformers.checkpoint import fetch_small_files, fetch_weights
from llmuses.models.transformers.gguf import converted
from tests.parity.compare import Asked, Key
from tests.parity.tasks import Comparison


def checkpoint(name: str, hub: str) -> Path:
    """Return the checkpoint folder that both programs read; a GGUF file is converted once. Raises LlmusesError."""
    path = fetch_small_files(name, Hub(hub), None, False)
    return converted(path) if path.is_file() else fetch_weights(name, Hub(hub), None, False, path)


def runs_folder(outputs: Path) -> Path:
    """Return where the runs lie: answers follow from the code of the backend, which may have changed since."""
    code = hashlib.sha256(f"{version('torch')} {version('transformers')}".encode())
    for path in sorted((Path(llmuses.__file__).parent / "models" / "transformers").glob("*.py")):
        code.update(path.read_bytes())
    return outputs / f"llmuses-{code.hexdigest()[:8]}"


def ask(
    comparison: Comparison, data: Path, outputs: Path, model: Path | None, threads: int, limit: int | None
) -> dict[Key, Asked]:
    """Return what llmuses asked and how it scored the answers.

    ``model`` is a checkpoint folder, or None for a baseline, which answers at random. ``limit`` is per subset. Answers that are kept in ``outputs`` are not asked again. Raises LlmusesError.
    """
    args: dict[str, Any] = {
        "local_path": str(data / comparison.path),
        "subset_list": list(comparison.subsets),
        "few_shot_num": comparison.few_shot,
        "mode": "logprob",
    }
    if comparison.variant:
        args["variant"] = comparison.variant
    result = evaluate(
        str(model or "baseline:random"),
        comparison.dataset,
        model_args={"precision": "float32", "device_map": "cpu", "threads": threads} if model else {},
        dataset_args={comparison.dataset: args},
        limit=limit,
        outputs=runs_folder(outputs),
    )
    return _answers(comparison, data / comparison.path, result)


def _answers(comparison: Comparison, root: Path, result: Result) -> dict[Key, Asked]:
    benchmark, split = get_benchmark(comparison.dataset), result.run.datasets[0].split
    places = {
        sample.sample_id: (subset, index)
        for subset in comparison.subsets
        for index, sample in enumerate(benchmark.samples(root, subset, split))
    }
    stores = [result.folder / kind / f"{comparison.dataset}.jsonl" for kind in ("predictions", "reviews")]
    predictions = {line["key"]: line for line in _lines(stores[0])}
    found = {}
    for review in _lines(stores[1]):
        line = predictions[review["key"]]
        found[places[review["sample_id"]]] = Asked(
            prompt=line["ask"]["context"],
            continuations=tuple(line["ask"]["continuations"]),
            logprobs=tuple(score["logprob"] for score in line["response"]["scores"]),
            scores=review["scores"],
        )
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]

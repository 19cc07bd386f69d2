"""Asks lm-evaluation-harness, in its own environment: ``python -m tests.parity.harness JOB.json``.

Its own task definitions are included as they are installed; only the data set is replaced by local rows, and
``acc_bytes`` is added to the metrics where options are compared by length. Written answers are cut at 200 tokens.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CHUNK = 50
"""Rows that are asked at once; what is done is on disk after each chunk."""


def main(job: Mapping[str, Any]) -> None:
    """Ask for what is missing.

    ``job``: ``model``, a checkpoint folder, or "" for its dummy, which answers at random; ``threads``; ``few_shot``;
    ``batch``, rows of a batch; ``parts``, a list of ``{"rows": [numbers], "tasks": {TASK: {"folder": where its rows lie,
    "results": the file that is appended to}}}``.
    The tasks of a part have the same rows and are asked together: the harness computes what they share once.
    """
    import lm_eval
    import torch
    from lm_eval.models.dummy import DummyLM
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    torch.set_num_threads(job["threads"])
    if job["model"]:
        model = HFLM(pretrained=job["model"], device="cpu", dtype="float32", batch_size=job["batch"])
    else:
        model = DummyLM()
    manager = TaskManager()
    for part in job["parts"]:
        # In order: the harness numbers what it was asked by the place in this list, and asks in the rows' own order.
        tasks, rows = part["tasks"], sorted(part["rows"])
        definitions = [
            str(define(task, manager.task_index[task].yaml_path, Path(place["folder"]), job["few_shot"]))
            for task, place in tasks.items()
        ]
        size = CHUNK if job["model"] else len(rows)
        for start in range(0, len(rows), size):
            chunk = rows[start : start + size]
            found = lm_eval.simple_evaluate(
                model,
                tasks=definitions,
                samples=dict.fromkeys(tasks, chunk),
                task_manager=manager,
                bootstrap_iters=0,
                log_samples=True,
            )
            for task, place in tasks.items():
                _append(Path(place["results"]), found["samples"][task])
            print(f"{', '.join(tasks)}: {start + len(chunk)} of {len(rows)} rows", flush=True)


def define(task: str, own: Path, folder: Path, few_shot: int) -> Path:
    """Write a task's definition beside its rows, the harness's own one over other files, and return its file."""
    files = {path.stem: str(path.resolve()) for path in sorted(folder.glob("*.jsonl"))}
    definition: dict[str, Any] = {
        "include": str(own),
        "task": task,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": files},
        "num_fewshot": few_shot,
    }
    # The local rows are not all splits; a split that is named must be there.
    if "train" not in files:
        definition["training_split"] = None
    if not files.keys() & {"validation", "val"}:
        definition["validation_split"] = None
    if task in ("arc_challenge", "hellaswag"):
        definition["metric_list"] = [
            {"metric": metric, "aggregation": "mean", "higher_is_better": True}
            for metric in ("acc", "acc_norm", "acc_bytes")
        ]
    if task == "gsm8k":
        definition["generation_kwargs"] = {"until": ["Question:"], "do_sample": False, "max_gen_toks": 200}
    # JSON is YAML too.
    path = folder / "task.yaml"
    path.write_text(json.dumps(definition, indent=1), "utf-8")
    return path


def _append(path: Path, samples: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written answers come once for each filter.
    lines = {sample["doc_id"]: _line(sample) for sample in samples}
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines.values())


def _line(sample: Mapping[str, Any]) -> dict[str, Any]:
    contexts, seconds = zip(*sample["arguments"], strict=True)
    assert len(set(contexts)) == 1, "one prompt for all options"
    known = {"index": sample["doc_id"], "prompt": contexts[0]}
    if isinstance(seconds[0], Mapping):  # how an answer is generated
        return {**known, "text": sample["resps"][0][0]}
    return {
        **known,
        "continuations": seconds,
        "logprobs": [float(logprob) for logprob, _ in sample["filtered_resps"]],
        "scores": {metric: float(sample[metric]) for metric in sample["metrics"]},
    }


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))

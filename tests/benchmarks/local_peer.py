"""lm-evaluation-harness beside ours, in its own environment: ``python -m tests.benchmarks.local_peer MODEL THREADS``.

Reads one job a line from its input and answers each with one line: how long the asking took, from the first request to
the last answer, encoding included; building the requests and adding up are not counted. What was asked and what came
back is written to a file.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.parity.harness import define


class Peer:
    """A model of the harness, loaded once."""

    def __init__(self, model: str, threads: int):
        import torch
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager

        torch.set_num_threads(threads)
        self._model = HFLM(pretrained=model, device="cpu", dtype="float32", batch_size=1)
        self._manager = TaskManager()
        self._asking = self._cpu = 0.0
        ask = self._model.loglikelihood

        def timed(*args: Any, **kwargs: Any) -> Any:
            began, cpu = time.perf_counter(), time.process_time()
            try:
                return ask(*args, **kwargs)
            finally:
                self._asking += time.perf_counter() - began
                self._cpu += time.process_time() - cpu

        self._model.loglikelihood = timed

    def run(self, job: Mapping[str, Any]) -> dict[str, float]:
        """Ask for the first rows of a task.

        ``job``: ``task``; ``folder``, where its rows lie; ``few_shot``; ``fixed``, whether all documents get the same
        examples; ``batch``; ``rows``; ``results``, the file to write.
        """
        import lm_eval

        folder = Path(job["folder"])
        path = define(job["task"], self._manager.task_index[job["task"]].yaml_path, folder, job["few_shot"])
        definition = json.loads(path.read_text("utf-8"))
        if job["fixed"]:
            definition["fewshot_config"] = {"sampler": "first_n"}
        path.write_text(json.dumps(definition), "utf-8")
        self._model.batch_size_per_gpu = job["batch"]
        self._asking = self._cpu = 0.0
        began = time.perf_counter()
        found = lm_eval.simple_evaluate(
            self._model,
            tasks=[str(path)],
            limit=job["rows"],
            task_manager=self._manager,
            bootstrap_iters=0,
            log_samples=True,
        )
        with open(job["results"], "w", encoding="utf-8") as file:
            for sample in found["samples"][job["task"]]:
                contexts, endings = zip(*sample["arguments"], strict=True)
                logprobs = [float(logprob) for logprob, _ in sample["filtered_resps"]]
                line = {"context": contexts[0], "continuations": endings, "logprobs": logprobs}
                file.write(json.dumps(line) + "\n")
        return {"seconds": self._asking, "cpu": self._cpu, "whole": time.perf_counter() - began}


def main(model: str, threads: int) -> None:
    """Do the jobs of the input."""
    out, sys.stdout = sys.stdout, sys.stderr
    peer = Peer(model, threads)
    for line in sys.stdin:
        print(json.dumps(peer.run(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

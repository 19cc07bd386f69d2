"""lm-evaluation-harness writes the answers of ``bench_writing``, in an environment of its own: ``python FILE JOB.json``.

``job``: ``model``, a checkpoint folder; ``rows``, a file with a JSON list of prompts; ``stop``, ``tokens``, ``threads``,
``batch``; ``result``, the file that the answers and the seconds of writing are written to.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(job: dict[str, Any]) -> None:
    """Write all answers once. Loading is not counted."""
    import torch
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(job["threads"])
    model = HFLM(pretrained=job["model"], device="cpu", dtype="float32", batch_size=job["batch"])
    asked = {"until": job["stop"], "max_gen_toks": job["tokens"], "do_sample": False}
    requests = [
        Instance(request_type="generate_until", doc={}, arguments=(prompt, asked), idx=number)
        for number, prompt in enumerate(json.loads(Path(job["rows"]).read_text()))
    ]
    model.generate_until(requests[:1], disable_tqdm=True)
    wall, work = time.perf_counter(), time.process_time()
    answers = model.generate_until(requests, disable_tqdm=True)
    seconds, processor = time.perf_counter() - wall, time.process_time() - work
    Path(job["result"]).write_text(json.dumps({"answers": answers, "seconds": seconds, "processor": processor}))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))

"""Reads written answers as lm-evaluation-harness does, in its environment: ``python -m tests.parity.harness_answers JOB.json``.

The filters and the metric are those of its own task ``gsm8k``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.parity.harness import define


def main(job: Mapping[str, Any]) -> None:
    """Write one line ``{FILTER: {"extracted", "score"}}`` for each text.

    ``job``: ``texts``, a file of lines ``{"text", "answer"}``; ``folder``, where the task's rows lie; ``results``.
    """
    from lm_eval.api.instance import Instance
    from lm_eval.tasks import TaskManager

    manager = TaskManager()
    path = define("gsm8k", manager.task_index["gsm8k"].yaml_path, Path(job["folder"]), few_shot=5)
    task = manager.load([str(path)])["tasks"]["gsm8k"]
    lines = [json.loads(line) for line in Path(job["texts"]).read_text("utf-8").splitlines()]
    docs = [{"question": "", "answer": line["answer"]} for line in lines]
    asked = [
        Instance("generate_until", doc, ("", {}), number, resps=[line["text"]])
        for number, (line, doc) in enumerate(zip(lines, docs, strict=True))
    ]
    task._instances = asked
    task.apply_filters()
    with open(job["results"], "w", encoding="utf-8") as file:
        for instance, doc in zip(asked, docs, strict=True):
            said = {
                name: {"extracted": extracted, "score": task.process_results(doc, [extracted])["exact_match"]}
                for name, extracted in instance.filtered_resps.items()
            }
            file.write(json.dumps(said, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))

"""What was computed before: kept under everything that it follows from, so that nothing is asked twice."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llmuses
from llmuses.hub import Hub
from llmuses.models.transformers.checkpoint import fetch_small_files, fetch_weights, fingerprint
from llmuses.models.transformers.gguf import converted
from tests.parity.compare import Asked, Key

HERE = Path(__file__).parent


def checkpoint(name: str, hub: str) -> Path:
    """Return the checkpoint folder that both programs read; a GGUF file is converted once. Raises LlmusesError."""
    path = fetch_small_files(name, Hub(hub), None, False)
    return converted(path) if path.is_file() else fetch_weights(name, Hub(hub), None, False, path)


def harness_folder(outputs: Path, model: Path) -> Path:
    """Return where the harness's results lie: they follow from its version and the checkpoint."""
    pinned = re.search(r"^lm-eval.*==(\S+)$", (HERE / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned is not None
    return outputs / f"lm-eval-{pinned[1]}-{fingerprint(model)[:8]}"


def product_folder(outputs: Path) -> Path:
    """Return where the runs of llmuses lie: its answers follow from its own code for models, which may have changed."""
    code = hashlib.sha256(f"{version('torch')} {version('transformers')}".encode())
    for path in sorted((Path(llmuses.__file__).parent / "models").rglob("*.py")):
        code.update(path.read_bytes())
    return outputs / f"llmuses-{code.hexdigest()[:8]}"


def result_file(results: Path, rows: Path, task: str) -> Path:
    """Return the file of a task's results, which is another one for other rows."""
    content = hashlib.sha256()
    for path in sorted((rows / task).glob("*.jsonl")):
        content.update(path.name.encode() + path.read_bytes())
    return results / f"{task}-{content.hexdigest()[:8]}.jsonl"


def kept_results(path: Path, subset: str) -> dict[Key, Asked]:
    """Return what a file of the harness's results holds, under the subset that llmuses has the rows in."""
    found = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        sample: Mapping[str, Any] = json.loads(line)
        found[subset, sample["index"]] = Asked(
            prompt=sample["prompt"],
            continuations=tuple(sample["continuations"]),
            logprobs=tuple(sample["logprobs"]),
            scores=sample["scores"],
        )
    return found

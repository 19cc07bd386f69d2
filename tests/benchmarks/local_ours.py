"""Our side of the pair: ``python -m tests.benchmarks.local_ours MODEL THREADS [BATCH_TOKENS]``.

Reads one job a line from its input and answers each with one line: how long a whole run took, from its plan to its
reports, and where the time went. The network is loaded once, as in the peer.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmuses import evaluate
from llmuses.inference import Item, Predictions, infer
from llmuses.models import load_model
from llmuses.models.transformers import attention, merged_scoring
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.records import Loglikelihood, Prediction, Sample

MEGABYTE = 1024 if sys.platform == "linux" else 1024 * 1024


class Watch:
    """Adds up the seconds in some functions, those in others among them taken off."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner: list[float] = []

    def over(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, watched."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - began
                self.seconds[name] = self.seconds.get(name, 0.0) + took - self._inner.pop()
                if self._inner:
                    self._inner[-1] += took

        return watched


class Ours:
    """A model of llmuses, loaded once."""

    def __init__(self, model: str, threads: int, batch_tokens: int | None):
        more = {} if batch_tokens is None else {"batch_tokens": batch_tokens}
        loaded = load_model(model, threads=threads, precision="float32", device_map="cpu", **more)
        assert isinstance(loaded, CausalLM)
        self._model = loaded
        self._loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
        self._tokens = self._logits = 0
        self._watch = Watch()
        self._instrument()

    def _instrument(self) -> None:
        reader, codec = self._model._reader, self._model._codec
        logits = reader.logits

        def counted(tokens: Any, wanted: Any, **inputs: Any) -> Any:
            self._tokens += tokens.numel()
            self._logits += len(wanted)
            return logits(tokens, wanted, **inputs)

        any_reader: Any = reader
        any_codec: Any = codec
        any_merged: Any = merged_scoring
        any_reader.logits = self._watch.over("network", counted)
        any_codec.pairs = self._watch.over("encoding", codec.pairs)
        any_merged.grow = self._watch.over("tree", merged_scoring.grow)
        any_merged.read = self._watch.over("reading logits", merged_scoring.read)
        attend = self._watch.over("attention", attention._attend)
        attention.AttentionInterface.register(attention.NAME, attend)

    def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for some rows.

        ``job``: ``results``, the file to write, and either ``dataset`` and its ``args`` for ``evaluate``, or ``prompts``,
        a file of contexts and continuations.
        """
        self._tokens = self._logits = 0
        self._watch.seconds.clear()
        with tempfile.TemporaryDirectory() as folder:
            began, cpu = time.perf_counter(), time.process_time()
            if "prompts" in job:
                found = self._asked(Path(job["prompts"]), Path(folder))
            else:
                found = self._evaluated(job, Path(folder))
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
            _write(Path(job["results"]), found())
        spent = dict(self._watch.seconds)
        spent["everything else"] = seconds - sum(spent.values())
        return {
            "seconds": seconds,
            "cpu": cpu,
            "tokens": self._tokens,
            "logits": self._logits,
            "floor": self._floor(),
            "spent": spent,
            "way": self._model.details["scoring"],
            "loaded": self._loaded,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE,
        }

    def _evaluated(self, job: Mapping[str, Any], folder: Path) -> Callable[[], list[Prediction]]:
        name = job["dataset"]
        result = evaluate(self._model, name, dataset_args={name: job["args"]}, outputs=folder)
        assert result.complete
        return lambda: list(Predictions(result.folder / "predictions").of(name))

    def _asked(self, path: Path, folder: Path) -> Callable[[], list[Prediction]]:
        items = [_item(number, json.loads(line)) for number, line in enumerate(path.read_text("utf-8").splitlines())]
        store = Predictions(folder)
        found = [prediction for _, prediction in infer(self._model, items, store)]
        store.close()
        return lambda: found

    def _floor(self) -> float:
        """Return the seconds that the bare matrix products of as many tokens and logits take."""
        import torch

        network = self._model._reader.network
        head = network.get_output_embeddings()
        layers = [module for module in network.modules() if isinstance(module, torch.nn.Linear) and module is not head]
        size = 2_048
        with torch.inference_mode():
            inputs = {layer.in_features: torch.randn(size, layer.in_features) for layer in [*layers, head]}
            each = []
            for some in (layers, [head]):
                began = time.perf_counter()
                for layer in some:
                    torch.nn.functional.linear(inputs[layer.in_features], layer.weight)
                each.append((time.perf_counter() - began) / size)
        return each[0] * self._tokens + each[1] * self._logits


def _item(number: int, line: Mapping[str, Any]) -> Item:
    ask = Loglikelihood(context=line["context"], continuations=tuple(line["continuations"]))
    return Item("bench", Sample(sample_id=str(number), subset="bench", question="", target=""), 0, ask)


def _write(path: Path, predictions: list[Prediction]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for prediction in predictions:
            assert isinstance(prediction.ask, Loglikelihood)
            assert prediction.response.scores is not None, prediction.response.error
            logprobs = [score.logprob for score in prediction.response.scores]
            known = {"context": prediction.ask.context, "continuations": prediction.ask.continuations}
            file.write(json.dumps({**known, "logprobs": logprobs}) + "\n")


def main(model: str, threads: int, batch_tokens: int | None) -> None:
    """Do the jobs of the input."""
    out, sys.stdout = sys.stdout, sys.stderr
    ours = Ours(model, threads, batch_tokens)
    for line in sys.stdin:
        print(json.dumps(ours.run(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)

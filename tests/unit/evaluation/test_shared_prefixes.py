"""What a run hands to a local model lets each subject share its worked examples, whatever the order of asking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llmuses import evaluate
from llmuses.inference import Predictions
from llmuses.models import load_model
from llmuses.records import Loglikelihood
from tests.support.tiny_models import tiny_model

if TYPE_CHECKING:
    import torch


def test_a_run_over_eight_subjects_reads_the_examples_of_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmuses.models.transformers.causal_lm import CausalLM

    model = load_model(str(tiny_model(window=8_192)))
    assert isinstance(model, CausalLM)
    read: list[int] = []
    logits = model._reader.logits

    def counted(tokens: torch.Tensor, wanted: Any, **inputs: Any) -> torch.Tensor:
        read.append(tokens.numel())
        return logits(tokens, wanted, **inputs)

    monkeypatch.setattr(model._reader, "logits", counted)
    args = {"mmlu": {"few_shot_num": 2, "mode": "logprob"}}
    result = evaluate(model, "mmlu", sample_data=True, dataset_args=args, limit=4, outputs=tmp_path)
    assert result.complete
    contexts: dict[str, list[list[int]]] = {}
    for prediction in Predictions(result.folder / "predictions").of("mmlu"):
        assert isinstance(prediction.ask, Loglikelihood)
        contexts.setdefault(prediction.subset, []).append(model._codec.text(prediction.ask.context))
    assert len(contexts) == 8
    shared = {subset: in_common(texts) for subset, texts in contexts.items()}
    own = sum(len(text) - shared[subset] for subset, texts in contexts.items() for text in texts)
    assert sum(shared.values()) > 8 * 100
    # Subjects have a few words in common with each other, which are read once as well.
    assert 0.9 * (sum(shared.values()) + own) < sum(read) <= sum(shared.values()) + own


def in_common(texts: list[list[int]]) -> int:
    """Return how many tokens all of some texts begin with."""
    return next(
        (place for place, tokens in enumerate(zip(*texts, strict=False)) if len(set(tokens)) > 1),
        min(map(len, texts)),
    )

"""A server that computes with a checkpoint, asked through ``openai:``: the answers of the backends that read it."""

from __future__ import annotations

import pytest

from llmuses.models import load_model
from tests.support.asking import answers, generate, loglikelihood
from tests.support.tiny_models import SENTENCES, tiny_model
from tests.support.vllm_server import vllm_server

SHOTS = "The capital of France is Paris. She bought 3 apples and 5 pears.\n" * 3
SCORING = [
    loglikelihood("The capital of France is", " Paris", " Berlin", " a river in spring"),
    loglikelihood(SHOTS + "A. north\nB. south\nAnswer:", " A", " B", " C", " D"),
    loglikelihood("Question: What is 12 plus 30? Answer:", " 42", " 4", " 8"),
    loglikelihood("A river flows from the hills to ", "the sea", "nowhere"),
    loglikelihood("你好，", "世界。", "今天天气很好。"),
]


@pytest.mark.parametrize("bos", [False, True])
def test_log_probabilities_are_those_of_the_transformers_backend(bos: bool) -> None:
    folder = tiny_model(bos=bos)
    with vllm_server(folder) as url:
        found = answers(load_model("openai:tiny", base_url=url, logprobs="completions"), *SCORING)
    for key, response in answers(load_model(str(folder)), *SCORING).items():
        scores = found[key].scores
        assert scores is not None
        assert response.scores is not None
        assert [score.logprob for score in scores] == pytest.approx([s.logprob for s in response.scores], abs=1e-4)
        assert [(score.tokens, score.greedy) for score in scores] == [(s.tokens, s.greedy) for s in response.scores]


def test_greedy_answers_are_those_of_the_transformers_backend() -> None:
    asks = [generate(text, max_tokens=12) for text in SENTENCES]
    with vllm_server(tiny_model(chat=True)) as url:
        found = answers(load_model("openai:tiny", base_url=url), *asks)
    for key, response in answers(load_model(str(tiny_model(chat=True))), *asks).items():
        assert (found[key].text, found[key].finish_reason) == (response.text, response.finish_reason)

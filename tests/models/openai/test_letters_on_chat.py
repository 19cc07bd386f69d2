"""Multiple choice by letters on a server that gives nothing but the likeliest first tokens of a chat answer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmuses.errors import ModelError
from llmuses.evaluation import Result, evaluate
from llmuses.models.openai.dialect import Body
from llmuses.models.openai.errors import Refused
from llmuses.models.openai.gate import Ticket
from llmuses.models.openai.replies import Reply
from llmuses.models.openai.session import Session
from tests.support.mock_openai import token_logprob
from tests.support.servers import MockServer, mock_openai


def asked(server: MockServer, dataset: str, outputs: Path) -> Result:
    return evaluate(
        "openai:some-model",
        dataset,
        model_args={"base_url": server.base_url},
        dataset_args={dataset: {"mode": "logprob"}},
        sample_data=True,
        limit=1,
        outputs=outputs,
    )


def lines(result: Result, kind: str, dataset: str) -> list[dict[str, Any]]:
    text = (result.folder / kind / f"{dataset}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def likeliest_letter(prompt: str) -> str:
    """Return the letter with the most probability, with and without a space before it."""
    return max("ABCD", key=lambda x: math.exp(token_logprob(prompt, x)) + math.exp(token_logprob(prompt, f" {x}")))


@pytest.mark.parametrize("dataset", ["mmlu", "ceval"])
def test_the_letter_with_the_most_probability_as_a_first_token_is_the_choice(dataset: str, tmp_path: Path) -> None:
    with mock_openai(logprobs="chat") as server:
        result = asked(server, dataset, tmp_path)
    contexts = {line["key"]: line["ask"]["context"] for line in lines(result, "predictions", dataset)}
    reviews = lines(result, "reviews", dataset)
    assert result.complete, [
        line["response"] for line in lines(result, "predictions", dataset) if line["response"].get("error")
    ]
    assert len(reviews) > 1
    for review in reviews:
        assert review["extracted"] == likeliest_letter(contexts[review["key"]])
        assert review["scores"] == {"acc": float(review["extracted"] == review["target"])}
        assert review["rule"] == "likeliest_letter"
    assert {review["extracted"] for review in reviews} > {reviews[0]["extracted"]}, "not one letter for all"
    assert result.reports[0].mode == "logprob"


def test_a_request_that_is_refused_after_another_one_found_the_way_goes_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Session.ask

    async def meanwhile(self: Session, path: str, write: Callable[[], Body], ticket: Ticket) -> Reply:
        try:
            return await ask(self, path, write, ticket)
        except Refused:
            self.server.logprobs, self.server.gave_logprobs = "chat", True
            raise

    monkeypatch.setattr(Session, "ask", meanwhile)
    with mock_openai(logprobs="chat") as server:
        assert asked(server, "mmlu", tmp_path).complete


def test_letters_that_are_not_among_the_likeliest_tokens_lose_to_those_that_are(tmp_path: Path) -> None:
    with mock_openai(logprobs="chat", top=5) as server:
        result = asked(server, "mmlu", tmp_path)
    unnamed = {
        line["key"]: {"ABCD"[i] for i, score in enumerate(line["response"]["scores"]) if score["logprob"] is None}
        for line in lines(result, "predictions", "mmlu")
    }
    assert result.complete
    assert any(unnamed.values())
    for review in lines(result, "reviews", "mmlu"):
        assert review["extracted"] in set("ABCD") - unnamed[review["key"]]


def test_options_of_many_words_cannot_be_scored_by_first_tokens(tmp_path: Path) -> None:
    with mock_openai(logprobs="chat") as server, pytest.raises(ModelError, match="ask with mode generate"):
        asked(server, "arc", tmp_path)

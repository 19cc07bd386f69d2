"""A refusal before anything was answered: one trial tells the settings' fault from the request's."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from llmuses.errors import ModelError
from llmuses.models.openai.errors import Refused, ServerError
from llmuses.models.openai.session import Session
from llmuses.records import GenerationConfig


def try_out(answered_meanwhile: bool) -> int:
    """Have two requests of one session try the settings out, and return how often the server was asked for that."""
    asked = 0
    server: Any = SimpleNamespace(url="http://127.0.0.1:1/v1", answered=False)
    session = Session(server, client=SimpleNamespace())  # type: ignore[arg-type]

    async def refuse(*_: object) -> None:
        nonlocal asked
        asked += 1
        server.answered = answered_meanwhile
        raise Refused(ServerError(400, "this prompt is not to my taste"))

    session.ask = refuse  # type: ignore[assignment,method-assign]

    async def both() -> None:
        await asyncio.gather(*(session.try_out(GenerationConfig(), None) for _ in range(2)))  # type: ignore[arg-type]

    asyncio.run(both())
    return asked


def test_a_trial_that_is_refused_says_that_no_request_would_be_answered() -> None:
    with pytest.raises(ModelError, match="cannot be asked like this"):
        try_out(answered_meanwhile=False)


def test_another_request_that_was_answered_meanwhile_says_more_than_the_trial() -> None:
    assert try_out(answered_meanwhile=True) == 1, "one trial is for all"

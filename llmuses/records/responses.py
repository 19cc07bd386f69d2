"""What came back: a model's responses, and the predictions that keep them with what was asked."""

from __future__ import annotations

from enum import StrEnum

from llmuses.records.base import Record
from llmuses.records.requests import Ask


class Usage(Record, kw_only=True):
    """Tokens as the backend counted them; ``None`` where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


class ErrorKind(StrEnum):
    """Why there is no answer: it may pass (``failed``), or the server refused this very request for good."""

    FAILED = "failed"
    REJECTED = "rejected"


class ResponseError(Record, kw_only=True):
    """Why a request has no answer. ``code`` is short and stable (``http_500``, ``timeout``, ``content_filter``)."""

    kind: ErrorKind
    code: str
    message: str = ""


class Score(Record, kw_only=True):
    """The log-probability of one continuation.

    ``logprob`` is the natural logarithm, summed over the continuation's ``tokens``; ``greedy`` says whether each
    token was the likeliest one. A server that names only its likeliest tokens leaves ``logprob`` at ``None`` for
    a continuation that was not among them.
    """

    logprob: float | None
    tokens: int = 1
    greedy: bool = False


class Response(Record, kw_only=True):
    """What a model gave back for one request: an answer, scores, or an error; exactly one of the three.

    ``finish_reason`` is ``stop``, ``length`` (truncated), ``content_filter`` or what else the server said.
    ``latency`` and ``first_token`` are seconds from sending. ``served_model`` is the name the server reported.
    """

    key: str
    text: str | None = None
    reasoning: str | None = None
    scores: list[Score] | None = None
    error: ResponseError | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    latency: float | None = None
    first_token: float | None = None
    attempts: int = 1
    served_model: str | None = None

    @property
    def truncated(self) -> bool:
        """Whether the answer stopped because its length was used up."""
        return self.finish_reason == "length"


class Prediction(Record, kw_only=True, omit_defaults=False):
    """One answered (sample, repeat): what was asked and what came back, whole.

    ``question_at`` is where the sample's own question begins, after the worked examples: the index of a message,
    and the offset in characters inside it (for a log-likelihood the index is 0 and the text is the context).
    """

    key: str
    dataset: str
    sample_id: str
    subset: str
    repeat: int = 0
    model: str
    ask: Ask
    response: Response
    question_at: tuple[int, int] = (0, 0)
    shots: int = 0
    tstamp: float = 0.0

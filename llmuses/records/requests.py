"""What is asked: samples, conversations, and the key that an answer is known by."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any, Literal

import msgspec

from llmuses.records.base import Record


class Mode(StrEnum):
    """How a benchmark asks: a written answer, or the log-probability of given continuations."""

    GENERATE = "generate"
    LOGPROB = "logprob"


class Sample(Record, kw_only=True):
    """One question of a benchmark, as its row says it.

    ``target`` is the right answer as it is compared: an option's label, a number, a text. ``choices`` are the options
    of multiple choice, in the row's order; ``details`` is what else the benchmark needs to ask or to score.
    """

    sample_id: str
    subset: str
    question: str
    target: str
    choices: list[str] = []
    details: dict[str, Any] = {}


class Image(msgspec.Struct, frozen=True):
    """A picture in a message: an encoded file, base64 on disk. ``media_type`` is such as ``image/png``."""

    media_type: str
    data: bytes


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of a conversation. A message without images is written without the field: its key stays what it was."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[Image, ...] = ()


class GenerationConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How an answer is sampled. Part of a prediction's key: all fields are written, defaults too.

    ``temperature`` 0 is greedy decoding. ``None`` leaves a setting to the model.
    """

    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


class Generate(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind", tag="generate"):
    """Asks for a written answer to a conversation.

    A model without a chat template reads the contents one after the other as one text.
    """

    messages: tuple[Message, ...]
    config: GenerationConfig = GenerationConfig()


class Loglikelihood(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind", tag="loglikelihood"):
    """Asks for the log-probability of each continuation after one context.

    The context is plain text and never put into a chat template. ``config`` is absent: nothing is sampled.
    """

    context: str
    continuations: tuple[str, ...]


Ask = Generate | Loglikelihood


class Request(msgspec.Struct, frozen=True):
    """An ask under the key that its response will carry."""

    key: str
    ask: Ask


_key_encoder = msgspec.json.Encoder(order="deterministic")


def prediction_key(ask: Ask, model_identity: str, repeat: int) -> str:
    """Return the key of an answer: 24 hex digits over the rendered request, the model's identity and the repeat.

    Two answers with one key are interchangeable; whatever could change an answer changes the key.
    """
    return hashlib.blake2b(_key_encoder.encode((ask, model_identity, repeat)), digest_size=12).hexdigest()

"""A causal language model of transformers behind the house's one verb."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from llmuses.models.reasoning import split_reasoning
from llmuses.models.transformers.batching import Batcher, free_memory
from llmuses.models.transformers.chat_template import ChatTemplate, plain_text
from llmuses.models.transformers.generation import Answer, Prompt, Writer
from llmuses.models.transformers.scoring import Row, Scorer, plan_rows
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import ErrorKind, Generate, Loglikelihood, Mode, Request, Response, ResponseError, Score, Usage

WINDOW = 256
"""Requests that are read ahead, so that those of similar length share a batch."""


class CausalLM:
    """Answers requests with a network and a tokenizer that are in memory. See llmuses.models.base.Model.

    ``max_length`` is the longest sequence that the network may read; a request beyond it is rejected, never cut.
    ``template`` is None for a model that reads plain text.
    """

    prefers = Mode.LOGPROB

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        *,
        name: str,
        identity: str,
        details: Mapping[str, Any],
        template: ChatTemplate | None,
        max_length: int | None,
        scoring: Batcher,
        writing: Batcher,
    ):
        self.name = name
        self.identity = identity
        self.details = details
        self._template = template
        self._max_length = max_length
        self._scoring = scoring
        self._writing = writing
        self._codec = Codec(tokenizer)
        device = network.get_input_embeddings().weight.device
        ends = _end_tokens(network, tokenizer)
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
        self._scorer = Scorer(network, device, pad)
        self._writer = Writer(network, self._codec, device, pad, ends)

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, those of a window longest first. See llmuses.models.base.Model."""
        pending = iter(requests)
        while window := list(itertools.islice(pending, WINDOW)):
            yield from self._score(window)
            yield from self._write(window)

    def close(self) -> None:
        """Free the network's memory. May be called more than once."""
        self._scorer.network = self._writer.network = None
        free_memory()

    def _score(self, window: Sequence[Request]) -> Iterator[Response]:
        gathered: dict[int, _Gathered] = {}
        rows: list[Row] = []
        for number, request in enumerate(window):
            if not isinstance(request.ask, Loglikelihood):
                continue
            pair = self._codec.pair(request.ask.context, request.ask.continuations)
            planned = plan_rows(number, pair.context, pair.continuations)
            longest = _longest_row(planned) if planned else 0
            if self._max_length is not None and longest > self._max_length:
                yield self._too_long(request.key, longest)
            elif not planned:
                yield Response(key=request.key, scores=[])
            else:
                gathered[number] = _Gathered(request.key, planned)
                rows += planned
        # Rows of one request stay together, so that it ends soon after it began.
        rows.sort(key=lambda row: (-gathered[row.request].longest, row.request))
        for row, scores, seconds in self._scoring.run(rows, _longest_row, self._scorer.score):
            answer = gathered[row.request]
            answer.add(scores, seconds)
            if answer.waiting == 0:
                yield gathered.pop(row.request).response()

    def _write(self, window: Sequence[Request]) -> Iterator[Response]:
        prompts: list[Prompt] = []
        for request in window:
            if not isinstance(request.ask, Generate):
                continue
            try:
                prompt = self._prompt(request.key, request.ask)
            except ValueError as problem:
                yield _error(request.key, ErrorKind.REJECTED, "chat_template", str(problem))
                continue
            if prompt.room < 1:
                yield self._too_long(request.key, len(prompt.tokens))
            else:
                prompts.append(prompt)
        prompts.sort(key=lambda prompt: -len(prompt.tokens))
        for prompt, answer, _ in self._writing.run(prompts, _longest_answer, self._writer.write):
            yield self._written(prompt, answer) if answer else _out_of_memory(prompt.key, len(prompt.tokens))

    def _prompt(self, key: str, ask: Generate) -> Prompt:
        opening = ""
        if self._template is None:
            tokens = self._codec.text(plain_text(ask.messages))
        else:
            text = self._template.render(ask.messages)
            tokens = self._codec.rendered(text)
            opening = "<think>" if text.rstrip().endswith("<think>") else ""
        room = ask.config.max_tokens
        if self._max_length is not None:
            # The last token of an answer is written and never read: one more than is left of the window.
            room = min(room, self._max_length - len(tokens) + 1)
        return Prompt(key, tokens, ask.config, room, opening)

    def _written(self, prompt: Prompt, answer: Answer) -> Response:
        if not answer.sound:
            return _not_a_number(prompt.key)
        reasoning, text = split_reasoning(prompt.opening + answer.text)
        usage = Usage(prompt_tokens=len(prompt.tokens), completion_tokens=answer.tokens)
        if reasoning:
            usage.reasoning_tokens = len(self._codec.rendered(reasoning))
        return Response(
            key=prompt.key,
            text=text,
            reasoning=reasoning,
            finish_reason=answer.finish_reason,
            usage=usage,
            latency=answer.seconds,
            first_token=answer.first,
        )

    def _too_long(self, key: str, tokens: int) -> Response:
        message = f"{tokens} tokens do not fit into the {self._max_length} that the model can read"
        return _error(key, ErrorKind.REJECTED, "context_length", message)


class _Gathered:
    """The scores of one request, as its rows come back."""

    def __init__(self, key: str, rows: Sequence[Row]):
        self._key = key
        self._scores: dict[int, Score] = {}
        self._tokens = sum(len(row.tokens) for row in rows)
        self._seconds = 0.0
        self._complete = True
        self.longest = _longest_row(rows)
        self.waiting = len(rows)

    def add(self, scores: Mapping[int, Score] | None, seconds: float) -> None:
        self.waiting -= 1
        self._complete &= scores is not None
        self._seconds += seconds
        self._scores.update(scores or {})

    def response(self) -> Response:
        if not self._complete:
            return _out_of_memory(self._key, self.longest)
        scores = [score for _, score in sorted(self._scores.items())]
        if any(score.logprob is None or math.isnan(score.logprob) for score in scores):
            return _not_a_number(self._key)
        return Response(key=self._key, scores=scores, usage=Usage(prompt_tokens=self._tokens), latency=self._seconds)


def _longest_row(rows: Sequence[Row]) -> int:
    return max(len(row.tokens) for row in rows)


def _longest_answer(prompts: Sequence[Prompt]) -> int:
    """Return the length to which a batch grows: the longest prompt and the most room, less the last token."""
    return max(len(prompt.tokens) for prompt in prompts) + max(prompt.room for prompt in prompts) - 1


def _error(key: str, kind: ErrorKind, code: str, message: str) -> Response:
    return Response(key=key, error=ResponseError(kind=kind, code=code, message=message))


def _out_of_memory(key: str, tokens: int) -> Response:
    message = f"memory does not suffice for {tokens} tokens: choose precision=bfloat16, device_map=auto or max_length"
    return _error(key, ErrorKind.FAILED, "out_of_memory", message)


def _not_a_number(key: str) -> Response:
    message = "the network computed something that is not a number: choose precision=bfloat16 or precision=float32"
    return _error(key, ErrorKind.FAILED, "not_a_number", message)


def _end_tokens(network: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer: those of the checkpoint's generation settings and the tokenizer's own."""
    configured = network.generation_config.eos_token_id
    found = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*found, tokenizer.eos_token_id] if token is not None)

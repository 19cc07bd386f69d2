"""Requests for written answers: the prompt of each, which share a batch, and the responses as they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmuses.models.reasoning import split_reasoning
from llmuses.models.transformers.batching import Batcher
from llmuses.models.transformers.chat_template import ChatTemplate, plain_text
from llmuses.models.transformers.generation import Answer, Prompt, Writer
from llmuses.models.transformers.responses import error, not_a_number, out_of_memory, too_long
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import ErrorKind, Generate, Request, Response, Usage


class WritingScheduler:
    """Answers the requests for written answers among those of a window.

    ``template`` is None for a model that reads plain text; a prompt beyond ``max_length`` tokens is rejected, never cut.
    """

    def __init__(
        self, codec: Codec, writer: Writer, batcher: Batcher, template: ChatTemplate | None, max_length: int | None
    ):
        self._codec = codec
        self._writer = writer
        self._batcher = batcher
        self._template = template
        self._max_length = max_length

    def run(self, window: Sequence[Request]) -> Iterator[Response]:
        """Yield one response for each request for a written answer, longest prompt first."""
        prompts: list[Prompt] = []
        for request in window:
            if not isinstance(request.ask, Generate):
                continue
            try:
                prompt = self._prompt(request.key, request.ask)
            except ValueError as problem:
                yield error(request.key, ErrorKind.REJECTED, "chat_template", str(problem))
                continue
            if prompt.room < 1:
                yield too_long(request.key, len(prompt.tokens), self._max_length)
            else:
                prompts.append(prompt)
        prompts.sort(key=lambda prompt: -len(prompt.tokens))
        for prompt, answer, _ in self._batcher.run(prompts, _longest_answer, self._writer.write):
            yield self._written(prompt, answer) if answer else out_of_memory(prompt.key, len(prompt.tokens))

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
            return not_a_number(prompt.key)
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


def _longest_answer(prompts: Sequence[Prompt]) -> int:
    """Return the length to which a batch grows: the longest prompt and the most room, less the last token."""
    return max(len(prompt.tokens) for prompt in prompts) + max(prompt.room for prompt in prompts) - 1

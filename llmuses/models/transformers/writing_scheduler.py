"""Requests for written answers: how far they are read ahead, which are equal, and the responses as they end."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from llmuses.models.reasoning import split_reasoning
from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.prompting import Prompter
from llmuses.models.transformers.responses import not_a_number, out_of_memory
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.transformers.writer import Writer
from llmuses.records import Generate, GenerationConfig, Request, Response, Usage

WINDOW = 256
"""Requests that are read ahead, so that what they have in common is seen. The next ones are read as soon as none waits."""

_REMEMBERED = 1_024
"""Greedy answers that are kept, for requests that ask the same again."""

_Same = tuple[tuple[int, ...], GenerationConfig]


class WritingScheduler:
    """Answers requests for written answers."""

    def __init__(self, codec: Codec, writer: Writer, prompter: Prompter):
        self._codec = codec
        self._writer = writer
        self._prompter = prompter

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, as they end. What is in flight ends with the iterator."""
        work = _Work(self._codec, self._writer, self._prompter)
        pending = iter(requests)
        while True:
            if not work.waiting and (window := list(itertools.islice(pending, WINDOW))):
                yield from work.join(window)
            elif not work.busy:
                return
            yield from work.step()


class _Work:
    """The requests that are under way, by the answer that they wait for."""

    def __init__(self, codec: Codec, writer: Writer, prompter: Prompter):
        self._codec = codec
        self._writer = writer
        self._prompter = prompter
        self._loop = writer.loop()
        self._asked: dict[Writing, list[Prompt]] = {}
        self._equal: OrderedDict[_Same, Writing] = OrderedDict()

    @property
    def waiting(self) -> bool:
        """Return whether an answer has not begun."""
        return self._loop.waiting > 0

    @property
    def busy(self) -> bool:
        """Return whether there is anything to be done."""
        return self._loop.busy

    def join(self, window: Sequence[Request]) -> Iterator[Response]:
        """Put requests to work; yield the responses that are there at once."""
        new: list[Writing] = []
        for request in window:
            if not isinstance(request.ask, Generate):
                raise TypeError("only a written answer can be written")
            prompt = self._prompter.prompt(request.key, request.ask)
            if isinstance(prompt, Response):
                yield prompt
                continue
            writing = self._find_or_start(prompt)
            if writing.ended:
                yield response(writing, prompt, self._codec)
            elif writing in self._asked:
                self._asked[writing].append(prompt)
            else:
                self._asked[writing] = [prompt]
                new.append(writing)
        self._loop.join(new)

    def step(self) -> Iterator[Response]:
        """Go one step; yield the responses to all who asked for the answers that ended."""
        ended: list[Writing] = []
        if self._loop.busy:
            self._loop.step(lambda writing: ended.append(writing) if writing.ended else None)
        for writing in ended:
            for prompt in self._asked.pop(writing):
                yield response(writing, prompt, self._codec)

    def _find_or_start(self, prompt: Prompt) -> Writing:
        if prompt.config.temperature > 0:
            return self._writer.start(prompt)
        same = (tuple(prompt.tokens), msgspec.structs.replace(prompt.config, seed=None))
        known = self._equal.get(same)
        if known is None or (known.ended and known.answer is None):
            known = self._equal[same] = self._writer.start(prompt)
            if len(self._equal) > _REMEMBERED:
                self._equal.popitem(last=False)
        return known


def response(writing: Writing, prompt: Prompt, codec: Codec) -> Response:
    """Return what an answer that has ended is to a prompt that asked for it."""
    answer = writing.answer
    if answer is None:
        return out_of_memory(prompt.key, len(prompt.tokens))
    if not answer.sound:
        return not_a_number(prompt.key)
    reasoning, text = split_reasoning(prompt.opening + answer.text)
    usage = Usage(prompt_tokens=len(prompt.tokens), completion_tokens=answer.tokens)
    if reasoning:
        usage.reasoning_tokens = len(codec.rendered(reasoning))
    return Response(
        key=prompt.key,
        text=text,
        reasoning=reasoning,
        finish_reason=answer.finish_reason,
        usage=usage,
        latency=answer.seconds,
        first_token=answer.first,
    )

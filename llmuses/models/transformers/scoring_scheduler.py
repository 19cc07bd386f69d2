"""Requests for log-probabilities: read ahead, scored as one tree of their prefixes, answered as they are complete."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.responses import not_a_number, out_of_memory, too_long
from llmuses.models.transformers.sharing import Scoring
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import Loglikelihood, Request, Response, Score, Usage

WINDOW = 4096
"""Requests that are read ahead, so that those with a common prefix come together, however they are mixed."""

WINDOW_CHARACTERS = 1 << 24
"""Characters of their contexts up to which they are."""


class ScoringScheduler:
    """Answers requests for log-probabilities.

    A request with more than ``max_length`` tokens to be read is rejected, never cut.
    """

    def __init__(self, codec: Codec, scoring: Scoring, max_length: int | None):
        self._codec = codec
        self._scoring = scoring
        self._max_length = max_length

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, as they are complete."""
        pending = iter(requests)
        while window := list(_window(pending)):
            yield from self._score(window)

    def _score(self, window: Sequence[Request]) -> Iterator[Response]:
        asked: list[Asked] = []
        owners: list[_Gathered] = []
        for request in window:
            assert isinstance(request.ask, Loglikelihood)
            pair = self._codec.pair(request.ask.context, request.ask.continuations)
            inputs = [max(len(continuation) - 1, 0) for continuation in pair.continuations]
            longest = len(pair.context) + max(inputs, default=0)
            gathered = _Gathered(request.key, pair.continuations, len(asked), longest, len(pair.context) + sum(inputs))
            if self._max_length is not None and longest > self._max_length:
                yield too_long(request.key, longest, self._max_length)
            elif not gathered.waiting:
                yield gathered.response()
            else:
                asked += [Asked(pair.context, continuation) for continuation in pair.continuations]
                owners += [gathered] * len(pair.continuations)
        for outcome in self._scoring.run(asked):
            touched: dict[int, _Gathered] = {}
            for reading in outcome.readings:
                owner = owners[reading.sequence]
                touched[id(owner)] = owner
                owner.add(reading.sequence, reading.logprob, reading.greedy)
            for sequence in outcome.lost:
                owner = owners[sequence]
                touched[id(owner)] = owner
                owner.lose()
            for owner in touched.values():
                owner.seconds += outcome.seconds
                if owner.waiting == 0 and not owner.answered:
                    owner.answered = True
                    yield owner.response()


def _window(pending: Iterator[Request]) -> Iterator[Request]:
    """Yield the requests of one window."""
    characters = 0
    for request in itertools.islice(pending, WINDOW):
        yield request
        assert isinstance(request.ask, Loglikelihood)
        characters += len(request.ask.context)
        if characters >= WINDOW_CHARACTERS:
            return


class _Gathered:
    """The scores of one request, as those of its tokens come back.

    ``first`` is the number of its first sequence, ``longest`` the tokens of the longest, ``tokens`` those that the
    network must have read for it.
    """

    def __init__(self, key: str, continuations: Sequence[list[int]], first: int, longest: int, tokens: int):
        self._key = key
        self._first = first
        self._longest = longest
        self._tokens = tokens
        self._logprobs: list[list[float]] = [[] for _ in continuations]
        self._greedy = [True] * len(continuations)
        self._complete = True
        self.waiting = sum(map(len, continuations))
        self.answered = False
        self.seconds = 0.0

    def add(self, sequence: int, logprob: float, greedy: bool) -> None:
        number = sequence - self._first
        self._logprobs[number].append(logprob)
        self._greedy[number] &= greedy
        self.waiting -= 1

    def lose(self) -> None:
        self._complete = False
        self.waiting = 0

    def response(self) -> Response:
        if not self._complete:
            return out_of_memory(self._key, self._longest)
        scores = [
            Score(logprob=math.fsum(logprobs), tokens=len(logprobs), greedy=greedy)
            for logprobs, greedy in zip(self._logprobs, self._greedy, strict=True)
        ]
        if any(score.logprob is None or math.isnan(score.logprob) for score in scores):
            return not_a_number(self._key)
        return Response(key=self._key, scores=scores, usage=Usage(prompt_tokens=self._tokens), latency=self.seconds)

"""Requests for log-probabilities: read ahead, scored as one tree of their prefixes, answered as they are complete."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.reading import Outcome, Reading
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
            asked: list[Asked] = []
            owners: list[_Gathered] = []
            yield from self._planned(window, asked, owners)
            unshared = 0.0  # what passes took that read nothing but common prefixes: the next answers share it
            for outcome in self._scoring.run(asked):
                unshared += outcome.seconds
                if outcome.readings or outcome.lost:
                    yield from _answered(outcome, owners, unshared)
                    unshared = 0.0

    def _planned(
        self, window: Sequence[tuple[str, Loglikelihood]], asked: list[Asked], owners: list[_Gathered]
    ) -> Iterator[Response]:
        """Add the sequences to score and the request of each; yield what needs no scoring."""
        pairs = self._codec.pairs([(ask.context, ask.continuations) for _, ask in window])
        for (key, _), pair in zip(window, pairs, strict=True):
            inputs = [max(len(continuation) - 1, 0) for continuation in pair.continuations]
            longest = len(pair.context) + max(inputs, default=0)
            gathered = _Gathered(key, pair.continuations, len(asked), longest, len(pair.context) + sum(inputs))
            if self._max_length is not None and longest > self._max_length:
                yield too_long(key, longest, self._max_length)
            elif not gathered.waiting:
                yield gathered.response()
            else:
                asked += [Asked(pair.context, continuation) for continuation in pair.continuations]
                owners += [gathered] * len(pair.continuations)


def _window(pending: Iterator[Request]) -> Iterator[tuple[str, Loglikelihood]]:
    """Yield the key and the ask of each request of one window."""
    characters = 0
    for request in itertools.islice(pending, WINDOW):
        assert isinstance(request.ask, Loglikelihood)
        yield request.key, request.ask
        characters += len(request.ask.context)
        if characters >= WINDOW_CHARACTERS:
            return


def _answered(outcome: Outcome, owners: Sequence[_Gathered], seconds: float) -> Iterator[Response]:
    """Hand what one pass gave to the requests that it belongs to, each sequence with an equal share of the seconds;
    yield the responses that are complete by it."""
    sequences = {reading.sequence for reading in outcome.readings}.union(outcome.lost)
    for sequence in sequences:
        owners[sequence].seconds += seconds / len(sequences)
    touched: dict[int, _Gathered] = {}
    for reading in outcome.readings:
        owner = touched.setdefault(id(owners[reading.sequence]), owners[reading.sequence])
        owner.add(reading)
    for sequence in outcome.lost:
        owner = touched.setdefault(id(owners[sequence]), owners[sequence])
        owner.lose()
    for owner in touched.values():
        if owner.waiting <= 0 and not owner.answered:
            owner.answered = True
            yield owner.response()


class _Gathered:
    """The scores of one request, as those of its tokens come back.

    ``first`` is the number of its first sequence, ``longest`` the tokens of the longest, ``tokens`` those that the
    network must have read for it, ``seconds`` its share of the passes that read them.
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

    def add(self, reading: Reading) -> None:
        number = reading.sequence - self._first
        self._logprobs[number].append(reading.logprob)
        self._greedy[number] &= reading.greedy
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

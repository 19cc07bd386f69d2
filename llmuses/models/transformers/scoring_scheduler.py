"""Requests for log-probabilities: which rows they need, in what order, and the responses as their rows come back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from llmuses.models.transformers.batching import Batcher
from llmuses.models.transformers.responses import not_a_number, out_of_memory, too_long
from llmuses.models.transformers.scoring import Row, Scorer, plan_rows
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import Loglikelihood, Request, Response, Score, Usage


class ScoringScheduler:
    """Answers the requests for log-probabilities among those of a window.

    A request with a row beyond ``max_length`` tokens is rejected, never cut.
    """

    def __init__(self, codec: Codec, scorer: Scorer, batcher: Batcher, max_length: int | None):
        self._codec = codec
        self._scorer = scorer
        self._batcher = batcher
        self._max_length = max_length

    def run(self, window: Sequence[Request]) -> Iterator[Response]:
        """Yield one response for each request for log-probabilities, longest first."""
        gathered: dict[int, _Gathered] = {}
        rows: list[Row] = []
        for number, request in enumerate(window):
            if not isinstance(request.ask, Loglikelihood):
                continue
            pair = self._codec.pair(request.ask.context, request.ask.continuations)
            planned = plan_rows(number, pair.context, pair.continuations)
            longest = _longest_row(planned) if planned else 0
            if self._max_length is not None and longest > self._max_length:
                yield too_long(request.key, longest, self._max_length)
            elif not planned:
                yield Response(key=request.key, scores=[])
            else:
                gathered[number] = _Gathered(request.key, planned)
                rows += planned
        # Rows of one request stay together, so that it ends soon after it began.
        rows.sort(key=lambda row: (-gathered[row.request].longest, row.request))
        for row, scores, seconds in self._batcher.run(rows, _longest_row, self._scorer.score):
            answer = gathered[row.request]
            answer.add(scores, seconds)
            if answer.waiting == 0:
                yield gathered.pop(row.request).response()


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
            return out_of_memory(self._key, self.longest)
        scores = [score for _, score in sorted(self._scores.items())]
        if any(score.logprob is None or math.isnan(score.logprob) for score in scores):
            return not_a_number(self._key)
        return Response(key=self._key, scores=scores, usage=Usage(prompt_tokens=self._tokens), latency=self._seconds)


def _longest_row(rows: Sequence[Row]) -> int:
    return max(len(row.tokens) for row in rows)

"""Log-probabilities out of vLLM: a way of scoring, as llmuses.models.transformers.sharing means it.

vLLM does not read its cache of prefixes for a request that asks for log-probabilities of the prompt. What follows a
prompt directly needs none of them: a continuation of one token, and the last token of any other, is read off the
distribution of one generated token, so that options of one token cost what they do not share and no more.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from llmuses.errors import ModelError
from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.reading import Outcome, Reading
from llmuses.models.vllm.engine import Engine, Inbox

MOST_TARGETS = 128
"""How many tokens' log-probabilities vLLM gives for one generated token (``MAX_LOGPROB_TOKEN_IDS``)."""


class EngineScorer:
    """Scores sequences. Those that differ in their last token alone are one request to the engine."""

    name = "vllm"

    def __init__(self, engine: Engine):
        self._engine = engine

    def run(self, asked: Sequence[Asked]) -> Iterator[Outcome]:
        """Yield what is found about some sequences, as it is found. Those with a common beginning are sent together."""
        with Inbox(self._engine) as inbox:
            waiting: dict[str, _Read] = {}
            for read in _reads(asked):
                waiting[inbox.send(read.tokens, read.params())] = read
            began = time.perf_counter()
            while waiting:
                for number, output in inbox.receive():
                    if not output.finished:
                        continue
                    now = time.perf_counter()
                    yield Outcome(list(waiting.pop(number).readings(output)), [], now - began)
                    began = now


class _Read:
    """Tokens that are read once, and what is asked of them.

    ``targets`` are the tokens that may follow, by the sequences that end in each; ``inside`` are sequences with more
    than one token to score, by how many of these stand at the end of ``tokens``.
    """

    def __init__(self, tokens: list[int]):
        self.tokens = tokens
        self.targets: dict[int, list[int]] = {}
        self.inside: list[tuple[int, int]] = []

    def params(self) -> Any:
        from vllm import SamplingParams

        return SamplingParams(
            max_tokens=1,
            temperature=0.0,
            logprobs=len(self.targets),
            logprob_token_ids=list(self.targets),
            prompt_logprobs=0 if self.inside else None,
            detokenize=False,
        )

    def readings(self, output: Any) -> Iterator[Reading]:
        """Yield what a finished output says. Raises ModelError where vLLM left something out."""
        (written,) = output.outputs
        if not written.logprobs or (self.inside and not output.prompt_logprobs):
            raise ModelError(f"vLLM gave no log-probabilities ({written.finish_reason}): the same command asks again.")
        (chosen,) = written.token_ids
        for target, sequences in self.targets.items():
            logprob = written.logprobs[0][target].logprob
            for sequence in sequences:
                yield Reading(sequence, logprob, target == chosen)
        for sequence, length in self.inside:
            for place in range(len(self.tokens) - length, len(self.tokens)):
                found = output.prompt_logprobs[place][self.tokens[place]]
                yield Reading(sequence, found.logprob, found.rank == 1)


def _reads(asked: Sequence[Asked]) -> list[_Read]:
    """Return what must be read for some sequences, sorted so that common beginnings follow each other."""
    reads: dict[bytes, list[_Read]] = {}
    for sequence, (context, continuation) in enumerate(asked):
        if not continuation:
            continue  # nothing is asked of it
        tokens = context + continuation[:-1]
        same = reads.setdefault(array("I", tokens).tobytes(), [])
        target = continuation[-1]
        read = next((read for read in same if target in read.targets or len(read.targets) < MOST_TARGETS), None)
        if read is None:
            read = _Read(tokens)
            same.append(read)
        read.targets.setdefault(target, []).append(sequence)
        if len(continuation) > 1:
            read.inside.append((sequence, len(continuation) - 1))
    return [read for _, same in sorted(reads.items(), key=lambda item: item[0]) for read in same]

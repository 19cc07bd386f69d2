"""Which token follows: greedy, or drawn, for each row by its own settings and its own random numbers."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Sequence
from typing import Any

import torch

from llmuses.records import GenerationConfig

_CANDIDATES = 1024
"""So many of the likeliest tokens are sorted first; top_p rarely needs more."""


class Choice:
    """How one row's next token is chosen.

    What a request leaves open (top_p, top_k, repetition_penalty) is taken from the checkpoint's ``defaults``; a
    request's temperature decides between greedy decoding and sampling. Numbers drawn follow from the seed and the
    prompt: two prompts with one seed draw different ones.
    """

    def __init__(self, config: GenerationConfig, defaults: Any, prompt: Sequence[int]):
        self.temperature = float(config.temperature)
        self.top_k = int(_setting(config, defaults, "top_k") or 0)
        top_p = _setting(config, defaults, "top_p")
        self.top_p = 1.0 if top_p is None else top_p
        penalty = _setting(config, defaults, "repetition_penalty")
        self.penalty = 1.0 if penalty is None else penalty
        self._random = random.Random(_seed(config.seed, prompt))
        self._seen = set(prompt) if self.penalty != 1.0 else set()

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken."""
        return self.temperature <= 0

    def penalise(self, logits: torch.Tensor, written: Sequence[int]) -> None:
        """Make tokens that were read or written less likely, in place, as CTRL does (arXiv 1909.05858, 4.1)."""
        if self.penalty == 1.0:
            return
        self._seen.update(written[-1:])
        seen = torch.tensor(sorted(self._seen), device=logits.device)
        scores = logits[seen]
        logits[seen] = torch.where(scores < 0, scores * self.penalty, scores / self.penalty)

    def draw(self) -> float:
        """Return the next random number, in [0, 1)."""
        return self._random.random()


def _setting(config: GenerationConfig, defaults: Any, name: str) -> float | None:
    asked = getattr(config, name)
    value = getattr(defaults, name, None) if asked is None else asked
    return None if value is None else float(value)


def _seed(seed: int | None, prompt: Sequence[int]) -> int | None:
    if seed is None:
        return None
    digest = hashlib.blake2b(f"{seed}/".encode() + array("q", prompt).tobytes(), digest_size=16).digest()
    return int.from_bytes(digest, "big")


@torch.inference_mode()
def choose(logits: torch.Tensor, choices: Sequence[Choice], written: Sequence[Sequence[int]]) -> list[int]:
    """Return the next token of each row. ``logits`` is (rows, vocabulary) in float32 and is overwritten.

    ``written`` is what each row has written so far.
    """
    for row, choice in enumerate(choices):
        choice.penalise(logits[row], written[row])
    chosen: list[int] = logits.argmax(dim=-1).tolist()
    for row, choice in enumerate(choices):
        if not choice.greedy:
            chosen[row] = _drawn(logits[row] / choice.temperature, choice)
    return chosen


def _drawn(logits: torch.Tensor, choice: Choice) -> int:
    """Return a token drawn from the softmax of (vocabulary,) logits, cut by top_k and then by top_p.

    top_p keeps the likeliest tokens whose mass before each is below it (nucleus sampling, arXiv 1904.09751).
    """
    number = choice.draw()
    if not choice.top_k and choice.top_p >= 1:
        probabilities = torch.softmax(logits.nan_to_num(0.0).double(), dim=-1)
        return _at(probabilities.cumsum(0), number)
    size = len(logits)
    count = min(choice.top_k or _CANDIDATES, size)
    while True:
        values, tokens = logits.nan_to_num(0.0).double().topk(count)
        whole = (values if choice.top_k else logits.double()).logsumexp(dim=0)
        upto = (values - whole).exp().cumsum(0)
        if choice.top_k or count == size or upto[-1] >= choice.top_p:
            break
        count = size
    kept = int((upto < choice.top_p).sum()) + 1 if choice.top_p < 1 else count
    return int(tokens[_at(upto[:kept], number)])


def _at(upto: torch.Tensor, number: float) -> int:
    """Return the index into which a number in [0, 1) falls, by cumulated probabilities that may end below 1."""
    place = torch.searchsorted(upto, number * float(upto[-1]), right=True)
    return min(int(place), len(upto) - 1)

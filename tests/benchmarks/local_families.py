"""How networks of many makes are scored: by which way, how exactly, how fast against the plain way."""

from __future__ import annotations

import random
import time

import torch
import transformers

from llmuses.models.transformers.batching import Batcher, TokenBudget
from llmuses.models.transformers.copied_scoring import CopiedScorer
from llmuses.models.transformers.merged_scoring import MergedScorer
from llmuses.models.transformers.plain_scoring import PlainScorer
from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.reading import Reader
from llmuses.models.transformers.sharing import Scoring, choose
from llmuses.models.transformers.turns import Turns
from tests.support.tiny_families import FAMILIES, tiny_family


def _sequences(shared: int, questions: int) -> list[Asked]:
    chance = random.Random(0)
    shots = [chance.randrange(5, 120) for _ in range(shared)]
    contexts = [shots + [chance.randrange(5, 120) for _ in range(chance.randint(10, 30))] for _ in range(questions)]
    return [
        Asked(context, [chance.randrange(5, 120) for _ in range(chance.randint(1, 6))])
        for context in contexts
        for _ in range(4)
    ]


def _timed(way: Scoring, asked: list[Asked]) -> tuple[list[float], float]:
    found = [0.0] * len(asked)
    began = time.process_time()
    for outcome in way.run(asked):
        for reading in outcome.readings:
            found[reading.sequence] += reading.logprob
    return found, time.process_time() - began


def families_table() -> None:
    """Print the way of each family, its largest difference from the plain way, and how many times as fast it is."""
    torch.set_num_threads(1)
    asked, trials = _sequences(200, 16), _sequences(40, 3)
    print("Families: 16 rows of four endings behind 200 tokens in common, two small layers, 1 thread, one round")
    for name in FAMILIES:
        network = transformers.AutoModelForCausalLM.from_pretrained(tiny_family(name, spread=0.1))
        reader = Reader(network, torch.device("cpu"), 0, Turns())
        batcher = Batcher(512, 2_048, None)
        plain = PlainScorer(reader, batcher)
        ways = MergedScorer(reader, TokenBudget(2_048, 1 << 24)), CopiedScorer(reader, batcher)
        way = choose(ways, plain, lambda worth: trials, torch.float32, name)
        found, seconds = _timed(way, asked)
        expected, plainly = _timed(plain, asked)
        off = max(abs(one - two) for one, two in zip(found, expected, strict=True))
        print(f"  {name:12} {way.name:8} {off:8.1e} {plainly / seconds:6.1f} x the plain way (CPU time)", flush=True)

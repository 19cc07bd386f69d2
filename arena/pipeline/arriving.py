"""Battles while the judge is still at work: those of which everything is said already, written down every few seconds.

So that people can watch a ranking settle, and what was decided before a crash is in the record.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from arena.pipeline.battles import Decided, outcomes, record
from arena.pipeline.judging import Bench, Call, Fate, Verdict
from llmuses.records import Battle

EVERY = 2.0
"""Seconds between two looks at what was decided."""


def settled(bench: Bench, verdicts: Mapping[Call, Verdict]) -> list[Battle]:
    """Return the battles of the slots of which every call was made and read. Of others it is not known yet what they come to."""
    wanted = Counter(call.slot for call in bench.calls())
    read = Counter(call.slot for call, verdict in verdicts.items() if verdict.fate is Fate.READ)
    whole = {slot: place for place, slot in enumerate(slot for slot in wanted if read[slot] == wanted[slot])}
    known = {Call(whole[c.slot], c.swapped): verdict for c, verdict in verdicts.items() if c.slot in whole}
    found = outcomes(bench._replace(slots=[bench.slots[slot] for slot in whole]), known)
    return [each.battle for each in found if isinstance(each, Decided)]


class Arriving:
    """Writes battles into a file of them as they are decided; ``replaced`` counts earlier ones that these take out.

    Raises StoreError.
    """

    def __init__(self, path: Path):
        self.replaced = 0
        self._path = path
        self._due = time.monotonic() + EVERY

    @property
    def due(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() >= self._due

    def take(self, bench: Bench, verdicts: Mapping[Call, Verdict]) -> None:
        """Write down what was decided."""
        if battles := settled(bench, verdicts):
            self.replaced += record(self._path, battles).replaced
        self._due = time.monotonic() + EVERY

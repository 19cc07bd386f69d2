"""How often: each deed is counted for its voter, and for the block and the site of addresses that it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from arena.live.refusal import Refusal
from arena.live.rules import SITE, Rate, RateLimits, Slots
from arena.live.visitor import Visitor

_MOST_KEYS = 50_000
"""So many visitors and blocks are counted before old ones are looked through and forgotten."""


class Limiter:
    """Counts deeds in this process. Times are kept one by one, so that a limit holds for any stretch of time."""

    def __init__(self, rates: RateLimits, clock: Callable[[], float]):
        self._rates = rates
        self._clock = clock
        self._done: dict[tuple[str, str], list[float]] = {}
        self._sweep_at = _MOST_KEYS

    def take(self, deed: str, visitor: Visitor) -> None:
        """Count a deed, a name of RateLimits. Raises Refusal ``rate``, and counts nothing, where it was done too often."""
        rates = getattr(self._rates, deed)
        now = self._clock()
        counted = [(f"{deed}.v", visitor.voter, rates.voter), (f"{deed}.b", visitor.block, rates.block)]
        counted += [(f"{deed}.s", visitor.site, rates.site)] if visitor.site else []
        wait = max(
            (self._wait((kind, key), rate, now) for kind, key, limits in counted for rate in limits), default=0.0
        )
        if wait > 0:
            raise Refusal("rate", retry_after=wait)
        for kind, key, limits in counted:
            if limits:
                longest = max(rate.count for rate in limits)
                times = self._done.setdefault((kind, key), [])
                times.append(now)
                del times[:-longest]
        if len(self._done) > self._sweep_at:
            self._sweep(now)

    def _wait(self, key: tuple[str, str], rate: Rate, now: float) -> float:
        """Return the seconds until one more is allowed; 0 for now."""
        times = self._done.get(key, ())
        return max(0.0, times[-rate.count] + rate.seconds - now) if len(times) >= rate.count else 0.0

    def _sweep(self, now: float) -> None:
        """Forget who did nothing for as long as a limit of this deed looks back."""
        back = {}
        for deed in self._rates.__struct_fields__:
            rates = getattr(self._rates, deed)
            for kind, limits in ((f"{deed}.v", rates.voter), (f"{deed}.b", rates.block), (f"{deed}.s", rates.site)):
                back[kind] = max((rate.seconds for rate in limits), default=0.0)
        self._done = {key: times for key, times in self._done.items() if times[-1] > now - back[key[0]]}
        self._sweep_at = max(_MOST_KEYS, 2 * len(self._done))


class Places:
    """How many battles are being written at once, over all and for each voter and block."""

    def __init__(self, slots: Slots):
        self._slots = slots
        self._taken: Counter[str] = Counter()
        self.taken = 0

    @contextmanager
    def one(self, visitor: Visitor) -> Iterator[None]:
        """Hold a place. Raises Refusal: ``busy`` where the arena is full, ``rate`` where the visitor has enough under way."""
        slots, keys = self._slots, [f"v{visitor.voter}", f"b{visitor.block}"]
        keys += [f"s{visitor.site}"] if visitor.site else []
        if self.taken >= slots.writing:
            raise Refusal("busy", retry_after=10)
        limits = (slots.writing_per_voter, slots.writing_per_block, SITE * slots.writing_per_block)
        if any(self._taken[key] >= limit for key, limit in zip(keys, limits, strict=False)):
            raise Refusal("rate", retry_after=5)
        self.taken += 1
        self._taken.update(keys)
        try:
            yield
        finally:
            self.taken -= 1
            self._taken.subtract(keys)
            for key in keys:
                if not self._taken[key]:
                    del self._taken[key]

"""The highest point of a likelihood that has only one, by Newton's method with halved steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from arena.ratings.counts import Floats

_STEPS, _HALVINGS = 100, 40


def climb(
    start: Floats,
    height: Callable[[Floats], float],
    newton: Callable[[Floats], Floats],
    accuracy: float = 1e-10,
    furthest: float = np.inf,
) -> Floats:
    """Return where ``height`` is greatest, seen from ``start``: there Newton's own step, which ``newton`` returns, is
    shorter than ``accuracy``.

    Raises ValueError where it does not come to rest, or goes further than ``furthest``: the maximum is not finite.
    """
    at, value = start, height(start)
    for _ in range(_STEPS):
        step = newton(at)
        if np.abs(step).max() < accuracy:
            return at
        for _ in range(_HALVINGS):
            further = at + step
            gained = height(further)
            if gained >= value - 1e-12 * abs(value):
                break
            step = step / 2
        at, value = further, gained
        if np.abs(at).max() > furthest:
            break
    raise ValueError("the battles bound no finite rating")

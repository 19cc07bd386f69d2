"""pass@k: the chance that at least one of k answers to a question is right."""

from __future__ import annotations

import math


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Return the unbiased estimate of pass@k of one question, of whose ``n`` answers ``correct`` are right.

    It is 1 - C(n - c, k) / C(n, k): the chance that k answers drawn from the n without replacement hold a right one,
    as a product whose factors all lie in [0, 1], so that no binomial coefficient can overflow. Over questions the
    estimates are independent and have a plain mean; its variance is theirs over the number of questions.
    Source: Chen et al. (2021), "Evaluating large language models trained on code", arXiv:2107.03374, section 2.1.
    Raises ValueError where k is not in 1..n or ``correct`` not in 0..n.
    """
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} needs at least {k} answers to a question, not {n}")
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} of {n} answers cannot be right")
    if n - correct < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - correct + 1, n + 1))

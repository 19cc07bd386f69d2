"""How close a written answer is to a reference text: exact match, token F1, ROUGE, sentence BLEU.

Each metric is a pure function of an answer and its references, in [0, 1]; English counts by words, Chinese and Japanese
by characters, mixed text by both. With several references the closest one counts (BLEU counts them together).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from llmuses.metrics.words import bleu_units, plain, plain_units, words

BLEU_ORDER = 4
"""The longest n-grams that BLEU counts."""


def exact_match(answer: str, references: Sequence[str]) -> float:
    """Return 1.0 where an answer equals a reference in its plain form (see ``words.plain``), else 0.0."""
    return float(plain(answer) in {plain(reference) for reference in references})


def token_f1(answer: str, references: Sequence[str]) -> float:
    """Return the F1 of the tokens that an answer shares with its closest reference.

    Rajpurkar et al. (2016), "SQuAD: 100,000+ Questions for Machine Comprehension of Text", section 6.1; two texts
    without any token are equal, as in SQuAD 2.0.
    """
    given = plain_units(answer)
    return max((_bag_f1(given, plain_units(reference)) for reference in references), default=0.0)


def _bag_f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    if not given or not wanted:
        return float(not given and not wanted)
    return _f1((Counter(given) & Counter(wanted)).total(), len(given), len(wanted))


def _f1(shared: int, given: int, wanted: int) -> float:
    return 2 * shared / (given + wanted) if shared else 0.0


def rouge(answer: str, references: Sequence[str]) -> dict[str, float]:
    """Return ``rouge_l``, ``rouge_1`` and ``rouge_2``: F-measures with equal weights, of the closest reference each.

    Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries". On ASCII text the figures are those of the
    rouge-score package with ``use_stemmer=False``; ``rouge_l`` is over the whole text, as its ``rougeL``.
    """
    given = words(answer)
    wanted = [words(reference) for reference in references]
    return {
        "rouge_l": max((_f1(common_length(given, text), len(given), len(text)) for text in wanted), default=0.0),
        "rouge_1": max((_rouge_n(given, text, 1) for text in wanted), default=0.0),
        "rouge_2": max((_rouge_n(given, text, 2) for text in wanted), default=0.0),
    }


def _rouge_n(given: Sequence[str], wanted: Sequence[str], n: int) -> float:
    ours, theirs = _ngrams(given, n), _ngrams(wanted, n)
    return _f1((ours & theirs).total(), ours.total(), theirs.total())


def _ngrams(units: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(units[i : i + n]) for i in range(len(units) - n + 1))


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence of two token lists.

    Bit-parallel (Hyyrö 2004, "Bit-parallel LCS-length computation revisited"): one machine word holds the state of 64
    tokens, so that answers of many thousand characters stay cheap.
    """
    one, other = sorted((one, other), key=len)  # the shorter one makes the bits
    places: dict[str, int] = {}
    for place, unit in enumerate(one):
        places[unit] = places.get(unit, 0) | 1 << place
    all_places = (1 << len(one)) - 1
    row = all_places
    for unit in other:
        matches = row & places.get(unit, 0)
        row = ((row + matches) | (row - matches)) & all_places
    return len(one) - row.bit_count()


def sentence_bleu(answer: str, references: Sequence[str]) -> float:
    """Return the BLEU of one answer: n-grams up to 4, exponential smoothing, effective order.

    Papineni et al. (2002), "BLEU: a Method for Automatic Evaluation of Machine Translation". The k-th order without
    any match counts as 1 / 2^k matches (the third technique of Chen and Cherry 2014, "A Systematic Comparison of
    Smoothing Techniques for Sentence-Level BLEU"); orders longer than the answer are left out, so that a short answer
    that is all right scores 1. The same as sacrebleu's ``sentence_bleu``, divided by 100.
    """
    given = bleu_units(answer)
    wanted = [bleu_units(reference) for reference in references]
    if not given or not wanted:
        return 0.0
    precisions: list[float] = []
    missed, any_match = 0, False
    for n in range(1, min(BLEU_ORDER, len(given)) + 1):
        ours = _ngrams(given, n)
        theirs: Counter[tuple[str, ...]] = Counter()
        for text in wanted:
            theirs |= _ngrams(text, n)
        matches = (ours & theirs).total()
        any_match |= matches > 0
        missed += matches == 0
        precisions.append((matches or 0.5**missed) / ours.total())
    if not any_match:
        return 0.0
    mean = math.exp(sum(map(math.log, precisions)) / len(precisions))
    return mean * _brevity(len(given), [len(text) for text in wanted])


def _brevity(given: int, wanted: Sequence[int]) -> float:
    """Return the penalty for an answer shorter than the reference that is nearest in length (the shorter of two)."""
    nearest = min(wanted, key=lambda length: (abs(length - given), length))
    return 1.0 if given >= nearest else math.exp(1 - nearest / given)

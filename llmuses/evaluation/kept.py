"""Reviews of an earlier start of a run, and which of them still hold."""

from __future__ import annotations

from collections.abc import Container, Sequence

from llmuses.inference import superseded
from llmuses.records import Prediction, Review, Status
from llmuses.store import JsonlStore


class KeptReviews:
    """Finds earlier reviews that still hold: same answer, same target, same version of the scorer.

    One without a score from 0 to 1 for each of the ``metrics`` holds no more. With ``rescore`` all of them are set aside
    at once.
    """

    def __init__(self, store: JsonlStore[Review], version: int, metrics: Sequence[str], rescore: bool):
        self._store = store
        if rescore and store.path.exists():
            store.keep_only((), superseded(store.path))
        self._offsets: dict[int, int] = {}
        self._used: set[int] = set()
        reader = store.read()
        for known in reader:
            whole = all(0 <= known.scores.get(metric, -1) <= 1 for metric in metrics)
            if whole and known.scorer == version and known.status is not Status.FAILED:
                self._offsets[_review_id(known, known.target)] = reader.offset
        self._boundary = reader.cursor.offset

    def find(self, prediction: Prediction, target: str, same_as: Review | None = None) -> Review | None:
        """Return the review of a stored prediction, None where it has to be made.

        ``same_as``: only one that holds the same judge's verdict.
        """
        offset = self._offsets.get(_review_id(prediction, target))
        if offset is None:
            return None
        known = next(self._store.read_at([offset]))
        if same_as is not None and (same_as.status is Status.FAILED or known.verdict != same_as.verdict):
            return None
        self._used.add(offset)
        return known

    def drop_superseded(self) -> None:
        """Set aside the earlier reviews that were not found again."""
        if self._boundary and len(self._used) < self._store.count_lines():
            self._store.keep_only(_UsedOrLater(self._used, self._boundary), superseded(self._store.path))


class _UsedOrLater(Container[int]):
    def __init__(self, used: set[int], boundary: int):
        self._used, self._boundary = used, boundary

    def __contains__(self, offset: object) -> bool:
        return offset in self._used or (isinstance(offset, int) and offset >= self._boundary)


def _review_id(line: Prediction | Review, target: str) -> int:
    return hash((line.key, line.sample_id, line.subset, line.repeat, target))

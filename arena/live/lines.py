"""The arena's file of battles: a line that was acknowledged is on the disk itself, and many are forced there at once."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from llmuses.errors import LlmusesError, StoreError
from llmuses.records import Record
from llmuses.store import JsonlStore, Sync

_Waiting = tuple[Sequence[Record], "Future[None]"]


class Lines:
    """Writes lines in the order in which they come. Any number of processes may write to one file.

    One thread writes: what comes while it waits for the disk is written and forced there together (a group commit), so
    that the number of acknowledged votes a second does not hang on how long one fsync takes.
    """

    def __init__(self, path: Path):
        self.path = path
        self._store: JsonlStore[Record] = JsonlStore(path, Record, Sync.ALWAYS)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def write(self, *records: Record) -> None:
        """Return when these records are on the disk, next to each other. Raises StoreError; then none of them is.

        A caller that is cancelled meanwhile takes nothing back: the records are written all the same.
        """
        await asyncio.shield(asyncio.wrap_future(self._put(records)))

    def write_now(self, *records: Record) -> None:
        """Do as ``write`` does, and block."""
        self._put(records).result()

    def _put(self, records: Sequence[Record]) -> Future[None]:
        written: Future[None] = Future()
        with self._mutex:
            if self._closed:
                raise StoreError(f"{self.path} is closed.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="battle lines", daemon=True)
                self._thread.start()
            self._queue.put((records, written))
        return written

    def close(self) -> None:
        """Write what is waiting, and end."""
        with self._mutex:
            self._closed = True
            if self._thread is not None:
                self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        self._store.close()

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if item is None:
                return
            waiting, more = [item], True
            while more:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    more = False
                else:
                    waiting.append(item)
            self._commit(waiting)
            if not more:
                return

    def _commit(self, waiting: Sequence[_Waiting]) -> None:
        try:
            self._store.append_all([record for records, _ in waiting for record in records])
        except LlmusesError as problem:
            for _, written in waiting:
                written.set_exception(problem)
        else:
            for _, written in waiting:
                written.set_result(None)

"""What an admin decides while the arena runs: the content filter's words, and the terms. ``house.json`` in its folder.

What stands there wins over the rules' file; all processes of the arena see a change with the next visitor.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from pathlib import Path

import msgspec

from arena.live.texts import texts
from llmuses.errors import StoreError
from llmuses.i18n import LANGUAGES
from llmuses.records import Record
from llmuses.store import read_json, write_json

FILE = "house.json"
_log = logging.getLogger(__name__)


class House(Record, kw_only=True, omit_defaults=False):
    """The file. ``words`` are those of the filter, ``terms`` paragraphs by language; None and a language that is missing:
    as the rules and the page have them."""

    words: tuple[str, ...] | None = None
    terms: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


_NOTHING = House()


def terms_version(house: House) -> str:
    """Return what changes whenever the terms do, in any language; those that come with the page are meant where the house has
    none."""
    words = {lang: tuple(house.terms.get(lang) or texts(lang, "terms")) for lang in LANGUAGES}
    return hashlib.blake2b(msgspec.json.encode(words), digest_size=6).hexdigest()


class HouseFile:
    """Reads the file again whenever it changed. May be used from many threads."""

    def __init__(self, folder: Path):
        self._path = folder / FILE
        self._mutex = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._house = _NOTHING

    def now(self) -> House:
        """Return what holds now. A file that cannot be read changes nothing: that is said in the log."""
        with self._mutex:
            sign = self._sign()
            if sign != self._seen:
                self._seen = sign
                try:
                    self._house = _NOTHING if sign is None else read_json(self._path, House)
                except StoreError as problem:
                    _log.error("what an admin decided stays as it was: %s", problem)
            return self._house

    def write(self, house: House) -> None:
        """Replace the file whole. Raises StoreError."""
        write_json(self._path, house)

    @property
    def stamp(self) -> str:
        """Return what changes whenever the file does."""
        return "-".join(map(str, self._sign() or ("none",)))

    def _sign(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

"""Backups, and the mark of a folder of runs."""

from __future__ import annotations

from llmuses.records.base import FORMAT, Record


class FolderMark(Record, kw_only=True, omit_defaults=False):
    """``OUTPUTS/.llmuses.json``: the form of the stores below, and a random name that goes with them into their backups."""

    format: int = FORMAT
    folder: str


class KeptFile(Record, kw_only=True):
    """One file of a backup: its path below OUTPUTS, its bytes, and the SHA-256 of each piece of 4 MiB."""

    path: str
    size: int
    pieces: list[str]


class Manifest(Record, kw_only=True, omit_defaults=False):
    """What a backup holds, ``manifest.json``, and what was ``left_out`` of it that is more than a lock or a cache."""

    format: int = FORMAT
    folder: str
    files: list[KeptFile]
    left_out: list[str] = []
    llmuses_version: str = ""
    tstamp: float = 0.0


class MirrorState(Record, kw_only=True, omit_defaults=False):
    """``OUTPUTS/.backup.json``: when the copy at ``where`` was tried (0: never) and done last, and what was wrong then ("": nothing).

    ``known`` is the time of the manifest that this folder was copied to, or filled from, last; ``sent`` of one that was on its
    way when that broke off.
    """

    where: str
    tried: float = 0.0
    done: float | None = None
    problem: str = ""
    known: float | None = None
    sent: float | None = None

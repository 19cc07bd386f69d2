"""From files of other programs to battles: which format a row has, and what could not be read."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from arena.comparisons import comparison_id
from arena.formats.base import Format, NoBattle, Row
from arena.formats.judgments import ALPACA_EVAL, ARENA_HARD, MT_BENCH, REVIEWS, SCORES
from arena.formats.votes import COMPARED, FASTCHAT, OWN, VOTES
from llmuses.errors import DataError
from llmuses.records import Battle

FORMATS: tuple[Format, ...] = (OWN, FASTCHAT, COMPARED, MT_BENCH, ALPACA_EVAL, ARENA_HARD, REVIEWS, VOTES, SCORES)
"""In the order in which a row is tried."""


class Converted:
    """What became of the rows: iterate over the battles, then look at ``read`` (by format), ``skipped`` (by reason) and
    ``taken_out``, how many battles exclusion and redaction lines name."""

    def __init__(self, rows: Iterable[Row], baseline: str | None = None, taken_out: Collection[str] = ()):
        self.read: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.taken_out = 0
        self._rows = rows
        self._baseline = baseline
        self._gone = taken_out
        self._seen: set[tuple[str, str]] = set()

    def __iter__(self) -> Iterator[Battle]:
        for row in self._rows:
            if takes_out(row) or restores(row):
                continue
            form = next((one for one in FORMATS if one.fits(row)), None)
            if form is None:
                self.skipped["no format that is known"] += 1
                continue
            try:
                battle = form.battle(row, self._baseline)
            except NoBattle as problem:
                self.skipped[str(problem)] += 1
                continue
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
                self.skipped[f"a row of {form.name} that is broken ({type(problem).__name__})"] += 1
                continue
            if (who := (battle.battle_id, battle.judge)) in self._seen:
                self.skipped["the same row again"] += 1
                continue
            self._seen.add(who)
            if battle.battle_id in self._gone:
                self.taken_out += 1
                continue
            battle.comparison_id = battle.comparison_id or comparison_id(battle)
            self.read[form.name] += 1
            yield battle


def takes_out(row: Row) -> bool:
    """Return whether a row is an exclusion or a redaction line: it names a battle and a reason, and is no battle itself."""
    return "battle_id" in row and "reason" in row and not {"model_a", "model_b"} & row.keys()


def restores(row: Row) -> bool:
    """Return whether a row takes back the exclusions of a battle up to its time stamp."""
    return "battle_id" in row and "restored" in row and not {"model_a", "model_b"} & row.keys()


def taken_out(rows: Iterable[Row]) -> set[str]:
    """Return the battles that count no more: excluded after they were last restored, or withdrawn for good."""
    out: dict[str, float] = {}
    back: dict[str, float] = {}
    for row in rows:
        if takes_out(row) or restores(row):
            last, name = out if takes_out(row) else back, str(row["battle_id"])
            stamp = row.get("tstamp")
            said = math.inf if row.get("redacted") else float(stamp) if isinstance(stamp, int | float) else 0.0
            last[name] = max(said, last.get(name, -1.0))
    return {name for name, said in out.items() if said > back.get(name, -1.0)}


def convert(rows: Iterable[Row], baseline: str | None = None) -> Converted:
    """Return rows of other programs as battles. ``baseline`` names the model that Arena-Hard 0.1 leaves unnamed.

    Battles that exclusion or redaction lines name, wherever these stand, are left out.
    """
    known = list(rows)
    return Converted(known, baseline, taken_out(known))


def convert_files(paths: Sequence[Path], baseline: str | None = None) -> Converted:
    """Return the rows of JSONL, JSON or CSV files, which may be gzipped, as battles. Raises DataError for what is none.

    Battles that exclusion or redaction lines of any of the files name are left out; the files are read twice for it.
    """
    gone = taken_out(row for path in paths for row in rows_of(path))
    return Converted((row for path in paths for row in rows_of(path)), baseline, gone)


def rows_of(path: Path) -> Iterator[Row]:
    """Yield the rows of one file. Raises DataError for a file that is none of these, naming the line."""
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
            if suffixes[-1:] == [".csv"]:
                yield from _table(io.TextIOWrapper(file, "utf-8-sig", newline=""))
                return
            first = file.read(1)
            while first.isspace() or first == b"\xef":
                first = file.read(1)
            file.seek(0)
            yield from _listed(path, file.read()) if first == b"[" else _lines(path, file)
    except (OSError, EOFError) as problem:
        raise DataError(f"cannot read {path}: {getattr(problem, 'strerror', None) or problem}.") from problem


def _table(file: io.TextIOWrapper) -> Iterator[Row]:
    """Yield the rows of a CSV file; a cell holds a whole conversation, and the limit on cells is the process's own."""
    rows = csv.DictReader(file)
    while True:
        before = csv.field_size_limit(1 << 30)
        try:
            row = next(rows, None)
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        yield row


def _listed(path: Path, content: bytes) -> Sequence[Row]:
    try:
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise DataError(f"{path}: not a list of JSON objects ({problem}).") from problem


def _lines(path: Path, lines: Iterable[bytes]) -> Iterator[Row]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield decode(line.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            if not line.endswith(b"\n"):
                return  # a log that is being written to
            raise DataError(f"{path}:{number}: not a JSON object ({problem}).") from problem

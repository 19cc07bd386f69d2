"""Rows of a benchmark from files: CSV, JSONL, JSON and Parquet, streamed as dictionaries.

A benchmark names where its files may lie as path templates such as ``{split}/{subset}_{split}.csv``; the authors'
layout and the hubs' layouts stand side by side. A row keeps its own columns: the benchmark's class reads either kind.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmuses.errors import DataError

Row = dict[str, Any]

SPLIT_NAMES: Mapping[str, tuple[str, ...]] = {
    "dev": ("dev",),
    "train": ("train",),
    "validation": ("validation", "val", "dev"),
    "test": ("test",),
}
"""What files call a split, by what it is called here."""


def find_files(root: Path, templates: Sequence[str], subset: str, split: str) -> list[Path]:
    """Return the files of one split of one subset, [] where there are none.

    The first template that matches wins. ``root`` may be the folder of the layout or one or two levels above it.
    """
    for folder in _roots(root):
        for template in templates:
            for name in SPLIT_NAMES[split]:
                pattern = template.format(subset=subset, split=name, Split=name.capitalize())
                if found := sorted(path for path in folder.glob(pattern) if path.is_file()):
                    return found
    return []


def _roots(root: Path) -> Iterator[Path]:
    yield root
    children = _folders(root)
    yield from children
    for child in children:
        yield from _folders(child)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "_")))


def read_rows(path: Path, csv_columns: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the rows of one file in its order.

    ``csv_columns`` names the columns of a CSV file without a header; where the first row is a header (it holds the
    word "question" as a cell), its own names are taken. Raises DataError with file and line for what cannot be read.
    """
    readers = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".json": _json, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: rows are read from .csv, .tsv, .jsonl, .json and .parquet files.")
    try:
        yield from reader(path, csv_columns)
    except OSError as problem:
        raise DataError(f"cannot read {path}: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise DataError(f"{path}: not UTF-8 text ({problem.reason} at byte {problem.start}).") from problem


def _csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        try:
            for number, cells in enumerate(reader):
                if not cells:
                    continue
                if number == 0 and (not columns or "question" in {cell.strip().lower() for cell in cells}):
                    columns = [cell.strip() for cell in cells]
                    continue
                if len(cells) != len(columns):
                    raise DataError(f"{path}:{reader.line_num}: {len(cells)} cells, expected {len(columns)}.")
                yield dict(zip(columns, cells, strict=True))
        except csv.Error as problem:
            raise DataError(f"{path}:{reader.line_num}: {problem}.") from problem


def _jsonl(path: Path, _: Sequence[str]) -> Iterator[Row]:
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _row(path, number, line)


def _row(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as problem:
        raise DataError(f"{path}:{number}: not JSON ({problem.msg}).") from problem
    if not isinstance(row, dict):
        raise DataError(f"{path}:{number}: expected an object, found {type(row).__name__}.")
    return row


def _json(path: Path, _: Sequence[str]) -> Iterator[Row]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except json.JSONDecodeError as problem:
        raise DataError(f"{path}:{problem.lineno}: not JSON ({problem.msg}).") from problem
    if isinstance(content, dict):
        content = content.get("data") or content.get("examples") or [content]
    yield from content


def _parquet(path: Path, _: Sequence[str]) -> Iterator[Row]:
    import duckdb

    with duckdb.connect() as connection:
        try:
            cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        except duckdb.Error as problem:
            raise DataError(f"{path}: not a Parquet file ({str(problem).splitlines()[0]}).") from problem
        names = [column[0] for column in cursor.description or ()]
        while batch := cursor.fetchmany(1000):
            for cells in batch:
                yield dict(zip(names, cells, strict=True))

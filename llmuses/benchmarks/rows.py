"""Rows of a benchmark from files: CSV, JSONL, JSON (also packed by gzip) and Parquet, streamed as dictionaries.

A benchmark names where its files may lie as path templates such as ``{split}/{subset}_{split}.csv``; the authors'
layout and the hubs' layouts stand side by side. A row keeps its own columns: the benchmark's class reads either kind.
"""

from __future__ import annotations

import csv
import glob
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

from llmuses.errors import DataError

Row = dict[str, Any]


class Filter(NamedTuple):
    """Takes only the rows whose ``column`` holds ``value``; a file without that column is taken whole."""

    column: str
    value: str

    def takes(self, row: Row) -> bool:
        """Whether a row passes."""
        return self.column not in row or bool(row[self.column] == self.value)


def find_files(root: Path, template: str, subset: str, splits: Sequence[str]) -> list[Path]:
    """Return the files below ``root`` that a template means, [] where there are none.

    ``splits`` are the names that the files may use for the split; the first one that is there wins.
    """
    for split in splits:
        pattern = template.format(subset=subset, split=split, Split=split.capitalize())
        if found := sorted(path for path in root.glob(pattern) if path.is_file()):
            return found
    return []


def layout_roots(root: Path, name: str) -> Iterator[Path]:
    """Yield the folders that a layout may begin in: ``root``, the folders in it, the folders in those.

    A folder in ``root`` that bears the benchmark's ``name`` comes before those of other benchmarks beside it.
    """
    yield root
    if (named := root / name).is_dir():
        yield named
    children = _folders(root)
    yield from children
    for child in children:
        yield from _folders(child)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "_")))
    except PermissionError:
        return []


def read_rows(path: Path, csv_columns: Sequence[str] = (), only: Filter | None = None) -> Iterator[tuple[int, Row]]:
    """Yield the rows of one file in its order, each with its number: the line it begins on, counted from 1, in CSV and
    JSONL; the row's own, counted from 1, in JSON and Parquet.

    ``csv_columns`` names the columns of a CSV file without a header. Where the first row is a header its own names are
    taken: that is a row with the cells "question" and "answer" (or "input" and "target"), in any case and order.
    Raises DataError with file and place for what cannot be read.
    """
    reader = _READERS.get(_kind(path))
    if reader is None:
        raise DataError(f"{path}: rows are read from {', '.join(_READERS)} files.")
    try:
        for number, row in reader(path, csv_columns, only):
            if only is None or only.takes(row):
                yield number, row
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise DataError(f"{path}: not a whole gzip file ({problem}).") from problem
    except OSError as problem:
        raise DataError(f"cannot read {path}: {problem.strerror or problem}.") from problem
    except UnicodeDecodeError as problem:
        raise DataError(f"{path}: not UTF-8 text ({problem.reason}); save it as UTF-8.") from problem


def row_place(path: Path, number: int) -> str:
    """Return how a message names a row: ``FILE:LINE``, or ``FILE, row NUMBER`` where rows are not lines."""
    by_line = _kind(path) in (".csv", ".tsv", ".jsonl")
    return f"{path}:{number}" if by_line else f"{path}, row {number}"


def _kind(path: Path) -> str:
    """Return the suffix that says what a file holds; a packed one (.gz) holds what the suffix before it says."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix == ".gz" else suffix


def _opened(path: Path, newline: str | None = None) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline=newline)
    return open(path, encoding="utf-8-sig", newline=newline)


def column_values(path: Path, column: str, csv_columns: Sequence[str] = ()) -> frozenset[str] | None:
    """Return the different values of a column, None where the file has no such column. Raises DataError."""
    stat = path.stat()
    return _column_values(path, column, tuple(csv_columns), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=128)
def _column_values(
    path: Path, column: str, csv_columns: tuple[str, ...], _modified: int, _size: int
) -> frozenset[str] | None:
    # A file that holds all subsets is asked for each of them: it is looked through once for as long as it is the same.
    if _kind(path) == ".parquet":
        with _parquet_table(path) as (connection, table):
            if column not in _columns(connection, table):
                return None
            rows = connection.execute(f"SELECT DISTINCT {_quoted(column)} FROM {table}").fetchall()
            return frozenset(str(value) for (value,) in rows)
    values = set()
    for _, row in read_rows(path, csv_columns):
        if column not in row:
            return None
        values.add(str(row[column]))
    return frozenset(values)


# --- the formats -------------------------------------------------------------------------------------------


def _csv(path: Path, columns: Sequence[str], _: Filter | None) -> Iterator[tuple[int, Row]]:
    with _opened(path, newline="") as file:
        reader = csv.reader(file, delimiter="\t" if _kind(path) == ".tsv" else ",")
        first, begin = True, 1
        try:
            for cells in reader:
                begin, line = reader.line_num + 1, begin
                if len(cells) < 2 and not "".join(cells).strip():
                    continue
                if first and (not columns or _is_header(cells)):
                    known = {name.lower(): name for name in columns}
                    columns = [known.get(cell.strip().lower(), cell.strip()) for cell in cells]
                    first = False
                    continue
                first = False
                if len(cells) != len(columns):
                    raise DataError(
                        f"{path}:{line}: {len(cells)} cells, expected {len(columns)} ({', '.join(columns)})."
                    )
                yield line, dict(zip(columns, cells, strict=True))
        except csv.Error as problem:
            raise DataError(f"{path}:{begin}: {problem}.") from problem


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a row of a file that needs no header is one. Two names are asked for: a single one may be an answer."""
    names = {cell.strip().lower() for cell in cells}
    return names >= {"question", "answer"} or names >= {"input", "target"}


def _jsonl(path: Path, _: Sequence[str], __: Filter | None) -> Iterator[tuple[int, Row]]:
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _checked(path, number, _parsed(path, number, line.rstrip()))


def _json(path: Path, _: Sequence[str], __: Filter | None) -> Iterator[tuple[int, Row]]:
    with _opened(path) as file:
        content = _parsed(path, 1, file.read())
    if isinstance(content, dict):
        content = next((content[key] for key in ("data", "examples") if isinstance(content.get(key), list)), [content])
    if not isinstance(content, list):
        raise DataError(f"{path}: expected a list of rows, found {type(content).__name__}.")
    for number, row in enumerate(content, 1):
        yield number, _checked(path, number, row)


def _parsed(path: Path, line: int, text: str) -> Any:
    """Return the JSON value that a text starting on ``line`` of a file holds. Raises DataError."""
    try:
        value = json.loads(text)
        if "\\ud" in text.lower():  # an escaped half of a surrogate pair is valid JSON, but no text
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as problem:
        raise DataError(f"{path}:{line + problem.lineno - 1}: not JSON ({problem.msg}).") from problem
    except (ValueError, RecursionError) as problem:
        raise DataError(f"{path}:{line}: not a JSON row that can be used ({problem}).") from problem
    return value


def _checked(path: Path, number: int, row: Any) -> Row:
    if not isinstance(row, dict):
        raise DataError(f"{row_place(path, number)}: expected an object, found {type(row).__name__}.")
    return row


def _parquet(path: Path, _: Sequence[str], only: Filter | None) -> Iterator[tuple[int, Row]]:
    with _parquet_table(path) as (connection, table):
        names = _columns(connection, table)
        query, values = f"SELECT * FROM {table}", []
        if only is not None and only.column in names:
            # Left to duckdb: a file of 57 subjects is read 57 times.
            query, values = f"{query} WHERE {_quoted(only.column)} = ?", [only.value]
        cursor = connection.execute(query, values)
        while batch := cursor.fetchmany(1000):
            for cells in batch:
                row = dict(zip(names, cells, strict=True))
                yield row.pop("file_row_number") + 1, row


@contextmanager
def _parquet_table(path: Path) -> Iterator[tuple[Any, str]]:
    """Open a Parquet file in duckdb: gives a connection, and the table with its row numbers as a SQL expression."""
    import duckdb

    # duckdb takes a path for a pattern: brackets and stars in it are escaped.
    escaped = glob.escape(str(path)).replace("'", "''")
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            yield connection, f"read_parquet('{escaped}', file_row_number = true)"
    except duckdb.Error as problem:
        raise DataError(f"{path}: not a Parquet file ({str(problem).splitlines()[0]}).") from problem


def _columns(connection: Any, table: str) -> list[str]:
    return [column[0] for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description]


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


_READERS = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".json": _json, ".parquet": _parquet}


def cell(row: Mapping[str, Any], *names: str) -> Any:
    """Return a row's value under the first of these names that it has. Raises KeyError where it has none."""
    for name in names:
        if name in row and row[name] is not None:
            return row[name]
    raise KeyError(" or ".join(names))

"""A user's own rows: every file is a subset, and nothing has to be written for it but the file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from llmuses.benchmarks.base import Benchmark
from llmuses.benchmarks.rows import Filter, Row, cell

_SUFFIXES = (".jsonl", ".csv", ".tsv", ".json", ".parquet")
_ASKED = re.compile(r"_(?:test|val|validation)$")
_EXAMPLES = re.compile(r"_(?:dev|train)$")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")


class OwnFiles(Benchmark):
    """Files in one folder, or one file; ``NAME.csv``, ``NAME_test.csv`` and ``NAME_val.csv`` hold what is asked of the
    subset ``NAME``, ``NAME_dev.csv`` and ``NAME_train.csv`` its worked examples.

    They are nobody's to show: public pages give ids and scores alone.
    """

    group = "own"
    languages = ("en", "zh")
    paper = homepage = "https://github.com/modelscope/llmuses"
    licence = "the file's own"
    publish_samples = False
    files = tuple(f"{{subset}}{suffix}" for suffix in _SUFFIXES)
    subsets: ClassVar[tuple[str, ...]] = ()
    few_shot_split = "dev"

    def subsets_in(self, root: Path) -> tuple[str, ...]:
        """Return a name for each file with rows to ask, in the order of the alphabet."""
        return tuple(dict.fromkeys(_subset(file) for file in _files(root) if not _holds_examples(file)))

    def subset_of(self, file: Path) -> str | None:
        return _subset(file)

    def _locate(self, root: Path, subset: str, split: str) -> tuple[list[Path], Filter | None]:
        examples = split == self.few_shot_split
        if root.is_file() and examples:
            return [], None
        files = [file for file in _files(root) if root.is_file() or _holds_examples(file) == examples]
        return [file for file in files if _subset(file) == subset], None


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    return sorted(
        file
        for file in root.iterdir()
        if file.is_file() and _unpacked(file).suffix.lower() in _SUFFIXES and not file.name.startswith((".", "_"))
    )


def _unpacked(file: Path) -> Path:
    return file.with_suffix("") if file.suffix.lower() == ".gz" else file


def _holds_examples(file: Path) -> bool:
    return _EXAMPLES.search(_unpacked(file).stem) is not None


def _subset(file: Path) -> str:
    stem = _unpacked(file).stem
    return _ASKED.sub("", _EXAMPLES.sub("", stem)) or stem


def own_id(row: Row, subset: str, index: int) -> str:
    """Return a row's own ``id`` where it has one, else its place in its file."""
    return str(row["id"]) if row.get("id") not in (None, "") else f"{subset}/{index}"


def text_cell(row: Row, *names: str) -> str:
    """Return the text under the first of these names. Raises KeyError where there is none, ValueError where it is empty."""
    text = str(cell(row, *names)).strip()
    if not text:
        raise ValueError(f"its {' or '.join(name for name in names if name in row)} is empty")
    return text


def listed(value: Any) -> list[str]:
    """Return the texts of a cell that holds one or several: a list, or a list written as JSON in a table's cell."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    items = value if isinstance(value, list) else [value]
    return [text for item in items if item is not None and (text := str(item).strip())]


def language_of(text: str) -> Literal["en", "zh"]:
    """Return ``zh`` for a text with more Chinese characters than Latin words, else ``en``."""
    return "zh" if len(_HAN.findall(text)) > len(_LATIN_WORD.findall(text)) else "en"

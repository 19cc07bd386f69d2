"""Reports on disk."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from llmuses.errors import StoreError
from llmuses.i18n import Lang, terminal_language
from llmuses.records import Report, Run
from llmuses.reports._html import html
from llmuses.reports._markdown import markdown


def write_reports(folder: Path, run: Run, reports: Sequence[Report], lang: Lang | None = None) -> None:
    """Write ``report.md`` and ``report.html`` into a run's folder, each whole or not at all.

    ``lang`` is the Markdown's language and the one that the page shows first; by default that of the terminal.
    Raises StoreError where the folder cannot be written.
    """
    chosen = lang or terminal_language()
    _write(folder / "report.md", markdown(run, reports, chosen))
    _write(folder / "report.html", html(run, reports, chosen))


def _write(path: Path, written: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(written, "utf-8", errors="backslashreplace")
        os.replace(fresh, path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem

"""Which pages the app has: one line each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from leaderboard import board_page, browse_page, catalogue_page, compare_page
from leaderboard.results import Results
from llmuses.web.demo import Demo
from llmuses.web.shell import Page, create_app


@contextlib.contextmanager
def create_site(outputs: Path, demo: bool = True) -> Iterator[FastAPI]:
    """Yield the app over a folder of runs; what it started ends with the context."""
    results = Results(outputs)
    first = Demo(results)
    board = partial(board_page.build, demo=first.state)
    pages = [
        Page("", "leaderboard", board),
        Page("leaderboard", "leaderboard", board),
        Page("compare", "compare", compare_page.build),
        Page("browse", "browse", browse_page.build),
        Page("catalogue", "browse", catalogue_page.build),
    ]
    if demo:
        first.start()
    try:
        yield create_app(results, pages)
    finally:
        first.close()

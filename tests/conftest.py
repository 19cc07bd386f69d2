"""Settings of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

# Tests run beside each other, one on each core: more threads in one of them would take turns with the others. Set before
# torch is imported, and handed on to the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Hundreds of processes start from these files: compiling them is wanted once, even where it is otherwise not.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code. The examples are the same in
# every run; `make test ARGS=--hypothesis-profile=search` looks for new ones.
settings.register_profile("llmuses", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.load_profile("llmuses")

_BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the stories in a browser first: they are the longest, and those that stand together in one process share the app's
    imports, a browser and, of each module, the server. Whoever is ready early takes other tests from that process."""
    items.sort(key=lambda item: _BROWSER not in item.path.parents)

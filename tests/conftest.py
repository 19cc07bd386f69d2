"""Settings of the whole suite."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Generator
from pathlib import Path

# Tests run beside each other, one on each core: more threads in one of them would take turns with the others. Set before
# torch is imported, and handed on to the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Hundreds of processes start from these files: compiling them is wanted once, even where it is otherwise not.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from hypothesis import settings

from llmuses.web.gradio_import import import_gradio

# How long an example takes says more about what else the machine does than about the code. The examples are the same in
# every run; `make test ARGS=--hypothesis-profile=search` looks for new ones.
settings.register_profile("llmuses", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.load_profile("llmuses")

_FIRST = [Path(__file__).parent / name for name in ("browser", "sandbox", "models")]
"""What takes longest."""

_SPARE = 1
"""Workers beyond one a processor: while one waits for a server, a browser or a clock, another works."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Return how many workers ``-n auto`` is; None leaves it to who set PYTEST_XDIST_AUTO_NUM_WORKERS."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1) + _SPARE


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect no garbage while tests are collected: nearly all that comes into being stays, and is looked through 24 times."""
    gc.disable()
    try:
        _import_share(session.config)
        return (yield)
    finally:
        gc.enable()
        _keep_what_is_there()


def _import_share(config: pytest.Config) -> None:
    """Import a worker's share of the test files before it collects all of them.

    In a fresh checkout assertions have to be written anew in each file, which takes longer than all imports. Workers that
    walk through the same files in the same order would all do it to all of them; so each finds most of them done.
    """
    if not (worker := getattr(config, "workerinput", None)):
        return
    import_gradio()
    places = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    files = sorted(file for place in places for file in (place.rglob("test_*.py") if place.is_dir() else [place]))
    for file in files[int(worker["workerid"][2:]) :: worker["workercount"]]:
        with contextlib.suppress(Exception, pytest.skip.Exception):  # whoever collects it says what is wrong
            importlib.import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is None or nextitem.path != item.path:
        _keep_what_is_there()


def _keep_what_is_there() -> None:
    """Let no collection of garbage look again through what is there now: a million objects of libraries and tests, which stay.

    Whoever collects does so in a moment: a model that is closed or runs out of memory, a process that is forked from this one.
    """
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin each worker's share with one of ``_FIRST``.

    A worker that is ready early takes tests from the end of another's share; so what stands at its head stays together,
    and what its tests have in common is made once: the app's imports, a browser, sandboxes, small models.
    """
    workers = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    rest = []
    for item in items:
        place = next((number for number, folder in enumerate(_FIRST) if folder in item.path.parents), None)
        (rest if place is None else shares[place % workers]).append(item)
    left = len(items)
    items.clear()
    for number, share in enumerate(shares):
        more = max(0, left // (workers - number) - len(share))
        items += [*share, *rest[:more]]
        del rest[:more]
        left -= len(share) + more

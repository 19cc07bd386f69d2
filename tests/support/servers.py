"""Servers that a test starts and that end with it.

with mock_openai(latency="0.05", faults="429=0.1", fault_tries=1) as server:
    model = load_model("openai:anything", base_url=server.base_url)
    ...
    assert server.stats().requests == 12
"""

from __future__ import annotations

import signal
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.support.forks import Forked

ROOT = Path(__file__).parents[2]


class Stats(msgspec.Struct):
    """What a mock server was asked so far.

    ``requests`` counts all of them, ``peak`` is the most that were under way at once, ``faults`` counts what it did
    wrong by kind, ``asked`` how many times each prompt came (a conversation counts under its last message).
    """

    requests: int
    peak: int
    faults: dict[str, int]
    asked: dict[str, int] = {}


class MockServer:
    """A running mock server: its ``base_url``, and what it was asked."""

    def __init__(self, process: Forked, port: int):
        self.process = process
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}/v1"

    def stats(self, prompts: bool = True) -> Stats:
        """Return what it was asked since it started, without the ``prompts`` themselves where they are not wanted."""
        address = f"http://127.0.0.1:{self.port}/stats{'' if prompts else '?prompts=0'}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            return msgspec.json.decode(answer.read(), type=Stats)

    def requests(self) -> int:
        """Return how many requests came."""
        return self.stats(prompts=False).requests

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def mock_openai(**settings: object) -> Iterator[MockServer]:
    """Run a mock server in a process of its own; for the settings see ``tests.support.mock_openai.Settings``."""
    command = [sys.executable, "-m", "tests.support.mock_openai"]
    for name, value in settings.items():
        flag = f"--{name.replace('_', '-')}"
        command += [flag] if value is True else [] if value is False else [flag, str(value)]
    server = MockServer(process := Forked(command), int(process.first_line()))
    try:
        yield server
    finally:
        server.kill()
        process.communicate()

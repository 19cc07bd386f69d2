"""A crowd in the live arena: ``python -m tests.benchmarks.bench_live``, with ``--battles``, ``--votes`` and ``--memory`` for less.

The app is served in a process of its own, two models in one process each; this one is the crowd. Where the machine has two
cores, all four share them. ``first words`` is the time from the click to the frame that shows a side's first block, less the
model's own latency. ``board`` is what a browser does to open the leaderboard, without drawing it. A vote counts as taken when
the answer says so; the file must then hold it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec

from tests.support.browser import served
from tests.support.fake_arenas import showcase_arena
from tests.support.streaming_server import streaming_server

LATENCY = 0.2
RATE = 40
ARRIVING = 10.0
VOTES_PER_SECOND = 200
VOTE_SECONDS = 10

LIMITS = {"first words": 0.5, "board": 2.0}
"""Seconds, at the 95th percentile and for each opening."""
LEAK = 4_000
"""Bytes a battle that memory may grow by once the arena is full."""

ANSWER = """**Short answer:** it depends on the weather, and on what you mean by it. A river that runs past the old mill and on \
to the sea carries *more* water in spring, when the snow of the hills melts, than in any other season.

## What to look at

1. **Rain.** It falls on both sides of the hills, and most of it in `autumn`; see [the tables](https://example.org/rain).
2. **Snow.** It waits until the days are longer, and then comes down all at once.
3. **Wind.** It moves the clouds, and so decides which valley gets what.

| Season | Rain in mm | Days |
|---|--:|--:|
| Spring | 120 | 21 |
| Autumn | 240 | 34 |

The flow is $Q = A v$, where $A$ is the cross-section and $v$ the speed of the water:

```python
def flow(area: float, speed: float) -> float:
    \"\"\"Cubic metres a second.\"\"\"
    return area * speed  # as long as the river is full
```

- Measure the width at *three* places and take the mean.
- Measure the depth at each of them, from a boat or a bridge.
- Let something float past, and take the time over fifty metres.

That is all you need for a first estimate; a better one wants a week of patience and a calibrated wheel.
"""

RULES = {
    "policy": "uniform",
    "policy_options": {},
    "rates": {deed: {"voter": [], "block": []} for deed in ("send", "vote", "image", "opinion", "withdraw")},
    "slots": {"writing": 1000, "writing_per_voter": 1000, "writing_per_block": 1000},
    "publishing": {"seconds": 5, "votes": 50},
}

_SERVE = """
import sys
from pathlib import Path
from llmuses.web.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), demo=False)
"""


class Played(NamedTuple):
    """A battle as a visitor saw it: the token, when each side's first words came, how many frames there were."""

    token: str
    first: dict[str, float]
    frames: int
    bytes: int
    seconds: float
    votable: bool


class Visitor:
    """Somebody with a browser: a session of their own, and battles in it."""

    def __init__(self, address: str, connector: aiohttp.TCPConnector):
        self._http = aiohttp.ClientSession(
            address, connector=connector, connector_owner=False, cookie_jar=aiohttp.CookieJar(unsafe=True)
        )

    async def arrive(self) -> dict[str, Any]:
        async with self._http.get("arena-api/state") as answer:
            found: dict[str, Any] = msgspec.json.decode(await answer.read())
            return found

    async def battle(self, prompt: str) -> Played:
        """Play a battle to its end."""
        began = time.perf_counter()
        first: dict[str, float] = {}
        token, frames, size, votable = "", 0, 0, False
        body = {"prompt": prompt, "terms": True}
        async with self._http.post("arena-api/send", json=body) as answer:
            if answer.status != 200:
                raise RuntimeError(f"HTTP {answer.status}: {(await answer.text())[:200]}")
            async for name, data in _events(answer.content):
                size += len(data)
                if name == b"frame":
                    frames += 1
                    if len(first) < 2:
                        frame = msgspec.json.decode(data)
                        for side in ("a", "b"):
                            if frame.get(side, {}).get("blocks"):
                                first.setdefault(side, time.perf_counter() - began)
                elif name == b"battle":
                    token = msgspec.json.decode(data)["battle"]
                else:
                    votable = msgspec.json.decode(data)["vote"]
        return Played(token, first, frames, size, time.perf_counter() - began, votable)

    async def vote(self, token: str, choice: str) -> float:
        """Vote, and return the seconds until it was acknowledged."""
        began = time.perf_counter()
        async with self._http.post("arena-api/vote", json={"battle": token, "choice": choice}) as answer:
            if answer.status != 200:
                raise RuntimeError(f"HTTP {answer.status}: {(await answer.text())[:200]}")
            await answer.read()
        return time.perf_counter() - began

    async def close(self) -> None:
        await self._http.close()


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[bytes, bytes]]:
    rest = b""
    while piece := await content.readany():
        *events, rest = (rest + piece).split(b"\n\n")
        for event in events:
            name, _, data = event.partition(b"\n")
            yield name.removeprefix(b"event: "), data.removeprefix(b"data: ")


def _connector() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=0, keepalive_timeout=3.0)  # the server hangs up after five idle seconds


async def open_board(http: aiohttp.ClientSession) -> float:
    """Do what a browser does to open the leaderboard, and return the seconds until its table is there; 0 where it is still being computed."""
    began = time.perf_counter()
    async with http.get("leaderboard") as answer:
        page = await answer.text()
    config = re.search(r"window\.gradio_config\s*=\s*(\{.*?\});\s*</script>", page, re.DOTALL)
    assert config is not None
    load = next(
        found
        for found in msgspec.json.decode(config[1])["dependencies"]
        if any(trigger == "load" for _, trigger in found["targets"])
    )
    body = {"data": [], "fn_index": load["id"], "session_hash": secrets.token_hex(6), "trigger_id": None}
    async with http.post("gradio_api/run/predict", json=body) as answer:
        table = await answer.text()
    assert answer.status == 200, table[:300]
    return time.perf_counter() - began if "<table" in table else 0.0


def _memory(pid: int) -> int:
    """Return a process's resident memory in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _server_of(address: str) -> int:
    """Return the process that serves an address, of those that this one started."""
    port = address.rstrip("/").rpartition(":")[2]
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    for child in children:
        if Path(f"/proc/{child}/cmdline").read_bytes().rstrip(b"\0").endswith(port.encode()):
            return int(child)
    raise RuntimeError("the app's process is not found")


def percentile(values: Sequence[float], share: float) -> float:
    return (
        statistics.quantiles(values, n=100, method="inclusive")[round(100 * share) - 1]
        if len(values) > 1
        else values[0]
    )


# --- The three loads --------------------------------------------------------------------------------------------


async def crowd(address: str, n: int, pid: int) -> bool:
    """Have ``n`` battles written at once, and the board opened meanwhile."""
    connector = _connector()
    visitors = [Visitor(address, connector) for _ in range(n)]
    await asyncio.gather(*(visitor.arrive() for visitor in visitors))
    chance = random.Random(1)
    boards: list[float] = []
    used, began = _processor_seconds(pid), time.perf_counter()

    async def come(visitor: Visitor, number: int) -> Played:
        await asyncio.sleep(chance.uniform(0, ARRIVING))
        return await visitor.battle(f"Question {number}: how does a river rise?")

    async def look() -> None:
        async with aiohttp.ClientSession(address, connector=connector, connector_owner=False) as http:
            while True:
                boards.append(await open_board(http))
                await asyncio.sleep(1.0)

    looking = asyncio.create_task(look())
    played = await asyncio.gather(*(come(visitor, number) for number, visitor in enumerate(visitors)))
    looking.cancel()
    seconds, used = time.perf_counter() - began, _processor_seconds(pid) - used
    for visitor in visitors:
        await visitor.close()
    await connector.close()
    late = sorted(first - LATENCY for battle in played for first in battle.first.values())
    frames = sum(battle.frames for battle in played)
    size = sum(battle.bytes for battle in played) / len(played)
    own = LATENCY + len(ANSWER) / 4 / RATE
    slower = statistics.median(battle.seconds for battle in played) - own
    print(f"{n} battles, {RATE} tokens a second a side, arriving over {ARRIVING:g} s: {seconds:.0f} s in all")
    print(
        f"  first words: median {percentile(late, 0.5):.2f} s, p95 {percentile(late, 0.95):.2f} s, last {late[-1]:.2f} s"
    )
    print(
        f"  {frames / sum(battle.seconds for battle in played):.1f} frames a second and battle, {size / 1000:.0f} kB a battle; it ends {slower:.2f} s after the slower model could"
    )
    print(
        f"  board: {len(boards)} openings, the slowest {max(boards):.2f} s; the app used {used / seconds:.2f} of a processor"
    )
    whole = all(battle.votable and len(battle.first) == 2 for battle in played)
    return whole and percentile(late, 0.95) <= LIMITS["first words"] and max(boards) <= LIMITS["board"]


async def _quick_battles(
    address: str, connector: aiohttp.TCPConnector, n: int, at_once: int
) -> list[tuple[Visitor, Played]]:
    free = asyncio.Semaphore(at_once)

    async def one(number: int) -> tuple[Visitor, Played]:
        visitor = Visitor(address, connector)
        async with free:
            return visitor, await visitor.battle(f"say: A word about {number}.")

    return await asyncio.gather(*(one(number) for number in range(n)))


async def votes(address: str, n: int, file: Path) -> bool:
    """Have people vote at a steady pace, and look for every acknowledged vote in the file."""
    connector = _connector()
    battles = await _quick_battles(address, connector, n, 20)
    chance = random.Random(2)
    began = time.perf_counter()

    async def decide(place: int, visitor: Visitor, battle: Played) -> float:
        await asyncio.sleep(max(0.0, began + place / VOTES_PER_SECOND - time.perf_counter()))
        return await visitor.vote(battle.token, chance.choice(["model_a", "model_b", "tie", "both_bad"]))

    waits = await asyncio.gather(*(decide(place, *battle) for place, battle in enumerate(battles)))
    seconds = time.perf_counter() - began
    for visitor, _ in battles:
        await visitor.close()
    await connector.close()
    acknowledged = {battle.token.partition(".")[0] for _, battle in battles}
    stored = [
        line["battle_id"] for line in map(msgspec.json.decode, file.read_bytes().splitlines()) if "winner" in line
    ]
    there = [battle for battle in stored if battle in acknowledged]
    print(
        f"{n} votes at {VOTES_PER_SECOND} a second: all acknowledged after {seconds:.1f} s ({n / seconds:.0f} a second)"
    )
    print(
        f"  acknowledged after: median {percentile(waits, 0.5) * 1000:.0f} ms, p95 {percentile(waits, 0.95) * 1000:.0f} ms, last {max(waits) * 1000:.0f} ms"
    )
    print(f"  on the disk: {len(there)}, twice: {len(there) - len(set(there))}")
    return sorted(there) == sorted(acknowledged) and n / seconds >= 0.95 * VOTES_PER_SECOND


async def endurance(address: str, n: int, pid: int) -> bool:
    """Play many battles one after the other, and look at the app's memory."""
    sizes: list[tuple[int, int]] = []
    began = time.perf_counter()
    step = max(1, n // 10)
    connector = _connector()
    for done in range(0, n, step):
        for visitor, _ in await _quick_battles(address, connector, step, 20):
            await visitor.close()
        sizes.append((done + step, _memory(pid)))
    await connector.close()
    seconds = time.perf_counter() - began
    half = len(sizes) // 2
    grown = (sizes[-1][1] - sizes[half][1]) / max(1, sizes[-1][0] - sizes[half][0])
    print(f"{n} battles, 20 at once: {n / seconds:.0f} a second")
    print("  memory in MB after " + ", ".join(f"{count}: {size / 1e6:.0f}" for count, size in sizes))
    print(f"  in the second half {grown:.0f} bytes a battle")
    return grown <= LEAK


@contextlib.contextmanager
def arena(folder: Path, models: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Serve the app over a folder with a board of battles; yield its address and its process."""
    known = {
        name: {"model": f"openai:{name}", "args": {"base_url": url, "max_concurrency": 1000}, "arena": {}}
        for name, url in models.items()
    }
    files = {"LLMUSES_MODELS": folder / "models.yaml", "LLMUSES_ARENA_CONFIG": folder / "live.yaml"}
    for path, content in zip(files.values(), (known, RULES), strict=True):
        path.write_bytes(msgspec.json.encode(content))
    os.environ.update({name: str(path) for name, path in files.items()})
    showcase_arena(folder)
    with served(folder, _SERVE) as address:
        yield address, _server_of(address)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--battles", type=int, default=100)
    parser.add_argument("--votes", type=int, default=VOTES_PER_SECOND * VOTE_SECONDS)
    parser.add_argument("--memory", type=int, default=10_000)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        streaming_server(answer=ANSWER, rate=RATE, latency=LATENCY) as one,
        streaming_server(answer=ANSWER, rate=RATE, latency=LATENCY) as two,
        arena(Path(folder), {"one": one, "two": two}) as (address, pid),
    ):
        asyncio.run(_wait_until_ready(address))
        good = [asyncio.run(crowd(address, args.battles, pid))] if args.battles else []
    with (
        tempfile.TemporaryDirectory() as folder,
        streaming_server() as one,
        streaming_server() as two,
        arena(Path(folder), {"one": one, "two": two}) as (address, pid),
    ):
        asyncio.run(_wait_until_ready(address))
        if args.votes:
            good.append(asyncio.run(votes(address, args.votes, Path(folder) / "arena-live" / "battles.jsonl")))
        if args.memory:
            good.append(asyncio.run(endurance(address, args.memory, pid)))
    print("held" if all(good) else "NOT HELD")


async def _wait_until_ready(address: str) -> None:
    """Wait for the models and for the board's first computation, which a server does once."""
    connector = _connector()
    visitor = Visitor(address, connector)
    async with aiohttp.ClientSession(address, connector=connector, connector_owner=False) as http, asyncio.timeout(120):
        while len((await visitor.arrive())["models"]) < 2 or not await open_board(http):
            await asyncio.sleep(0.2)
    await visitor.close()
    await connector.close()


if __name__ == "__main__":
    main()

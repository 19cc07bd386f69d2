"""Votes and sudden death: what was acknowledged is on disk, once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import msgspec

from arena.live.lines import Lines
from llmuses.records import Battle, Winner
from llmuses.store import JsonlStore
from tests.support.servers import ROOT

LIVES = 50
SEND = {"prompt": "What is blue?", "terms": True}


@contextmanager
def lives(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    command = [sys.executable, "-m", "tests.support.arena_lives", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def born(process: subprocess.Popen[bytes]) -> int:
    """Start the next life and return its process."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    return int(process.stdout.readline())


class Crowd:
    """Visitors who play and vote as fast as they can; ``acknowledged`` are the battles whose vote was confirmed."""

    def __init__(self, url: str):
        self.url = url
        self.acknowledged: list[str] = []
        self.last: list[tuple[aiohttp.ClientSession, str]] = []
        self.ended = False
        self.wrong: list[str] = []

    async def visitor(self) -> None:
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=10)
        ) as client:
            while not self.ended:
                try:
                    await self.battle(client)
                except (aiohttp.ClientError, TimeoutError, ConnectionError):
                    await asyncio.sleep(0.005)

    async def battle(self, client: aiohttp.ClientSession) -> None:
        async with client.post(f"{self.url}/send", json=SEND) as answer:
            text = await answer.text()
        if '"vote":true' not in text:
            return
        token = msgspec.json.decode(text.split("data: ")[1].split("\n")[0])["battle"]
        async with client.post(f"{self.url}/vote", json={"battle": token, "choice": "tie"}) as answer:
            if answer.status == 200:
                self.acknowledged.append(token.split(".")[0])
                self.last = [(client, token)]


async def _fifty_lives(folder: Path) -> Crowd:
    chance = random.Random(7)
    with lives(folder) as (process, port):
        crowd = Crowd(f"http://127.0.0.1:{port}/arena-api")
        visitors = [asyncio.create_task(crowd.visitor()) for _ in range(6)]
        for life in range(LIVES):
            child = await asyncio.to_thread(born, process)
            known = len(crowd.acknowledged)
            for _ in range(15_000):  # a machine may be busy
                await asyncio.sleep(0.002)
                if len(crowd.acknowledged) > known + chance.randrange(4):
                    break
            else:
                raise AssertionError(f"nobody could vote in life {life}")
            await asyncio.sleep(chance.random() * 0.01)
            os.kill(child, signal.SIGKILL)
        child = await asyncio.to_thread(born, process)
        await _replayed(crowd)
        crowd.ended = True
        await asyncio.gather(*visitors)
        os.kill(child, signal.SIGKILL)
    return crowd


async def _replayed(crowd: Crowd) -> None:
    """A vote of an earlier life, sent again by its own session, is not taken."""
    client, token = crowd.last[0]
    async with client.post(f"{crowd.url}/vote", json={"battle": token, "choice": "tie"}) as answer:
        crowd.wrong += [] if (await answer.json())["code"] in ("ended", "voted") else ["a vote was taken twice"]


def test_fifty_sudden_deaths_lose_and_double_no_acknowledged_vote(tmp_path: Path) -> None:
    crowd = asyncio.run(asyncio.wait_for(_fifty_lives(tmp_path), 280))
    reader = JsonlStore(tmp_path / "battles.jsonl", Battle).read()
    stored = Counter(battle.battle_id for battle in reader)
    assert len(crowd.acknowledged) >= LIVES
    assert [one for one in crowd.acknowledged if stored[one] != 1] == []
    assert max(stored.values()) == 1 and reader.broken == []
    assert crowd.wrong == []
    assert len(stored) - len(crowd.acknowledged) <= 6 * (LIVES + 1), (
        "a life leaves one unconfirmed vote a visitor at most"
    )


def _some(number: int) -> list[Battle]:
    return [
        Battle(battle_id=f"{number}-{n}", question_id="", model_a="a", model_b="b", winner=Winner.TIE) for n in range(2)
    ]


def test_records_of_one_call_stand_together_and_in_order(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "battles.jsonl")

    async def write() -> None:
        await asyncio.gather(*(lines.write(*_some(number)) for number in range(500)))

    asyncio.run(write())
    lines.close()
    stored = [battle.battle_id for battle in JsonlStore(tmp_path / "battles.jsonl", Battle)]
    assert stored == [f"{number}-{n}" for number in range(500) for n in range(2)]


def test_many_writers_share_few_trips_to_the_disk(tmp_path: Path) -> None:
    trips = 0
    real = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal trips
        trips += 1
        real(descriptor)

    lines = Lines(tmp_path / "battles.jsonl")
    os.fsync = counted
    try:

        async def write() -> None:
            await asyncio.gather(*(lines.write(*_some(number)) for number in range(400)))

        asyncio.run(write())
    finally:
        os.fsync = real
        lines.close()
    assert 1 <= trips < 100


def test_a_writer_who_does_not_wait_is_written_all_the_same(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "battles.jsonl")

    async def write() -> None:
        task = asyncio.create_task(lines.write(*_some(1)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(write())
    lines.close()
    assert len(list(JsonlStore(tmp_path / "battles.jsonl", Battle))) == 2

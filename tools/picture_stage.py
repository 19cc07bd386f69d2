"""What the pictures of the guides show: an app over a temporary folder, with runs, votes and models that are all made up.

Names of models are real ones where nothing but figures stands beside them, and the figures are drawn here; models that say
something have invented names.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from leaderboard.published import PublishedResults
from llmuses.records import Battle, PublishedResult, Winner
from llmuses.store import JsonlStore
from tests.support.browser import served
from tests.support.fake_arenas import SHOWN
from tests.support.fake_runs import showcase
from tests.support.servers import mock_openai
from tests.support.streaming_server import Manner, StreamingServer, serving

PASSWORD = "correct horse battery"
BUG = "Explain the bug in this Python function and correct it: `def add(item, items=[]): items.append(item); return items`"
SKY = "向小学生解释天空为什么是蓝色的，不超过 200 字。"
AURORA, BASALT = "Aurora-32B-Instruct", "Basalt-12B-Chat"
EVALUATED = ("atlas", "boreal", "cedar", "delta")
BATTLING = ("atlas-52", "boreal-56", "cedar-60", "delta-63")
"""Models whose answers are worth what their names say, to the judge."""

JUDGE = "judge"

_AURORA_EN = """\
The default value is made **once**, when the function is defined, not at each call. Every call without `items` then shares the \
same list:

```python
>>> add(1)
[1]
>>> add(2)
[1, 2]   # the first call's item is still there
```

Use `None` as a mark for "nothing given" and make the list inside:

```python
def add(item, items=None):
    if items is None:
        items = []
    items.append(item)
    return items
```

1. A caller who passes a list still sees it change; return `[*items, item]` where that is not wanted.
2. The same trap waits in every mutable default: dictionaries, sets, objects.
"""
_AURORA_ZH = """\
太阳光看起来是白色的，其实里面藏着红、橙、黄、绿、蓝、紫许多种颜色。

空气里有许多看不见的小颗粒。红光的波长长，可以绕过它们继续往前走；**蓝光的波长短**，碰到它们就会被弹向四面八方。

到了傍晚，阳光要穿过更厚的空气，蓝光几乎都被弹走了，剩下红光和橙光，所以晚霞是红的。
"""
_BASALT_EN = """\
This is Python's best-known trap: *mutable default arguments*.

| Call | Expected | What comes back |
|---|---|---|
| `add(1)` | `[1]` | `[1]` |
| `add(2)` | `[2]` | `[1, 2]` |
| `add(3, [0])` | `[0, 3]` | `[0, 3]` |

The list `[]` is created when `def` runs and lives as long as the function does. Fix:

```python
def add(item, items=None):
    items = list(items or ())
    items.append(item)
    return items
```

If the caller's list must grow, keep `items` itself.
"""
_BASALT_ZH = """\
天空是蓝色的，因为空气把蓝光散射得最厉害。散射的强度与波长的四次方成反比：

$$I \\propto \\frac{1}{\\lambda^4}$$

因此波长较短的蓝光被散射到天空的各个方向。

- 白天：蓝光从四面八方进入眼睛，天空是蓝的。
- 傍晚：路程更长，蓝光散尽，天空偏红。
"""
_SAID = {AURORA: (_AURORA_EN, _AURORA_ZH), BASALT: (_BASALT_EN, _BASALT_ZH)}
"""What the two that play say, in English and in Chinese."""

_THOUGHT = "Count what is asked for first, then answer in as few words as will do."
_QUESTIONS = (
    ("writing", "en", "Write a firm e-mail to a landlord about a cold radiator."),
    ("writing", "zh", "给我的猫写一封辞职信，它要离开沙发。"),
    ("reasoning", "en", "Three switches, one lamp upstairs: which is which?"),
    ("coding", "en", "Rewrite this SQL so that it does not scan the table twice."),
    ("maths", "en", "Prove that the product of four consecutive integers plus one is a square."),
    ("knowledge", "zh", "为什么海水是咸的？"),
    ("multi-turn", "en", "Plan a three-day trip to Xi'an for a family."),
)
_VOTES = {"arena-people": 14_000, "arena-live": 2_400}
_NOON = 1_795_348_800.0
"""The last vote's time."""


class Stage(NamedTuple):
    """The app that runs: where it is, its folder, and the manners of its two players, which may be changed."""

    address: str
    folder: Path
    manners: Mapping[str, Manner]

    def pace(self, rate: float) -> None:
        """Let both players write so many pieces of four characters a second."""
        for manner in self.manners.values():
            manner.rate = rate


class _Player(StreamingServer):
    """A model that plays: it says what ``_SAID`` has, in the language that it is asked in."""

    def _words(self, body: dict[str, Any]) -> list[str]:
        asked = str(body["messages"][-1]["content"])
        text = _SAID[body["model"]][SKY[:4] in asked]
        return [text[at : at + 4] for at in range(0, len(text), 4)]


class _Opinion(StreamingServer):
    """The judge of the arena on this site: it prefers Aurora's answer wherever it stands."""

    def _words(self, body: dict[str, Any]) -> list[str]:
        prompt = str(body["messages"])
        letter = "A" if prompt.find("made **once**") < prompt.find("best-known trap") else "B"
        both = "Both answers find the mutable default and give the same fix."
        more = "also shows why the second call goes wrong and names the side effect on a caller's list"
        return [f"{both} Assistant {letter} {more}, which the other leaves out. [[{letter}]]"]


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Fill an empty folder, serve the app over it with all that it calls, and yield it; everything ends with the context."""
    folder.mkdir(exist_ok=True)
    showcase(folder)
    PublishedResults(folder).add(
        PublishedResult(
            model=f"elsewhere-{size}b",
            dataset="mmlu",
            setting="5-shot",
            score=score,
            parameters=size,
            source="https://example.org/table",
        )
        for size, score in ((14, 0.631), (6, 0.586), (1, 0.448))
    )
    _votes(folder)
    manners = {AURORA: Manner(latency=0.2, thinking=_THOUGHT), BASALT: Manner(latency=0.2)}
    with (
        _playing(manners) as (players, opinion),
        mock_openai(latency="0.3") as plain,
        mock_openai(arena="fair", latency="0.3") as fair,
    ):
        others = dict.fromkeys(EVALUATED, plain.base_url) | dict.fromkeys((*BATTLING, JUDGE), fair.base_url)
        models, rules = folder / "models.yaml", folder / "live.yaml"
        models.write_bytes(msgspec.json.encode(_models(players, others)))  # JSON is YAML
        judge = {"model": "openai:judge-1t", "args": {"base_url": opinion}}
        rules.write_bytes(msgspec.json.encode({"publishing": {"seconds": 0.1, "votes": 1}, "judge": judge}))
        told = {
            "LLMUSES_ARENA_CONFIG": str(rules),
            "LLMUSES_ADMIN_PASSWORD": PASSWORD,
            "LLMUSES_OUTPUTS": str(folder),
            "OPENAI_API_KEY": "none",
        }
        with _environment(told), served(folder) as address:
            place = Stage(address, folder, manners)
            _ready(place)
            yield place


def _ready(place: Stage) -> None:
    """Return as soon as the arena on the site has found its players and has published its ratings."""
    for _ in range(600):
        with urllib.request.urlopen(f"{place.address}arena-api/state", timeout=30) as answer:
            state = msgspec.json.decode(answer.read())
        if state["waits_for"] is None and (place.folder / "arena-live" / "published.json").exists():
            return
        time.sleep(0.2)
    raise RuntimeError("the arena does not get ready")


def _models(players: Mapping[str, str], others: Mapping[str, str]) -> dict[str, Any]:
    known: dict[str, Any] = {
        name: {"model": f"openai:{name}", "organisation": by, "licence": licence, "parameters": size, "kind": "chat"}
        for name, (_, by, licence, size) in SHOWN.items()
    }
    for name, by in ((AURORA, "Aurora Labs"), (BASALT, "Basalt Works")):
        known[name] = {
            "model": f"openai:{name}",
            "args": {"base_url": players[name]},
            "organisation": by,
            "licence": "Apache-2.0",
            "arena": {"tags": ["vision"]},
        }
    asked = {
        name: {"model": f"openai:{name}", "args": {"base_url": url, "max_concurrency": 2}}
        for name, url in others.items()
    }
    return asked | known


def _votes(folder: Path) -> None:
    """Write votes of people and verdicts of a judge, drawn from the strengths of ``SHOWN``: an arena, and the one on this site."""
    known = {name: strength for name, (strength, *_) in SHOWN.items()}
    few = dict(list(known.items())[:7])
    for strengths, (arena, votes) in zip((known, {**few, AURORA: 1230.0, BASALT: 1195.0}), _VOTES.items(), strict=True):
        draw = random.Random(7)
        with JsonlStore(folder / arena / "battles.jsonl", Battle) as store:
            store.append_all([_vote(draw, strengths, votes, number) for number in range(votes)])


def _vote(draw: random.Random, strengths: Mapping[str, float], votes: int, number: int) -> Battle:
    names = list(strengths)
    one, two = draw.sample(names, 2)
    category, language, question = draw.choice(_QUESTIONS)
    moved = {name: strengths[name] + random.Random(name + category).gauss(0, 30) for name in (one, two)}
    won = draw.random() < 1 / (1 + 10 ** ((moved[two] - moved[one]) / 400))
    winner = Winner.TIE if draw.random() < 0.18 else Winner.MODEL_A if won else Winner.MODEL_B
    judged = number % 4 == 3
    torn = judged and number % 5 == 0
    return Battle(
        battle_id=f"b{number:05}",
        question_id=f"q{question[:20]}",
        model_a=one,
        model_b=two,
        winner=Winner.TIE if torn else winner,
        judge="gpt-oss-120b" if judged else "human",
        category=category,
        language=language,
        question=question,
        output_a="An answer.\n\n- One point.\n- Another.",
        output_b="Another answer, **shorter**.",
        verdicts=([Winner.MODEL_A, Winner.MODEL_B] if torn else [winner, winner]) if judged else None,
        voter=None if judged else f"v{draw.randrange(900)}",
        policy="uniform",
        pair_probability=2 / (len(names) * (len(names) - 1)),
        tstamp=_NOON - 300.0 * (votes - number),
    )


@contextlib.contextmanager
def _playing(manners: Mapping[str, Manner]) -> Iterator[tuple[dict[str, str], str]]:
    """Run the servers of the players and of their judge on an event loop of its own, and yield where they are."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    done = asyncio.Event()
    found: dict[str, str] = {}

    async def run() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for name, manner in manners.items():
                found[name] = (await stack.enter_async_context(serving(manner, _Player))).base_url
            found[JUDGE] = (await stack.enter_async_context(serving(Manner(streams=False), _Opinion))).base_url
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the players' servers do not start")
    try:
        yield found, found[JUDGE]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()


@contextlib.contextmanager
def _environment(told: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*told, "LLMUSES_MODELS")}
    os.environ.pop("LLMUSES_MODELS", None)  # the file beside the runs is the one
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})

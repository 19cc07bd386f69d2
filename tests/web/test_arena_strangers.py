"""What pages of others and readers who do not read may not do to the arena's visitors."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.types import Message

from llmuses.web import arena_api
from llmuses.web.arena_api import _EventStream
from llmuses.web.sessions import COOKIE
from tests.support.live_arenas import TWO, ScriptedPlayers, ask, live_arena, visitor
from tests.web.test_arena_api import play, serving


@pytest.mark.parametrize("elsewhere", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["vote", "send", "withdraw"])
def test_a_form_of_another_page_does_not_replace_the_session(
    tmp_path: Path, elsewhere: dict[str, str], path: str
) -> None:
    """A browser sends no Lax cookie with such a form, and would take the one that comes back."""
    with serving(live_arena(tmp_path)) as client:
        token = play(client)
        mine = client.cookies[COOKIE]
        client.cookies.clear()
        answer = client.post(f"/arena-api/{path}", data={"battle": token}, headers=elsewhere)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin")
        assert "set-cookie" not in answer.headers
        client.cookies.set(COOKIE, mine)
        assert client.post("/arena-api/vote", json={"battle": token, "choice": "tie"}).status_code == 200


def test_who_does_not_read_does_not_hold_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena_api, "_READING_SECONDS", 0.05)
    players = ScriptedPlayers(TWO, lambda *_: "It goes on…")
    parts: list[Message] = []

    async def send(part: Message) -> None:
        parts.append(part)
        if len(parts) > 3:
            await asyncio.Event().wait()  # the buffers are full

    async def run() -> None:
        arena = live_arena(tmp_path, players, slots={"writing": 1})
        events = arena.send(visitor(arena), ask())
        stream = _EventStream(events, await anext(events))
        assert arena._places.taken == 1
        await asyncio.wait_for(stream.stream_response(send), 60)
        assert arena._places.taken == 0

    asyncio.run(run())
    assert players.closed == 2, "the models were stopped"

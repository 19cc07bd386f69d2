"""How a server is connected to: which proxy stands between, and whose key is shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llmuses.models import Streamer, load_model
from llmuses.models.openai.connecting import proxy
from llmuses.models.openai.dialect import Dialect
from llmuses.models.openai.server import OPENAI, Server
from llmuses.records import Generate, Message, Request
from tests.support.streaming_server import Manner, StreamingServer, serving

ELSEWHERE = "https://models.example.org/v1"


def server(url: str) -> Server:
    return Server("m", url, "SOME_KEY", Dialect("m", None, {}), None)


@pytest.fixture(autouse=True)
def an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SOME_KEY", "sk-1")


@pytest.mark.parametrize(
    ("variable", "url", "between"),
    [
        ("https_proxy=http://proxy:3128", ELSEWHERE, "http://proxy:3128"),
        ("HTTPS_PROXY=http://me:word@proxy:3128", ELSEWHERE, "http://me:word@proxy:3128"),
        ("http_proxy=http://proxy:3128", ELSEWHERE, None),
        ("http_proxy=http://proxy:3128", "http://models.example.org/v1", "http://proxy:3128"),
        ("http_proxy=http://proxy:3128", "http://localhost:8000/v1", None),
        ("http_proxy=http://proxy:3128", "http://[::1]:8000/v1", None),
        ("", ELSEWHERE, None),
    ],
)
def test_the_environment_says_which_proxy_stands_between(
    variable: str, url: str, between: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(*variable.split("=", 1))
    assert proxy(server(url)) == between


def test_no_proxy_stands_before_what_the_environment_excepts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "example.org")
    assert proxy(server(ELSEWHERE)) is None
    assert proxy(server(OPENAI)) == "http://proxy:3128"


def test_a_stream_goes_through_the_proxy_with_its_own_key_whatever_a_netrc_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async def run() -> tuple[str, StreamingServer]:
        async with serving(Manner(answer="Good morning.")) as between:
            monkeypatch.setenv("http_proxy", between.base_url.removesuffix("/v1"))
            model = load_model("openai:m", base_url="http://models.example.org/v1", api_key_env="SOME_KEY")
            assert isinstance(model, Streamer)
            request = Request("key", Generate(messages=(Message("user", "Hello"),)))
            return "".join([delta.text async for delta in model.stream(request)]), between

    said, between = asyncio.run(run())
    assert said == "Good morning."
    (head,) = between.heads
    assert head.startswith("POST http://models.example.org/v1/chat/completions ")
    assert "\r\nAuthorization: Bearer sk-1\r\n" in head

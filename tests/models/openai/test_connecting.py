"""How a server is connected to: which proxy stands between, what every request shows, and nothing more than that."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest

from llmuses import __version__
from llmuses.models.openai.connecting import _proxy, open_http
from llmuses.models.openai.dialect import Dialect
from llmuses.models.openai.server import OPENAI, Server

ELSEWHERE = "https://models.example.org/v1"


class Opened(NamedTuple):
    """What a session does with every request."""

    headers: dict[str, str]
    reads_netrc: bool


def opened(url: str) -> Opened:
    async def look() -> Opened:
        async with open_http(Server("m", url, "SOME_KEY", Dialect("m", None, {}), None), None) as http:
            return Opened(dict(http.headers), http.trust_env)

    return asyncio.run(look())


@pytest.fixture(autouse=True)
def an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SOME_KEY", "sk-1")


@pytest.mark.parametrize(
    ("variable", "url", "proxy"),
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
    variable: str, url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(*variable.split("=", 1))
    assert _proxy(url) == proxy


def test_no_proxy_stands_before_what_the_environment_excepts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "example.org")
    assert _proxy(ELSEWHERE) is None
    assert _proxy(OPENAI) == "http://proxy:3128"


def test_every_request_shows_the_key_of_the_server_and_none_that_a_netrc_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    here = opened(ELSEWHERE)
    assert here.headers["Authorization"] == "Bearer sk-1"
    assert here.headers["User-Agent"] == f"llmuses/{__version__}"
    assert not here.reads_netrc


def test_who_pays_is_said_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-2")
    there = opened(OPENAI).headers
    assert (there["OpenAI-Organization"], there["OpenAI-Project"]) == ("org-1", "proj-2")
    assert not {"OpenAI-Organization", "OpenAI-Project"} & opened(ELSEWHERE).headers.keys()

"""Where the app is: the path of a site that it is below, the proxy that speaks for others, the platform it runs on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmuses.commands import serve
from llmuses.errors import UsageError
from llmuses.settings import root_path, trusted_proxies
from llmuses.web.below import Below
from llmuses.web.callers import Callers


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "PORT", "SPACE_ID", "MODELSCOPE_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("LLMUSES_ROOT_PATH", "GRADIO_ROOT_PATH", "LLMUSES_PROXIES"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/llmuses", "/llmuses"),
        ("llmuses/", "/llmuses"),
        ("/lab/llmuses/", "/lab/llmuses"),
        ("https://lab.example/llmuses/", "/llmuses"),
        ("https://lab.example", ""),
    ],
)
def test_the_path_is_said_with_or_without_slashes_or_as_an_address(
    said: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_ROOT_PATH", said)
    assert root_path() == path
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/other")
    monkeypatch.setenv("LLMUSES_ROOT_PATH", said or "/other")
    assert root_path() == (path if said else "/other")


@pytest.mark.parametrize("said", ["/a/../b", "/a b", '/a"b', "/a//b", "/ä", "/a;b", "/a\r\nb", "/a\n"])
def test_what_is_no_path_is_refused_since_it_stands_in_headers_and_pages(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMUSES_ROOT_PATH", said)
    with pytest.raises(UsageError, match="is not a path such as /llmuses"):
        root_path()


def seen(path: str, root: str) -> tuple[str, str, bytes]:
    """Return the path, the root and the raw path that the app sees for a request."""
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    scope = {"type": "http", "path": path, "raw_path": path.encode()}
    asyncio.run(Below(app, root)(scope, None, None))  # type: ignore[arg-type]
    assert scope["path"] == path, "the server's own scope is left alone"
    return scopes[0]["path"], scopes[0].get("root_path", ""), scopes[0]["raw_path"]


@pytest.mark.parametrize("path", ["/arena", "/llmuses/arena"])
def test_a_proxy_may_hand_the_path_on_or_take_it_off(path: str) -> None:
    assert seen(path, "/llmuses") == ("/llmuses/arena", "/llmuses", b"/llmuses/arena")


def test_a_name_that_only_begins_like_the_path_is_not_below_it() -> None:
    assert seen("/llmuses-old", "/llmuses") == ("/llmuses/llmuses-old", "/llmuses", b"/llmuses/llmuses-old")


def test_at_the_top_nothing_changes() -> None:
    assert seen("/arena", "") == ("/arena", "", b"/arena")


def request(peer: str, **headers: str) -> Any:
    from starlette.requests import Request

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "headers": raw, "client": (peer, 1), "scheme": "http", "path": "/", "server": ("x", 80)}
    return Request(scope)


@pytest.mark.parametrize(
    ("proxies", "peer", "address"),
    [
        ("", "10.0.0.5", "10.0.0.5"),
        ("10.0.0.0/8", "10.0.0.5", "198.51.100.9"),
        ("172.30.78.2, 10.0.0.5", "10.0.0.5", "198.51.100.9"),
        ("10.0.0.5", "10.0.0.6", "10.0.0.6"),
        ("10.0.0.5", "::ffff:10.0.0.5", "198.51.100.9"),
        ("10.0.0.5", "::ffff:10.0.0.6", "::ffff:10.0.0.6"),
        ("::ffff:10.0.0.0/104", "::ffff:10.0.0.5", "198.51.100.9"),
    ],
)
def test_only_a_proxy_that_is_named_speaks_for_others(
    proxies: str, peer: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMUSES_PROXIES", proxies)
    caller = Callers([], []).of(request(peer, host="lab.example", x_forwarded_for="198.51.100.9"))
    assert caller.address == address


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        ("198.51.100.9:49152", "198.51.100.9"),
        ("[2001:db8::9]:49152", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("6.6.6.6, 198.51.100.9:49152, 10.0.0.7:80", "198.51.100.9"),
        ("unknown", "unknown"),
        ("6.6.6.6, ", ""),
    ],
)
def test_a_port_behind_a_visitors_address_is_no_part_of_it(hops: str, address: str) -> None:
    assert Callers(["10.0.0.0/8"], []).of(request("10.0.0.5", host="x", x_forwarded_for=hops)).address == address


def test_a_proxy_that_is_no_network_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMUSES_PROXIES", "nginx")
    with pytest.raises(UsageError, match=r"LLMUSES_PROXIES: 'nginx'.*write 127\.0\.0\.1"):
        trusted_proxies()


@pytest.mark.parametrize(
    ("environment", "host", "port"),
    [
        ({}, "127.0.0.1", None),
        ({"SPACE_ID": "acme/llmuses"}, "0.0.0.0", None),
        ({"MODELSCOPE_ENVIRONMENT": "studio"}, "0.0.0.0", None),
        ({"MODELSCOPE_ENVIRONMENT": "dsw"}, "127.0.0.1", None),
        ({"GRADIO_SERVER_NAME": "::", "GRADIO_SERVER_PORT": "7861"}, "::", 7861),
        ({"PORT": "8080"}, "127.0.0.1", 8080),
    ],
)
def test_without_flags_the_app_listens_where_its_platform_says(
    environment: dict[str, str], host: str, port: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (serve.host(), serve.port()) == (host, port)


def test_a_port_that_is_no_number_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(UsageError, match=r"PORT=http.*--port"):
        serve.port()

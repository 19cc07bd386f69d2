"""Who sits at this very machine, and who only seems to."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from llmuses.web.callers import is_at_this_machine


def _request(peer: str, host: str, version: str = "1.1", **headers: str) -> Request:
    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request(
        {
            "type": "http", "http_version": version, "method": "GET", "scheme": "http", "path": "/admin", "query_string": b"",
            "client": (peer, 50000), "server": ("127.0.0.1", 7860),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }
    )  # fmt: skip


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1:7860", "127.0.0.1", "[::1]:7860"])
def test_a_browser_here_is_here(host: str) -> None:
    assert is_at_this_machine(_request("127.0.0.1", host))


@pytest.mark.parametrize(
    "request_",
    [
        _request("203.0.113.7", "127.0.0.1:7860"),
        _request("127.0.0.1", "arena.example.org"),
        _request("127.0.0.1", "127.0.0.1:7860", version="1.0"),  # nginx: proxy_pass and nothing else
        _request("127.0.0.1", "127.0.0.1:7860", x_forwarded_for="203.0.113.7"),
        _request("127.0.0.1", "localhost:7860", cf_connecting_ip="203.0.113.7"),
        _request("127.0.0.1", "localhost:7860", true_client_ip="203.0.113.7"),
        _request("127.0.0.1", "localhost:7860", via="1.1 proxy"),
    ],
)
def test_whom_a_proxy_here_speaks_for_is_not(request_: Request) -> None:
    assert not is_at_this_machine(request_)

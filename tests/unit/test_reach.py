"""Which addresses may be called: the public internet, and the networks that somebody named; in whatever clothes they come."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import HTTPServer
from ipaddress import ip_address, ip_network

import pytest

from llmuses.errors import ModelError, UsageError
from llmuses.models import Model, load_model
from llmuses.models.base import Streamer, StreamError
from llmuses.reach import REACHABLE, clients_reach, is_reachable
from llmuses.records import Generate, GenerationConfig, Message, Request
from llmuses.web.admin.addresses import check_address
from tests.support.local_http import Silent, local_http

INSIDE = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:0:0:0:0:80ff:fffe", "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "5f00::1",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_reachable(address: str) -> None:
    assert not is_reachable(ip_address(address), [])


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_internet_is(address: str) -> None:
    assert is_reachable(ip_address(address), [])


def test_a_network_that_is_named_is_and_its_neighbours_are_not() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")]
    for address, may in {
        "10.1.2.3": True, "::ffff:10.1.2.3": True, "10.2.0.1": False, "fd00:1::5": True, "fd00:2::5": False,
    }.items():  # fmt: skip
        assert is_reachable(ip_address(address), allowed) is may


class TestTyped:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "https://[::1]/v1", "http://[::ffff:127.0.0.1]/v1",
            "http://2130706433/v1", "http://0x7f000001/v1", "http://0177.0.0.1/v1", "http://127.1/v1", "http://0/v1",
            "http://169.254.169.254/latest/meta-data", "http://10.0.0.5/v1", "http://[fd00::1]/v1",
        ],
    )  # fmt: skip
    def test_no_way_of_writing_it_leads_inside(self, url: str) -> None:
        with pytest.raises(UsageError, match="inside a network"):
            check_address(url, [])

    @pytest.mark.parametrize(
        "url",
        [
            "http://0.0.0.0/v1", "http://[::]/v1", "http://[0:0:0:0:0:ffff:7f00:1]/v1", "http://[::127.0.0.1]/v1",
            "http://[64:ff9b::7f00:1]/v1", "http://[64:ff9b::a9fe:a9fe]/v1", "http://[2002:7f00:1::]/v1",
            "http://[fe80::1%25lo]/v1", "http://[::ffff:127.0.0.1%25lo]/v1", "http://0x7f.0.0.0x1/v1", "http://0177.0.1/v1",
            "http://017700000001/v1", "http://0x7f.1/v1", "http://127.0.0.1./v1", "http://localhost./v1", "http://LOCALHOST/v1",
            "http://8.8.8.8@127.0.0.1/v1", "http://8.8.8.8%2540127.0.0.1/v1", "http://8.8.8.8:80@127.0.0.1/v1",
            "http://8.8.8.8\\@127.0.0.1/v1", "http://127.0.0.1\\@8.8.8.8/v1", "http:127.0.0.1/v1", "http:///127.0.0.1/v1",
            "http://１２７.０.０.１/v1", "http://127。0。0。1/v1", "http://①②⑦.⓪.⓪.①/v1", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/v1", "http://loc\u00adalhost/v1",
            "http://%31%32%37.0.0.1/v1", "http://127.0.0.1%00.example/v1", "http://127.0.0\t.1/v1", "http://127.0.0\n.1/v1",
            "http:// 127.0.0.1/v1", "http://[127.0.0.1]/v1", "http://[::1].example/v1", "http://127.0.0.1:80:80/v1",
        ],
    )  # fmt: skip
    def test_no_trick_of_writing_it_passes_whatever_else_is_made_of_it(self, url: str) -> None:
        with pytest.raises(UsageError):
            check_address(url, [])

    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd", "ftp://example.org", "gopher://127.0.0.1:70/_", "//example.org/v1", "example.org",
            "http://", "https://user:word@8.8.8.8/v1", "http://[::1", "http://8.8.8.8:99999/", "",
        ],
    )  # fmt: skip
    def test_what_is_no_address_of_a_server_is_refused(self, url: str) -> None:
        with pytest.raises(UsageError):
            check_address(url, [])

    def test_a_name_that_leads_inside_is_refused_whatever_it_is_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answers)
        with pytest.raises(UsageError, match=r"harmless\.example leads to 10\.0\.0\.1"):
            check_address("https://harmless.example/v1", [])

    def test_a_public_address_and_an_allowed_one_are_taken(self) -> None:
        check_address("https://8.8.8.8/v1", [])
        check_address("http://127.0.0.1:8000/v1", [ip_network("127.0.0.0/8")])


# --- the process ---------------------------------------------------------------------------------------------------


class _Redirects(Silent):
    """Sends everybody on to another address of this machine."""

    to = ""

    def do_POST(self) -> None:
        self.send_response(307)
        self.send_header("Location", self.to)
        self.end_headers()

    do_GET = do_POST


@pytest.fixture
def redirecting() -> Iterator[HTTPServer]:
    """A server at 127.0.0.1 that leads to 127.0.0.2."""
    with local_http(_Redirects) as server:
        _Redirects.to = f"http://127.0.0.2:{server.server_port}/v1/chat/completions"
        yield server


def said(url: str, reachable: str) -> str:
    """Return what saying hello to a server comes to in a process that may call only some networks."""
    command = [
        sys.executable,
        "-m",
        "llmuses.hello",
        "openai:x",
        json.dumps({"base_url": url, "max_retries": "0"}),
        "en",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, REACHABLE: reachable}, timeout=120
    )
    assert done.returncode == 1
    return done.stderr


def test_a_process_calls_nobody_inside_whatever_library_connects(redirecting: HTTPServer) -> None:
    url = f"http://127.0.0.1:{redirecting.server_port}/v1"
    assert "may not be called" in said(url, "")


def test_a_redirect_is_a_connection_like_others(redirecting: HTTPServer) -> None:
    url = f"http://127.0.0.1:{redirecting.server_port}/v1"
    assert "127.0.0.2" in said(url, "127.0.0.1/32")


# --- the clients of models in a process that may call what it likes ----------------------------------------------------


def _written(model: Model) -> str:
    """Return what a stream, and then a plain request, to a model comes to."""
    ask = Generate(messages=(Message("user", "Hello"),), config=GenerationConfig(max_tokens=4))

    async def streamed() -> None:
        assert isinstance(model, Streamer)
        async with contextlib.aclosing(model.stream(Request("a", ask))) as deltas:
            async for _ in deltas:
                pass

    said = []
    for run in (lambda: asyncio.run(streamed()), lambda: list(model.run([Request("a", ask)]))):
        try:
            run()
        except (StreamError, ModelError) as problem:
            said.append(str(problem))
    return " / ".join(said)


@pytest.mark.parametrize(
    ("allowed", "stops_at"), [([], "127.0.0.1"), (["127.0.0.1/32"], "127.0.0.2"), (["10.0.0.0/8"], "127.0.0.1")]
)
def test_clients_in_the_servers_own_process_are_held_to_what_may_be_called_redirects_included(
    redirecting: HTTPServer, allowed: list[str], stops_at: str
) -> None:
    model = load_model("openai:x", base_url=f"http://127.0.0.1:{redirecting.server_port}/v1", max_retries=0)
    with clients_reach(lambda: allowed):
        said = _written(model)
        with socket.create_connection(("127.0.0.1", redirecting.server_port)):
            pass  # what is no client of a model goes on as it was
    assert said.count(f"{stops_at} is inside a network that may not be called") == 2


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "0", "[::ffff:127.0.0.1]", "127.0.0.1"])
def test_no_name_of_this_machine_gets_a_client_through(
    redirecting: HTTPServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    model = load_model("openai:x", base_url=f"http://{host}:{redirecting.server_port}/v1", max_retries=0)
    with clients_reach(list):
        said = _written(model)
    assert said.count("may not be called") == 2 or said.count("is not a canonical IPv4 address") == 2
    assert "127.0.0.2" not in said, "nobody was there to lead on"


def test_where_nothing_is_forbidden_clients_call_whom_they_like(redirecting: HTTPServer) -> None:
    model = load_model("openai:x", base_url=f"http://127.0.0.1:{redirecting.server_port}/v1", max_retries=0)
    with clients_reach(lambda: ["127.0.0.0/8"]):
        allowed = _written(model)
    assert "may not be called" not in allowed and allowed == _written(model)

"""The app below a path of a site, behind a real nginx with the configuration that deploy/ holds.

nginx speaks to the world as ``/llmuses/``; one server is started for the whole file.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.arena.live.test_guards import packed, solve
from tests.support.browser import ROOT, free_port
from tests.support.live_site import LiveSite, live_site
from tests.support.waiting import until

BELOW = "/llmuses"
PASSWORD = "correct horse battery"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ENVIRONMENT = {"LLMUSES_ROOT_PATH": BELOW, "LLMUSES_PROXIES": "127.0.0.1", "LLMUSES_ADMIN_PASSWORD": PASSWORD}

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine: apt-get install nginx-light")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes


class Proxied:
    """The site as the world sees it through nginx."""

    def __init__(self, port: int, site: LiveSite):
        self.port = port
        self.site = site

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.headers.get_all("set-cookie") or [],
                answer.read(),
            )
        finally:
            connection.close()

    def models(self) -> list[object]:
        """Return which models may be chosen in the arena by now."""
        found: list[object] = msgspec.json.decode(self.ask(f"{BELOW}/arena-api/state").body)["models"]
        return found

    def log_in(self, **headers: str) -> Answer:
        form = urllib.parse.urlencode({"name": "admin", "password": PASSWORD}).encode()
        return self.ask(f"{BELOW}/admin/login", "POST", form, sec_fetch_site="same-origin", **headers)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("nginx")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        with live_site(tmp_path_factory.mktemp("outputs")) as site, nginx(folder, site.address) as port:
            yield Proxied(port, site)


def listens(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, process.stderr.read() if process.stderr else ""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[int]:
    """Run nginx in front of a server and yield its port."""
    port = free_port()
    server = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    assert server.count("listen 80;") == 1 and server.count("http://llmuses:7860") == 1
    server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("http://llmuses:7860", upstream.rstrip("/"))
    temporary = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{server} }}\n",
        "utf-8",
    )
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
    try:
        until(lambda: listens(process, port))
        yield port
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.parametrize("page", ["", "arena", "leaderboard", "benchmarks", "charts", "compare", "browse", "catalogue"])
def test_a_page_and_all_that_it_loads_is_below_the_path(proxied: Proxied, page: str) -> None:
    answer = proxied.ask(f"{BELOW}/{page}")
    assert answer.status == 200
    text = answer.body.decode()
    base = re.search(r'<base href="([^"]*)"', text)
    here = urllib.parse.urljoin(f"{BELOW}/{page}", base[1] if base else "")
    loaded = re.findall(r'<(?:script|link)[^>]*?(?:src|href)="([^"]+)"', text)
    inside = [urllib.parse.urljoin(here, name) for name in loaded if not re.match(r"https?:|data:", name)]
    assert inside
    assert [address for address in inside if not address.startswith(f"{BELOW}/")] == []
    if page == "":
        assert [address for address in inside if proxied.ask(address).status != 200] == []
    roots = set(re.findall(r'"root":\s*"([^"]*)"', text))
    assert roots == {f"http://127.0.0.1:{proxied.port}{BELOW}"}, "Gradio's scripts ask below the path too"


def test_the_path_without_its_slash_leads_to_the_path(proxied: Proxied) -> None:
    answer = proxied.ask(BELOW)
    assert (answer.status, answer.headers["location"]) == (308, f"{BELOW}/")


@pytest.mark.parametrize("path", ["/", "/arena", "/arena-api/state", "/admin"])
def test_nothing_of_the_app_is_beside_the_path(proxied: Proxied, path: str) -> None:
    assert proxied.ask(path).status == 404


@pytest.mark.parametrize(
    "path", ["/leaderboard?tab=benchmarks", "/?tab=benchmarks", "/admin/", "/arena/", "/admin/login"]
)
def test_no_redirect_leaves_the_path(proxied: Proxied, path: str) -> None:
    answer = proxied.ask(BELOW + path)
    if "location" in answer.headers:
        there = urllib.parse.urljoin(f"http://127.0.0.1:{proxied.port}{BELOW}{path}", answer.headers["location"])
        assert there.startswith(f"http://127.0.0.1:{proxied.port}{BELOW}/")


def test_an_address_that_is_none_has_a_page_whose_links_are_below_the_path(proxied: Proxied) -> None:
    answer = proxied.ask(f"{BELOW}/nothing/here", accept="text/html")
    assert answer.status == 404
    assert f'<base href="{BELOW}/">' in answer.body.decode()


def test_an_answer_comes_through_word_by_word_as_the_models_write_it(proxied: Proxied) -> None:
    proxied.site.wait_for(lambda: len(proxied.models()) == 2, "the first who comes has the models loaded")
    proxied.site.slow()
    given = proxied.ask(f"{BELOW}/arena-api/challenge")
    proof = packed(solve(msgspec.json.decode(given.body)))
    ask = msgspec.json.encode({"prompt": "What is rain?", "terms": True, "proof": proof})
    (cookie,) = given.cookies
    connection = http.client.HTTPConnection("127.0.0.1", proxied.port, timeout=60)
    headers = {"content-type": "application/json", "sec-fetch-site": "same-origin", "cookie": cookie.partition(";")[0]}
    try:
        connection.request("POST", f"{BELOW}/arena-api/send", ask, headers)
        answer = connection.getresponse()
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        frames = 0
        while frames < 3:
            frames += answer.readline().startswith(b"event: frame")
        assert proxied.site.running() == 2, "they still write: nothing was held back"
    finally:
        connection.close()
    assert f"Path={BELOW};" in cookie
    proxied.site.wait_for(lambda: proxied.site.running() == 0, "who goes away stops the models")


def test_logging_in_leads_into_the_room_below_the_path_and_its_cookie_stays_there(proxied: Proxied) -> None:
    answer = proxied.log_in()
    assert answer.status == 303
    there = urllib.parse.urljoin(f"{BELOW}/admin/login", answer.headers["location"])
    assert there == f"{BELOW}/admin"
    (cookie,) = answer.cookies
    assert f"Path={BELOW};" in cookie and "Secure" not in cookie
    room = proxied.ask(there, cookie=cookie.partition(";")[0])
    assert room.status == 200
    assert b"admin?tab=" in room.body


def test_a_deed_is_done_with_the_pages_token_and_refused_without(proxied: Proxied) -> None:
    session = proxied.log_in().cookies[0].partition(";")[0]
    room = proxied.ask(f"{BELOW}/admin?tab=models", cookie=session).body.decode()
    found = re.search(r'data-token="([^"]+)"', room)
    assert found
    arguments = {"cookie": session, "sec_fetch_site": "same-origin", "content_type": "application/json"}
    deed = f"{BELOW}/admin/do/check-models"
    assert proxied.ask(deed, "POST", b'{"text": ""}', **arguments).status == 403
    answer = proxied.ask(deed, "POST", b'{"text": ""}', x_llmuses_token=found[1], **arguments)
    assert answer.status == 200, answer.body


def test_a_page_of_another_site_cannot_log_in(proxied: Proxied) -> None:
    form = urllib.parse.urlencode({"name": "admin", "password": PASSWORD}).encode()
    answer = proxied.ask(f"{BELOW}/admin/login", "POST", form, origin="https://elsewhere.example")
    assert answer.status == 403


def test_a_browser_that_says_only_its_origin_is_at_home_under_the_proxys_name(proxied: Proxied) -> None:
    form = urllib.parse.urlencode({"name": "admin", "password": PASSWORD}).encode()
    answer = proxied.ask(f"{BELOW}/admin/login", "POST", form, origin=f"http://127.0.0.1:{proxied.port}")
    assert answer.status == 303


def test_the_audit_log_has_the_address_that_a_trusted_proxy_names(proxied: Proxied) -> None:
    proxied.log_in(x_forwarded_for="198.51.100.9")
    last = (proxied.site.folder.parent / "jobs" / "audit.jsonl").read_bytes().splitlines()[-1]
    assert msgspec.json.decode(last)["address"] == "198.51.100.9", "the last hop that is no proxy of ours"

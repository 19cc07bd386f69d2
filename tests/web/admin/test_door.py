"""The door of the admin room: who is let in, from where, to what; and what is said to everybody else."""

from __future__ import annotations

import asyncio
import html
import io
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import msgspec
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from leaderboard.results import AllResults
from llmuses.cli import main
from llmuses.errors import UsageError
from llmuses.markup import Markup
from llmuses.records import AuditLine
from llmuses.store import JsonlStore
from llmuses.web.admin import passwords
from llmuses.web.admin.door import add_admin
from llmuses.web.admin.onwards import onwards
from llmuses.web.admin.room import Asked, Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Account, AdminRules, Role, read_rules
from llmuses.web.admin.sessions import COOKIE
from tests.support.quick_hash import quick_hash

PASSWORD = "correct horse battery"
HERE = {"sec-fetch-site": "same-origin"}
HUB = "logins: {hub: {issuer: 'https://hub.example', client_id: x}}\n"


class _Word(Asked, kw_only=True, frozen=True):
    word: str


def _echo(doing: Doing, asked: _Word) -> dict[str, str]:
    return {"say": f"{doing.person.name} said {asked.word}"}


TABS = (
    Tab("jobs", Role.OPERATOR, lambda room, person, visit: Markup("<p>first tab</p>")),
    Tab("models", Role.ADMIN, lambda room, person, visit: Markup("<p>for admins</p>")),
)

DEEDS = {"echo": Deed(Role.OPERATOR, _Word, _echo), "rule": Deed(Role.ADMIN, _Word, _echo)}


@pytest.fixture(scope="module")
def accounts() -> tuple[Account, ...]:
    hashed = quick_hash(PASSWORD)
    return Account(name="ada", password=hashed, role=Role.ADMIN), Account(name="bob", password=hashed)


@pytest.fixture
def room(tmp_path: Path, accounts: tuple[Account, ...]) -> Room:
    return Room(AllResults(tmp_path), AdminRules(accounts=accounts))


def client(room: Room, address: str = "203.0.113.7", base: str = "http://lab.example") -> TestClient:
    app = FastAPI()
    add_admin(app, room, TABS, DEEDS)
    return TestClient(app, base_url=base, client=(address, 50000), follow_redirects=False)


@pytest.fixture
def visitor(room: Room) -> Iterator[TestClient]:
    with client(room) as caller:
        yield caller


def login(caller: TestClient, name: str = "ada", password: str = PASSWORD) -> httpx2.Response:
    return caller.post("/admin/login", data={"name": name, "password": password}, headers=HERE)


def token(caller: TestClient) -> str:
    page = caller.get("/admin").text
    return page.split('data-token="')[1].split('"')[0]


def do(caller: TestClient, deed: str, body: object, **headers: str) -> httpx2.Response:
    sent = {**HERE, "x-llmuses-token": token(caller), "content-type": "application/json", **headers}
    return caller.post(f"/admin/do/{deed}", content=msgspec.json.encode(body), headers=sent)


class TestAnonymous:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/admin"), ("GET", "/admin?tab=jobs"), ("GET", "/admin/view"), ("GET", "/admin/log/j-0001"),
            ("POST", "/admin/do/echo"), ("POST", "/admin/do/nothing"), ("POST", "/admin/logout"),
        ],
    )  # fmt: skip
    def test_gets_401_everywhere(self, visitor: TestClient, method: str, path: str) -> None:
        answer = visitor.request(method, path, headers=HERE)
        assert answer.status_code == 401
        assert "first tab" not in answer.text

    def test_sees_the_login_and_that_reading_needs_no_account(self, visitor: TestClient) -> None:
        page = visitor.get("/admin").text
        assert 'type="password"' in page
        assert "Reading needs no account." in page

    @pytest.mark.parametrize(
        "cookie",
        ["", "x", "a.b", "." * 500, "W10.AAAA", "eyJ9.x" * 400, "\xff.\xff"],
    )  # fmt: skip
    def test_a_cookie_that_is_not_ours_opens_nothing(self, visitor: TestClient, cookie: str) -> None:
        headers = [(b"cookie", f"{COOKIE}={cookie}".encode("latin-1"))]
        assert visitor.get("/admin/view", headers=headers).status_code == 401

    def test_the_cookie_of_another_folder_opens_nothing(
        self, visitor: TestClient, tmp_path: Path, accounts: tuple[Account, ...]
    ) -> None:
        elsewhere = Room(AllResults(tmp_path / "elsewhere"), AdminRules(accounts=accounts))
        visitor.cookies.set(COOKIE, elsewhere.sessions.cookie(accounts[0], time.time()))
        assert visitor.get("/admin/view").status_code == 401


class TestLogin:
    def test_the_right_password_opens_the_room(self, visitor: TestClient) -> None:
        answer = login(visitor)
        assert (answer.status_code, answer.headers["location"]) == (303, "../admin")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "first tab" in visitor.get("/admin").text

    def test_the_page_after_a_wrong_password_leads_to_the_same_addresses(self, visitor: TestClient) -> None:
        page = login(visitor, password="wrong").text
        assert '<base href="../">' in page
        assert 'action="admin/login"' in page
        assert '<base href="./">' in visitor.get("/admin").text

    def test_the_cookie_is_secure_where_the_connection_is(self, room: Room) -> None:
        with client(room, base="https://lab.example") as caller:
            assert "; Secure" in login(caller).headers["set-cookie"]

    @pytest.mark.parametrize(
        ("name", "password"), [("ada", "wrong"), ("eve", PASSWORD), ("", ""), ("ada", "x" * 100_000)]
    )
    def test_a_wrong_name_and_a_wrong_password_are_answered_alike(
        self, visitor: TestClient, name: str, password: str
    ) -> None:
        answer = login(visitor, name, password)
        assert answer.status_code == 401
        assert "Name or password is wrong." in answer.text
        assert COOKIE not in visitor.cookies

    def test_a_form_with_too_many_fields_is_refused_in_words(self, visitor: TestClient) -> None:
        answer = visitor.post("/admin/login", content="a=b&" * 50, headers=HERE)
        assert (answer.status_code, answer.json()) == (400, {"problem": "this is no form of this page"})

    def test_it_is_refused_from_a_page_of_another_site(self, visitor: TestClient) -> None:
        sent = {"name": "ada", "password": PASSWORD}
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            assert visitor.post("/admin/login", data=sent, headers=headers).status_code == 403

    def test_logging_out_takes_the_session_away(self, visitor: TestClient) -> None:
        login(visitor)
        assert visitor.post("/admin/logout", headers=HERE).status_code == 303
        assert visitor.get("/admin/view").status_code == 401

    def test_a_copied_cookie_is_dead_after_logging_out_for_every_server_of_the_folder(
        self, visitor: TestClient, room: Room, tmp_path: Path, accounts: tuple[Account, ...]
    ) -> None:
        login(visitor)
        copied, before = visitor.cookies[COOKIE], Room(AllResults(tmp_path), room.rules)
        assert before.sessions.person(copied, time.time()) is not None
        visitor.post("/admin/logout", headers=HERE)
        for server in (room, before, Room(AllResults(tmp_path), room.rules)):
            assert server.sessions.person(copied, time.time()) is None
        visitor.cookies.set(COOKIE, copied)
        assert visitor.get("/admin/view").status_code == 401
        assert copied not in (room.log.folder / "logouts.jsonl").read_text()

    def test_a_session_that_was_ended_stays_so_where_the_clock_was_ahead_for_a_while(
        self, visitor: TestClient, room: Room, tmp_path: Path
    ) -> None:
        login(visitor)
        copied, server = visitor.cookies[COOKIE], Room(AllResults(tmp_path), room.rules)
        visitor.post("/admin/logout", headers=HERE)
        for now in (time.time() + 1e6, time.time()):
            assert server.sessions.person(copied, now) is None
        ahead = Room(AllResults(tmp_path), room.rules)
        ahead.sessions.person(ahead.sessions.cookie(room.rules.accounts[0], time.time() + 1e6), time.time() + 1e6)
        assert ahead.sessions.person(copied, time.time()) is None

    def test_logging_out_ends_no_other_session(
        self, visitor: TestClient, room: Room, accounts: tuple[Account, ...]
    ) -> None:
        elsewhere = room.sessions.cookie(accounts[0], time.time())
        login(visitor)
        visitor.post("/admin/logout", headers=HERE)
        assert room.sessions.person(elsewhere, time.time()) is not None

    def test_a_session_outlives_the_server_however_the_password_is_given(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", PASSWORD)
        rules = read_rules()
        cookie = Room(AllResults(tmp_path), rules).sessions.cookie(rules.accounts[0], time.time())
        assert Room(AllResults(tmp_path), read_rules()).sessions.person(cookie, time.time()) is not None
        monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", "another password")
        assert Room(AllResults(tmp_path), read_rules()).sessions.person(cookie, time.time()) is None

    def test_a_changed_password_ends_the_sessions_that_the_old_one_began(
        self, room: Room, tmp_path: Path, accounts: tuple[Account, ...]
    ) -> None:
        cookie = room.sessions.cookie(accounts[0], time.time())
        changed = Account(name="ada", password=quick_hash("another password"), role=Role.ADMIN)
        later = Room(AllResults(tmp_path), AdminRules(accounts=(changed,)))
        assert room.sessions.person(cookie, time.time()) is not None
        assert later.sessions.person(cookie, time.time()) is None

    def test_a_session_ends_after_its_hours(self, room: Room, accounts: tuple[Account, ...]) -> None:
        cookie = room.sessions.cookie(accounts[0], now=1000.0)
        assert room.sessions.person(cookie, 1000.0 + 12 * 3600 - 1) is not None
        assert room.sessions.person(cookie, 1000.0 + 12 * 3600) is None

    def test_logins_and_refusals_are_on_record(self, visitor: TestClient, room: Room) -> None:
        login(visitor, password="wrong")
        login(visitor)
        lines = list(JsonlStore(room.log.folder / "audit.jsonl", AuditLine))
        assert [(line.by, line.deed, line.about, line.address) for line in lines] == [
            ("", "login refused", "ada", "203.0.113.7"),
            ("ada", "login", "", "203.0.113.7"),
        ]
        assert PASSWORD not in (room.log.folder / "audit.jsonl").read_text()


def asked_for(page: str) -> str:
    """Return what the form of the login says of where it goes on to."""
    return html.unescape(page.split('name="to" value="')[1].split('"')[0])


class TestGoingOn:
    @pytest.mark.parametrize(
        "address",
        [
            "admin", "admin?tab=models", "admin/browse", "admin/browse?run=a%20run&dataset=arc&sample=ARC-Easy%2F0",
            "admin/compare?a=%E6%A8%A1&b=x'y<b>", "admin/charts?board=arena", "admin?next=//evil.example",
        ],
    )  # fmt: skip
    def test_who_logs_in_is_led_to_the_page_that_was_asked_for_after_a_wrong_password_too(
        self, visitor: TestClient, address: str
    ) -> None:
        there = str(visitor.get(f"/{address}").url).removeprefix("http://lab.example/")
        said = asked_for(visitor.get(f"/{address}").text)
        assert said == there
        for password, status in (("wrong", 401), (PASSWORD, 303)):
            sent = {"name": "ada", "password": password, "to": said}
            answer = visitor.post("/admin/login", data=sent, headers=HERE)
            assert answer.status_code == status
            said = asked_for(answer.text) if status == 401 else said
        assert answer.headers["location"] == f"../{said}"
        assert str(answer.url.join(answer.headers["location"])) == f"http://lab.example/{there}"
        assert visitor.get(f"/{address}").status_code in (200, 307)

    @pytest.mark.parametrize(
        "to",
        [
            "", "/", "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example",
            "https:evil.example", "javascript:alert(1)", "data:text/html,x", "%2F%2Fevil.example", "%5C%5Cevil.example", "//evil.example/admin",
            "admin//evil.example", "admin/..//evil.example", "admin/../../evil", "admin/..%2F..%2Fevil", "admin@evil.example", "admin.evil.example",
            ".//evil.example", "../admin", "/admin", "admin/", "admin/logout", "admin/do/echo", "admin/login/hub", "admin/export/run.json?run=x",
            "admin\\evil", "admin?a\\b", "admin?a b", "admin#//evil.example", "admin?a#b", "admin?\r\nSet-Cookie: x=1", "admin\r\nx: y", "admin?\0",
            "admin?\t", "\tadmin", " admin", "admin ", "ADMIN", "admin?\u2028", "admin?" + "x" * 1001, "／／evil.example", "http://lab.example/admin",
        ],
    )  # fmt: skip
    def test_what_is_no_page_of_the_room_leads_to_the_room(self, to: str) -> None:
        assert onwards(to) == "admin"

    @pytest.mark.parametrize("to", ["", "//evil.example", "\\\\evil.example", "%2F%2Fevil.example", "admin?\r\nx: y"])
    def test_a_form_that_somebody_changed_leads_to_no_other_site(self, visitor: TestClient, to: str) -> None:
        answer = visitor.post("/admin/login", data={"name": "ada", "password": PASSWORD, "to": to}, headers=HERE)
        assert (answer.status_code, answer.headers["location"]) == (303, "../admin")
        assert "x" not in answer.headers

    @given(st.text(max_size=30))
    @settings(max_examples=50, deadline=None)
    def test_whatever_is_said_it_stays_below_the_room(self, said: str) -> None:
        for to in (said, f"admin{said}", f"admin?{said}", f"admin/browse{said}"):
            address = urljoin("http://lab.example/below/admin/login", f"../{onwards(to)}")
            assert re.match(r"http://lab\.example/below/admin([/?]|$)", address)

    def test_the_login_is_no_link_of_whoever_asks_for_it(self, visitor: TestClient) -> None:
        """A page of the room itself says where it leads; the query of its address does not."""
        assert asked_for(visitor.get("/admin?to=//evil.example").text) == "admin?to=//evil.example"
        page = visitor.get('/admin/browse?run="><script>alert(1)</script>').text
        assert "<script>alert" not in page


class TestWrongPasswords:
    def test_of_a_thousand_at_once_five_are_looked_at_while_somebody_else_logs_in(self, room: Room) -> None:
        room.passwords._clock = lambda: 0.0  # all in one moment
        app = FastAPI()
        add_admin(app, room, TABS, DEEDS)

        def of(address: str) -> httpx2.AsyncClient:
            there = httpx2.ASGITransport(app, client=(address, 50000))
            return httpx2.AsyncClient(transport=there, base_url="http://lab.example", headers=HERE)

        async def flood() -> list[httpx2.Response]:
            async with of("198.51.100.7") as eve, of("203.0.113.7") as ada:
                guesses = [eve.post("/admin/login", content=f"name=ada&password={number}") for number in range(1000)]
                honest = ada.post("/admin/login", data={"name": "ada", "password": PASSWORD})
                return await asyncio.gather(*guesses[:500], honest, *guesses[500:])

        answers = asyncio.run(flood())
        assert answers.pop(500).status_code == 303
        assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 995}
        waiting = next(answer for answer in answers if answer.status_code == 429)
        assert 1 <= int(waiting.headers["retry-after"]) <= 900
        assert "Too many wrong passwords." in waiting.text

    def test_the_right_one_waits_like_the_others(self, visitor: TestClient) -> None:
        for number in range(6):
            login(visitor, password=f"guess {number}")
        assert login(visitor).status_code == 429

    def test_many_addresses_together_do_not_lock_out_who_was_here_before(
        self, room: Room, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passwords, "_FREE_FOR_ALL", 20)
        room.passwords._clock = lambda: 0.0
        with client(room) as ada:
            assert login(ada).status_code == 303
            for number in range(21):
                with client(room, address=f"198.51.100.{number}") as stranger:
                    login(stranger, password="guess")
            with client(room, address="192.0.2.1") as newcomer:
                assert login(newcomer).status_code == 429
            assert login(ada).status_code == 303


class TestWithoutAccounts:
    @pytest.fixture
    def open_room(self, tmp_path: Path) -> Room:
        return Room(AllResults(tmp_path), AdminRules())

    @pytest.mark.parametrize("base", ["http://127.0.0.1:7860", "http://localhost:7860", "http://[::1]:7860"])
    def test_the_room_is_open_on_this_machine(self, open_room: Room, base: str) -> None:
        with client(open_room, address="127.0.0.1", base=base) as caller:
            assert "first tab" in caller.get("/admin").text
            assert do(caller, "rule", {"word": "yes"}).json() == {"say": "local said yes"}

    @pytest.mark.parametrize(
        ("address", "base", "headers"),
        [
            ("203.0.113.7", "http://127.0.0.1:7860", {}),
            ("127.0.0.1", "http://lab.example", {}),
            ("127.0.0.1", "http://localhost.evil.example", {}),
            ("127.0.0.1", "http://2130706433", {}),
            ("127.0.0.1", "http://127.0.0.1", {"x-forwarded-for": "203.0.113.7"}),
            ("127.0.0.1", "http://127.0.0.1", {"forwarded": "for=203.0.113.7"}),
            ("127.0.0.1", "http://127.0.0.1", {"via": "1.1 proxy"}),
        ],
    )
    def test_it_does_not_exist_for_anybody_else(
        self, open_room: Room, address: str, base: str, headers: dict[str, str]
    ) -> None:
        with client(open_room, address=address, base=base) as caller:
            for method, path in (("GET", "/admin"), ("GET", "/admin/view"), ("POST", "/admin/do/echo")):
                assert caller.request(method, path, headers=headers).status_code == 404


class TestDeeds:
    @pytest.fixture
    def ada(self, visitor: TestClient) -> TestClient:
        login(visitor)
        return visitor

    @pytest.fixture
    def bob(self, visitor: TestClient) -> TestClient:
        login(visitor, "bob")
        return visitor

    def test_an_admin_may_do_everything(self, ada: TestClient) -> None:
        assert do(ada, "rule", {"word": "yes"}).json() == {"say": "ada said yes"}

    def test_an_operator_may_do_what_operators_do(self, bob: TestClient) -> None:
        assert do(bob, "echo", {"word": "yes"}).status_code == 200
        refused = do(bob, "rule", {"word": "yes"})
        assert (refused.status_code, refused.json()) == (403, {"problem": "This needs the role admin."})

    def test_an_operator_does_not_see_the_tabs_of_admins(self, bob: TestClient) -> None:
        assert "for admins" not in bob.get("/admin?tab=models").text
        assert "for admins" not in bob.get("/admin/view?tab=models").text

    @pytest.mark.parametrize(
        "headers",
        [
            {"x-llmuses-token": ""},
            {"x-llmuses-token": "guess"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
        ],
    )
    def test_a_request_that_our_page_did_not_make_is_refused(self, ada: TestClient, headers: dict[str, str]) -> None:
        assert do(ada, "echo", {"word": "yes"}, **headers).status_code == 403

    def test_the_token_of_somebody_else_is_refused(self, ada: TestClient, room: Room) -> None:
        with client(room) as bob:
            login(bob, "bob")
            assert do(ada, "echo", {"word": "yes"}, **{"x-llmuses-token": token(bob)}).status_code == 403

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "missing required field `word`"),
            ({"word": 3}, "word must be a text"),
            ({"word": "a", "role": "admin"}, "contains unknown field `role`"),
            ([], "must be"),
            ("x" * (1 << 20), ""),
        ],
    )
    def test_a_body_that_is_none_is_refused_in_words(self, ada: TestClient, body: object, words: str) -> None:
        answer = do(ada, "echo", body)
        assert answer.status_code == 400
        assert words in answer.json()["problem"]

    @pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "echo%00", "__init__"])
    def test_a_deed_that_does_not_exist_is_not_found(self, ada: TestClient, name: str) -> None:
        assert do(ada, name, {"word": "yes"}).status_code in (404, 405)

    @pytest.mark.parametrize("job", ["j-0001", "..%2f..%2fjobs.jsonl", "%2fetc%2fpasswd", "j-0001%00"])
    def test_only_logs_of_jobs_are_given_out(self, ada: TestClient, job: str) -> None:
        assert ada.get(f"/admin/log/{job}", headers=HERE).status_code == 404

    def test_what_is_asked_is_on_record_before_it_is_done(self, ada: TestClient, room: Room) -> None:
        do(ada, "echo", {"word": "yes"})
        last = room.audit.last(1)[0]
        assert (last.by, last.deed, last.about) == ("ada", "echo", '{"word":"yes"}')

    def test_pages_of_other_sites_may_lead_here_but_fetch_and_frame_nothing(self, ada: TestClient) -> None:
        there = {"sec-fetch-site": "cross-site"}
        assert ada.get("/admin", headers={**there, "sec-fetch-dest": "document"}).status_code == 200
        for kind in ("iframe", "empty", "script", "image"):
            assert ada.get("/admin/view", headers={**there, "sec-fetch-dest": kind}).status_code == 403

    def test_nothing_is_kept_by_caches_and_every_answer_has_its_policy(self, ada: TestClient) -> None:
        for path in ("/admin", "/admin/view", "/admin/log/j-0001"):
            answer = ada.get(path, headers=HERE)
            assert answer.headers["cache-control"] == "no-store"
            assert "object-src 'none'" in answer.headers["content-security-policy"]


class TestTheHashOfAPassword:
    def test_is_printed_by_a_command_and_lets_its_password_in(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("eight or more\n"))
        assert main(["password"]) == 0
        account = Account(name="ada", password=capsys.readouterr().out.strip())
        assert passwords.Passwords([account]).check("ada", "eight or more", "") == account

    def test_is_refused_for_a_password_that_keeps_nobody_out(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
        assert main(["password"]) == 2
        assert "at least 8 characters" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            ("accounts: [{name: ada, password: secret}]", "begins with $argon2"),
            ("accounts: [{name: ada}]", "password"),
            ("accounts: [{name: ada, login: hub, subject: '7'}]", "no 'hub' among the logins"),
            (f"{HUB}accounts: [{{name: ada, login: hub}}]", "a subject or a username"),
            (f"{HUB}accounts: [{{name: ada, login: hub, subject: '7', username: ada}}]", "a subject or a username"),
            (
                f"{HUB}accounts: [{{name: ada, login: hub, subject: '7', password: $argon2x}}]",
                "a subject or a username",
            ),
            (
                f"{HUB}accounts: [{{name: a, login: hub, subject: '7'}}, {{name: b, login: hub, subject: '7'}}]",
                "one person elsewhere",
            ),
            ("logins: {hub: {issuer: 'https://hub.example'}}", "either client_id or client_id_env"),
            ("account: []", "unknown field `account`"),
            ("proxies: [nowhere]", "nowhere"),
            ("allowed_addresses: [10.0.0.1/8]", "host bits set"),
            ("- a list", "must be object"),
            ("accounts: [", "while parsing"),
        ],
    )
    def test_rules_that_cannot_be_meant_are_one_line(
        self, rules: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "admin.yaml"
        path.write_text(rules)
        monkeypatch.setenv("LLMUSES_ADMIN_CONFIG", str(path))
        with pytest.raises(UsageError, match="admin") as refused:
            read_rules()
        assert words in str(refused.value)
        assert "\n" not in str(refused.value)

    def test_one_variable_is_enough_for_one_account(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", PASSWORD)
        (account,) = read_rules().accounts
        assert (account.name, account.role) == ("admin", Role.ADMIN)
        assert PASSWORD not in account.password

"""What keeps strangers from bending the arena: signatures, limits, proofs of work, the content filter, the rules' file."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import multiprocessing
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.live.filtering import ContentFilter
from arena.live.house import House, HouseFile
from arena.live.keys import Keys, Session
from arena.live.limits import Limiter, Places
from arena.live.proofs import Proofs
from arena.live.refusal import CODES, Refusal
from arena.live.rules import Filter, Proof, Rate, RateLimits, Rates, Slots, load_rules
from arena.live.visitor import Visitor, block_of, site_of
from arena.live_html import battle_page
from llmuses.errors import StoreError, UsageError
from llmuses.i18n import Lang
from llmuses.records import Battle, Winner
from llmuses.web.arena_api import _STATUS
from tests.support.live_arenas import TWO, Clock, ScriptedPlayers, all_of, ask, battle, live_arena, visitor

DAY = 86400.0


# --- Signatures --------------------------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_its_owners_only(tmp_path: Path) -> None:
    first, second = Keys.of(tmp_path), Keys.of(tmp_path)
    assert first.sign("battle", "a") == second.sign("battle", "a")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [".secret.lock", "secret"]


def _signature(folder: str) -> str:
    return Keys.of(Path(folder)).sign("battle", "a")


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert len(set(pool.map(_signature, [str(tmp_path)] * 8))) == 1


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    with pytest.raises(StoreError, match="secret"):
        Keys.of(tmp_path)


def test_a_session_is_recognised_until_it_is_old() -> None:
    keys = Keys(b"k" * 32)
    session = keys.new_session(1000.0)
    cookie = keys.cookie(session)
    assert keys.session(cookie, 1000.0 + DAY, 2) == session
    assert keys.session(cookie, 1000.0 + 3 * DAY, 2) is None
    assert Keys(b"l" * 32).session(cookie, 1000.0, 2) is None


@given(st.text(max_size=80))
def test_no_text_is_a_session_or_a_battle(text: str) -> None:
    keys = Keys(b"k" * 32)
    assert keys.session(text, 0.0, 1) is None
    assert keys.battle_id(text, "session") is None


def test_a_session_that_somebody_wrote_is_nobodys() -> None:
    keys = Keys(b"k" * 32)
    body = base64.urlsafe_b64encode(msgspec.json.encode(Session("me", 0.0, "admin"))).rstrip(b"=").decode()
    for signature in ("", "A" * 22, keys.sign("battle", body), keys.sign("session", body + "x")):
        assert keys.session(f"{body}.{signature}", 0.0, 1) is None


@given(st.lists(st.text(max_size=5), max_size=3), st.lists(st.text(max_size=5), max_size=3))
def test_a_signature_is_over_these_parts_and_no_others(one: list[str], two: list[str]) -> None:
    keys = Keys(b"k" * 32)
    assert (keys.sign("p", *one) == keys.sign("p", *two)) == (one == two)


def test_pseudonyms_tell_nothing_without_the_secret() -> None:
    one, other = Keys(b"k" * 32), Keys(b"l" * 32)
    assert one.pseudonym("block", "203.0.113.0/24") != other.pseudonym("block", "203.0.113.0/24")
    assert one.pseudonym("block", "x") != one.pseudonym("account", "x")


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("0203.0.113.7", "unknown"),
        ("", "unknown"),
        ("localhost", "unknown"),
        ("' OR 1=1", "unknown"),
    ],
)
def test_the_block_of_an_address(address: str, block: str) -> None:
    assert block_of(address) == block


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::1", "2001:db8:1::/48"),
        ("203.0.113.7", ""),
        ("::ffff:203.0.113.7", ""),
        ("localhost", ""),
    ],
)
def test_the_site_of_an_address(address: str, site: str) -> None:
    assert site_of(address) == site


# --- Limits ------------------------------------------------------------------------------------------------------


def _limiter(clock: Clock, **limits: Any) -> Limiter:
    return Limiter(RateLimits(send=Rates(**limits)), clock)


def test_a_limit_holds_in_any_stretch_of_time() -> None:
    clock = Clock(0.0)
    limiter = _limiter(clock, voter=(Rate(count=3, seconds=10), Rate(count=4, seconds=100)))
    taken = []
    for second in range(200):
        clock.now = float(second)
        try:
            limiter.take("send", Visitor("s", "v", "b"))
        except Refusal:
            continue
        taken.append(second)
    for start in range(200):
        assert sum(start <= second < start + 10 for second in taken) <= 3
        assert sum(start <= second < start + 100 for second in taken) <= 4
    assert taken == [0, 1, 2, 10, 100, 101, 102, 110]


def test_what_is_refused_does_not_count_and_says_when_to_come_back() -> None:
    clock = Clock(0.0)
    limiter = _limiter(clock, voter=(Rate(count=1, seconds=10),), block=(Rate(count=2, seconds=30),))
    one, two, three = (Visitor("s", f"v{n}", "b") for n in range(3))
    limiter.take("send", one)
    for _ in range(5):
        with pytest.raises(Refusal):
            limiter.take("send", one)
    limiter.take("send", two)
    with pytest.raises(Refusal) as caught:
        limiter.take("send", three)
    assert caught.value.retry_after == 30
    limiter.take("vote", three)


def test_blocks_without_end_in_one_site_share_four_times_the_limit_of_a_block(tmp_path: Path) -> None:
    limiter = _limiter(Clock(0.0), voter=(Rate(count=1, seconds=10),), block=(Rate(count=5, seconds=60),))
    keys, taken = Keys.of(tmp_path), 0
    for n in range(100):
        with contextlib.suppress(Refusal):
            limiter.take("send", keys.visitor(keys.new_session(0.0), f"2001:db8:1:{n:x}::1"))
            taken += 1
    assert taken == 20
    limiter.take("send", keys.visitor(keys.new_session(0.0), "2001:db8:2::1"))
    for n in range(30):
        limiter.take("send", keys.visitor(keys.new_session(0.0), f"203.0.{n}.1"))


def test_places_in_one_site_are_four_times_those_of_a_block() -> None:
    places = Places(Slots(writing=100, writing_per_voter=1, writing_per_block=2))
    with contextlib.ExitStack() as held:
        for n in range(8):
            held.enter_context(places.one(Visitor("", f"v{n}", f"b{n}", site="s")))
        with pytest.raises(Refusal, match="rate"), places.one(Visitor("", "v9", "b9", site="s")):
            pass
        held.enter_context(places.one(Visitor("", "v9", "b9", site="t")))
    assert places.taken == 0


def test_visitors_who_left_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.live.limits._MOST_KEYS", 100)
    clock = Clock(0.0)
    limiter = _limiter(clock, voter=(Rate(count=1, seconds=10),))
    for number in range(5000):
        clock.now += 0.1
        limiter.take("send", Visitor("s", f"v{number}", "b"))
    assert len(limiter._done) <= 2 * 100 + 1


def test_places_are_given_back_whatever_happens() -> None:
    places = Places(Slots(writing=3, writing_per_voter=1, writing_per_block=2))
    one, two, three, far = (
        Visitor("", "1", "b"), Visitor("", "2", "b"), Visitor("", "3", "b"), Visitor("", "4", "c"),
    )  # fmt: skip
    with places.one(one):
        with pytest.raises(Refusal, match="rate"), places.one(one):
            pass
        with places.one(two):
            with pytest.raises(Refusal, match="rate"), places.one(three):
                pass
            with places.one(far), pytest.raises(Refusal, match="busy"), places.one(Visitor("", "5", "d")):
                pass
    assert places.taken == 0
    with pytest.raises(KeyError), places.one(one):
        raise KeyError
    with places.one(one):
        pass


# --- Proofs of work ----------------------------------------------------------------------------------------------


def solve(challenge: Any) -> dict[str, Any]:
    """Do what altcha's widget does in the browser."""
    for number in range(challenge["maxnumber"] + 1):
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]:
            return {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")} | {
                "number": number
            }
    raise AssertionError("no number solves it")


def packed(solved: Any) -> str:
    return base64.b64encode(msgspec.json.encode(solved)).decode()


def _proofs(folder: Path, clock: Clock) -> Proofs:
    return Proofs(folder, Keys(b"k" * 32), Proof(numbers=200, seconds=60), clock)


def _challenge(proofs: Proofs, session: str = "me") -> Any:
    return msgspec.to_builtins(proofs.challenge(session))


def test_work_counts_once_over_all_processes(tmp_path: Path) -> None:
    clock = Clock()
    proofs, other = _proofs(tmp_path, clock), _proofs(tmp_path, clock)
    solved = packed(solve(_challenge(proofs)))
    other.spend(solved, "me")
    for again in (proofs, other):
        with pytest.raises(Refusal, match="proof"):
            again.spend(solved, "me")


def test_work_of_others_old_work_and_invented_work_do_not_count(tmp_path: Path) -> None:
    clock = Clock()
    proofs = _proofs(tmp_path, clock)
    solved = solve(_challenge(proofs))
    easy = {**solved, "salt": "s?expires=99999999999", "number": 1}
    easy["challenge"] = hashlib.sha256(f"{easy['salt']}1".encode()).hexdigest()
    later = {**solved, "salt": solved["salt"].split("=")[0] + "=99999999999"}
    wrong = [{**solved, "number": solved["number"] + 1}, {**solved, "algorithm": "MD5"}, easy, later, {}, [], "x", None]
    for attempt in wrong:
        with pytest.raises(Refusal, match="proof"):
            proofs.spend(packed(attempt), "me")
    for text in ("", "x", "é", "x" * 100_000, base64.b64encode(b"\xff").decode()):
        with pytest.raises(Refusal, match="proof"):
            proofs.spend(text, "me")
    with pytest.raises(Refusal, match="proof"):
        proofs.spend(packed(solved), "somebody else")
    clock.now += 61
    with pytest.raises(Refusal, match="proof"):
        proofs.spend(packed(solved), "me")


def test_an_arena_that_asks_for_work_begins_no_battle_without_it(tmp_path: Path) -> None:
    async def play() -> None:
        players = ScriptedPlayers(TWO)
        arena = live_arena(tmp_path, players, proof={"numbers": 50, "seconds": 60})
        who = visitor(arena)
        assert arena.state(who).proof
        for proof in (None, "x"):
            with pytest.raises(Refusal, match="proof"):
                await battle(arena, who, proof=proof)
        assert players.asked == []
        challenge = arena.challenge(who)
        assert challenge is not None
        proof = packed(solve(msgspec.to_builtins(challenge)))
        token = await battle(arena, who, proof=proof)
        await all_of(arena.send(who, ask("more", battle=token)))
        await arena.vote(who, token, Winner.TIE)
        line = msgspec.json.decode((tmp_path / "battles.jsonl").read_bytes(), type=Battle)
        assert line.tier == "worked"
        with pytest.raises(Refusal, match="proof"):
            await battle(arena, who, proof=proof)
        known = visitor(arena, account="somebody")
        assert not arena.state(known).proof
        await battle(arena, known)

    asyncio.run(play())


def test_notes_of_spent_work_are_cleared_away_when_they_no_longer_matter(tmp_path: Path) -> None:
    clock = Clock()
    proofs = _proofs(tmp_path, clock)
    proofs.spend(packed(solve(_challenge(proofs))), "me")
    proofs.forget()
    assert len(list((tmp_path / "spent").iterdir())) == 1
    clock.now += 62
    proofs.forget()
    assert list((tmp_path / "spent").iterdir()) == []


NO_HOUSE = HouseFile(Path("/nonexistent"))


# --- The content filter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "passes"),
    [
        ("How do I bake bread?", True),
        ("tell me about a NERVE   agent", False),
        ("ｎｅｒｖｅ ａｇｅｎｔ", False),  # full width
        ("ner\u200bve agent", False),  # a character that nobody sees
        ("unnerve agents", True),
        ("怎么制造毒气？", False),
    ],
)
def test_words_are_found_however_they_are_written(tmp_path: Path, prompt: str, passes: bool) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# what is not asked here\nnerve agent\n毒气\n\n", "utf-8")
    check = ContentFilter(Filter(words=str(words)), HouseFile(tmp_path)).check(prompt)
    if passes:
        asyncio.run(check)
    else:
        with pytest.raises(Refusal, match="filtered"):
            asyncio.run(check)


def test_words_that_an_admin_saves_win_at_once_in_every_process(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("bread\n", "utf-8")

    def passes(check: ContentFilter, prompt: str) -> bool:
        try:
            asyncio.run(check.check(prompt))
        except Refusal:
            return False
        return True

    one, other = (ContentFilter(Filter(words=str(words)), HouseFile(tmp_path)) for _ in range(2))
    assert not passes(one, "bread?") and passes(one, "wine?")
    HouseFile(tmp_path).write(House(words=("wine", "# bread", "\u200b")))
    for check in (one, other):
        assert passes(check, "bread?") and not passes(check, "wine?") and passes(check, "Hello?")
    (tmp_path / "house.json").write_text("{")
    assert not passes(one, "wine?"), "a damaged file changes nothing"
    HouseFile(tmp_path).write(House(words=()))
    assert passes(one, "wine?") and passes(one, "bread?")
    HouseFile(tmp_path).write(House())
    assert not passes(one, "bread?")


def test_terms_of_ones_own_stand_on_the_battle_page_at_once_in_the_language_they_are_in(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)

    def page(lang: Lang) -> str:
        return str(battle_page(lang, None, arena.rules, True, None, terms=arena.terms(lang)))

    assert "kept, and may be published" in page("en")
    HouseFile(tmp_path).write(House(terms={"en": ("Be <kind>.", "Be brief.")}))
    assert "<p>Be &lt;kind&gt;.</p><p>Be brief.</p>" in page("en")
    assert "kept, and may be published" not in page("en")
    assert "你输入的内容" in page("zh")


def test_a_file_of_words_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"filter\.words"):
        ContentFilter(Filter(words=str(tmp_path / "none.txt")), HouseFile(tmp_path))


def test_a_moderation_endpoint_decides(tmp_path: Path) -> None:
    from aiohttp import web

    async def moderate(request: web.Request) -> web.Response:
        body = await request.json()
        if body["input"] == "break":
            return web.Response(status=500)
        return web.json_response({"results": [{"flagged": "bad" in body["input"], "categories": {}}]})

    async def play() -> None:
        app = web.Application()
        app.router.add_post("/v1/moderations", moderate)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/moderations"
        try:
            open_one = ContentFilter(Filter(moderation_url=url), NO_HOUSE)
            await open_one.check("good")
            with pytest.raises(Refusal, match="filtered"):
                await open_one.check("bad")
            await open_one.check("break")
            with pytest.raises(Refusal, match="filtered"):
                await ContentFilter(Filter(moderation_url=url, closed_on_failure=True), NO_HOUSE).check("break")
        finally:
            await runner.cleanup()

    asyncio.run(play())


# --- The rules ---------------------------------------------------------------------------------------------------


def test_the_shipped_rules_say_what_holds_without_them() -> None:
    shipped = load_rules()
    assert msgspec.structs.replace(shipped, samples={}, rates=RateLimits()) == type(shipped)()
    assert set(shipped.samples["en"]) == set(shipped.samples["zh"])


def test_own_rules_change_what_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("voting: closed\nsizes: {turns: 3}\nrates: {vote: {voter: [{count: 1, seconds: 2}]}}\nproof: {}\n")
    monkeypatch.setenv("LLMUSES_ARENA_CONFIG", str(own))
    rules = load_rules()
    assert (rules.voting, rules.sizes.turns, rules.sizes.prompt_chars) == ("closed", 3, 12_000)
    assert rules.rates.vote.voter == (Rate(count=1, seconds=2),)
    assert rules.rates.vote.block and rules.rates.send.voter and rules.proof == Proof()


def test_another_policy_comes_without_the_options_of_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("policy: uniform\n")
    assert (load_rules(own).policy, load_rules(own).policy_options) == ("uniform", {})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("votting: open", "votting"),
        ("voting: ajar", "ajar"),
        ("sizes: {turns: many}", "turns"),
        ("rates: {send: {voter: [{count: 0, seconds: 1}]}}", "count"),
        ("web: {proxies: [everybody]}", "everybody"),
        ("web: {proxies: [10.0.0.1/8]}", "10.0.0.1/8"),
        ("- a list", "names"),
        ("{", "own.yaml"),
    ],
)
def test_rules_that_cannot_be_meant_are_one_line(tmp_path: Path, content: str, says: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(content)
    with pytest.raises(UsageError, match=says) as caught:
        load_rules(own)
    assert "\n" not in str(caught.value)


def test_each_refusal_has_a_status() -> None:
    assert set(_STATUS) == set(CODES)

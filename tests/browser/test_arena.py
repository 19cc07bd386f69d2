"""The battle page in a real browser, against two models behind local OpenAI-compatible servers that write word by word."""

from __future__ import annotations

import re
import struct
import time
import zlib

import msgspec
import pytest

from arena.live.house import House, HouseFile, terms_version
from llmuses.records import Battle, Winner
from tests.browser.test_accessibility import audit, axe_script
from tests.support.live_site import ALPHA, BETA, THINKING, WORDS, live_site

ROWS = (".g-panes:not([hidden]), .g-start:not([hidden])", ".a-slot", ".g-composer")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with live_site(tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture(autouse=True)
def _well(site):
    site.reset()


class Visitor:
    """Somebody at the page, in a browser of their own; what the browser complains of is remembered."""

    def __init__(self, window):
        self.window = window
        self.page, self.context = window.page, window.context
        self.requests, self.problems = window.requests, window.problems

    def open(self, path="arena", agreed=True):
        if agreed:
            accepted = f"localStorage.setItem('llmuses-arena-terms', '{terms_version(House())}')"
            self.page.add_init_script(f"try {{ {accepted} }} catch {{}}")
        self.page.goto(path)
        self.page.locator("[data-send]:enabled").wait_for()
        return self

    def ask(self, prompt):
        self.page.locator("[data-write]").fill(prompt)
        self.page.keyboard.press("Enter")
        return self

    def see(self, selector):
        found = self.page.locator(selector)
        found.first.wait_for()
        return found

    def vote_open(self):
        self.see("[data-vote=tie]:enabled")
        return self

    def text(self, selector):
        return self.page.locator(selector).first.inner_text()

    def boxes(self):
        """Return where the rows of the page are, each with its left, top, width and height."""
        return [self.page.locator(row).locator("visible=true").first.bounding_box() for row in ROWS]


@pytest.fixture
def visitor(windows, site):
    made = []

    def make(**options):
        made.append(Visitor(windows.open(site.address, **options)))
        return made[-1]

    yield make
    for each in made:
        problems, elsewhere = (
            each.problems,
            [url for url in each.requests if not url.startswith((site.address, "data:"))],
        )
        each.window.close()
        assert problems == []
        assert elsewhere == []


def test_a_blind_battle_from_the_first_prompt_to_the_next_one(visitor, site):
    who = visitor().open("./", agreed=False)
    page = who.page
    asked = site.asked()
    empty = who.boxes()
    page.locator("[data-prompt]").first.click()
    prompt = page.locator("[data-write]").input_value()
    assert len(prompt) > 30 and site.asked() == asked, "a prompt fills the box and is not sent"
    page.keyboard.press("Enter")
    who.see("[data-terms]")
    assert site.asked() == asked, "the terms come first"
    page.locator("[data-do=agree]").click()
    who.see(".g-pane[data-state=writing]")
    assert all(button.is_disabled() for button in page.locator("[data-vote]").all())
    early = len(who.text(".g-pane[data-side=a] .a-blocks"))
    streaming = who.boxes()
    who.vote_open()
    assert len(who.text(".g-pane[data-side=a] .a-blocks")) > early, "text grew while one could look at it"
    shown = page.locator(".g-panes:not([hidden])").inner_html()
    assert not re.search(f"{ALPHA}|{BETA}", shown), "nothing names a model before the vote"
    assert THINKING not in who.text(".g-panes:not([hidden])"), "thoughts are folded"
    said = [who.text(f".g-pane[data-side={side}] .a-blocks") for side in "ab"]
    page.reload()
    who.vote_open()
    assert [who.text(f".g-pane[data-side={side}] .a-blocks") for side in "ab"] == said, "a reload loses no battle"
    assert not re.search(f"{ALPHA}|{BETA}", page.locator(".g-panes:not([hidden])").inner_html())
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    who.see("[data-slot=after]")
    names = {who.text(f".g-pane[data-side={side}] .who") for side in "ab"}
    assert names == {ALPHA, BETA}
    assert page.locator(".g-pane.won").count() == 1
    assert empty == streaming == who.boxes(), "nothing moved from the empty page to the names"
    vote = site.battles()[-1]
    assert (vote.winner, vote.question, vote.anony) == (Winner.MODEL_A, prompt, True)
    assert who.text(".g-pane[data-side=a] .who") == vote.model_a
    assert "counts in the blind ranking" in who.text("[data-caption]")
    site.wait_for(lambda: {model.model for model in site.published().models} == names)
    page.keyboard.press("n")
    who.see(".g-start")
    assert who.boxes() == empty
    who.ask("say: A second one needs no terms.").vote_open()


def test_several_turns_an_edited_prompt_and_both_asked_again(visitor, site):
    who = visitor().open()
    page = who.page
    who.ask("say: First turn.").vote_open()
    who.ask("say: Second turn.").see(".a-turn:nth-child(2)")
    who.vote_open()
    first = page.locator(".g-pane[data-side=a] .a-turn").first
    assert not first.locator("[data-do=edit]").is_visible(), "only the last prompt can be edited"
    page.locator(".g-pane[data-side=a] .a-turn:last-child [data-do=edit]").click()
    assert page.locator("[data-write]").input_value() == "say: Second turn."
    who.ask("say: Another second turn.").see(".a-turn:last-child:has-text('Another second turn.') .a-tools")
    who.vote_open()
    asked = site.asked()
    page.locator(".g-pane[data-side=b] .a-turn:last-child [data-do=again]").click()
    site.wait_for(lambda: site.asked() == asked + 2, "both are asked again")
    who.vote_open()
    assert page.locator(".g-pane[data-side=b] .a-turn").count() == 2
    page.locator("[data-vote=both_bad]").click()
    who.see("[data-slot=after]")
    battle = site.battles()[-1]
    said = [message.content for message in battle.conversation or () if message.role == "user"]
    assert (battle.winner, said) == (Winner.BOTH_BAD, ["say: First turn.", "say: Another second turn."])
    who.ask("say: After the vote.").see(".a-turn:nth-child(3) .a-tools")
    assert page.locator("[data-slot=after]").is_visible(), "the chat goes on without a second vote"
    assert len(site.battles()) == len({each.battle_id for each in site.battles()})


def test_stopping_opens_the_vote_and_keeps_what_was_written(visitor, site):
    site.slow()
    who = visitor().open()
    who.ask("Go on and on.").see(".g-pane[data-side=a] .a-blocks p")
    who.see(".g-pane[data-side=b] .a-blocks p")
    who.page.locator("[data-do=stop]").click()
    who.vote_open()
    assert who.text("[data-caption]").startswith("Stopped.")
    assert [who.text(f".g-pane[data-side={side}] .u-live") for side in "ab"] == ["Stopped", "Stopped"]
    site.wait_for(lambda: site.running() == 0, "the models' servers are let go")
    who.page.locator("[data-vote=tie]").click()
    who.see("[data-slot=after]")
    assert site.battles()[-1].winner is Winner.TIE


def test_one_failing_side_leaves_the_other_readable_takes_no_vote_and_can_be_asked_again(visitor, site):
    site.fail(BETA)
    who = visitor().open()
    page = who.page
    before = len(site.battles())
    who.ask("One of you will fail.").see("[data-slot=failed]")
    failed = page.locator(".g-pane[data-state=failed]")
    side = failed.get_attribute("data-side")
    other = page.locator(f".g-pane:not([data-side={side}])").first
    assert failed.count() == 1 and WORDS[:20] in other.inner_text()
    assert f"model {side.upper()} did not answer" in who.text("[data-caption]")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    assert len(site.battles()) == before, "no vote"
    site.reset()
    page.get_by_role("button", name=f"Ask {side.upper()} again").click()
    who.vote_open()
    assert WORDS[:20] in who.text(f".g-pane[data-side={side}]")
    page.locator("[data-vote=model_b]").click()
    who.see("[data-slot=after]")
    assert len(site.battles()) == before + 1


def test_chosen_models_side_by_side_and_a_direct_chat(visitor, site):
    who = visitor().open("arena?mode=side")
    page = who.page
    page.locator("[data-choose=a]").select_option(BETA)
    who.ask("say: The same one twice.")
    assert who.text("[data-caption]") == "Choose two different models."
    page.locator("[data-choose=b]").select_option(ALPHA)
    page.keyboard.press("Enter")
    who.vote_open()
    assert [who.text(f".g-pane[data-side={side}] .who >> visible=true") for side in "ab"] == [BETA, ALPHA]
    page.locator("[data-vote=model_b]").click()
    who.see("[data-slot=after]")
    assert "apart from the blind ranking" in who.text("[data-caption]")
    vote = site.battles()[-1]
    assert (vote.model_a, vote.model_b, vote.anony) == (BETA, ALPHA, False)
    who.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-do=link]").click()
    who.see("[data-caption]:has-text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"battles?arena=arena-live&id={vote.battle_id}")
    page.get_by_role("link", name="Direct chat").click()
    assert page.url.endswith("mode=direct")
    page.locator("[data-choose=one]").select_option(ALPHA)
    who.ask("say: Just you.").see(".a-one .a-tools")
    assert who.text(".a-one .who") == ALPHA and not page.locator("[data-vote]").first.is_visible()
    page.get_by_role("link", name="Side by side").click()
    assert page.locator("[data-slot=after]").is_visible(), "a battle waits in its own mode"


def picture(width=24, height=16):
    """Return a PNG file of one colour."""
    rows = b"".join(b"\0" + b"\x2a\x4c\xc2" * width for _ in range(height))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_an_image_goes_to_both_models_where_both_see(visitor, site):
    who = visitor().open()
    page = who.page
    page.locator("[data-file]").set_input_files({"name": "x.txt", "mimeType": "text/plain", "buffer": b"no image"})
    assert "PNG, JPEG" in who.text("[data-caption]")
    page.locator("[data-file]").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": picture()})
    who.see("[data-thumb]")
    who.ask("What is on it?").vote_open()
    shown = page.locator(".g-pane[data-side=b] .a-sent")
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [24, 16]
    for body in site.bodies()[-2:]:
        assert [part["type"] for part in body["messages"][-1]["content"]] == ["image_url", "text"]
    assert not page.locator("[data-thumb]").is_visible()


def test_in_chinese_on_a_phone(visitor, site):
    who = visitor(locale="zh-CN", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).open()
    page = who.page
    empty = who.boxes()
    assert who.text(".a-title") == "哪个回答更好？"
    page.locator("[data-write]").fill("长" * 11_900)
    assert who.text("[data-count]") == "11,900 / 12,000"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".a-settings summary").tap()
    menu = page.locator(".a-settings .u-pop").bounding_box()
    assert menu["x"] >= 0 and menu["x"] + menu["width"] <= 390, "the settings open inside the page"
    page.locator(".a-settings summary").tap()
    page.locator("[data-write]").fill("say: 蓝光爱乱跑，红光走得远。")
    page.locator("[data-send]").tap()
    who.vote_open()
    assert who.text("[data-caption]") == "哪个更好？投票后不能更改。"
    strip = page.locator(".g-panes:not([hidden])")
    a, b = (strip.locator(f"[data-side={side}]").bounding_box() for side in "ab")
    assert a["x"] == 16 and 330 < b["x"] < 390, "the other pane peeks in"
    strip.locator("[data-side=a] [data-see=b]").tap()
    page.wait_for_function("document.querySelector('.g-pane[data-side=b]').getBoundingClientRect().left < 70")
    for button in page.locator("[data-vote]").all():
        assert button.bounding_box()["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("[data-vote=model_b]").tap()
    who.see("[data-slot=after]")
    assert who.text("[data-caption]") == "投票已保存，计入盲测排名。"
    assert [box["y"] for box in who.boxes()] == [box["y"] for box in empty]
    page.locator(".a-how").tap()
    assert page.locator("[data-drawer=open] [data-panel=votes] p").first.is_visible(), "how votes count"
    page.locator("[data-close]").tap()
    assert not re.search(r"[A-Za-z]{3,} [a-z]{3,}", who.text("[data-slot=after]")), "no English is left"
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_keys_alone_and_what_a_screen_reader_is_told(visitor, site):
    who = visitor(reduced_motion="reduce").open(agreed=False)
    page = who.page
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.name") == "prompt"
    page.keyboard.type("By keys alone.")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Two lines.")
    page.keyboard.press("Enter")
    assert page.evaluate(f"{focused}.textContent") == "Agree and send"
    page.keyboard.press("Enter")
    who.vote_open()
    assert page.evaluate(f"{focused}.name") == "prompt", "after Send the focus stays in the box"
    assert page.locator("[role=status] > [data-caption]").count() == 1, "what changes is announced"
    assert who.text("[data-caption]").startswith("Both have finished.")
    tree = page.locator("#main").aria_snapshot()
    for piece in ("region \"Model A\"", "region \"Model B\"", "group \"Your vote\"", "button \"A is better", "heading \"Your prompt\"",
                  "heading \"Answer\"", "textbox \"Your prompt\"", "navigation \"Ways to play\"", "group \"Conversation with model A\""):  # fmt: skip
        assert piece in tree, piece
    page.keyboard.type("4")
    assert page.locator("[data-write]").input_value() == "4", "while one writes, keys are letters"
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    who.see("[data-slot=after]")
    page.wait_for_function(f"{focused}.dataset.do === 'next'")
    assert {ALPHA, BETA} <= set(re.split(r"[ ,.]+", page.locator("[role=status] > [data-said]").text_content()))
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    who.see("aside.u-drawer h2:has-text('judge')")
    who.see("aside .a-said")
    side = "A" if who.text(".g-pane[data-side=a] .who") == ALPHA else "B"
    orders = [f"A shown first: {side} is better", f"B shown first: {side} is better"]
    assert page.locator("aside h3").all_inner_texts() == orders
    page.keyboard.press("Escape")
    assert page.evaluate(f"{focused}.dataset.do") == "judge", "the drawer gives the focus back"
    page.keyboard.press("n")
    assert page.evaluate(f"{focused}.name") == "prompt"
    assert page.locator("[data-write]").input_value() == "", "the key types nothing into the box that gets the focus"


@pytest.mark.parametrize(
    ("lang", "what", "said"),
    [("en-US", "servers", "Your prompt is sent at once after that"), ("zh-CN", "models", "加载好后会自动发送")],
)
def test_a_prompt_that_is_sent_before_models_can_play_waits_for_them_and_goes_by_itself(
    visitor, site, lang, what, said
):
    who = visitor(locale=lang)
    page, loading, before = who.page, [what], site.asked()

    def state(route):
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "waits_for": loading[0]})

    page.route("**/arena-api/state", state)
    who.open(agreed=False).ask("Sent early.")
    page.locator("[data-do=agree]").click()
    page.wait_for_function(f"document.querySelector('[data-caption]').textContent.includes('{said}')")
    page.locator("[data-write]").press_sequentially(" More.")
    assert said not in who.text("[data-caption]"), "what is still being written is not sent"
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('[data-caption]').textContent.includes('{said}')")
    assert site.asked() == before
    loading[0] = None
    who.vote_open()
    assert page.locator(".g-pane[data-side=a] .a-asked").text_content() == "Sent early. More."


def test_the_terms_are_a_card_over_the_box_and_the_one_blue_button(visitor):
    who = visitor().open(agreed=False).ask("A first one.")
    assert "have changed" not in who.see("[data-terms]").inner_text(), "whoever is new accepted none before"
    card, box = who.see("[data-terms]").bounding_box(), who.see(".g-composer").bounding_box()
    assert card["height"] >= 44 and card["y"] + card["height"] <= box["y"] + 10, "it lies over what is above the box"
    assert who.page.locator(".a-below .primary:visible").all_inner_texts() == ["Agree and send"]


def test_terms_that_change_while_somebody_is_here_are_asked_about_again(visitor, site):
    who = visitor().open()
    house = HouseFile(site.folder)
    house.write(House(terms={"en": ("Be kind.",)}))
    try:
        who.ask("say: Before I read them.").see("[data-terms]")
        assert "have changed since you accepted them" in who.page.locator("[data-terms]").inner_text()
        assert who.page.locator("[data-write]").input_value() == "say: Before I read them."
        who.page.locator("[data-do=agree]").click()
        who.vote_open()
        assert any("/arena-api/send" in problem or "403" in problem for problem in who.problems)
        who.problems.clear()  # the browser notes the refusal
        who.page.keyboard.press("n")
        who.ask("say: A second one.").vote_open()
    finally:
        house.write(House())


def test_what_is_refused_is_said_in_words_and_the_prompt_is_kept(visitor, site):
    who = visitor().open()
    page = who.page
    refusal = {"code": "rate", "figures": {}, "retry_after": 2}
    page.route("**/arena-api/send", lambda route: route.fulfill(status=429, json=refusal), times=1)
    who.ask("Too fast.").see("[data-caption]:has-text('Too many battles from here.')")
    assert page.locator("[data-write]").input_value() == "Too fast."
    assert re.fullmatch(r"\d s", who.text("[data-send]")) and page.locator("[data-send]").is_disabled()
    page.locator("[data-send]:enabled").wait_for()
    page.route("**/arena-api/send", lambda route: route.abort(), times=1)
    who.ask("Into the void.").see("[data-caption]:has-text('Not sent')")
    assert page.locator("[data-write]").input_value() == "Into the void."
    who.ask("say: Now it works.").vote_open()
    page.route("**/arena-api/send", lambda route: route.fulfill(status=429, json=refusal), times=1)
    page.locator(".g-pane[data-side=a] [data-do=edit]").first.click()
    who.ask("say: Edited too fast.").see("[data-caption]:has-text('Too many battles from here.')")
    assert "Now it works." in who.text(".g-pane[data-side=b] .a-blocks"), "what was answered is still there"
    assert page.locator("[data-vote=tie]").is_enabled()
    page.locator("[data-do=unedit]").click()
    page.route("**/arena-api/vote", lambda route: route.abort(), times=1)
    page.locator("[data-vote=model_a]").click()
    page.get_by_role("button", name="Try again").click()
    who.see("[data-slot=after]")
    page.locator("[data-write]").fill("x" * 11_500)
    assert "11,500 of 12,000" in who.text("[data-count]")
    page.locator("[data-write]").fill("x" * 12_001)
    assert who.text("[data-count]") == "Too long: 12,001 of 12,000 characters."
    assert page.locator("[data-send]").is_disabled()
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Withdraw").click()
    who.see("[data-caption]:has-text('Withdrawn')")
    who.problems[:] = [each for each in who.problems if "429" not in each and "ERR_FAILED" not in each]
    withdrawn = {msgspec.json.decode(line)["battle_id"] for line in site.lines() if b'"model_a"' not in line}
    assert site.battles()[-1].battle_id in withdrawn


def test_a_slow_model_is_waited_for_and_said_to_be_slow(visitor, site):
    site.slow(latency=60.0)
    who = visitor(color_scheme="dark").open()
    began = time.monotonic()
    who.ask("Take your time.").see(".g-pane[data-side=a] .a-long")
    assert time.monotonic() - began > 0.5
    assert who.text(".g-pane[data-side=a] .u-live") == "Waiting"
    site.reset()
    who.see(".g-pane[data-side=a] .a-blocks p")
    assert not who.page.locator(".g-pane[data-side=a] .a-wait").is_visible()


def test_no_state_of_a_battle_has_a_serious_finding(visitor):
    script = axe_script()
    who = visitor(color_scheme="dark", locale="zh-CN").open()
    findings = {}

    def look(state):
        who.page.evaluate(script)
        if found := audit(who.page):
            findings[state] = found

    look("start")
    who.ask("Is it clear?").see(".g-pane[data-state=writing] .a-blocks p")
    look("writing")
    who.vote_open()
    look("open")
    who.page.locator("[data-vote=tie]").click()
    who.see("[data-slot=after]")
    who.page.locator("[data-do=judge]").click()
    who.see("aside .a-said")
    look("after the vote, with the judge's opinion")
    assert findings == {}


def test_records_are_read_back_as_battles(site):
    assert all(isinstance(battle, Battle) and battle.voter for battle in site.battles())

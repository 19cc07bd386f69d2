"""The document of a page: language, title, tags, headers."""

from __future__ import annotations

import re

import pytest

from llmuses.i18n import text
from llmuses.markup import Markup
from llmuses.visit import LANG_COOKIE, visit
from llmuses.web import assets, document
from llmuses.web.bar import Entry, bar
from tests.support.pages import Page
from tests.support.pages import visit as visit_in

GRADIO = """<!doctype html>
<html
    lang="en"
    style="margin: 0"
>
<head>
<base href="./" />
<meta property="og:title" content="Gradio" />
<meta name="twitter:creator" content="@Gradio" />
<script>window.gradio_config = {"title": "</body>"};</script>
<script type="module" crossorigin src="./assets/index.js"></script>
<link rel="manifest" href="/manifest.json" />
</head>
<body style="margin: 0"><gradio-app></gradio-app></body></html>"""


class Request:
    def __init__(self, query=None, cookies=None, accept=None):
        self.query_params = query or {}
        self.cookies = cookies or {}
        self.headers = {"accept-language": accept} if accept else {}


@pytest.mark.parametrize(
    ("request_", "lang"),
    [
        (Request(), "en"),
        (Request(accept="zh-CN,zh;q=0.9,en;q=0.8"), "zh"),
        (Request(accept="fr,de;q=0.5"), "en"),
        (Request(accept="zh", cookies={LANG_COOKIE: "en"}), "en"),
        (Request(query={"lang": "zh"}, accept="en", cookies={LANG_COOKIE: "en"}), "zh"),
        (Request(query={"lang": "klingon"}, accept="zh"), "zh"),
        (Request(cookies={LANG_COOKIE: "<script>"}), "en"),
    ],
)
def test_the_address_outranks_the_cookie_and_the_cookie_the_browser(request_, lang):
    assert visit(request_).lang == lang


def test_the_query_of_now_outranks_the_one_that_the_page_was_opened_with():
    seen = visit(Request(query={"sort": "old"}), "?sort=new&q=a%20b&empty=")
    assert seen.query == {"sort": "new", "q": "a b"}


def rewritten(lang="en"):
    return document.rewrite(GRADIO, visit_in(lang), "Title & more", Markup("<header>bar</header>"), "NONCE")


@pytest.mark.parametrize(("lang", "written"), [("en", "en"), ("zh", "zh-CN")])
def test_language_title_and_tags_are_ours(lang, written):
    page = Page(rewritten(lang))
    assert page.all("html")[0]["lang"] == written
    assert "Title & more" in page.text
    tags = {
        found.get("property", found.get("name")): found["content"] for found in page.all("meta") if "content" in found
    }
    assert tags["og:title"] == "Title & more"
    assert tags["description"] == text(lang, "web.about")
    assert "Gradio" not in str(tags)
    assert not page.all("link", rel="manifest")


def test_every_script_carries_the_nonce_and_the_bar_comes_first():
    page = rewritten()
    assert len(re.findall("<script", page)) == len(re.findall('<script nonce="NONCE"', page)) >= 4
    assert page.index("<header>bar") < page.index("<gradio-app")
    assert page.index(assets.address("theme.js")) < page.index("gradio_config")


def test_a_document_forbids_other_origins_and_inline_scripts_without_the_nonce():
    policy = dict(part.split(" ", 1) for part in document.headers("NONCE")["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == "'self' 'unsafe-eval' 'nonce-NONCE'"
    assert policy["connect-src"] == policy["default-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert "http" not in " ".join(policy.values())


def test_a_hub_that_embeds_the_app_can_be_named(monkeypatch):
    monkeypatch.setenv(document.FRAMES_ENV, "https://hub.example; script-src *")
    policy = document.headers("N")["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://hub.example  script-src *")
    assert policy.count("script-src") == 2  # inside frame-ancestors it is one more source that means nothing


def test_a_language_chosen_by_hand_is_kept():
    assert document.language_cookie(visit_in("zh", lang="zh"), "").startswith(f"{LANG_COOKIE}=zh; Path=/;")
    assert document.language_cookie(visit_in("zh"), "") is None
    assert document.language_cookie(visit_in("en", lang="klingon"), "") is None


def test_other_apps_of_the_site_do_not_get_the_language():
    assert "; Path=/llmuses;" in document.language_cookie(visit_in("zh", lang="zh"), "/llmuses")


def test_the_bar_marks_the_page_and_switches_language_without_losing_the_view():
    entries = [Entry("leaderboard", "leaderboard"), Entry("browse", "browse")]
    page = Page(bar(entries, "browse", "browse", visit_in("en", run='"><script>', lang="en")))
    assert page.errors == []
    assert [a["href"] for a in page.all("a", aria_current="page")] == ["browse"]
    (switch,) = page.all("a", data_lang="")
    assert switch["href"] == "browse?run=%22%3E%3Cscript%3E&lang=zh"
    assert page.tags[0][1]["href"] == "#main"
    assert not page.all("script")

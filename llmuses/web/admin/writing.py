"""The room's documents: the login, and the frame around every tab."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from llmuses.i18n import text
from llmuses.markup import Markup, attrs, icon, join, link
from llmuses.visit import Visit, render, visit
from llmuses.web import assets
from llmuses.web.admin import boards
from llmuses.web.admin.room import Room, Tab
from llmuses.web.admin.rules import AdminRules
from llmuses.web.admin.sessions import Person
from llmuses.web.admin.working import at_work
from llmuses.web.bar import Entry, bar

_ENTRIES = (
    Entry("arena", "arena"),
    Entry("leaderboard", "leaderboard"),
    Entry("compare", "compare"),
    Entry("browse", "browse"),
)

RUNS, BOARDS = "runs", "boards"
"""The names of the tabs whose pages are ``admin/browse`` and ``admin/leaderboard``."""


def room_page(room: Room, person: Person, tabs: Sequence[Tab], request: Request, nonce: str) -> str:
    """Return the document of the room for the tab that the address names."""
    who = visit(request)
    tab = chosen(tabs, who)
    shown = Markup(render(request, lambda seen: tab.view(room, person, seen)))
    title = text(who.lang, f"admin.tab.{tab.name}")
    body = Markup(
        '<main id="main" class="u u-page u-room" data-room data-token="{token}">{head}<div data-view="admin/view">{shown}</div>'
        "</main>"
    ).format(token=person.token, head=_head(room, person, tabs, tab.name, who), shown=shown)
    return _document(who, f"{title} · llmuses", body, nonce)


def reading_page(room: Room, person: Person, tabs: Sequence[Tab], page: Tab, request: Request, nonce: str) -> str:
    """Return the document of a page that the room reads, whose address is one step below the room's."""
    who, up = visit(request), "../"
    tab = BOARDS if page.name in boards.NAMES else "arena" if page.name == "battles" else RUNS
    shown = Markup(render(request, lambda seen: page.view(room, person, seen)))
    body = Markup(
        '<main class="u" data-room data-token="{token}" data-up="{up}"><div class="u-page u-room">{head}</div>'
        '<div data-view="{up}admin/view/{page}">{shown}</div>{beside}</main>'
    ).format(
        token=person.token,
        up=up,
        head=_head(room, person, tabs, tab, who, up),
        page=page.name,
        shown=shown,
        beside=Markup("<div data-beside></div>") if tab == BOARDS else "",
    )
    title = text(who.lang, f"admin.tab.{tab}")
    return _document(who, f"{title} · llmuses", body, nonce, up=up, page=page.name)


def chosen(tabs: Sequence[Tab], who: Visit) -> Tab:
    """Return the tab that an address names, the first one where it names none."""
    return next((tab for tab in tabs if tab.name == who.query.get("tab")), tabs[0])


def _head(room: Room, person: Person, tabs: Sequence[Tab], current: str, who: Visit, up: str = "") -> Markup:
    """Return the head of the room: its tabs, and among them runs and boards, which have addresses of their own."""
    places = [(tab.name, link("admin", tab=tab.name)) for tab in tabs]
    places[1:1] = [(RUNS, "admin/browse"), (BOARDS, "admin/leaderboard")]
    pills = join(
        Markup('<a href="{}"{}>{}</a>').format(
            up + address,
            attrs(aria_current="page" if name == current else None),
            text(who.lang, f"admin.tab.{name}"),
        )
        for name, address in places
    )
    leave = Markup("")
    if person.name != "local":
        leave = Markup(
            '<form method="post" action="{}admin/logout"><button class="g-btn sm ghost">{}</button></form>'
        ).format(up, text(who.lang, "admin.leave"))
    fresh = Markup('<a class="g-btn sm primary" href="{}">{}</a>').format(
        up + link("admin", tab="evaluate"), text(who.lang, "admin.tab.evaluate")
    )
    return Markup(
        '<div class="u-head"><h1>{}</h1><nav class="u-sub" aria-label="{}">{}</nav>'
        '<div class="row end"><span class="md q u-working" data-working>{}</span>{}<span class="md q">{}</span>{}</div></div>'
        '<p class="u-note" role="status" data-said hidden></p>'
    ).format(
        text(who.lang, "admin.title"),
        text(who.lang, "admin.title"),
        pills,
        at_work(room, who),
        fresh if current == "jobs" else "",
        text(who.lang, f"admin.role.{person.role}", name=person.name),
        leave,
    )


def login_page(rules: AdminRules, who: Visit, nonce: str, problem: str, base: str, to: str) -> str:
    """Return the page that asks who is there. ``base`` leads from its address to where the app is served, ``to`` from there to
    the page that follows."""
    elsewhere = join(
        Markup('<a class="g-btn" href="{}">{}</a>').format(
            link(f"admin/login/{name}", to=to), text(who.lang, "admin.login.with", provider=provider.label or name)
        )
        for name, provider in rules.logins.items()
    )
    wrong = Markup('<p class="u-note err" role="alert">{}</p>').format(problem) if problem else ""
    body = Markup(
        '<main id="main" class="u u-page u-alone"><form class="u-card u-login" method="post" action="admin/login">'
        '<input type="hidden" name="to" value="{to}">{lock}<h1>{title}</h1><p class="md q">{about}</p>{wrong}{fields}{elsewhere}</form></main>'
    ).format(
        to=to,
        lock=icon("lock"),
        title=text(who.lang, "admin.login.title"),
        about=text(who.lang, "admin.login.about"),
        wrong=wrong,
        fields=_fields(who) if any(account.password for account in rules.accounts) else "",
        elsewhere=elsewhere,
    )
    title = f"{text(who.lang, 'admin.login.title')} · llmuses"
    return _document(who, title, body, nonce, base, page=to.partition("?")[0])


def _fields(who: Visit) -> Markup:
    """Return the fields, empty after a wrong password too: some type it where the name belongs."""
    return Markup(
        '<label class="g-field"><span>{name}</span><input class="g-input" name="name" autocomplete="username" required'
        " autofocus></label>"
        '<label class="g-field"><span>{password}</span><input class="g-input" name="password" type="password"'
        ' autocomplete="current-password" required></label>'
        '<button class="g-btn primary">{enter}</button>'
    ).format(
        name=text(who.lang, "admin.login.name"),
        password=text(who.lang, "admin.login.password"),
        enter=text(who.lang, "admin.login.enter"),
    )


def _document(
    who: Visit, title: str, body: Markup, nonce: str, base: str = "./", up: str = "", page: str = "admin"
) -> str:
    script = Markup('<link rel="stylesheet" href="{0}{1}"><script src="{0}{2}" defer></script>').format(
        up, assets.address("admin.css"), assets.address("admin.js")
    )
    page = Markup(
        '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><base href="{base}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        '<meta name="color-scheme" content="light dark"><title>{title}</title>{tags}{script}</head>'
        "<body>{bar}{body}</body></html>"
    ).format(
        lang="zh-CN" if who.lang == "zh" else "en",
        title=title,
        base=base,
        tags=assets.tags(up),
        script=script,
        bar=bar(_ENTRIES, "admin", page, who, admin=True, up=up),
        body=body,
    )
    return str(page).replace("<script ", f'<script nonce="{nonce}" ')

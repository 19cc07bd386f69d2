"""Logging in to the room with an account elsewhere: Hugging Face, ModelScope, or any OpenID Connect provider.

Who that is there is only half of it: the rules say who of them has which role here. Everybody else stays outside.
"""

from __future__ import annotations

import logging
import time
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from arena.live.keys import Keys
from arena.live.rules import Provider
from llmuses.i18n import text
from llmuses.markup import Markup
from llmuses.visit import visit
from llmuses.web import document
from llmuses.web.admin.onwards import HOME, onwards
from llmuses.web.admin.passwords import Passwords, Wait
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import Account
from llmuses.web.admin.sessions import set_cookie
from llmuses.web.callers import Caller, Callers, is_at_this_machine
from llmuses.web.login import root_of
from llmuses.web.openid import LoginError, OpenId, Started, Who

COOKIE = "llmuses_admin_login"
_SECONDS = 600
_log = logging.getLogger(__name__)


class Ask(Protocol):
    """Returns the login with a status and a problem; ``base`` leads from the address to where the app is served, ``to`` from
    there to the page that was asked for."""

    def __call__(self, request: Request, status: int, problem: str, base: str, to: str) -> Response: ...


class Begun(msgspec.Struct, frozen=True, array_like=True):
    """What the browser keeps, signed, while somebody logs in, and the page that was asked for."""

    started: Started
    to: str


class Elsewhere:
    """The two addresses below ``admin/login`` of each provider."""

    def __init__(self, room: Room, ask: Ask):
        self._room = room
        self._ask = ask
        self._callers = Callers(room.rules.proxies, ())
        self._keys = Keys.of(room.log.folder)
        self._tries = Passwords(())
        rules = room.rules.logins.items()
        self._providers = {name: OpenId(name, _with_names(name, rule, room), time.time) for name, rule in rules}

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider."""
        return await self._answered(request, "../../", onwards(request.query_params.get("to", "")), self._started)

    async def back(self, request: Request) -> Response:
        """Take the provider's answer, and let in whom the rules know."""
        begun = self._begun(request)
        return await self._answered(request, "../../../", begun.to if begun else HOME, self._finished)

    def _begun(self, request: Request) -> Begun | None:
        return self._keys.unsealed("admin login", request.cookies.get(COOKIE), Begun)

    async def _answered(self, request: Request, base: str, to: str, step: _Step) -> Response:
        provider, caller = self._providers.get(request.path_params["name"]), self._callers.of(request)
        if provider is None or not (self._room.rules.accounts or is_at_this_machine(request)):
            return Response(status_code=404)
        lang = visit(request).lang
        try:
            self._tries.admit(caller.address, alone=True)  # nothing can be guessed here, and nobody be locked out
            response = await step(request, caller, provider, base, to)
        except Wait as wait:
            seconds = round(wait.seconds + 0.5)
            response = self._ask(request, 429, text(lang, "admin.login.wait", n=seconds), base, to)
            response.headers["retry-after"] = str(seconds)
        except LoginError as problem:
            _log.warning("nobody was let into the admin room by %s: %s", provider.name, problem)
            self._tries.count(caller.address, provider.name)
            response = self._ask(request, 401, text(lang, "admin.login.failed"), base, to)
            set_cookie(response, COOKIE, "", 0, caller, "Lax")
        response.headers["cache-control"] = "no-store"
        response.headers["referrer-policy"] = "no-referrer"  # the code in the address is nobody else's business
        return response

    async def _started(self, request: Request, caller: Caller, provider: OpenId, base: str, to: str) -> Response:
        address, started = await provider.start(_way_back(request, caller, provider))
        response = RedirectResponse(address, 303)
        set_cookie(response, COOKIE, self._keys.sealed("admin login", Begun(started, to)), _SECONDS, caller, "Lax")
        return response

    async def _finished(self, request: Request, caller: Caller, provider: OpenId, base: str, to: str) -> Response:
        begun = self._begun(request)
        started = begun.started if begun else None
        if started is None or started.provider != provider.name or time.time() - started.since > _SECONDS:
            raise LoginError("nobody began to log in here, or it took too long")
        who = await provider.finish(started, dict(request.query_params), _way_back(request, caller, provider))
        account, lang = self._account(provider.name, who), visit(request).lang
        if account is None:
            called = (who.username or who.subject)[:100]
            self._room.audit.say("", "login refused", f"{provider.name}: {called}", caller.address)
            words = text(lang, "admin.login.unknown", name=called, subject=who.subject[:200])
            response = self._ask(request, 403, words, base, to)
        else:
            self._room.audit.say(account.name, "login", provider.name, caller.address)
            response = _led(base + to, text(lang, "admin.title"))
            self._room.sessions.give(response, account, caller, time.time())
        set_cookie(response, COOKIE, "", 0, caller, "Lax")
        return response

    def _account(self, login: str, who: Who) -> Account | None:
        for account in self._room.rules.accounts:
            known = who.subject == account.subject if account.subject else who.username == account.username
            if account.login == login and known:
                return account
        return None


class _Step(Protocol):
    async def __call__(self, request: Request, caller: Caller, provider: OpenId, base: str, to: str) -> Response: ...


def _with_names(name: str, rule: Provider, room: Room) -> Provider:
    """Return a provider that is asked for user names too where accounts are known by them."""
    by_name = any(account.login == name and account.username for account in room.rules.accounts)
    return msgspec.structs.replace(rule, scopes=tuple(dict.fromkeys((*rule.scopes, "profile")))) if by_name else rule


def _way_back(request: Request, caller: Caller, provider: OpenId) -> str:
    return f"{caller.site}{root_of(request)}/admin/login/{provider.name}/back"


def _led(address: str, title: str) -> Response:
    """Return a page that leads into the room: on a redirect from another site the browser would withhold the new session."""
    page = Markup(
        '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={0}"><title>{1}</title>'
        '<p><a href="{0}">{1}</a></p>'
    ).format(address, title)
    return HTMLResponse(page, headers=document.headers())

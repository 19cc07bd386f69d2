"""Logging in, for those who want their votes to count as somebody's: three addresses below ``arena-login/``."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from arena.live.arena import LiveArena
from arena.live.refusal import Refusal
from llmuses.web.arena_api import refused
from llmuses.web.callers import Caller, Callers
from llmuses.web.openid import LoginError, OpenId, Started
from llmuses.web.sessions import session_of, set_cookie, set_session

PREFIX = "/arena-login"
COOKIE = "llmuses_login"
_SECONDS = 600
_log = logging.getLogger(__name__)


def add_login(app: FastAPI, arena: LiveArena) -> None:
    """Add the routes to the app; none where the rules name no provider."""
    if arena.rules.logins:
        login = _Login(arena)
        app.add_route(f"{PREFIX}/out", login.out, methods=["POST"])
        app.add_route(f"{PREFIX}/{{name}}", login.start, methods=["GET"])
        app.add_route(f"{PREFIX}/{{name}}/back", login.back, methods=["GET"])


class _Login:
    def __init__(self, arena: LiveArena):
        self._arena = arena
        self._web = arena.rules.web
        self._callers = Callers(self._web.proxies, self._web.origins)
        self._providers = {name: OpenId(name, rule, time.time) for name, rule in arena.rules.logins.items()}

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider."""
        return await self._or_home(request, self._started)

    async def back(self, request: Request) -> Response:
        """Take the provider's answer. Who logged in gets a new session, which carries the account's pseudonym."""
        return await self._or_home(request, self._finished)

    async def out(self, request: Request) -> Response:
        """Log out: a new session that is nobody's."""
        if self._callers.from_elsewhere(request):
            return refused(Refusal("origin"))
        response = Response(b"{}", media_type="application/json", headers={"Cache-Control": "no-store"})
        set_session(
            response, self._arena.keys.new_session(time.time()), self._arena.keys, self._web, self._callers.of(request)
        )
        return response

    async def _or_home(
        self, request: Request, handler: Callable[[Request, Caller, OpenId], Awaitable[Response]]
    ) -> Response:
        provider = self._providers.get(request.path_params["name"])
        if provider is None:
            return Response(status_code=404)
        caller = self._callers.of(request)
        try:
            keys = self._arena.keys
            session = session_of(request, keys, self._web, time.time()) or keys.new_session(time.time())
            self._arena.count_login(keys.visitor(session, caller.address))
            response = await handler(request, caller, provider)
        except Refusal as refusal:
            return refused(refusal)
        except LoginError as problem:
            _log.warning("nobody was logged in by %s: %s", provider.name, problem)
            response = RedirectResponse(f"{root_of(request)}/?login=failed", 303)
            set_cookie(response, COOKIE, "", 0, self._web, caller)
        response.headers["cache-control"] = "no-store"
        response.headers["referrer-policy"] = "no-referrer"  # the code in the address is nobody else's business
        return response

    async def _started(self, request: Request, caller: Caller, provider: OpenId) -> Response:
        address, started = await provider.start(_redirect(request, caller, provider))
        response = RedirectResponse(address, 303)
        set_cookie(response, COOKIE, self._arena.keys.sealed("login", started), _SECONDS, self._web, caller)
        return response

    async def _finished(self, request: Request, caller: Caller, provider: OpenId) -> Response:
        keys, now = self._arena.keys, time.time()
        started = keys.unsealed("login", request.cookies.get(COOKIE), Started)
        if started is None or started.provider != provider.name or now - started.since > _SECONDS:
            raise LoginError("nobody began to log in here, or it took too long")
        who = await provider.finish(started, dict(request.query_params), _redirect(request, caller, provider))
        response = RedirectResponse(f"{root_of(request)}/?login=done", 303)
        set_session(
            response,
            keys.new_session(now, keys.pseudonym("account", f"{who.issuer}\x00{who.subject}")),
            keys,
            self._web,
            caller,
        )
        set_cookie(response, COOKIE, "", 0, self._web, caller)
        return response


def root_of(request: Request) -> str:
    """Return the path that the app is served below, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _redirect(request: Request, caller: Caller, provider: OpenId) -> str:
    return f"{caller.site}{root_of(request)}{PREFIX}/{provider.name}/back"

"""The session cookie: a signed pseudonym that a page cannot read and nobody can make up."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from arena.live.keys import Keys, Session
from arena.live.rules import Web
from llmuses.web.callers import Caller

COOKIE = "llmuses_session"


def session_of(request: Request, keys: Keys, rules: Web, now: float) -> Session | None:
    """Return the session of a request; None where it has none of ours, or an old one."""
    return keys.session(request.cookies.get(COOKIE), now, rules.session_days)


def set_session(response: Response, session: Session, keys: Keys, rules: Web, caller: Caller) -> None:
    """Give a session to the browser."""
    set_cookie(response, COOKIE, keys.cookie(session), int(rules.session_days * 86400), rules, caller)


def set_cookie(response: Response, name: str, value: str, seconds: int, rules: Web, caller: Caller) -> None:
    """Set a cookie that only the server reads, for this site; in a frame of another one where the rules say so."""
    where = "; SameSite=None; Secure; Partitioned" if rules.embedded else "; SameSite=Lax"
    secure = "; Secure" if caller.secure and not rules.embedded else ""
    response.headers.append(
        "set-cookie", f"{name}={value}; Path={caller.path}; Max-Age={seconds}; HttpOnly{where}{secure}"
    )

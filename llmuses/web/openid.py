"""Logging in by OpenID Connect: the code flow with PKCE, as far as a server needs it to learn who somebody is.

Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (``iss`` in the answer). The ID token comes straight
from the provider over TLS, which stands in for checking its signature (Core, 3.1.3.7, point 6).
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from arena.live.rules import Provider

_SECONDS = 10.0
_LEEWAY = 60.0
"""Seconds by which the provider's clock may differ."""

T = TypeVar("T")


class LoginError(Exception):
    """Nobody was logged in; the message is for the log."""


class Started(msgspec.Struct, frozen=True, array_like=True):
    """What the browser keeps, signed, while somebody logs in: which provider, what the answer must hold, and since when."""

    provider: str
    state: str
    nonce: str
    verifier: str
    since: float


class _Discovered(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct):
    id_token: str


class Who(msgspec.Struct, frozen=True):
    """Somebody at a provider. ``username`` may change and be given to somebody else, ``subject`` never is."""

    issuer: str
    subject: str
    username: str | None = None


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    nonce: str | None = None
    azp: str | None = None
    preferred_username: str | None = None


class OpenId:
    """One provider. Nothing is asked of it before somebody wants to log in."""

    def __init__(self, name: str, rule: Provider, clock: Callable[[], float]):
        self.name = name
        self._rule = rule
        self._clock = clock
        self._found: _Discovered | None = None
        self._client_id = rule.client_id or os.environ.get(rule.client_id_env or "", "")
        self._secret = os.environ.get(rule.client_secret_env) if rule.client_secret_env else None

    async def start(self, redirect: str) -> tuple[str, Started]:
        """Return the address where somebody logs in, and what to remember until they come back. Raises LoginError."""
        if not self._client_id:
            raise LoginError(f"{self._rule.client_id_env} is not set")
        found = await self._discovered()
        started = Started(
            self.name,
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(48),
            self._clock(),
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(started.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self._rule.scopes),
            "state": started.state,
            "nonce": started.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joined = "&" if urlsplit(found.authorization_endpoint).query else "?"
        return f"{found.authorization_endpoint}{joined}{urlencode(query)}", started

    async def finish(self, started: Started, query: dict[str, str], redirect: str) -> Who:
        """Return who came back. ``query`` is what the provider sent. Raises LoginError."""
        found = await self._discovered()
        if not secrets.compare_digest(query.get("state", "").encode(), started.state.encode()):
            raise LoginError("the answer belongs to another login")
        if "error" in query or not query.get("code"):
            raise LoginError(f"the provider says {query.get('error', 'nothing')[:100]!r}")
        if query.get("iss", found.issuer) != found.issuer:
            raise LoginError("the answer is of another provider")
        form = {
            "grant_type": "authorization_code",
            "code": query["code"],
            "redirect_uri": redirect,
            "client_id": self._client_id,
            "code_verifier": started.verifier,
        }
        tokens = await self._asked(found.token_endpoint, _Tokens, form, found)
        claims = self._checked(tokens.id_token, found, started.nonce)
        return Who(claims.iss, claims.sub, claims.preferred_username)

    def _checked(self, token: str, found: _Discovered, nonce: str) -> _Claims:
        try:
            body = token.split(".")[1]
            claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims)
        except (IndexError, ValueError, msgspec.DecodeError):
            raise LoginError("the ID token cannot be read") from None
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        wrong = {
            "issuer": claims.iss != found.issuer,
            "audience": self._client_id not in audience or claims.azp not in (None, self._client_id),
            "time": claims.exp < self._clock() - _LEEWAY,
            "nonce": claims.nonce != nonce,
            "subject": not claims.sub,
        }
        if any(wrong.values()):
            raise LoginError(f"the ID token has a wrong {next(name for name, is_so in wrong.items() if is_so)}")
        return claims

    async def _discovered(self) -> _Discovered:
        if self._found is None:
            issuer = self._rule.issuer.rstrip("/")
            found = await self._asked(f"{issuer}/.well-known/openid-configuration", _Discovered)
            if found.issuer.rstrip("/") != issuer:
                raise LoginError(f"the provider calls itself {found.issuer[:100]!r}")
            for address in (found.authorization_endpoint, found.token_endpoint):
                _check_address(address)
            self._found = found
        return self._found

    async def _asked(
        self, address: str, kind: type[T], form: dict[str, str] | None = None, found: _Discovered | None = None
    ) -> T:
        """GET an address, or POST a form to it as this client, and return what its JSON says."""
        import aiohttp

        _check_address(address)
        headers = {}
        if form is not None and self._secret is not None and found is not None:
            if "client_secret_basic" in found.token_endpoint_auth_methods_supported:
                headers["Authorization"] = _basic(self._client_id, self._secret)
            else:
                form = {**form, "client_secret": self._secret}
        try:
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.request(
                    "POST" if form else "GET", address, data=form, headers=headers, allow_redirects=False
                ) as answer,
            ):
                if answer.status != 200:
                    raise LoginError(f"the provider answers {answer.status}")
                return msgspec.json.decode(await answer.read(), type=kind)
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise LoginError(f"the provider cannot be reached ({type(problem).__name__})") from problem
        except msgspec.DecodeError as problem:
            raise LoginError(f"the provider's answer cannot be read ({problem})") from problem


def _basic(client: str, secret: str) -> str:
    """Return what authenticates a client (RFC 6749, section 2.3.1)."""
    return "Basic " + base64.b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


def _check_address(address: str) -> None:
    """Raise LoginError for an address that is not encrypted, unless it is this machine."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        raise LoginError("a provider's address is not https")

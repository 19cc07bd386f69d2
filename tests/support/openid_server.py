"""An OpenID Connect provider that knows one person and checks what a client must send; faulty on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from tests.support.local_http import Silent, local_http

CLIENT, SECRET = "llmuses-test", "a secret of the client's"


class Provider:
    """A running provider. ``claims`` go over what an ID token says; ``broken`` is a path that answers nonsense."""

    def __init__(self, address: str):
        self.issuer = address
        self.claims: dict[str, Any] = {}
        self.broken = ""
        self.answers: dict[str, str] = {}
        """What goes over the parameters of the way back."""
        self.codes: dict[str, dict[str, str]] = {}
        self.discovery: dict[str, Any] = {
            "issuer": address,
            "authorization_endpoint": f"{address}/authorize?tenant=1",
            "token_endpoint": f"{address}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Return where a person who agrees is sent."""
        assert query["response_type"] == "code" and query["client_id"] == CLIENT and query["tenant"] == "1"
        assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer, **self.answers}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return tokens for a code, once; None for a request that a provider refuses."""
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{quote_plus(SECRET)}".encode()).decode()
        known = authorization == f"Basic {basic}" or form.get("client_secret") == SECRET
        if asked is None or not known or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        claims = {
            "iss": self.issuer, "sub": "person-1", "aud": CLIENT, "exp": time.time() + 60, "nonce": asked["nonce"],
            **self.claims,
        }  # fmt: skip
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return {"access_token": "x", "token_type": "Bearer", "id_token": f"e30.{body}.sig"}


@contextmanager
def openid_provider() -> Iterator[Provider]:
    """Run a provider until the end of the context."""
    provider: Provider

    class Handler(Silent):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            else:
                self.say(parts.path, provider.discovery)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(content).items()}
            self.say(self.path, provider.token(form, self.headers.get("Authorization", "")))

        def say(self, path: str, content: dict[str, Any] | None) -> None:
            self.send_response(400 if content is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            broken = provider.broken and path.endswith(provider.broken)
            self.wfile.write(b"<html>" if broken else json.dumps(content).encode())

    with local_http(Handler) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}")
        yield provider

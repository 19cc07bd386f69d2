"""How a connection is made, and in words what became of one that broke."""

from __future__ import annotations

import os
import ssl
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from llmuses import __version__
from llmuses.errors import UnreachableError
from llmuses.models.openai.errors import one_line
from llmuses.models.openai.gate import Fault
from llmuses.models.openai.server import is_local

if TYPE_CHECKING:
    from llmuses.models.openai.server import Server

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers hang up on an idle connection."""


def open_http(server: Server, seconds: float | None, connections: int = 0) -> aiohttp.ClientSession:
    """Return an HTTP session for one event loop, which shows the server's key with every request; to be closed.

    ``seconds`` is for one whole answer, ``connections`` how many there are at most; 0 for any number.
    """
    headers = {
        "Authorization": f"Bearer {server.key}",
        "Content-Type": "application/json",
        "User-Agent": f"llmuses/{__version__}",
    }
    if urlsplit(server.url).hostname == _OPENAI:
        said = {header: os.environ.get(variable) for variable, header in _ACCOUNT.items()}
        headers |= {header: value for header, value in said.items() if value}
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=connections,
            ssl=_tls() if server.url.startswith("https:") else True,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        ),
        timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS),
        headers=headers,
        proxy=_proxy(server.url),
    )


_OPENAI = "api.openai.com"
_ACCOUNT = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
"""What says who pays, where a key is of several: the variables that OpenAI's own client reads, and the headers they become."""


@cache
def _tls() -> ssl.SSLContext:
    """Return the certificates that the system trusts, on every system, or those that SSL_CERT_FILE names; slow to read."""
    from httpx2 import create_ssl_context

    return create_ssl_context()


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for an address; none stands between a machine and itself."""
    parts = urlsplit(url)
    if is_local(url) or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def broken_exchange(cause: BaseException, server: Server) -> Fault:
    """Return what a broken exchange was. Raises UnreachableError where the server was never there at all."""
    if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        text = _no_connection(cause)
        if isinstance(cause.__cause__, PermissionError) and cause.__cause__.errno is None:  # llmuses.reach said no
            raise UnreachableError(f"cannot reach {server.url}: {text}") from cause
        if not server.reached:
            raise UnreachableError(
                f"cannot reach {server.url}: {text}; is the server running, and is base_url right?"
            ) from cause
        return Fault("unreachable", text)
    if isinstance(cause, aiohttp.ClientPayloadError):
        return Fault("cut_off", "the connection ended in the middle of the answer")
    if isinstance(cause, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return Fault("disconnected", "the server hung up without an answer")
    return Fault("bad_http", one_line(f"no HTTP answer: {cause}", server.secret))


def _no_connection(cause: aiohttp.ClientError) -> str:
    """Return in words why no connection came about."""
    inner = cause.__cause__
    if not isinstance(inner, OSError) or isinstance(cause, aiohttp.ConnectionTimeoutError):
        return f"no connection within {CONNECT_SECONDS:g} s"
    if isinstance(inner, ssl.SSLError):
        return one_line(f"no TLS connection ({inner.reason or inner})")
    if inner.errno is not None and inner.errno > 0:
        return os.strerror(inner.errno)  # aiohttp writes words of its own into strerror
    return one_line(inner.strerror or str(inner))

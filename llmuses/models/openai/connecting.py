"""How a connection is made, and in words what became of one that broke."""

from __future__ import annotations

import os
import ssl
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

from llmuses.errors import UnreachableError
from llmuses.models.openai.errors import one_line
from llmuses.models.openai.gate import Fault

if TYPE_CHECKING:
    from llmuses.models.openai.server import Server

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers hang up on an idle connection."""


@cache
def tls() -> ssl.SSLContext:
    """Return the client's own TLS settings, which take a while to read."""
    return httpx2.create_ssl_context()


def proxy(server: Server) -> str | None:
    """Return the proxy that the environment names for a server; none stands between a machine and itself.

    aiohttp would find it as well, but only together with what a netrc says of the host, which it takes for a second key.
    """
    parts = urlsplit(server.url)
    if server.is_local or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def broken_exchange(problem: BaseException, server: Server) -> Fault:
    """Return what a broken exchange was. Raises UnreachableError where the server was never there at all."""
    cause = problem
    while not isinstance(cause, aiohttp.ClientError) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        text = _no_connection(cause)
        if isinstance(cause.__cause__, PermissionError) and cause.__cause__.errno is None:  # llmuses.reach said no
            raise UnreachableError(f"cannot reach {server.url}: {text}") from problem
        if not server.reached:
            raise UnreachableError(
                f"cannot reach {server.url}: {text}; is the server running, and is base_url right?"
            ) from problem
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

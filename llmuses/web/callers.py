"""Where a request comes from: the client's address, the address that it called, and whose page it called from."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request

from llmuses.settings import trusted_proxies


class Caller(NamedTuple):
    """``address`` is the client's. ``site`` is the origin that it called, as its browser sees it: ``https://host``.

    ``path`` is where the app is on that site: what its cookies are for.
    """

    address: str
    site: str
    path: str = "/"

    @property
    def secure(self) -> bool:
        """Return whether the connection is encrypted as far as the browser can see."""
        return self.site.startswith("https:")


class Callers:
    """Tells callers. What X-Forwarded-* headers say counts only where a configured proxy sent them: one of the rules, or of
    LLMUSES_PROXIES."""

    def __init__(self, proxies: Sequence[str], origins: Sequence[str]):
        self._proxies: list[IPv4Network | IPv6Network] = [ip_network(proxy) for proxy in (*proxies, *trusted_proxies())]
        self._origins = {_origin(origin) for origin in origins}

    def of(self, request: Request) -> Caller:
        """Return who calls."""
        peer = request.client.host if request.client else ""
        host, scheme = request.headers.get("host", ""), request.url.scheme
        path = request.scope.get("root_path") or "/"
        if not self._is_proxy(peer):
            return Caller(peer, f"{scheme}://{host}".lower(), path)
        host = request.headers.get("x-forwarded-host", host).rpartition(",")[2].strip()
        scheme = request.headers.get("x-forwarded-proto", scheme).rpartition(",")[2].strip()
        return Caller(self._forwarded(request, peer), f"{scheme}://{host}".lower(), path)

    def _forwarded(self, request: Request, peer: str) -> str:
        """Return the last address that no proxy of ours has: what stands before it anybody may have written."""
        hops = [hop.strip() for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
        address = peer
        for hop in reversed(hops):
            address = _without_port(hop)
            if not self._is_proxy(address):
                break
        return address

    def _is_proxy(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None  # a socket for both shows IPv4 like this
        return any(ip in network or (mapped is not None and mapped in network) for network in self._proxies)

    def from_elsewhere(self, request: Request) -> bool:
        """Return whether a browser says that somebody else's page made this request.

        Programs that are no browsers say nothing, and have no cookies of a visitor's that they could abuse.
        """
        origin = request.headers.get("origin")
        if origin is not None and _origin(origin) in self._origins:
            return False
        fetched = request.headers.get("sec-fetch-site")
        if fetched is not None:
            return fetched != "same-origin"
        return origin is not None and _origin(origin) != _origin(self.of(request).site)


def _without_port(hop: str) -> str:
    """Return the address of a hop; some proxies write the client's port behind it."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


_OF_PROXIES = (
    "x-forwarded", "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-", "fly-",
)  # fmt: skip


def is_at_this_machine(request: Request) -> bool:
    """Return whether a request comes from this very machine, and from nobody that somebody here speaks for.

    A name that resolves to the loopback address (DNS rebinding) and a proxy on this machine are told by the Host header,
    by the headers that proxies add, and by HTTP/1.0: nginx speaks it to us, and adds nothing, where nobody told it to.
    """
    peer = request.client.host if request.client else ""
    host = request.url.hostname or ""
    forwarded = request.scope.get("http_version") == "1.0" or any(
        name.startswith(_OF_PROXIES) for name in request.headers
    )
    return _is_loopback(peer) and (host == "localhost" or _is_loopback(host)) and not forwarded


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def _origin(text: str) -> str:
    """Return an origin without a port that its scheme implies; text that is none stays what it is."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        return text
    shown = f":{port}" if port and port != {"http": 80, "https": 443}.get(parts.scheme) else ""
    return f"{parts.scheme}://{parts.hostname}{shown}"

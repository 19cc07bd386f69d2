"""Which addresses may be called, where somebody else chose them.

LLMUSES_REACHABLE says so for a whole process: networks, set apart by spaces, that may be called beside the public internet;
empty for none. Where it is not set nothing is forbidden. The admin room sets it for what it starts. In its own process it
says so for the clients of models alone (``clients_reach``): what the machine's owner named elsewhere goes on as it was.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

REACHABLE = "LLMUSES_REACHABLE"
_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv4 addresses in the clothes of IPv6 (RFC 6052)."""
_GLOBAL = ip_network("2000::/3")
"""The one part of IPv6 that is given out to the internet: what else routers make of an address is their own network's."""


def is_reachable(address: Address, allowed: Sequence[Network]) -> bool:
    """Return whether an address is public, or in one of some networks. An IPv4 address inside an IPv6 one counts itself."""
    if any(address.version == network.version and address in network for network in allowed):
        return True
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_reachable(inner, allowed)
        if address not in _GLOBAL:
            return False
    return address.is_global and not address.is_multicast


def guard_connections() -> None:
    """Refuse, from now on, every connection of this process to where it may not call, whatever library makes it.

    Names are resolved by then, and redirects are connections like others. Nothing is done where the environment says
    nothing. Raises ValueError where it says something that is no network.
    """
    global _process
    said = os.environ.get(REACHABLE)
    if said is None:
        return
    _process = _networks(said.split())
    _listen_in()


@contextlib.contextmanager
def clients_reach(networks: Callable[[], Sequence[str] | None]) -> Iterator[None]:
    """Hold the clients of models in this process to some networks beside the public internet, until the context ends.

    ``networks`` is asked anew for each request; None where nothing is forbidden.
    """
    global _clients
    before, _clients = _clients, networks
    try:
        yield
    finally:
        _clients = before


@contextlib.contextmanager
def as_client() -> Iterator[None]:
    """Make a request of a client of models: where this task, and tasks that it starts meanwhile, may connect to is looked at."""
    said = _clients() if _clients is not None else None
    if said is None:
        yield
        return
    _listen_in()
    token = _client.set(_networks(said))
    try:
        yield
    finally:
        _client.reset(token)


_process: Sequence[Network] | None = None
_clients: Callable[[], Sequence[str] | None] | None = None
_client: ContextVar[Sequence[Network] | None] = ContextVar("client", default=None)


def _networks(said: Sequence[str]) -> list[Network]:
    return [ip_network(network) for network in said]


@functools.cache
def _listen_in() -> None:
    """Be told of every connection of this process from now on; there is no way to end that."""
    sys.addaudithook(_hook)


def _hook(event: str, values: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(values[1], tuple):
        for allowed in (_process, _client.get()):
            if allowed is not None:
                _refuse(str(values[1][0]), allowed)


def _refuse(host: str, allowed: Sequence[Network]) -> None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a name, or 127.1: what the system makes of it counts
        for found in socket.getaddrinfo(host, None):
            _refuse(str(found[4][0]), allowed)
        return
    if not is_reachable(address, allowed):
        raise PermissionError(
            f"{address} is inside a network that may not be called: see allowed_addresses in admin.yaml (LLMUSES_ADMIN_CONFIG)"
        )

"""Where an address that somebody typed into the room may lead: the public internet, and networks that the rules name."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from llmuses.errors import UsageError
from llmuses.reach import Network, is_reachable
from llmuses.settings import ModelEntry


def check_address(url: str, allowed: Sequence[Network]) -> None:
    """Raise UsageError where a server's address is none, or leads to a network that is neither public nor allowed.

    A name is resolved; all its addresses must be allowed. It is resolved again, and checked again, for each connection
    that a job then makes (llmuses.reach): what a name stands for may change.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise UsageError(f"{url[:200]} is no address of a server: {problem}.") from problem
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"{url[:200]} is no address of a server: it begins with https:// or http://.")
    if parts.username or parts.password:
        raise UsageError("an address holds no name and no password: name the variable that holds the key.")
    for address in _resolved(host, port or 443):
        if not is_reachable(address, allowed):
            raise UsageError(
                f"{host} leads to {address}, inside a network: add its network to allowed_addresses if that is meant."
            )


def named_servers(entries: Mapping[str, ModelEntry]) -> list[str]:
    """Return the networks, of one address each, of the servers that models.yaml names by a number or as this machine."""
    found = set()
    for entry in entries.values():
        host = _host(str(entry.args.get("base_url") or ""))
        if host == "localhost":
            found |= {"127.0.0.1/32", "::1/128"}
            continue
        with contextlib.suppress(ValueError):
            found.add(str(ip_network(host)))
    return sorted(found)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _resolved(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise UsageError(f"{host} is not known: {getattr(problem, 'strerror', None) or problem}.") from problem
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]

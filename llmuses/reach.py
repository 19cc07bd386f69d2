"""Which addresses this process may call, where somebody else chose them.

LLMUSES_REACHABLE says so: networks, set apart by spaces, that may be called beside the public internet; empty for none.
Where it is not set nothing is forbidden. The admin room sets it for what it starts.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
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
    said = os.environ.get(REACHABLE)
    if said is None:
        return
    allowed = [ip_network(part) for part in said.split()]

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(values[1], tuple):
            _refuse(str(values[1][0]), allowed)

    sys.addaudithook(hook)


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

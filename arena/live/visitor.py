"""Who asks: a pseudonym, where it comes from, and how much was done to be believed. Addresses and names are not kept."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple


class Tier(StrEnum):
    """What a visitor did to be believed: nothing, a proof of work, a login. Votes carry it."""

    ANONYMOUS = "anonymous"
    WORKED = "worked"
    LOGIN = "login"


class Visitor(NamedTuple):
    """Whoever calls. ``session`` is the id in the signed cookie and ``voter`` a salted hash, of the session or of the
    account that logged in; ``block`` is a salted hash of the /24 or /64 that the call came from, ``site`` of the IPv6 /48
    around it, "" for IPv4."""

    session: str
    voter: str
    block: str
    tier: Tier = Tier.ANONYMOUS
    site: str = ""


def block_of(address: str) -> str:
    """Return the /24 of an IPv4 address or the /64 of an IPv6 one, ``unknown`` for a text that is neither."""
    ip = _parsed(address)
    return "unknown" if ip is None else str(ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


def site_of(address: str) -> str:
    """Return the /48 of an IPv6 address, "" for any other text: who has one has 65,536 blocks."""
    ip = _parsed(address)
    return str(ip_network((ip, 48), strict=False)) if isinstance(ip, IPv6Address) else ""


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return ip if mapped is None else mapped

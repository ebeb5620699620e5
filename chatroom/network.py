"""Networks: whom the server counts as one when it bounds what an address may use."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address


def network_of(address: str) -> str:
    """What stands for the one who uses an address: an IPv4 address for itself, of IPv6 the /64.

    A /64 is the least that a subscriber gets (RFC 6177), and each machine may choose the other 64 bits as it
    likes, a new address for each connection.

    address: HOST:PORT, IPv6 in brackets; another text stands for itself
    """
    return _network_of_host(address.rpartition(":")[0] or address)


def is_loopback(address: str) -> bool:
    """Whether the peer is on this machine, so that nobody else reads what it sends.

    address: HOST:PORT, IPv6 in brackets
    """
    host = address.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback


@lru_cache(4096)  # in a flood, this would be most of what a refusal costs
def _network_of_host(host: str) -> str:
    try:
        ip = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or IPv6Network((int(ip) >> 64 << 64, 64)))
    return str(ip)

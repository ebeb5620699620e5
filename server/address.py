"""Socket addresses as text, and whose share of the server a connection uses."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


def format_address(address: tuple[object, ...]) -> str:
    """A socket address as HOST:PORT, with brackets around IPv6 (RFC 3986, section 3.2.2)."""
    host, port = str(address[0]), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def share_of(peer: str) -> str:
    """The address that a peer's connections are counted under. peer: as format_address() writes it.

    An IPv4 address counts by itself. IPv6 counts by /64: that is the least that a subscriber gets
    (RFC 6177), and each machine may choose the other 64 bits as it likes, a new address for each connection.
    """
    host = peer.rpartition(":")[0]
    return _share_of_host(host) if host else peer


@lru_cache(1024)  # in a flood, this would be most of what a refusal costs
def _share_of_host(host: str) -> str:
    host = host.strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:  # an IPv4 peer of a listener for both
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))

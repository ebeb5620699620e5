"""Socket addresses as text, and whose share of the server a connection uses."""

from __future__ import annotations

import socket
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
        packed = socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return host
    if packed[:12] == _MAPPED:  # an IPv4 peer of a listener for both
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8)) + "/64"


_MAPPED = bytes(10) + b"\xff\xff"

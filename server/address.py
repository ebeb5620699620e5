"""Socket addresses as text, and whose share of the server a connection uses."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any


def format_address(address: tuple[Any, ...]) -> str:
    """A socket address as HOST:PORT, with brackets around IPv6 (RFC 3986, section 3.2.2).

    A link-local address belongs to one interface, and is of no use without its name: fe80::1%eth0 (RFC 4007).
    """
    host, port = str(address[0]), address[1]
    if len(address) == 4 and address[3] and "%" not in host:
        host += f"%{_interface(address[3])}"
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


def _interface(scope: int) -> str:
    try:
        return socket.if_indextoname(scope)
    except OSError:  # it is gone; the number means the same
        return str(scope)

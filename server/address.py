"""Socket addresses as text."""

from __future__ import annotations

import socket
from typing import Any


def format_address(address: tuple[Any, ...]) -> str:
    """A socket address as HOST:PORT, with brackets around IPv6 (RFC 3986, section 3.2.2).

    A link-local address belongs to one interface, and is of no use without its name: fe80::1%eth0 (RFC 4007).
    """
    host, port = str(address[0]), address[1]
    if len(address) == 4 and address[3] and "%" not in host:
        host += f"%{_interface(address[3])}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _interface(scope: int) -> str:
    try:
        return socket.if_indextoname(scope)
    except OSError:  # it is gone; the number means the same
        return str(scope)

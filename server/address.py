"""Socket addresses as text."""

from __future__ import annotations


def format_address(address: tuple[object, ...]) -> str:
    """A socket address as HOST:PORT, with brackets around IPv6 (RFC 3986, section 3.2.2)."""
    host, port = str(address[0]), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

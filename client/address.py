"""Addresses: on the command line (HOST, HOST:PORT, [IPV6]:PORT or a bare IPv6 address), and of sockets."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from chatroom.errors import ConfigError

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 5050

Address = tuple[int, Any]
"""An address family, and a socket address of it."""


def parse_address(text: str) -> tuple[str, int]:
    """Host and port. Raises ConfigError when `text` is no address.

    A text with more than one colon and no brackets is an IPv6 address without a port (RFC 3986, section
    3.2.2 asks for brackets only where a port may follow).
    """
    text = text.strip()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ConfigError(f"{text!r} is no address: write [IPV6]:PORT")
        port = rest[1:] if rest else ""
        if rest == ":":
            raise ConfigError(f"{text!r} is no address: the port is missing")
        _check_ipv6(host)
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        if not port:
            raise ConfigError(f"{text!r} is no address: the port is missing")
    else:
        host, port = text, ""
        if ":" in host:
            _check_ipv6(host)
    if not host or any(character.isspace() or not character.isprintable() for character in host):
        raise ConfigError(f"{text!r} is no address: the host is missing or wrong")
    return host, check_port(port) if port else DEFAULT_PORT


def _check_ipv6(host: str) -> None:
    try:
        address = IPv6Address(host)  # with a zone, too: fe80::1%eth0
    except ValueError:
        raise ConfigError(f"{host!r} is no IPv6 address") from None
    if address.is_link_local and address.scope_id is None:
        raise ConfigError(f"{host} is link-local: say on which interface, as in {host}%eth0")


def check_port(port: str | int) -> int:
    """A port as a number from 1 to 65535. Raises ConfigError for anything else."""
    digits = str(port)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise ConfigError(f"{port!r} is no port: it must be a number from 1 to 65535")
    return int(digits)


def write_address(host: str, port: int) -> str:
    """Host and port as `parse_address` reads them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_key(host: str, port: int) -> str:
    """Under which address something is kept: `LOCALHOST` is `localhost` (RFC 4343), `example.org.` is
    `example.org` (RFC 1034, section 3.1), and a numeric address has one way of writing (RFC 5952)."""
    host = host.lower().removesuffix(".")
    try:
        address = ip_address(host)
    except ValueError:
        return write_address(host, port)
    return write_address(str(getattr(address, "ipv4_mapped", None) or address), port)


def by_turns(addresses: list[Address]) -> list[Address]:
    """Each address once, IPv6 and IPv4 by turns (RFC 8305, section 4): often only one of the two works."""
    waiting = list(dict.fromkeys(addresses))
    ordered: list[Address] = []
    while waiting:
        last = ordered[-1][0] if ordered else None
        following = next((address for address in waiting if address[0] != last), waiting[0])
        waiting.remove(following)
        ordered.append(following)
    return ordered


def numeric_host(address: tuple[Any, ...]) -> str:
    """The host of a socket address; with its interface, without which a link-local address is none."""
    host = str(address[0])
    return f"{host}%{address[3]}" if len(address) == 4 and address[3] and "%" not in host else host

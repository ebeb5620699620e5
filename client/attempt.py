"""What a client asks for in USERNAME: a name, and what proves that the account of that name is its own."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final, Protocol

from chatroom.errors import ConfigError
from chatroom.limits import KEY_BYTES, MAX_CREDENTIALS
from chatroom.packets import Credential
from chatroom.packets.rows import Rows, join_rows

NOT_SENT: Final = (
    "passwords and device tokens are not sent over a connection that is not encrypted (see --tls)"
)
"""Why the client itself refuses to log in."""

NOT_TEXT: Final = "this password is not valid text"


class Attempt:
    """One USERNAME. It never shows its secrets, whoever prints or logs it.

    name:     the wanted name; with a proof: of the account to log in to
    password: of the account
    device:   a device token, which an earlier login gave
    Raises ConfigError for what cannot be a password.
    """

    __slots__ = ("_device", "_password", "name")

    def __init__(self, name: str, *, password: str | None = None, device: bytes | None = None) -> None:
        self.name = name
        self._password = None if password is None else _as_bytes(password)
        self._device = device

    def __repr__(self) -> str:
        proof = " with a password" if self.by_password else " with a device token" if self.proven else ""
        return f"<Attempt {self.name!r}{proof}>"

    @property
    def proven(self) -> bool:
        """Whether it carries a password or a device token."""
        return self._password is not None or self._device is not None

    @property
    def by_password(self) -> bool:
        return self._password is not None

    @property
    def by_device(self) -> bool:
        return self._device is not None

    @property
    def rows(self) -> Rows:
        """The credentials in USERNAME."""
        proofs = ((Credential.PASSWORD, self._password), (Credential.DEVICE_TOKEN, self._device))
        return tuple((key, value) for key, value in proofs if value is not None)


class Wire(Protocol):
    """What a connection says about who can read it."""

    @property
    def encrypted(self) -> bool: ...
    @property
    def peer(self) -> str: ...


def keeps_secrets(wire: Wire) -> bool:
    """Whether a password may go over this connection: it is encrypted, or does not leave this computer."""
    return wire.encrypted or is_loopback(wire.peer)


def is_loopback(host: str) -> bool:
    """Whether a numeric address is one of this computer's loopback; IPv4 written as IPv6 counts, too."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_text(password: str) -> bool:
    """Whether it can be encoded: the error of encode() would quote the password."""
    return not any("\ud800" <= character <= "\udfff" for character in password)


def _as_bytes(password: str) -> bytes:
    if not isinstance(password, str):
        raise ConfigError(f"a password is a text, not {type(password).__name__}")
    if not is_text(password):
        raise ConfigError(NOT_TEXT)
    data = password.encode()
    if not data:
        raise ConfigError("an empty text is no password")
    rows = [(Credential.PASSWORD, data), (Credential.SERVER_PASSWORD, bytes(KEY_BYTES))]
    if len(join_rows(rows, 2)) > MAX_CREDENTIALS:
        raise ConfigError("this text is too long for a password")
    return data


def server_password(password: str | None) -> bytes | None:
    """The password of a server as USERNAME carries it. Raises ConfigError for what cannot be one."""
    if password is None:
        return None
    data = _as_bytes(password)
    if len(data) > KEY_BYTES:
        raise ConfigError("this text is too long for the password of a server")
    return data

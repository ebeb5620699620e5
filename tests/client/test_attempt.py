"""client/attempt.py"""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from chatroom.errors import ConfigError
from chatroom.limits import KEY_BYTES, MAX_CREDENTIALS
from chatroom.packets import NO_TOKEN, Credential, Username, encode
from client.attempt import Attempt, is_loopback, keeps_secrets, server_password

SECRET = "correct horse"


class Wire:
    """What a connection says of itself."""

    def __init__(self, peer: str, encrypted: bool = False) -> None:
        self.peer, self.encrypted = peer, encrypted


def test_credentials_on_the_wire() -> None:
    """A password goes as UTF-8, a device token as its bytes; without a proof there is no credential."""
    assert Attempt("dora").rows == ()
    assert Attempt("dora", password="gr\u00fcn").rows == ((Credential.PASSWORD, "gr\u00fcn".encode()),)
    assert Attempt("dora", device=b"t" * 32).rows == ((Credential.DEVICE_TOKEN, b"t" * 32),)


def test_what_it_says_about_itself() -> None:
    """It knows whether it proves anything, and by what."""
    proofs = [Attempt("dora"), Attempt("dora", password=SECRET), Attempt("dora", device=b"t")]
    assert [each.proven for each in proofs] == [False, True, True]
    assert [each.by_password for each in proofs] == [False, True, False]
    assert [each.by_device for each in proofs] == [False, False, True]


def test_a_repr_shows_no_secret() -> None:
    """Whoever prints or logs an attempt sees the name, and that there is a secret."""
    assert repr(Attempt("dora")) == "<Attempt 'dora'>"
    assert repr(Attempt("dora", password=SECRET)) == "<Attempt 'dora' with a password>"
    assert repr(Attempt("dora", device=b"secret")) == "<Attempt 'dora' with a device token>"


@pytest.mark.parametrize("wrong", ["", "x" * MAX_CREDENTIALS, SECRET + "\ud800", 12345678, b"correct horse"])
def test_what_cannot_be_a_password(wrong: Any) -> None:
    """It is refused in one line, in which it does not stand, and neither does it in what Python prints."""
    with pytest.raises(ConfigError) as refused:
        Attempt("dora", password=wrong)
    assert "\n" not in str(refused.value)
    assert SECRET not in "".join(traceback.format_exception(refused.value)) + repr(refused.value.__context__)


def test_the_longest_password_fits_into_the_packet() -> None:
    """What is taken for a password can be sent, with the longest password of a server beside it."""
    longest = Attempt("dora", password="x" * (MAX_CREDENTIALS - 6 - KEY_BYTES))
    rows = (*longest.rows, (Credential.SERVER_PASSWORD, bytes(KEY_BYTES)))
    assert encode(Username("dora", NO_TOKEN, rows))
    assert server_password("x" * KEY_BYTES) and server_password(None) is None
    with pytest.raises(ConfigError):
        server_password("x" * (KEY_BYTES + 1))


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_loopback_addresses(host: str, is_one: bool) -> None:
    """Only numeric addresses of this computer count; a name may mean any address."""
    assert is_loopback(host) is is_one


def test_who_may_carry_a_password() -> None:
    """An encrypted connection, or one that does not leave this computer."""
    assert keeps_secrets(Wire("10.0.0.1", encrypted=True))
    assert keeps_secrets(Wire("127.0.0.1"))
    assert not keeps_secrets(Wire("10.0.0.1"))

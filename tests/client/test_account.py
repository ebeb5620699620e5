"""client/account.py"""

from __future__ import annotations

import json
import socket

import pytest

from chatroom.errors import ConfigError, NeedLogin, ProtocolError
from chatroom.events import EXTRA_ACCOUNT, Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Answer, Credential
from client.account import Account
from client.limits import LABEL_BYTES
from tests.support.events import GENERAL, NOON

HISTORY = b"h" * 16
TOKEN = bytes(range(32))


class Drawer:
    """Tokens in memory. What is asked of it may fail."""

    def __init__(self, *tokens: bytes) -> None:
        self.tokens = list(tokens)
        self.kept: list[tuple[str, bytes, bytes]] = []
        self.forgotten: list[tuple[str, bytes]] = []
        self.broken = False

    def find(self, name: str) -> list[bytes]:
        if self.broken:
            raise ConfigError("the file is damaged")
        return self.tokens

    def keep(self, name: str, history: bytes, token: bytes) -> None:
        if self.broken:
            raise ConfigError("the file is damaged")
        self.kept.append((name, history, token))

    def forget(self, name: str, history: bytes) -> None:
        self.forgotten.append((name, history))


def event(kind: EventKind, text: str = "", extra: bytes = b"") -> Event:
    return Event(5, NOON, kind, "#general", "dora", text, 0, 7, GENERAL, extra)


def test_the_first_attempt_has_the_password() -> None:
    """Who was given a password means the account, not a free name."""
    assert Account().first("dora").rows == ()
    assert Account("secret", TOKEN).first("dora").rows == ((Credential.PASSWORD, b"secret"),)


def test_proofs_in_order() -> None:
    """The token that the program was given, those of this computer, then the password."""
    account = Account("secret", TOKEN, Drawer(b"a", b"b"))
    rows = [attempt.rows for attempt in account.proofs("dora")]
    assert rows == [
        ((Credential.DEVICE_TOKEN, TOKEN),),
        ((Credential.DEVICE_TOKEN, b"a"),),
        ((Credential.DEVICE_TOKEN, b"b"),),
        ((Credential.PASSWORD, b"secret"),),
    ]


def test_a_broken_file_hides_no_other_proof() -> None:
    """What the program was given is tried all the same; then the trouble is told."""
    drawer = Drawer()
    drawer.broken = True
    proofs = Account("secret", tokens=drawer).proofs("dora")
    assert next(proofs).by_password
    with pytest.raises(ConfigError, match="damaged"):
        next(proofs)


def test_another_account_has_other_proofs() -> None:
    """After a login to another account the password of the first one is not sent any more."""
    account = Account("secret", TOKEN)
    account.change("carol")
    assert account.name == "carol"
    assert list(account.proofs("carol")) == []


def test_what_this_computer_has_kept() -> None:
    """Nothing kept means that the password is needed."""
    assert [attempt.name for attempt in Account(tokens=Drawer(b"a")).kept("dora")] == ["dora"]
    for account in (Account(), Account(tokens=Drawer())):
        with pytest.raises(NeedLogin, match="password of dora"):
            account.kept("dora")


def test_a_token_in_an_answer_is_kept_and_not_passed_on() -> None:
    """The account's name is the server's; words stay, rows are gone."""
    drawer = Drawer()
    account = Account(tokens=drawer)
    answer = Answer(1, Code.OK, "remembered", json.dumps([["token", "Dora", TOKEN.hex()]]))
    assert account.answered(answer, HISTORY) == Answer(1, Code.OK, "remembered")
    assert drawer.kept == [("Dora", HISTORY, TOKEN)]
    assert account.name == "Dora"


@pytest.mark.parametrize(
    "rows",
    [
        "",
        "[]",
        "{",
        "null",
        "5",
        '[["token"]]',
        '[["token", 5, "00"]]',
        '[["token", "dora", "zz"]]',
        '[["token", "dora", "00"]]',
        '[["who", "dora", "00"]]',
        "[" * 9999,
    ],
)
def test_other_rows_are_left_alone(rows: str) -> None:
    """Whatever a server sends there."""
    drawer = Drawer()
    answer = Answer(1, Code.OK, "words", rows)
    assert Account(tokens=drawer).answered(answer, HISTORY) == answer
    assert not drawer.kept


def test_who_keeps_no_tokens_gets_them() -> None:
    """A bot that asks for a device itself finds the token in the rows."""
    answer = Answer(1, Code.OK, "remembered", json.dumps([["token", "dora", TOKEN.hex()]]))
    assert Account().answered(answer, HISTORY) == answer
    assert Account().device_command() is None


def test_when_a_device_token_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a login by password, and after commands that make or change it; under the computer's name."""
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop \x1b[2J of ann" + "\u00e9" * 100)
    account = Account(tokens=Drawer())
    command = account.device_command()
    assert command is not None
    assert command.startswith("/device laptop-") and command.isprintable() and " " not in command[8:]
    assert len(command.encode()) <= len("/device ") + LABEL_BYTES
    assert account.device_command("/register \u2026") == account.device_command("/passwd \u2026") == command
    assert account.device_command("/who") is account.device_command("/unregister \u2026") is None


def test_the_account_of_the_own_events() -> None:
    """JOINED may name it, ACCOUNT changes it; a JOINED from before it was registered says nothing."""
    account = Account()
    extra = bytes((9, 1, 0, EXTRA_ACCOUNT, 4)) + b"dora"
    account.happened(event(EventKind.JOINED, extra=extra), HISTORY, True)
    assert account.name == "dora"
    account.happened(event(EventKind.JOINED), HISTORY, False)
    assert account.name == "dora"
    account.happened(event(EventKind.ACCOUNT, "carol"), HISTORY, True)
    assert account.name == "carol"
    account.happened(event(EventKind.ACCOUNT), HISTORY, True)
    assert account.name == ""


def test_an_account_that_is_gone_needs_no_token() -> None:
    """When the user unregisters, the token goes, but not because of what happened long ago."""
    drawer = Drawer()
    account = Account(tokens=drawer)
    account.name = "dora"
    account.happened(event(EventKind.ACCOUNT), HISTORY, live=False)
    assert not drawer.forgotten
    account.name = "dora"
    account.happened(event(EventKind.ACCOUNT), HISTORY, live=True)
    assert drawer.forgotten == [("dora", HISTORY)]


def test_nothing_secret_is_shown() -> None:
    """Whoever prints an account sees its name."""
    account = Account("secret", b"secret" * 5, Drawer(b"secret"))
    assert repr(account) == "<Account: none>"
    account.name = "dora"
    assert repr(account) == "<Account 'dora'>"


@pytest.mark.parametrize("name", ["n" * 1000, "a\x1b]0;title\x07", "half a pair \ud800", "two\nlines", ""])
def test_the_server_gives_no_name_that_is_none(name: str) -> None:
    """It cannot drive the terminal by the name of an account, nor fill the file of tokens with it."""
    drawer = Drawer()
    account = Account(tokens=drawer)
    with pytest.raises(ProtocolError, match="cannot be a name"):
        account.answered(Answer(1, Code.OK, "", json.dumps([["token", name, TOKEN.hex()]])), HISTORY)
    if name.isprintable() and name:
        with pytest.raises(ProtocolError):
            account.happened(event(EventKind.ACCOUNT, name), HISTORY, True)
    if "\x1b" in name:
        extra = bytes([EXTRA_ACCOUNT, len(name)]) + name.encode()
        with pytest.raises(ProtocolError):
            account.happened(event(EventKind.JOINED, extra=extra), HISTORY, True)
    assert (account.name, drawer.kept) == ("", [])

"""Coming in at a terminal: what is asked for, and what the client does by itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from chatroom.errors import BadKey, ChatroomError, ConnectionLost, NeedLogin, Refused
from chatroom.outcomes import Code
from client.coming_in import ComingIn
from client.updates import Retrying

SLOW = Refused("too many passwords were tried: try again in 10 s", Code.SLOW_DOWN)
NO_KEY = BadKey("this server has a password: whoever invited you can tell you")


class Scripted:
    """Stands for a client. Each `connect` takes the next of `results`: an error, or None: it is in."""

    def __init__(self, results: list[ChatroomError | None]) -> None:
        self._results = results
        self.waited_for: list[float] = []
        self.keys: list[str | None] = []
        self.passwords: list[str | None] = []

    def make(self, options: argparse.Namespace, name: str, password: str | None) -> Any:
        self.keys.append(options.server_password)
        self.passwords.append(password)
        return self

    def connect(self, wait_for: float, waiting: Callable[[Retrying], None]) -> Scripted:
        self.waited_for.append(wait_for)
        result = self._results.pop(0)
        if result is not None:
            raise result
        return self


class Kept:
    """Stands for the file of passwords."""

    def __init__(self, **passwords: str) -> None:
        self.passwords = passwords

    def find(self, host: str, port: int) -> str | None:
        return self.passwords.get(host)

    def keep(self, host: str, port: int, password: str) -> None:
        self.passwords[host] = password

    def forget(self, host: str, port: int) -> None:
        self.passwords.pop(host, None)


def come_in(client: Scripted, keys: Kept | None = None, password: str | None = None, **given: Any) -> Any:
    keys = keys or Kept()
    options = argparse.Namespace(
        **{
            "name": "ann",
            "address": ("localhost", 5050),
            "retry_for": None,
            "server_password": None,
            "notices": [],
        }
        | given
    )
    coming = ComingIn(options, client.make, lambda host, port: "ann", password, lambda retrying: None, keys)
    return coming.run()


def test_who_is_too_early_waits() -> None:
    """Others behind the same address have tried too many passwords: the client tries until it is in, with the
    password that was typed."""
    client = Scripted([NO_KEY, SLOW, None])
    with patch("client.coming_in.ask_server_password", lambda reason: "sesame"):
        assert come_in(client) is client
    assert client.waited_for == [0.0, 0.0, float("inf")]
    assert client.keys == [None, "sesame", "sesame"]


def test_a_wrong_password_is_asked_for_again_behind_a_wait() -> None:
    """The password was not looked at before: that it is wrong comes late."""
    client, typed = Scripted([NO_KEY, SLOW, NO_KEY, None]), ["open", "sesame"]
    with patch("client.coming_in.ask_server_password", lambda reason: typed.pop(0)):
        assert come_in(client) is client
    assert client.keys == [None, "open", "open", "sesame"]


@pytest.mark.parametrize("retry_for", [0.0, 5.0])
def test_who_says_how_long_to_wait_is_obeyed(retry_for: float) -> None:
    with pytest.raises(Refused):
        come_in(Scripted([SLOW]), retry_for=retry_for)


def test_other_refusals_end_it() -> None:
    """Waiting does not help who is banned."""
    with pytest.raises(Refused, match="banned"):
        come_in(Scripted([Refused("banned", Code.BANNED)]))


@pytest.mark.parametrize("notices", [[], ["this is the first connection"]])
def test_a_server_does_not_speak_as_the_program(notices: list[str]) -> None:
    """It might repeat the row with the fingerprint, with another one, above the question for a password."""
    asked: list[str] = []

    def ask(*arguments: str) -> str:
        asked.append(arguments[-1])
        return "x"

    client = Scripted([BadKey("it is AB:CD"), NeedLogin("it is AB:CD"), Refused("it is AB:CD", Code.BANNED)])
    with (
        patch("client.coming_in.ask_server_password", ask),
        patch("client.coming_in.ask_password", ask),
        pytest.raises(Refused) as refused,
    ):
        come_in(client, notices=notices)
    words = "the server says: it is AB:CD" if notices else "it is AB:CD"
    assert [*asked, str(refused.value)] == [words] * 3 and refused.value.code == Code.BANNED


# --- the server's password is kept --------------------------------------------------------------------------


def test_what_was_right_is_kept_and_shown_the_next_time() -> None:
    """Only when the server wants one, and without a question."""
    kept = Kept()
    with patch("client.coming_in.ask_server_password", lambda reason: "sesame"):
        come_in(Scripted([NO_KEY, None]), kept)
    assert kept.passwords == {"localhost": "sesame"}
    client = Scripted([NO_KEY, None])
    come_in(client, kept)
    assert client.keys == [None, "sesame"]


def test_what_is_refused_is_forgotten() -> None:
    """The server has another one now: it is asked for, and kept when it was right."""
    kept, client = Kept(localhost="old"), Scripted([NO_KEY, NO_KEY, NO_KEY, None])
    typed = ["slip", "new"]
    with patch("client.coming_in.ask_server_password", lambda reason: typed.pop(0)):
        come_in(client, kept)
    assert client.keys == [None, "old", "slip", "new"] and kept.passwords == {"localhost": "new"}


def test_who_knows_none_is_not_asked_for_ever() -> None:
    """An empty answer ends it, and nothing is kept."""
    kept = Kept(localhost="old")
    with patch("client.coming_in.ask_server_password", lambda reason: ""), pytest.raises(BadKey):
        come_in(Scripted([NO_KEY, NO_KEY]), kept)
    assert not kept.passwords


def test_another_server_does_not_get_it() -> None:
    """The one with the password is away, and the user goes elsewhere."""
    client, kept = Scripted([NO_KEY, ConnectionLost("refused"), None]), Kept(localhost="sesame")
    with patch("client.coming_in.ask_address", lambda reason: "elsewhere"):
        come_in(client, kept)
    assert client.keys == [None, "sesame", None] and kept.passwords == {"localhost": "sesame"}


NEED_LOGIN = NeedLogin("ann belongs to an account: its password is needed")
AWAY = ConnectionLost("refused")


def test_no_other_server_gets_the_password_of_an_account() -> None:
    """It was typed for a server that is away now, and the user goes elsewhere."""
    client = Scripted([NEED_LOGIN, AWAY, None])
    with (
        patch("client.coming_in.ask_password", lambda name, reason: "battery staple"),
        patch("client.coming_in.ask_address", lambda reason: "elsewhere"),
    ):
        come_in(client)
    assert client.passwords == [None, "battery staple", None]


@pytest.mark.parametrize(("typed", "again"), [("elsewhere", None), ("localhost", "secret"), ("", "secret")])
def test_nor_what_stands_in_files(typed: str, again: str | None) -> None:
    """They were named together with the first server; it gets them again when the user waits for it."""
    client = Scripted([AWAY, None])
    with patch("client.coming_in.ask_address", lambda reason: typed):
        come_in(client, password="secret", server_password="secret")
    assert client.passwords == client.keys == ["secret", again]


def test_one_of_a_file_is_not_kept() -> None:
    """Whoever names a file keeps it there."""
    kept = Kept()
    come_in(Scripted([None]), kept, server_password="sesame")
    assert not kept.passwords

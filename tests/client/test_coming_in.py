"""Coming in at a terminal: what is asked for, and what the client does by itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from chatroom.errors import BadKey, ChatroomError, Refused
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

    def make(self, options: argparse.Namespace, name: str, password: str | None) -> Any:
        self.keys.append(options.server_password)
        return self

    def connect(self, wait_for: float, waiting: Callable[[Retrying], None]) -> Scripted:
        self.waited_for.append(wait_for)
        result = self._results.pop(0)
        if result is not None:
            raise result
        return self


def come_in(client: Scripted, **given: Any) -> Any:
    options = argparse.Namespace(
        **{"name": "ann", "address": ("localhost", 5050), "retry_for": None, "server_password": None} | given
    )
    return ComingIn(options, client.make, lambda host, port: "ann", None, lambda retrying: None).run()


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

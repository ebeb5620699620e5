"""client/reconnect.py, with a clock and tries of the test's own."""

from __future__ import annotations

from typing import cast

import pytest

from chatroom.errors import (
    BadPassword,
    Closed,
    ConnectionLost,
    NameRefused,
    NameTaken,
    NeedLogin,
    ProtocolError,
    Refused,
)
from chatroom.limits import HANDSHAKE_SECONDS
from chatroom.outcomes import RETURNING, Code
from client.backoff import Backoff
from client.handshaking import Admission
from client.limits import RETRY_FIRST, RETRY_STEADY
from client.reconnect import Reconnect
from client.updates import Retrying

ADMITTED = cast(Admission, object())
SECOND = RETRY_FIRST * 2


class World:
    """A clock that only waiting moves, and the outcomes of the tries."""

    def __init__(self, *outcomes: Admission | Exception, retry_for: float = 1e6) -> None:
        self.now = 0.0
        self.closing = False
        self.outcomes = list(outcomes)
        self.told: list[Retrying] = []
        self.reconnect = Reconnect(
            self._admit, retry_for, self.told.append, self._wait, Backoff(lambda: 1.0), lambda: self.now
        )

    def _admit(self) -> Admission:
        outcome = self.outcomes.pop(0) if self.outcomes else ConnectionLost("refused")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.closing


def test_the_first_try_is_made_at_once() -> None:
    """A connection that was lost is made again without a pause, and no Retrying is told."""
    world = World(ADMITTED)
    assert world.reconnect.again("lost", 100.0) is ADMITTED
    assert (world.now, world.told) == (0.0, [])


def test_pauses_between_tries_are_told_with_the_latest_reason() -> None:
    """Before each pause the user learns its length and why the try before it failed."""
    world = World(ConnectionLost("refused"), Refused("full"), ADMITTED)
    assert world.reconnect.again("lost", 100.0) is ADMITTED
    assert world.told == [Retrying(RETRY_FIRST, "refused"), Retrying(SECOND, "full")]


def test_giving_up() -> None:
    """After `retry_for` seconds the last reason ends it; the last pause is cut to fit."""
    world = World(retry_for=1.0)
    with pytest.raises(ConnectionLost, match=r"^gave up after 1 s: refused$"):
        world.reconnect.again("lost", 100.0)
    assert world.now == 1.0
    assert sum(retrying.seconds for retrying in world.told) == 1.0


def test_without_reconnecting() -> None:
    """With `retry_for` 0 no try is made, and the reason of the lost connection is the end."""
    world = World(ADMITTED, retry_for=0.0)
    with pytest.raises(ConnectionLost, match=r"^lost$"):
        world.reconnect.again("lost", 100.0)
    assert world.outcomes == [ADMITTED]


def test_a_connection_that_breaks_at_once_is_no_success() -> None:
    """Pauses and deadline go on over short connections; one that lasted makes them new."""
    world = World(ADMITTED, ADMITTED, ADMITTED, retry_for=1.0)
    for lasted in (100.0, 0.0, RETRY_STEADY / 2):
        world.reconnect.again("lost", lasted)
    assert [retrying.seconds for retrying in world.told] == [RETRY_FIRST, SECOND]
    world.outcomes = [ADMITTED]
    world.reconnect.again("lost", RETRY_STEADY)
    assert len(world.told) == 2
    world.now += 0.9
    with pytest.raises(ConnectionLost, match="gave up"):
        world.reconnect.again("lost", 0.0)
    assert world.now == pytest.approx(RETRY_FIRST + SECOND + 1.0)


def test_a_name_of_somebody_else_is_the_end() -> None:
    """NameRefused ends the tries at once."""
    with pytest.raises(NameRefused):
        World(NameTaken("ann is in use")).reconnect.again("lost", 100.0)


def test_a_server_that_does_not_want_the_client_back_is_the_end() -> None:
    """A refusal ends the tries at once, unless its code says that the client may come back."""
    with pytest.raises(Refused, match="too old"):
        World(Refused("too old", Code.BAD_VERSION), ADMITTED).reconnect.again("lost", 100.0)
    for code in RETURNING:
        assert World(Refused("busy", code), ADMITTED).reconnect.again("lost", 100.0) is ADMITTED


def test_a_name_that_our_own_broken_try_may_hold_is_tried_again() -> None:
    """For HANDSHAKE_SECONDS after a broken try NameRefused is a failure as any other, then it is the end."""
    refused = NameTaken("ann is being taken")
    world = World(ConnectionLost("broke"), refused, refused, ADMITTED)
    assert world.reconnect.again("lost", 100.0) is ADMITTED
    world = World(ConnectionLost("broke"), *[refused] * 100)
    with pytest.raises(NameRefused):
        world.reconnect.again("lost", 100.0)
    assert world.now >= HANDSHAKE_SECONDS
    assert world.told[-1].reason == "ann is being taken"


def test_the_first_connection() -> None:
    """It is tried at once, and then like a lost one: at once again, then with pauses."""
    world = World(ADMITTED)
    assert world.reconnect.first() is ADMITTED
    world = World(ConnectionLost("refused"), Refused("full", Code.FULL), ConnectionLost("away"), ADMITTED)
    assert world.reconnect.first() is ADMITTED
    assert world.told == [Retrying(RETRY_FIRST, "full"), Retrying(SECOND, "away")]
    world = World(Refused("starting", Code.UNAVAILABLE), ADMITTED)
    assert world.reconnect.first() is ADMITTED


@pytest.mark.parametrize(
    "end",
    [NameTaken("in use"), NeedLogin("owned"), Refused("banned", Code.KICKED), ProtocolError("no chatroom")],
)
def test_what_ends_the_first_connection(end: Exception) -> None:
    """A server that does not want the client, or that is none, is the end at once."""
    with pytest.raises(type(end)):
        World(end, ADMITTED).reconnect.first()


def test_the_first_connection_without_reconnecting() -> None:
    """With `retry_for` 0 one try is made."""
    with pytest.raises(ConnectionLost, match=r"^away$"):
        World(ConnectionLost("away"), ADMITTED, retry_for=0.0).reconnect.first()
    assert World(ADMITTED, retry_for=0.0).reconnect.first() is ADMITTED


def test_a_name_that_the_broken_first_try_may_hold() -> None:
    """After a first try that broke, NameRefused is no end yet."""
    world = World(ConnectionLost("broke"), NameTaken("ann is being taken"), ADMITTED)
    assert world.reconnect.first() is ADMITTED


@pytest.mark.parametrize("end", [NeedLogin("ann is owned"), BadPassword("wrong")])
def test_a_missing_or_wrong_password_is_not_tried_again(end: NameRefused) -> None:
    """However soon after a broken try: nothing changes by waiting, and tries look like guesses."""
    with pytest.raises(type(end)):
        World(ConnectionLost("broke"), end, ADMITTED).reconnect.first()


def test_closing() -> None:
    """When the client is being closed, the wait before a try ends in Closed, and no try is made."""
    world = World(ADMITTED)
    world.closing = True
    with pytest.raises(Closed):
        world.reconnect.again("lost", 100.0)
    assert world.outcomes == [ADMITTED]

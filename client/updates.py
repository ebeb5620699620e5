"""Updates: everything that a client tells its user, in one order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chatroom.errors import ChatroomError
from chatroom.events import Event
from chatroom.packets import Notice


class Connected(NamedTuple):
    """Admitted, under this name and to this channel. `resumed`: not for the first time."""

    name: str
    channel: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """After a reconnect: the events that follow, up to CaughtUp, happened in the meantime.

    count: how many lines of others are among them
    more:  there are more than was waited for
    """

    count: int
    more: bool = False


class CaughtUp(NamedTuple):
    """The history that was asked for is here; what follows happens now.

    seq:     the history is complete up to here
    missed:  lines of others since the connection was lost, as far as they were counted
    resumed: not for the first time
    """

    seq: int
    missed: int
    resumed: bool


class Disconnected(NamedTuple):
    """The connection was lost; unless Ended follows, the client tries to get it back, at once for a start."""

    reason: str


class Retrying(NamedTuple):
    """That try failed, too; the next one comes after `seconds`."""

    seconds: float
    reason: str


class Ended(NamedTuple):
    """Nothing more will come. `error` is None when that was the user's own wish."""

    reason: str
    error: ChatroomError | None


Update = Event | Notice | Connected | Missed | CaughtUp | Disconnected | Retrying | Ended
"""What `Client.updates()` and `Client.poll()` give."""

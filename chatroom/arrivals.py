"""Newcomers on their way in, as the threads of their connections know them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from chatroom.door import Connection
from chatroom.packets import Resumed


@dataclass(frozen=True, slots=True)
class Reservation:
    """A name that is taken for a newcomer until the deadline of its handshake.

    origin:  number of the connection
    name:    as check_name() returns it
    token:   with it the client comes back to this session
    session: key of the session
    """

    origin: int
    name: str
    token: bytes = field(repr=False)
    session: str


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """What a newcomer at the end of its handshake asks for; the fields of ADMIT.

    channels: to be in, as check_channel() returns them
    since:    the last seq that the client has seen; 0: none
    time:     of that event, in milliseconds since 1970
    identity: of the history with that event
    lines:    how many of the latest lines of each channel to send when there is no `since`
    """

    reservation: Reservation
    connection: Connection
    channels: tuple[str, ...]
    since: int
    time: int
    identity: bytes
    lines: int


class Missed(NamedTuple):
    """What is replayed to a newcomer: all after `since`, or the latest `lines` of each channel."""

    since: int
    lines: int
    resumed: Resumed

"""Requests: threads of connections and of catching up submit them, the forwarder decides in order of arrival.

A request asks for something. An event says that something has happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event as Flag

from chatroom.door import Connection
from chatroom.member import Member
from chatroom.packets import Command, Say


@dataclass(eq=False)
class Reservation:
    """A name that is reserved for a newcomer between the lobby and the admission port.

    name:    as check_name() returns it
    key:     hash of the session's token
    token:   with it the client comes back to this session
    expires: seconds by the chatroom's clock; from then on, others may reserve the name
    """

    name: str
    key: bytes
    token: bytes
    expires: float


@dataclass(frozen=True, eq=False)
class Reserve:
    """Reserve `name` for the owner of `token`.

    token:  of an earlier session, or NO_TOKEN for a new session
    answer: gets the reservation, NameRefused, or Closed
    """

    name: str
    token: bytes
    answer: Future[Reservation] = field(default_factory=Future)


@dataclass(frozen=True, eq=False)
class Release:
    """End a reservation: the handshake has failed."""

    reservation: Reservation


@dataclass(frozen=True, eq=False)
class Join:
    """Admit a newcomer: make it a member, and send the events that it missed.

    since: the last seq that the client has seen; 0 asks for the latest `lines` events instead
    """

    reservation: Reservation
    connection: Connection
    channel: str
    since: int
    lines: int


@dataclass(frozen=True, eq=False)
class GoLive:
    """A member that was catching up has every event up to `seq`: send it the rest, then live events."""

    member: Member
    connection: Connection
    seq: int


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of one burst of a member, in order."""

    connection: Connection
    says: Sequence[Say]


@dataclass(frozen=True, eq=False)
class Ask:
    """A slash command of a member. `answered` is set after the answer, or when there will be none."""

    connection: Connection
    command: Command
    answered: Flag = field(default_factory=Flag)


@dataclass(frozen=True, eq=False)
class Leave:
    """A connection has ended. Its member leaves, unless another connection has taken it over."""

    connection: Connection
    reason: str


Request = Reserve | Release | Join | GoLive | Lines | Ask | Leave

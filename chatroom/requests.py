"""Requests: what may happen. Handlers and the lobby submit them; the forwarder turns them into events.

A request is a wish, an event is a fact: between the two stands the forwarder, which decides in the order
of arrival.
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
    """A name that is kept for somebody who is on the way from the lobby to the admission port.

    name:    in its one written form
    key:     hash of the session's token
    token:   what the client shows to come back to this session
    expires: by the chatroom's clock, seconds; after it others may have the name
    """

    name: str
    key: bytes
    token: bytes
    expires: float


@dataclass(frozen=True, eq=False)
class Reserve:
    """Keep `name` for the bearer of `token` (NO_TOKEN: a new session); `answer` gets it or NameRefused."""

    name: str
    token: bytes
    answer: Future[Reservation] = field(default_factory=Future)


@dataclass(frozen=True, eq=False)
class Release:
    """The handshake failed: the name is free again."""

    reservation: Reservation


@dataclass(frozen=True, eq=False)
class Join:
    """Make a member of who holds the reservation, and send what it has missed.

    since: the last seq it has seen; 0: the latest `lines` events are wanted instead
    """

    reservation: Reservation
    connection: Connection
    channel: str
    since: int
    lines: int


@dataclass(frozen=True, eq=False)
class GoLive:
    """A member that was catching up has everything up to `seq`; the rest and then live, please."""

    member: Member
    connection: Connection
    seq: int


@dataclass(frozen=True, eq=False)
class Lines:
    """What one member said in one burst, in order."""

    connection: Connection
    says: Sequence[Say]


@dataclass(frozen=True, eq=False)
class Ask:
    """A slash command of one member; `answered` is set when it was, or when nobody will."""

    connection: Connection
    command: Command
    answered: Flag = field(default_factory=Flag)


@dataclass(frozen=True, eq=False)
class Leave:
    """The connection has ended; if it is still the member's, the member leaves."""

    connection: Connection
    reason: str


Request = Reserve | Release | Join | GoLive | Lines | Ask | Leave

"""Member and session: a participant as the chatroom sees it. Only the forwarder changes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from chatroom.door import Connection, Door
from chatroom.history import SessionRecord


class Audience(NamedTuple):
    """Members who get the same bytes: they came through the same door and are in the same channels."""

    door: Door
    channels: frozenset[str]


def session_key(token: bytes) -> bytes:
    """What is kept of a session token: who reads the history file cannot take sessions over."""
    return hashlib.blake2b(token, digest_size=16).digest()


@dataclass(slots=True)
class Session:
    """One client's stay, across reconnects.

    confirmed: the highest message id applied. Ids rise within a session, so that this one number tells
               every repeat from news, however often and whenever it is resent.
    """

    key: bytes
    name: str
    channel: str
    confirmed: int
    seen: int

    def record(self, present: bool) -> SessionRecord:
        return SessionRecord(self.key, self.name, self.channel, present, self.confirmed, self.seen)


@dataclass(slots=True, eq=False)
class Member:
    """One admitted participant: a name and `deliver`; never a socket."""

    name: str
    channels: frozenset[str]
    session: Session
    connection: Connection

    @property
    def audience(self) -> Audience:
        return Audience(self.connection.door, self.channels)

    def deliver(self, batch: bytes) -> None:
        """Hand over a batch, already in the bytes of this member's door. Never blocks."""
        self.connection.send(batch)

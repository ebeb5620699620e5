"""Members and sessions: the participants as the chatroom sees them. Only the forwarder changes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from chatroom.door import Connection, Door
from chatroom.history import SessionRecord


class Audience(NamedTuple):
    """Members with the same door and the same channels get the same bytes."""

    door: Door
    channels: frozenset[str]


def session_key(token: bytes) -> bytes:
    """The hash of a session token. Only the hash is stored, so the history file opens no session."""
    return hashlib.blake2b(token, digest_size=16).digest()


@dataclass(slots=True)
class Session:
    """One client's stay, across reconnects.

    key:       hash of the token
    name:      the member's name
    channel:   the present or last channel
    confirmed: the highest message id applied. Ids rise within a session, so this one number is enough to
               recognise every repeated line, however often and however late it is resent
    seen:      time of the last change, in milliseconds since 1970
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
    """One participant in the chatroom. It has a connection, never a socket."""

    name: str
    channels: frozenset[str]
    session: Session
    connection: Connection

    @property
    def audience(self) -> Audience:
        return Audience(self.connection.door, self.channels)

    def deliver(self, batch: bytes) -> None:
        """Send the bytes of a batch, encoded by this member's door. Never blocks."""
        self.connection.send(batch)

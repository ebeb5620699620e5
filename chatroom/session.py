"""Sessions: one client's stay, across reconnects and restarts of the server, as one table of phases.

ARRIVING ──► HERE ──► LOST ──► ABSENT ──► forgotten      a clean goodbye leads from HERE to ABSENT at once
    ▲                  │          │
    └──────────────────┴──────────┘                      with its token the client comes back
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Any

from chatroom.effects import Origin
from chatroom.names import name_key
from chatroom.records import Record


class Phase(StrEnum):
    """How far a session has come. A name is taken while its session is not ABSENT."""

    ARRIVING = "arriving"  # in the handshake; the others have not been told
    HERE = "here"  # has a connection
    LOST = "lost"  # its connection broke; the others have not been told, because it may come back
    ABSENT = "absent"  # has left; its lines can still be recognised


def session_key(token: bytes) -> str:
    """The hash of a session token, in hex. Only the hash is stored, so the history file opens no session."""
    return hashlib.blake2b(token, digest_size=16).hexdigest()


@dataclass(slots=True)
class Session:
    """One client's stay.

    key:       hash of the token
    person:    who it is; 0 until it has come in for the first time
    name:      of the member
    name_key:  two names with equal keys count as the same
    address:   from where the latest handshake came
    phase:     see `Phase`
    until:     when a phase other than HERE ends, in milliseconds since 1970; 0 in HERE
    at:        the connection, in HERE; else the latest one
    coming:    a connection that has the name in its handshake
    confirmed: the highest message id applied. Ids rise within a session, so this one number is enough to
               recognise every repeated line, however often and however late it is sent again
    seen:      time of the latest change, in milliseconds since 1970
    reason:    why the connection was lost
    """

    key: str
    person: int
    name: str
    name_key: str
    address: str
    phase: Phase
    until: int
    at: Origin | None = None
    coming: Origin | None = None
    confirmed: int = 0
    seen: int = 0
    reason: str = ""

    def record(self) -> Record:
        """What is stored of it: everything."""
        value = {name: getattr(self, name) for name in _FIELDS}
        return Record("session", self.key, json.dumps(value, separators=(",", ":")))


class Agenda:
    """Sessions by the end of their phase, the earliest first. An entry that is out of date is skipped.

    sessions: all, by key
    wanted:   whether the agenda is about a session as it is now
    """

    def __init__(self, sessions: Mapping[str, Session], wanted: Callable[[Session], bool]) -> None:
        self._sessions = sessions
        self._wanted = wanted
        self._heap: list[tuple[int, str]] = []  # until, key

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, session: Session) -> None:
        """Add a session whose phase has begun. The agenda stays about as long as there are sessions."""
        heappush(self._heap, (session.until, session.key))
        if len(self._heap) > 2 * len(self._sessions) + _SPARE:
            self._heap = [(one.until, one.key) for one in self._sessions.values() if self._wanted(one)]
            heapify(self._heap)

    def take(self, now: float = math.inf) -> Session | None:
        """The first session whose phase has ended at `now`; it is not on the agenda any more."""
        while self._heap and self._heap[0][0] <= now:
            until, key = heappop(self._heap)
            session = self._sessions.get(key)
            if session is not None and session.until == until and self._wanted(session):
                return session
        return None


_SPARE = 64  # entries out of date that are not worth the time to remove them
_FIELDS = tuple(name for name in Session.__slots__ if name != "key")


def restore_session(record: Record) -> Session:
    """The session of a record. A record of an older file may lack fields, and have some that are not used."""
    stored: dict[str, Any] = json.loads(record.value or "{}")
    fields = {name: stored[name] for name in _FIELDS if name in stored}
    fields["phase"] = Phase(stored["phase"])
    fields.setdefault("name_key", name_key(stored["name"]))
    for name in ("at", "coming"):
        fields[name] = tuple(stored[name]) if stored.get(name) else None
    return Session(record.key, **fields)

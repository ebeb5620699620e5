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
from chatroom.lookalikes import skeletons
from chatroom.names import name_key
from chatroom.network import network_of
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
    seen:      when its phase began, in milliseconds since 1970
    reason:    why the connection was lost
    skeletons: what the name looks like
    began:     time of the first handshake, in milliseconds since 1970
    network:   of the address, as network_of() returns it
    number:    among the sessions of its person, from 1; 0 until it has come in for the first time
    encrypted: whether its connection is; in other phases than HERE, whether the latest one was
    coming_encrypted: whether the connection in its handshake is
    software:  name and version of the client, printable
    device:    the stored secret of the device by which it has logged in, "": by another way
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
    skeletons: tuple[str, ...] = ()
    began: int = 0
    network: str = ""
    number: int = 0
    encrypted: bool = False
    coming_encrypted: bool = False
    software: str = ""
    device: str = ""

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


class Ranking:
    """Sessions in one phase, and which of them is given up first when they are too many.

    It is one of the network with the most of them: so nobody who comes from elsewhere is pushed out. Of one
    network, and of networks with equally many, it is the one that lasted for the shortest time, then the one
    whose phase ends first.

    Networks and sessions are in heaps; an entry that is out of date is skipped.
    """

    def __init__(self, sessions: Mapping[str, Session], phase: Phase) -> None:
        """sessions: all, by key."""
        self._sessions = sessions
        self._phase = phase
        self._counts: dict[str, int] = {}  # by network
        self._ranks: dict[str, list[_Rank]] = {}  # by network: a heap
        self._networks: list[tuple[int, _Rank, str]] = []  # a heap: minus the count, the first, the network
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def of(self, network: str) -> int:
        """How many there are from a network."""
        return self._counts.get(network, 0)

    def add(self, session: Session) -> None:
        """Add a session whose phase has begun."""
        network = session.network
        ranks = self._ranks.setdefault(network, [])
        heappush(ranks, _rank(session))
        self._count(network, 1)
        if len(ranks) > 2 * self._counts[network] + _SPARE:
            ranks[:] = [rank for rank in ranks if self._is_valid(rank, network)]
            heapify(ranks)

    def remove(self, network: str) -> None:
        """Count a session out of its network. Called after whatever has changed of it was changed."""
        self._count(network, -1)

    def first_of(self, network: str) -> Session | None:
        """Of the sessions from a network, the one to give up first."""
        rank = self._first(network)
        return self._sessions[rank[-1]] if rank else None

    def first(self) -> Session | None:
        """The session to give up first."""
        while self._networks:
            count, rank, network = self._networks[0]
            if -count == self._counts.get(network) and rank == self._first(network):
                return self._sessions[rank[-1]]
            heappop(self._networks)
        return None

    def _count(self, network: str, change: int) -> None:
        self._size += change
        self._counts[network] = self._counts.get(network, 0) + change
        self._note(network)
        if len(self._networks) > 2 * self._size + _SPARE:
            self._networks = []
            for each in list(self._counts):
                self._note(each)

    def _note(self, network: str) -> None:
        """Put a network where it belongs, now that something of it has changed."""
        rank = self._first(network)
        if rank is None or not self._counts[network]:
            del self._counts[network], self._ranks[network]
        else:
            heappush(self._networks, (-self._counts[network], rank, network))

    def _first(self, network: str) -> _Rank | None:
        ranks = self._ranks.get(network, [])
        while ranks and not self._is_valid(ranks[0], network):
            heappop(ranks)
        return ranks[0] if ranks else None

    def _is_valid(self, rank: _Rank, network: str) -> bool:
        session = self._sessions.get(rank[-1])
        return (
            session is not None
            and session.phase is self._phase
            and session.network == network
            and _rank(session) == rank
        )


_Rank = tuple[int, int, str]
"""How long a session lasted, when its phase ends, and its key."""


def _rank(session: Session) -> _Rank:
    return session.seen - session.began, session.until, session.key


_SPARE = 64  # entries out of date that are not worth the time to remove them
_FIELDS = tuple(name for name in Session.__slots__ if name != "key")


def restore_session(record: Record) -> Session:
    """The session of a record. A record of an older file may lack fields, and have some that are not used."""
    stored: dict[str, Any] = json.loads(record.value or "{}")
    fields = {name: stored[name] for name in _FIELDS if name in stored}
    fields["phase"] = Phase(stored["phase"])
    fields.setdefault("name_key", name_key(stored["name"]))
    looks = skeletons(stored["name"], fields["name_key"])
    fields["skeletons"] = tuple(stored.get("skeletons", looks))
    fields.setdefault("began", stored.get("seen", 0))
    fields.setdefault("number", 1 if stored["person"] else 0)
    fields.setdefault("network", network_of(stored["address"]))
    for name in ("at", "coming"):
        fields[name] = tuple(stored[name]) if stored.get(name) else None
    return Session(record.key, **fields)

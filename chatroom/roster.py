"""The roster: who is here, under which name, in which channel. The state that the events build up.

Confined to the forwarder's thread: no lock, because nobody else touches it while that thread runs.
"""

from __future__ import annotations

import secrets

from chatroom.door import Connection
from chatroom.errors import NameRefused
from chatroom.events import Event, EventKind
from chatroom.history import SessionRecord
from chatroom.limits import HANDSHAKE_SECONDS, MAX_SESSIONS, SESSION_SECONDS, TICKET_BYTES
from chatroom.member import Audience, Member, Session, session_key
from chatroom.names import check_name, name_key
from chatroom.packets import NO_TOKEN
from chatroom.requests import Join, Reservation


class Roster:
    """Members, sessions and reserved names. `apply` is the only place that changes what events tell of."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}  # by name as written
        self.audiences: dict[Audience, dict[Member, None]] = {}  # members that are live, by what they get
        self._by_key: dict[str, Member] = {}  # by name_key
        self._by_connection: dict[Connection, Member] = {}
        self._reservations: dict[str, Reservation] = {}  # by name_key
        self._arriving: dict[str, Join] = {}  # by name; what a JOINED event cannot carry
        self._sessions: dict[bytes, Session] = {}
        self._absent: dict[bytes, Session] = {}  # sessions without a member, the longest absent first
        self._changed: dict[bytes, Session] = {}  # since the last take_changes()
        self._forgotten: set[bytes] = set()

    # --- names on the way in ----------------------------------------------------------------------------

    def reserve(self, name: str, token: bytes, now: float) -> Reservation:
        """Keep `name` for the bearer of `token`; NameRefused when it is bad, taken or reserved.

        Who shows the token of the session that holds the name may have it again: a take-over of its own
        dead connection. now: the chatroom's clock, seconds.
        """
        name = check_name(name)
        place = name_key(name)
        key = session_key(token)
        session = self._sessions.get(key) if token != NO_TOKEN else None
        known = session is not None and name_key(session.name) == place
        holder = self._by_key.get(place)
        if holder is not None and not (known and holder.session is session):
            raise NameRefused(f"{name} is in use")
        other = self._reservations.get(place)
        if other is not None and other.expires > now and not (known and other.key == key):
            raise NameRefused(f"{name} is being taken by somebody else")
        if not known:
            token = secrets.token_bytes(TICKET_BYTES)
        reservation = Reservation(name, session_key(token), token, now + HANDSHAKE_SECONDS)
        self._reservations[place] = reservation
        return reservation

    def release(self, reservation: Reservation) -> bool:
        """Take the reservation back; whether it was still there."""
        place = name_key(reservation.name)
        if self._reservations.get(place) is not reservation:
            return False
        del self._reservations[place]
        return True

    # --- members ----------------------------------------------------------------------------------------

    def holder(self, name: str) -> Member | None:
        """The member that has this name, however it is written."""
        return self._by_key.get(name_key(name))

    def member_of(self, connection: Connection) -> Member | None:
        """The member that this connection serves; None once it has left or was taken over."""
        return self._by_connection.get(connection)

    def arrive(self, join: Join) -> None:
        """Lay ready what the JOINED event of this name needs and cannot carry."""
        self._arriving[join.reservation.name] = join

    def apply(self, event: Event) -> None:
        """Let happen what the event says. Kinds that change nothing here have no branch."""
        if event.kind is EventKind.SAID:
            session = self.members[event.author].session
            session.confirmed = event.id
            session.seen = event.time
            self._changed[session.key] = session
        elif event.kind is EventKind.JOINED:
            self._join(self._arriving.pop(event.author), event)
        elif event.kind is EventKind.LEFT:
            self._leave(self.members[event.author], event)

    def _join(self, join: Join, event: Event) -> None:
        key = join.reservation.key
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = Session(key, event.author, event.channel, 0, event.time)
        self._absent.pop(key, None)
        self._forgotten.discard(key)
        session.name, session.channel, session.seen = event.author, event.channel, event.time
        self._changed[key] = session
        member = Member(event.author, frozenset((event.channel,)), session, join.connection)
        self.members[member.name] = member
        self._by_key[name_key(member.name)] = member
        self._by_connection[join.connection] = member

    def _leave(self, member: Member, event: Event) -> None:
        self.go_silent(member)
        del self.members[member.name]
        del self._by_key[name_key(member.name)]
        self._by_connection.pop(member.connection, None)
        member.session.seen = event.time
        self._changed[member.session.key] = member.session
        self._remember(member.session)

    def take_over(self, member: Member, connection: Connection) -> Connection:
        """Serve the member by a new connection; the old one, to be ended."""
        self.go_silent(member)
        old = member.connection
        del self._by_connection[old]
        member.connection = connection
        self._by_connection[connection] = member
        return old

    # --- audiences --------------------------------------------------------------------------------------

    def go_live(self, member: Member) -> None:
        """From the next batch on, the member gets what happens."""
        self.audiences.setdefault(member.audience, {})[member] = None

    def go_silent(self, member: Member) -> None:
        """The member gets no more batches."""
        audience = self.audiences.get(member.audience)
        if audience is not None:
            audience.pop(member, None)
            if not audience:
                del self.audiences[member.audience]

    # --- sessions ---------------------------------------------------------------------------------------

    def restore(self, record: SessionRecord) -> None:
        """Know a session from before the start; it is absent."""
        session = Session(record.key, record.name, record.channel, record.confirmed, record.seen)
        self._sessions[session.key] = self._absent[session.key] = session

    def take_changes(self) -> tuple[list[SessionRecord], list[bytes]]:
        """What history must know of the sessions since the last call: records and keys to forget."""
        changed, self._changed = self._changed, {}
        forgotten, self._forgotten = self._forgotten, set()
        records = [
            session.record(present=key not in self._absent)
            for key, session in changed.items()
            if key not in forgotten
        ]
        return records, list(forgotten)

    def _remember(self, session: Session) -> None:
        """Keep an absent session, within the bounds; one that never said anything has nothing to keep."""
        self._absent.pop(session.key, None)
        self._absent[session.key] = session
        if session.confirmed == 0:
            self._forget(session.key)
        while self._absent:
            oldest = next(iter(self._absent.values()))
            fresh = session.seen - oldest.seen <= SESSION_SECONDS * 1000
            if len(self._absent) <= MAX_SESSIONS and fresh:
                break
            self._forget(oldest.key)

    def _forget(self, key: bytes) -> None:
        del self._absent[key], self._sessions[key]
        self._forgotten.add(key)

"""The roster: members, sessions and reserved names. Events build this state up.

Confined to the forwarder's thread, so it needs no lock.
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
    """Members, sessions and reserved names. Only `apply` adds and removes members, so events tell all of it.

    members:   by name as written
    audiences: live members by audience
    """

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.audiences: dict[Audience, dict[Member, None]] = {}  # a dict as a set that keeps its order
        self._by_key: dict[str, Member] = {}  # by name_key
        self._by_connection: dict[Connection, Member] = {}
        self._reservations: dict[str, Reservation] = {}  # by name_key
        self._expected: dict[str, Join] = {}  # by name; joins whose JOINED event is not applied yet
        self._sessions: dict[bytes, Session] = {}
        self._absent: dict[bytes, Session] = {}  # sessions without a member, by time of leaving
        self._changed: dict[bytes, Session] = {}  # since the last take_changes()
        self._forgotten: set[bytes] = set()

    # --- names on the way in ----------------------------------------------------------------------------

    def reserve(self, name: str, token: bytes, now: float) -> Reservation:
        """Reserve `name` for the owner of `token`. Raises NameRefused: the name is bad, in use or reserved.

        The token of the session that has the name opens it although it is in use: so a client whose
        connection is dead takes its own member over. now: the chatroom's clock, seconds.
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
        """End the reservation. Returns False if it had ended before: expired, replaced or released."""
        place = name_key(reservation.name)
        if self._reservations.get(place) is not reservation:
            return False
        del self._reservations[place]
        return True

    # --- members ----------------------------------------------------------------------------------------

    def holder(self, name: str) -> Member | None:
        """The member with this name, or with one that counts as the same."""
        return self._by_key.get(name_key(name))

    def member_of(self, connection: Connection) -> Member | None:
        """The member of this connection. None once the member has left or was taken over."""
        return self._by_connection.get(connection)

    def expect(self, join: Join) -> None:
        """Remember a join until its JOINED event is applied: the event holds no connection and no session."""
        self._expected[join.reservation.name] = join

    def apply(self, event: Event) -> None:
        """Change the state as the event says. Event kinds that change nothing here have no branch."""
        if event.kind is EventKind.SAID:
            session = self.members[event.author].session
            session.confirmed = event.id
            session.seen = event.time
            self._changed[session.key] = session
        elif event.kind is EventKind.JOINED:
            self._join(self._expected.pop(event.author), event)
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

    def take_over(self, member: Member, connection: Connection) -> None:
        """Give the member a new connection. It is not live until go_live(). The caller ends the old one."""
        self.go_silent(member)
        del self._by_connection[member.connection]
        member.connection = connection
        self._by_connection[connection] = member

    # --- audiences --------------------------------------------------------------------------------------

    def go_live(self, member: Member) -> None:
        """Add the member to its audience: it gets every batch from the next one on."""
        self.audiences.setdefault(member.audience, {})[member] = None

    def go_silent(self, member: Member) -> None:
        """Remove the member from its audience: it gets no more batches."""
        audience = self.audiences.get(member.audience, {})
        audience.pop(member, None)
        if not audience:
            self.audiences.pop(member.audience, None)

    # --- sessions ---------------------------------------------------------------------------------------

    def restore(self, record: SessionRecord) -> None:
        """Add a stored session at the start. Its member is absent."""
        session = Session(record.key, record.name, record.channel, record.confirmed, record.seen)
        self._sessions[session.key] = self._absent[session.key] = session

    def take_changes(self) -> tuple[list[SessionRecord], list[bytes]]:
        """The sessions that history must store, and the keys that it must remove, since the last call."""
        changed, self._changed = self._changed, {}
        forgotten, self._forgotten = self._forgotten, set()
        records = [
            session.record(present=key not in self._absent)
            for key, session in changed.items()
            if key not in forgotten
        ]
        return records, list(forgotten)

    def _remember(self, session: Session) -> None:
        """Remember an absent session, within MAX_SESSIONS and SESSION_SECONDS.

        A session without a confirmed line is forgotten at once: it has no line that could be repeated.
        """
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

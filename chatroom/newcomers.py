"""Newcomers: what they missed, then live, with neither gap nor double."""

from __future__ import annotations

from chatroom.catch_up import CatchUp
from chatroom.door import Connection
from chatroom.events import Event
from chatroom.member import Member
from chatroom.requests import Join
from chatroom.roster import Roster
from chatroom.tail import Tail


class Newcomers:
    """Brings members from the end of their handshake to being live. Confined to the forwarder's thread.

    Everything here happens between two batches: what is up to the last batch is in the tail or in history,
    what is after it will be delivered. So the seam is where the member is put among those who are live.
    """

    def __init__(self, roster: Roster, tail: Tail, catch_up: CatchUp) -> None:
        self._roster = roster
        self._tail = tail
        self._catch_up = catch_up

    def welcome(self, member: Member, join: Join, first_live: int) -> None:
        """Greet a newcomer and bring it up to date; what is from seq `first_live` on happens live to it."""
        connection, session = join.connection, member.session
        if member.connection is not connection:  # taken over within the same batch
            return
        before = first_live - 1
        connection.welcome(member.name, join.channel, join.reservation.token, session.confirmed, before)
        if join.since == 0:
            last = self._tail.last(join.lines, member.channels, first_live)
            if last is None:  # a thread reads them: it may be many, and nobody is to wait for that
                self._catch_up.begin_with_last(member, connection, join.lines, first_live)
                return
            replay = last
        elif self._tail.covers(join.since):
            replay = [e for e in self._tail.after(join.since, member.channels) if e.seq < first_live]
        else:
            self._catch_up.begin(member, connection, join.since)
            return
        _send(connection, replay)
        self.finish(member, connection, before)

    def finish(self, member: Member, connection: Connection, seq: int) -> None:
        """The member has everything up to `seq`: the marker, the rest of the tail, and from now on live."""
        if self._roster.member_of(connection) is not member:
            return
        seq = min(seq, self._tail.head)
        if not self._tail.covers(seq):
            self._catch_up.begin(member, connection, seq)
            return
        connection.live(seq)
        _send(connection, self._tail.after(seq, member.channels))
        self._roster.go_live(member)


def _send(connection: Connection, events: list[Event]) -> None:
    if events:
        connection.send(b"".join(map(connection.door.encode, events)))

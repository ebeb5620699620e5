"""Newcomers: their greeting, the replay of missed events, and the change to live delivery."""

from __future__ import annotations

from chatroom.catch_up import CatchUp
from chatroom.door import Connection
from chatroom.events import Event
from chatroom.member import Member
from chatroom.requests import GoLive, Join
from chatroom.roster import Roster
from chatroom.tail import Tail


class Newcomers:
    """Greets new members, replays what they missed, and makes them live. Confined to the forwarder's thread.

    Runs between two batches: the tail and history hold every event up to the last batch, and the member gets
    every later batch live. So no event is missing and no event comes twice.
    """

    def __init__(self, roster: Roster, tail: Tail, catch_up: CatchUp) -> None:
        self._roster = roster
        self._tail = tail
        self._catch_up = catch_up

    def welcome(self, member: Member, join: Join, first_live: int) -> None:
        """Greet a newcomer and replay what it missed. If the tail holds all of that, the member goes live.

        first_live: seq of the first event that is not part of the replay
        """
        connection = join.connection
        if member.connection is not connection:  # taken over within the same batch
            return
        head = first_live - 1
        token, confirmed = join.reservation.token, member.session.confirmed
        connection.welcome(member.name, join.channel, token, confirmed, head)
        replay: list[Event] | None = None
        if not join.since:
            replay = self._tail.last(join.lines, member.channels, first_live)
        elif self._tail.covers(join.since):
            replay = [e for e in self._tail.after(join.since, member.channels) if e.seq < first_live]
        if replay is None:  # a thread reads history: that may take long, and the forwarder must not wait
            self._catch_up.begin(member, connection, join.since or head, 0 if join.since else join.lines)
        else:
            _send(connection, replay)
            self.go_live(GoLive(member, connection, head))

    def go_live(self, caught_up: GoLive) -> None:
        """Send LIVE and the later events in the tail; from the next batch on, the member gets all live.

        Does nothing if the member has left or was taken over. A member that is still behind the tail goes on
        catching up.
        """
        member, connection = caught_up.member, caught_up.connection
        if self._roster.member_of(connection) is not member:
            return
        seq = min(caught_up.seq, self._tail.head)
        if not self._tail.covers(seq):
            self._catch_up.begin(member, connection, seq)
            return
        connection.live(seq)
        _send(connection, self._tail.after(seq, member.channels))
        self._roster.go_live(member)


def _send(connection: Connection, events: list[Event]) -> None:
    if events:
        connection.send(b"".join(map(connection.door.encode, events)))

"""Newcomers: their greeting, the replay of missed events, and the change to live delivery."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chatroom.catch_up import CatchUp
from chatroom.door import Door
from chatroom.effects import Admit
from chatroom.events import Setting
from chatroom.limits import GREETING_BYTES, MAX_LISTED
from chatroom.packets import Channel, Present, Resumed, Role, Welcome, encode_event
from chatroom.places import WHOLE_CHATROOM
from chatroom.places import Channel as Place
from chatroom.presence import Presence, Seat
from chatroom.state import State
from chatroom.tail import Tail

log = logging.getLogger(__name__)


class Newcomers:
    """Greets new members, replays what they missed, and makes them live. Confined to the forwarder's thread.

    Runs between two batches: the tail and history hold every event up to the last batch, and the member gets
    every later batch live. So no event is missing and no event comes twice.
    """

    def __init__(self, state: State, presence: Presence, tail: Tail, catch_up: CatchUp) -> None:
        self._state = state
        self._presence = presence
        self._tail = tail
        self._catch_up = catch_up
        self._identity = b""
        self._described: dict[tuple[Door, int, bool], bytes] = {}

    def begin(self, identity: bytes) -> None:
        """Note the identity of the history, which each greeting tells."""
        self._identity = identity

    def new_round(self) -> None:
        """Forget the descriptions of channels: they are made once for all who come in one round."""
        self._described.clear()

    def welcome(self, admit: Admit) -> None:
        """Greet a newcomer and replay what it missed. If the tail holds all of that, the member goes live."""
        seat, join, (since, lines, resumed) = self._presence.admit(admit.origin[2], admit.person, admit.name)
        connection, head = seat.connection, admit.head
        if resumed is Resumed.GAP and self._tail.covers(since):  # removed from history, but still in memory
            resumed = Resumed.EXACT
        log.info("= %s is %s", connection.peer, admit.name)
        token = join.reservation.token
        connection.greet(
            Welcome(admit.name, token, self._identity, admit.person, admit.confirmed, head, resumed),
            self._described_channels(connection.door, admit.person),
        )
        reach = self._state.reach(admit.person, since)
        if not since:
            starts = self._tail.starts(lines, reach.places, head)
            if starts is None:
                self._catch_up.begin(seat, reach, head, lines)
                return
            since, reach = min(starts.values()), reach.later(starts)
        if self._tail.covers(since):
            self._go_live(seat, head, self._tail.bytes_after(connection.door, since, reach, head))
        else:  # another thread reads history: that may take long, and the forwarder must not wait
            self._catch_up.begin(seat, reach, since, exact=resumed is Resumed.EXACT)

    def go_live(self, seat: Seat, seq: int) -> None:
        """Send LIVE and the events after `seq`; from the next batch on, the member gets all live.

        Does nothing if the connection has ended or was taken over. A member that is still behind the tail
        goes on catching up. Signals have not reached it until now, so it is told the numbers again.
        """
        if self._presence.seat(seat.origin) is not seat:
            return
        self._go_live(seat, seq)
        time = self._tail.time_of(self._tail.head)
        for channel in self._state.channels_of(seat.person) if seat.places else ():
            if channel.counted:
                packets = encode_event(channel.number_told(time))
                seat.connection.send(seat.connection.door.translate(packets))

    def _go_live(self, seat: Seat, seq: int, missed: Sequence[bytes] = ()) -> None:
        """missed: the events up to `seq` that are still to be sent"""
        reach = self._state.reach(seat.person, seq)
        if not self._tail.covers(seq):
            self._catch_up.begin(seat, reach, seq, exact=True)
            return
        connection = seat.connection
        later = self._tail.bytes_after(connection.door, seq, reach)
        connection.live(missed, seq, self._tail.time_of(seq), later)
        places = [channel.place for channel in self._state.channels_of(seat.person)]
        self._presence.go_live(seat, (WHOLE_CHATROOM, *places))

    def _described_channels(self, door: Door, person: int) -> list[bytes]:
        """CHANNEL for each channel of the member. Lists of members stop at GREETING_BYTES."""
        found, left = list[bytes](), GREETING_BYTES
        for channel in self._state.channels_of(person):
            data = self._describe(door, channel, True)
            if len(data) > left:
                data = self._describe(door, channel, False)
            found.append(data)
            left -= len(data)
        return found

    def _describe(self, door: Door, place: Place, listed: bool) -> bytes:
        """The bytes of CHANNEL. The list of members is left out when it is long, or not `listed`."""
        key = door, place.place, listed
        data = self._described.get(key)
        if data is None:
            count = len(place.members)
            listed = listed and count <= MAX_LISTED and not place.counted
            persons = sorted(place.members) if listed else ()
            members = tuple(
                Present(person, self._state.role(person, place.place), self._state.members[person].name)
                for person in persons
            )
            settings = Setting.COUNTED if place.counted else 0
            channel = Channel(place.place, place.name, "", settings, Role.MEMBER, count, members)
            data = self._described[key] = door.encode_channel(channel)
        return data

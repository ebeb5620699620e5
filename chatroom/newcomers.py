"""Newcomers: their greeting, the replay of missed events, and the change to live delivery."""

from __future__ import annotations

from collections.abc import Sequence

from chatroom.alert import Alert
from chatroom.answer_tables import poll_told
from chatroom.catch_up import CatchUp
from chatroom.conversations import Conversation
from chatroom.door import Door
from chatroom.effects import Admit, Joined, Left
from chatroom.event_log import EventLog
from chatroom.events import Setting
from chatroom.figures import Figures
from chatroom.limits import GREETING_BYTES, MAX_LISTED
from chatroom.outcomes import Code
from chatroom.packets import Channel, Present, Resumed, Role, Welcome, encode_event
from chatroom.places import Channel as Place
from chatroom.presence import Presence, Seat
from chatroom.reading import marker
from chatroom.state import State
from chatroom.tail import Tail

log = EventLog(__name__)


class Newcomers:
    """Greets new members, replays what they missed, and makes them live. Confined to the forwarder's thread.

    Runs between two batches: the tail and history hold every event up to the last batch, and the member gets
    every later batch live. So no event is missing and no event comes twice.
    """

    def __init__(
        self,
        state: State,
        presence: Presence,
        tail: Tail,
        catch_up: CatchUp,
        alert: Alert | None = None,
        figures: Figures | None = None,
    ) -> None:
        self._state = state
        self._presence = presence
        self._tail = tail
        self._catch_up = catch_up
        self._alert = alert or Alert(state, presence)
        self._figures = figures or Figures()
        self._identity = b""
        self._described: dict[tuple[Door, int, Role, bool], bytes] = {}
        self._motd = ""

    def begin(self, identity: bytes) -> None:
        """Note the identity of the history, which each greeting tells."""
        self._identity = identity

    def set_motd(self, text: str) -> None:
        """Let newcomers be shown this message of the day from now on; "": none."""
        self._motd = text

    def new_round(self) -> None:
        """Forget the descriptions of channels: they are made once for all who come in one round."""
        self._described.clear()

    def welcome(self, admit: Admit) -> None:
        """Greet a newcomer and replay what it missed. If the tail holds all of that, the member goes live."""
        seat, join, (since, lines, resumed) = self._presence.admit(admit.origin[2], admit.person, admit.name)
        connection, head, seat.new = seat.connection, admit.head, not join.since
        if resumed is Resumed.GAP and self._tail.covers(since):  # removed from history, but still in memory
            resumed = Resumed.EXACT
        log.info("came", "= %(peer)s is %(name)s", peer=connection.peer, name=admit.name)
        self._figures.admit(resumed)
        if resumed is Resumed.FRESH:
            self._alert.forget(admit.person)
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

    def widen(self, joined: Joined) -> None:
        """Give a member's connection the channel that the member has entered, perhaps with another program,
        or the direct conversation that has begun.

        A connection that still catches up would miss what happens there meanwhile: it comes back instead,
        and is told of the channel in its next greeting.
        """
        seat = self._presence.seat(joined.origin[2])
        if seat is None:  # it is admitted in this round: its greeting has the channel
            return
        if not seat.places:
            seat.connection.part(Code.UNAVAILABLE, "you got another channel meanwhile: come back")
            return
        channel = self._state.channel_at(joined.place)
        if channel is not None:  # else it has ended within this round: its events come all the same
            role = self._state.role(seat.person, channel.place)
            seat.connection.send(self._describe(seat.connection.door, channel, role, True), True)
        conversation = self._state.conversation_at(joined.place)
        if conversation is not None:
            door, title = seat.connection.door, self._state.title(conversation, seat.person)
            seat.connection.send(self._describe_conversation(door, conversation, seat.person, title))
        self._presence.widen(seat, joined.place)

    def narrow(self, left: Left) -> None:
        """Let a member's connection get nothing more of a channel that the member has left.

        One that still catches up would be sent what is said there later: it comes back instead.
        """
        seat = self._presence.seat(left.origin[2])
        if seat is None:  # as in widen()
            return
        if not seat.places:
            seat.connection.part(Code.UNAVAILABLE, "you have left a channel meanwhile: come back")
            return
        if left.signal is not None:
            door = seat.connection.door
            seat.connection.send(door.translate(encode_event(left.signal)))
        self._presence.narrow(seat, left.place)

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
        self._presence.go_live(seat, self._state.places_of(seat.person))
        if seat.new and self._motd:  # below what was said before; who comes back has read it
            connection.inform(self._motd)
        if seat.new:
            self._tell_polls(seat)
        seat.new = False
        self._alert.tell(seat)

    def _tell_polls(self, seat: Seat) -> None:
        """Tell who comes anew which polls are open: POLL may be further back than what it was sent."""
        classroom = self._state.classroom
        for channel in self._state.channels_of(seat.person):
            question = classroom.poll(channel.place)[:1]
            if question and not classroom.vote_of(channel.place, seat.person):
                seat.connection.inform(poll_told(question[0], channel.name))

    def _described_channels(self, door: Door, person: int) -> list[bytes]:
        """CHANNEL for each channel and each direct conversation of the member. Lists of members stop at
        GREETING_BYTES."""
        found, left = list[bytes](), GREETING_BYTES
        for channel in self._state.channels_of(person):
            role = self._state.role(person, channel.place)
            data = self._describe(door, channel, role, True)
            if len(data) > left:
                data = self._describe(door, channel, role, False)
            found.append(data)
            found += self._marker(door, person, channel.place, channel.name)
            left -= len(data)
        for conversation in self._state.conversations_of(person):
            title = self._state.title(conversation, person)
            found.append(self._describe_conversation(door, conversation, person, title))
            found += self._marker(door, person, conversation.place, title)
        return found

    def _describe_conversation(
        self, door: Door, conversation: Conversation, person: int, title: str
    ) -> bytes:
        """The bytes of CHANNEL for one of the two. A person may have many: names are looked up once."""
        names = {person: self._state.name_of(person) or conversation.gone}
        names[conversation.other(person)] = title[1:]
        members = tuple(Present(one, Role.MEMBER, name) for one, name in sorted(names.items()))
        place, size, settings = conversation.place, len(members), Setting.DIRECT
        return door.encode_channel(Channel(place, title, "", settings, Role.MEMBER, size, members))

    def _marker(self, door: Door, person: int, place: int, name: str) -> list[bytes]:
        """The signal how far the person has read the place, for behind CHANNEL. name: as it is there"""
        seq = self._state.read_up_to(person, place)
        if not seq:
            return []
        # By name_of(): a person that has left within this round has conversations, and is no member.
        time, author = self._tail.time_of(self._tail.head), self._state.name_of(person)
        return [door.translate(encode_event(marker(time, person, author, place, name, seq)))]

    def _describe(self, door: Door, place: Place, role: Role, listed: bool) -> bytes:
        """The bytes of CHANNEL. The list of members is left out when it is long, or not `listed`.

        role: of the member that gets it
        """
        key = door, place.place, role, listed
        data = self._described.get(key)
        if data is None:
            count = len(place.members)
            listed = listed and count <= MAX_LISTED and not place.counted
            persons = sorted(place.members) if listed else ()
            members = tuple(
                Present(person, self._state.role(person, place.place), self._state.members[person].name)
                for person in persons
            )
            channel = Channel(place.place, place.name, place.topic, place.settings, role, count, members)
            data = self._described[key] = door.encode_channel(channel)
        return data

"""Newcomers: they are greeted, catch up, and go live without a missing or repeated event."""

from __future__ import annotations

from unittest import mock

import pytest

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.batch import Batch
from chatroom.catch_up import CatchUp
from chatroom.effects import Admit
from chatroom.events import Event, Setting
from chatroom.newcomers import Newcomers
from chatroom.outcomes import Outcome
from chatroom.packets import Channel, Live, Present, Replay, Resumed, Role, Welcome
from chatroom.presence import Presence
from chatroom.tail import Tail
from tests.chatroom.fakes import FakeConnection, FakeDoor, RecordingHistory
from tests.chatroom.world import Visit, World, admits
from tests.support.blocks import blocks_of
from tests.support.events import NOON, said

TOKEN = b"t" * 16
IDENTITY = b"i" * 16


class Hall:
    """A world with `bob`, who said lines 2 to 8, and a newcomer: `ann` joins with event 9 of 10.

    floor: the tail begins after this event
    """

    def __init__(self, floor: int = 0, *channels: str) -> None:
        self.world = World()
        self.presence = Presence()
        self.history = RecordingHistory()
        self.door = FakeDoor()
        bob = self.world.enter("bob")
        for id in range(1, 8):
            self.world.time += 1
            self.world.say(bob, id)
        visit, _ = self.world.ask("ann")
        (self.admit,) = admits(self.world.come(visit, *channels))
        self.world.say(bob, 8)
        self.ann, self.bob = visit, bob
        self.history.append(blocks_of(self.world.log), [])
        self.tail = Tail()
        self.tail.begin(floor, NOON)
        self.tail.extend(Batch(self.world.log[floor:]))
        self.catch_up = CatchUp(self.history, lambda *_: None)
        self.newcomers = Newcomers(self.world.state, self.presence, self.tail, self.catch_up)
        self.newcomers.begin(IDENTITY)

    def come(self, visit: Visit, since: int, lines: int) -> FakeConnection:
        connection = FakeConnection(self.history, door=self.door)
        while self.presence.ask()[0] != visit.origin:
            pass
        self.presence.answer(visit.origin, Outcome(0))  # type: ignore[arg-type]
        reservation = Reservation(visit.origin, "ann", TOKEN, visit.session)
        join = Join(reservation, connection, (), since, 0, IDENTITY, lines)
        self.presence.come(join, Missed(since, lines, Resumed.EXACT if since else Resumed.FRESH))
        return connection

    def welcome(self, since: int = 0, lines: int = 50) -> FakeConnection:
        """Greet ann; her connection."""
        connection = self.come(self.ann, since, lines)
        self.newcomers.welcome(self.admit)
        return connection

    @property
    def is_live(self) -> bool:
        return [seat.person for seat in self.presence.live] == [self.admit.person]


def told(connection: FakeConnection) -> list[object]:
    """The kinds of packets, and the seqs of events."""
    return [packet.seq if isinstance(packet, Event) else type(packet) for packet in connection.packets]


def test_the_latest_lines_then_live() -> None:
    """A newcomer gets as many lines as it asked for, LIVE, and its JOINED event as the first live one."""
    hall = Hall()
    connection = hall.welcome(lines=3)
    assert told(connection) == [Welcome, Channel, Replay, 6, 7, 8, Live, 9, 10]
    assert connection.of(Replay) == [Replay(0)]
    assert connection.of(Live) == [Live(8, NOON + 7)]
    assert hall.is_live


def test_only_said_lines_are_counted() -> None:
    """Joins are no lines: who asks for more lines than there are gets those, from the first on."""
    assert told(Hall().welcome(lines=50))[3:6] == [2, 3, 4]


def test_no_lines_wanted() -> None:
    """A newcomer that asks for no history is live at once."""
    assert told(Hall().welcome(lines=0)) == [Welcome, Channel, Replay, Live, 9, 10]


def test_everything_since() -> None:
    """A newcomer that names the last seq it has seen gets every later event once."""
    connection = Hall().welcome(since=5)
    assert told(connection) == [Welcome, Channel, Replay, 6, 7, 8, Live, 9, 10]
    assert connection.of(Welcome) == [Welcome("ann", TOKEN, IDENTITY, 2, 0, 8, Resumed.EXACT)]


def test_each_channel_has_its_own_lines() -> None:
    """The lines are counted for each channel; a quiet channel's are not crowded out by a busy one."""
    hall = Hall(0, "#general", "#quiet")
    dora = hall.world.enter("dora", "#quiet")  # events 12
    hall.world.say(dora, 1, channel="#quiet")
    hall.world.say(hall.bob, *range(10, 20))
    eve, _ = hall.world.ask("eve")
    (admit,) = admits(hall.world.come(eve, "#general", "#quiet"))
    new = hall.world.log[11:]
    hall.history.append(blocks_of(new), [])
    hall.tail.extend(Batch(new))
    connection = hall.come(eve, 0, 1)
    hall.newcomers.welcome(admit)
    assert told(connection) == [Welcome, Channel, Channel, Replay, 14, 24, Live, 25, 26]


def test_channels_are_described() -> None:
    """CHANNEL says who is in, with which role; it comes for each channel, in the order of joining."""
    connection = Hall(0, "#quiet", "#general").welcome()
    bob, ann = Present(1, 0, "bob"), Present(2, 0, "ann")
    assert connection.of(Channel) == [
        Channel(2, "#quiet", "", 0, Role.OWNER, 1, (Present(2, Role.OWNER, "ann"),)),
        Channel(1, "#general", "", Setting.KEPT, 0, 2, (bob, ann)),
    ]


def test_a_channel_is_described_once_a_round() -> None:
    """For all who come in one round, a channel is described once for each door; the next round anew."""
    hall = Hall()
    hall.welcome()
    again, _ = hall.world.ask("carl")
    (admit,) = admits(hall.world.come(again))
    hall.come(again, 0, 0)
    hall.newcomers.welcome(admit)
    assert hall.door.described == 1
    hall.newcomers.new_round()
    late, _ = hall.world.ask("dora")
    (admit,) = admits(hall.world.come(late))
    hall.tail.extend(Batch(hall.world.log[10:]))
    hall.history.append(blocks_of(hall.world.log[10:]), [])
    connection = hall.come(late, 0, 0)
    hall.newcomers.welcome(admit)
    assert hall.door.described == 2
    assert [member.name for member in connection.of(Channel)[0].members] == ["bob", "ann", "carl", "dora"]


@pytest.mark.parametrize(("limit", "listed"), [(2, 2), (1, 0)])
def test_a_long_list_of_members_is_left_out(limit: int, listed: int) -> None:
    """A channel with more than MAX_LISTED members is described with their number only."""
    with mock.patch("chatroom.newcomers.MAX_LISTED", limit):
        (channel,) = Hall().welcome().of(Channel)
    assert (channel.size, len(channel.members)) == (2, listed)


def test_lists_stop_when_the_greeting_is_long() -> None:
    """Beyond GREETING_BYTES channels come without their members; none of the channels is left out."""
    with mock.patch("chatroom.newcomers.GREETING_BYTES", 150):
        found = Hall(0, "#one", "#two", "#three", "#four").welcome().of(Channel)
    listed = [bool(channel.members) for channel in found]
    assert len(found) == 4 and listed == sorted(listed, reverse=True) and 0 < sum(listed) < 4


def test_what_many_newcomers_get_is_shared() -> None:
    """Two newcomers that miss the same get the same objects: their replays are in memory once."""
    hall = Hall()
    one = hall.welcome(lines=3)
    eve, _ = hall.world.ask("eve")
    (admit,) = admits(hall.world.come(eve))
    hall.tail.extend(Batch(hall.world.log[10:]))
    hall.history.append(blocks_of(hall.world.log[10:]), [])
    two = hall.come(eve, 8, 0)
    hall.newcomers.welcome(admit)
    assert {id(data) for data in one.shared} & {id(data) for data in two.shared}
    own = [data for data in one.datas if not any(data is shared for shared in one.shared)]
    assert sum(map(len, own)) < 300


@pytest.mark.parametrize(("since", "lines"), [(5, 50), (0, 3)])
def test_far_behind(since: int, lines: int) -> None:
    """Events that the tail does not hold are read by another thread; after them the member goes live."""
    hall = Hall(8)
    connection = hall.welcome(since, lines)
    assert told(connection) == [Welcome, Channel, Replay]
    assert hall.catch_up.waiting == 1 and not hall.is_live
    (seat,) = hall.presence.seats
    hall.newcomers.go_live(seat, 9)
    assert told(connection)[3:] == [Live, 10] and hall.is_live


def test_still_behind() -> None:
    """A member that has caught up with what is not in the tail any more goes on catching up."""
    hall = Hall(8)
    connection = hall.welcome(since=5)
    (seat,) = hall.presence.seats
    hall.newcomers.go_live(seat, 7)
    assert hall.catch_up.waiting == 2 and not hall.is_live
    assert connection.of(Live) == []


def test_gone_before_it_is_live() -> None:
    """A connection that has ended while it caught up does not go live."""
    hall = Hall(8)
    connection = hall.welcome(since=5)
    (seat,) = hall.presence.seats
    hall.presence.remove(seat.origin)
    hall.newcomers.go_live(seat, 9)
    assert connection.of(Live) == [] and hall.presence.live == []


def test_left_in_the_round_it_came_in() -> None:
    """A newcomer that has left before its greeting gets what happened while it was in."""
    hall = Hall()
    hall.world.say(hall.ann, 1)
    hall.world.leave(hall.ann)
    hall.world.say(hall.bob, 9)
    hall.history.append(blocks_of(hall.world.log[10:]), [])
    hall.tail.extend(Batch(hall.world.log[10:]))
    connection = hall.welcome(lines=1)
    assert told(connection) == [Welcome, Replay, Live, 9, 10, 11, 12]
    assert hall.presence.live[0].places == (0,)


def test_what_was_missed_of_a_channel_that_was_left() -> None:
    """Who comes back to fewer channels gets what was said in the others until it left, and no more."""
    hall = Hall(0, "#general", "#quiet")
    dora = hall.world.enter("dora", "#quiet")  # 13
    hall.world.say(hall.ann, 1)  # 14
    hall.world.say(dora, 1, channel="#quiet")  # 15
    hall.world.leave(hall.ann)  # 16
    hall.world.say(dora, 2, channel="#quiet")  # 17
    hall.world.say(hall.bob, 9)  # 18
    again, _ = hall.world.ask("ann", hall.ann.session)
    (admit,) = admits(hall.world.come(again, "#general"))  # 19
    hall.history.append(blocks_of(hall.world.log[11:]), [])
    hall.tail.extend(Batch(hall.world.log[11:]))
    hall.ann, hall.admit = again, admit
    connection = hall.welcome(since=13)
    assert told(connection) == [Welcome, Channel, Replay, 14, 15, 16, 18, Live, 19]


def test_live_places() -> None:
    """A live member gets what happens in its channels and in the whole chatroom, from the next batch on."""
    hall = Hall()
    connection = hall.welcome(lines=0)
    happened = [said(11), said(12, place=2), said(13, place=0)]
    hall.history.append(blocks_of(happened), [])
    hall.presence.deliver(Batch(happened))
    assert told(connection)[-2:] == [11, 13]


def test_a_return_names_the_confirmed_id() -> None:
    """WELCOME tells the highest id that was applied, the person, and what became of `since`."""
    hall = Hall()
    hall.world.say(hall.ann, 41)
    again, _ = hall.world.ask("Ann", hall.ann.session)
    (admit,) = admits(hall.world.come(again))
    assert admit == Admit(hall.world.origin(again.origin), 2, "ann", 41, 11)
    hall.history.append(blocks_of(hall.world.log[10:]), [])
    hall.tail.extend(Batch(hall.world.log[10:]))
    connection = hall.come(again, 11, 50)
    hall.newcomers.welcome(admit)
    assert connection.of(Welcome) == [Welcome("ann", TOKEN, IDENTITY, 2, 41, 11, Resumed.EXACT)]
    assert told(connection) == [Welcome, Channel, Replay, Live]

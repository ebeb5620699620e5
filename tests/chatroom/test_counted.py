"""Counted channels: nobody is told who comes and goes, only how many there are."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.bounds import Limits
from chatroom.catch_up import CatchUp
from chatroom.commands import run
from chatroom.desk import Asker, Room
from chatroom.effects import Signal
from chatroom.events import SET_COUNTED, Event, EventKind, Setting
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.ledger import Applied
from chatroom.limits import COUNTED_FROM, HOLD_SECONDS, MAX_LISTED, MAX_NUMBER, TICK_SECONDS
from chatroom.order import Entry
from chatroom.outcomes import Code, Outcome
from chatroom.packets import NO_IDENTITY, Channel, Live, Resumed
from chatroom.presence import Presence
from chatroom.proposals import Arrive, Body, Enter, Leave, Proposal, ProposalKind
from chatroom.queue import WaitingQueue
from chatroom.records import Record
from chatroom.session import session_key
from chatroom.state import State
from tests.chatroom.fakes import FakeConnection, RecordingHistory
from tests.chatroom.world import World
from tests.support.events import GENERAL, NOON

COUNTED, JOINED, QUIT, SAID, SET = (
    EventKind.COUNTED,
    EventKind.JOINED,
    EventKind.QUIT,
    EventKind.SAID,
    EventKind.SET,
)
FROM_TWO = Limits(counted_from=2)


@pytest.fixture
def world() -> World:
    """Channels with more than two members are counted."""
    return World(FROM_TWO)


def kinds(events: Sequence[Event]) -> list[EventKind]:
    return [event.kind for event in events]


def told(applied: Applied) -> list[tuple[str, str]]:
    """The signals among the effects: channel and text."""
    signals = [effect.event for effect in applied.effects if isinstance(effect, Signal)]
    assert all((event.kind, event.seq, event.author) == (COUNTED, 0, "") for event in signals)
    return [(event.channel, event.text) for event in signals]


def crowd(world: World, *names: str) -> None:
    for name in names:
        world.enter(name)


# --- the state ------------------------------------------------------------------------------------------


def test_who_could_not_be_listed_is_not_told() -> None:
    """A channel is counted from the first member on with whom CHANNEL would list nobody."""
    assert Limits().counted_from == COUNTED_FROM == MAX_LISTED


def test_up_to_the_limit_everybody_is_told(world: World) -> None:
    """A channel with as many members as the limit is one like all others."""
    crowd(world, "ann", "bob")
    assert kinds(world.log) == [JOINED, JOINED]
    assert told(world.tick(1)) == []


def test_beyond_the_limit_the_channel_is_counted(world: World) -> None:
    """The member that is one too many makes SET, from the server. From it on, joining makes no event."""
    crowd(world, "ann", "bob", "carl", "dora")
    (made,) = world.log[2:]
    assert made == Event(3, NOON, SET, "#general", "", "", place=GENERAL, extra=SET_COUNTED)
    channel = world.state.channel("#general")
    assert channel is not None and len(channel.members) == 4


def test_it_stays_counted(world: World) -> None:
    """When members leave, nobody is told, and who comes then is not told either."""
    ann, bob = world.enter("ann"), world.enter("bob")
    carl = world.enter("carl")
    for visit in (ann, bob, carl):
        assert world.leave(visit).happened == []
    world.enter("dora")
    assert kinds(world.log) == [JOINED, JOINED, SET]


def test_the_number_is_told_with_the_tick(world: World) -> None:
    """With a tick comes the number, if it has changed since the last one; no other channel's does."""
    crowd(world, "ann", "bob")
    carl = world.enter("carl", "#general", "#tea")
    assert told(world.tick()) == [("#general", "3")]
    assert told(world.tick(1)) == []
    dora = world.enter("dora")
    world.leave(dora)
    assert told(world.tick(1)) == []
    world.leave(carl)
    assert told(world.tick(1)) == [("#general", "2")]


def test_numbers_come_in_the_order_of_places(world: World) -> None:
    """Several counted channels: the order is the same in every server, also in one that was restored."""
    channels = [f"#c{n}" for n in range(12)]
    for name in ("ann", "bob"):
        world.enter(name, *channels)
    world.enter("carl", *reversed(channels))
    assert told(world.tick()) == [(channel, "3") for channel in channels]


def test_a_quit_goes_to_the_other_channels_only(world: World) -> None:
    """Who is in a counted channel and another one leaves with a QUIT for the other one; both stays end."""
    crowd(world, "ann", "bob")
    carl = world.enter("carl", "#general", "#tea")
    world.say(carl, 1)
    world.leave(carl)
    last = world.log[-1]
    assert (last.kind, last.seq) == (QUIT, 7)
    assert world.state.reach(3, 1).within((GENERAL,), 0, MAX_NUMBER) == [(3, 7)]
    assert world.state.reach(3, 1).within((2,), 0, MAX_NUMBER) == [(3, 7)]


def test_a_stay_is_an_interval_as_everywhere(world: World) -> None:
    """A silent stay begins and ends at the latest event: who comes back gets what was said meanwhile."""
    ann = world.enter("ann")
    crowd(world, "bob")
    carl = world.enter("carl")  # 3: SET
    world.say(carl, 1)  # 4
    world.say(ann, 1)  # 5
    world.leave(carl)
    world.say(ann, 2)  # 6
    assert world.state.reach(3, 4).within((GENERAL,), 0, MAX_NUMBER) == [(4, 5)]
    world.enter("carl", known=carl.session)
    world.say(ann, 3)  # 7
    assert world.state.reach(3, 4).within((GENERAL,), 0, MAX_NUMBER) == [(4, MAX_NUMBER)]
    assert kinds(world.log[3:]) == [SAID] * 4


def test_a_member_that_is_lost_still_counts(world: World) -> None:
    """A broken connection changes no number until the hold has ended; coming back before changes nothing."""
    crowd(world, "ann", "bob")
    carl = world.enter("carl")
    assert told(world.tick()) == [("#general", "3")]
    world.lose(carl)
    assert told(world.tick(1)) == []
    back = world.enter("carl", known=carl.session)
    world.lose(back)
    applied = world.tick(HOLD_SECONDS)
    assert applied.happened == [] and told(applied) == [("#general", "2")]


def test_a_restart_forgets_nothing(world: World) -> None:
    """After a start the channel is counted. Who does not come back is counted out, and nobody is told."""
    crowd(world, "ann", "bob", "carl")
    world.tick()
    world.up()
    assert kinds(world.log[3:]) == [EventKind.RESTARTED]
    applied = world.tick(HOLD_SECONDS)
    assert applied.happened == [] and told(applied) == [("#general", "0")]
    assert world.enter("dora") and kinds(world.log[3:]) == [EventKind.RESTARTED]


def test_a_channel_of_an_older_file_is_counted_when_somebody_comes() -> None:
    """A history may have a channel that is larger than the limit: the next member makes it counted."""
    older = World(Limits(counted_from=100))
    crowd(older, "ann", "bob", "carl", "dora")
    state = State(FROM_TWO)
    state.restore(older.state.head, map(_of_an_older_version, older.kept()))
    channel = state.channel("#general")
    assert channel is not None and not channel.counted
    come = (
        Proposal(9, 0, ProposalKind.ARRIVE, Arrive("eve", "eve", "", "key", "address")),
        Proposal(9, 0, ProposalKind.ENTER, Enter("key", ("#general",))),
    )
    (made,) = state.apply(Entry(b"", older.time, "", 2, come)).happened
    assert isinstance(made, Event) and made.kind is SET
    assert channel.counted and len(channel.members) == 5


def _of_an_older_version(record: Record) -> Record:
    """The record without what older versions did not store of a channel."""
    if record.kind != "channel":
        return record
    value = json.loads(record.value or "{}")
    del value["counted"], value["told"]
    return record._replace(value=json.dumps(value))


def test_who_tells_the_number(world: World) -> None:
    """/who in a counted channel lists nobody."""
    crowd(world, "ann", "bob", "carl")
    outcome = run(Room(world.state, {}), Asker(1, "#general"), "/who")
    assert outcome == Outcome(Code.OK, ("#general", 3))


# --- the forwarder --------------------------------------------------------------------------------------


class Hall:
    """A forwarder that counts channels with more than two members; the test calls its rounds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.history = RecordingHistory()
        self.order = WaitingQueue(clock=lambda: self.now, now=lambda: NOON)
        self.presence = Presence()
        self.catch_up = CatchUp(self.history, lambda seat, seq: self.forwarder.go_live(seat, seq))
        self.forwarder = Forwarder(
            self.order, self.history, self.presence, Flow(), self.catch_up, time.monotonic, FROM_TWO
        )
        self.forwarder.recover()
        self.origins: dict[FakeConnection, int] = {}
        self.forward()

    def forward(self) -> None:
        self.order.post(lambda: None)  # so that take() does not wait
        taken = self.order.take()
        assert taken is not None
        self.forwarder.forward(taken)

    def tick(self) -> None:
        self.now += TICK_SECONDS
        self.forward()

    def put(self, origin: int, kind: ProposalKind, body: Body) -> None:
        self.order.put(Proposal(origin, 0, kind, body))

    def enter(self, *names: str, lines: int = 0) -> list[FakeConnection]:
        """Members that come in one round."""
        found = []
        for name in names:
            origin, _ = self.presence.ask()
            token = bytes([origin]) * 16
            self.put(origin, ProposalKind.ARRIVE, Arrive(name, name, "", session_key(token), "address"))
            connection = FakeConnection(self.history, name)
            reservation = Reservation(origin, name, token, session_key(token))
            join = Join(reservation, connection, ("#general",), 0, 0, NO_IDENTITY, lines)
            self.presence.come(join, Missed(0, lines, Resumed.FRESH))
            self.put(origin, ProposalKind.ENTER, Enter(session_key(token), ("#general",)))
            self.origins[connection] = origin
            found.append(connection)
        self.forward()
        return found


@pytest.fixture
def room() -> Hall:
    return Hall()


def numbers(connection: FakeConnection) -> list[str]:
    return [event.text for event in connection.events() if event.kind is COUNTED]


def test_the_channel_is_described_without_a_list(room: Hall) -> None:
    """CHANNEL of a counted channel has its bit and the number, and no members."""
    ann, _bob, carl = room.enter("ann", "bob")[0], *room.enter("carl", "dora")
    assert [channel.settings for channel in ann.of(Channel)] == [Setting.KEPT]
    settings = Setting.COUNTED | Setting.KEPT
    assert carl.of(Channel) == [Channel(1, "#general", "", settings, 0, 4, ())]


def test_those_who_are_in_get_set_and_later_the_number(room: Hall) -> None:
    """SET is an event like others: stored, and sent to all. COUNTED has no seq, and is not stored."""
    ann, bob = room.enter("ann", "bob")
    (carl,) = room.enter("carl")
    assert kinds(ann.events()) == [JOINED, JOINED, SET]
    room.tick()
    for connection in (ann, bob, carl):
        assert numbers(connection) == ["3"]
    room.tick()
    assert numbers(ann) == ["3"]
    assert kinds(room.history.log) == [JOINED, JOINED, SET]
    assert kinds(carl.events()) == [SET, COUNTED]


def test_who_comes_and_goes_costs_the_others_nothing(room: Hall) -> None:
    """Joins and quits of a counted channel send nothing to its members until the tick."""
    ann, *_ = room.enter("ann", "bob", "carl")
    before = len(ann.packets)
    (dora,) = room.enter("dora")
    room.put(room.origins[dora], ProposalKind.LEAVE, Leave(True, "bye"))
    room.enter("eve")
    assert len(ann.packets) == before
    room.tick()
    assert numbers(ann) == ["4"]


def test_who_has_caught_up_is_told_the_number(room: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals do not reach a member that catches up: it is told the number when it goes live."""
    monkeypatch.setattr("chatroom.tail.TAIL_EVENTS", 1)
    room.enter("ann", "bob")
    (carl,) = room.enter("carl")
    (late,) = room.enter("late", lines=50)
    assert late.of(Live) == [] and room.catch_up.waiting
    (dora,) = room.enter("dora")
    room.tick()
    assert numbers(late) == [] and numbers(carl) == ["5"]
    while room.catch_up.waiting:
        room.catch_up.serve()
        room.forward()
    assert late.of(Live) and numbers(late) == ["5"] and numbers(dora) == ["5"]

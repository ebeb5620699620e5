"""Catching up: at the member's own speed, then live, without a missing or repeated event."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.batch import Batch
from chatroom.catch_up import CatchUp
from chatroom.errors import Closed, HistoryError
from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.history import Slice
from chatroom.limits import MAX_NUMBER, MAX_TEXT
from chatroom.order import Entry, Taken
from chatroom.outcomes import Code
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Burst, Decoder, Live, Resumed, encode_event
from chatroom.places import Reach
from chatroom.presence import Presence, Seat
from chatroom.proposals import Arrive, Enter, Proposal, ProposalKind
from chatroom.queue import WaitingQueue
from chatroom.state import State
from chatroom.tail import Tail
from tests.chatroom.fakes import DOOR, FakeConnection, FakeDoor, RecordingHistory
from tests.support.blocks import blocks_of, reaches
from tests.support.events import NOON, said
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

GENERAL = Reach({0: [(0, MAX_NUMBER)], 1: [(0, MAX_NUMBER)]})
TEXT = "x" * 20
SLICE = 20
"""So many lines with TEXT are one slice."""
BLOCK = 5
"""So many of them are stored together."""
SLICE_BYTES = SLICE * len(encode_event(said(1, TEXT)))


@pytest.fixture(scope="module", autouse=True)
def _small_slices() -> Iterator[None]:
    with mock.patch("chatroom.catch_up.CATCH_UP_BYTES", SLICE_BYTES):
        yield


def lines(count: int, place: int = 1) -> list[Event]:
    return [said(seq, TEXT, place=place) for seq in range(1, count + 1)]


def seat(connection: FakeConnection) -> Seat:
    return Seat(7, 1, "ann", connection)


class Alone:
    """Catching up without a forwarder and without a thread: the test serves slices.

    block: how many events are stored together
    """

    def __init__(self, events: list[Event], block: int = BLOCK) -> None:
        self.history = RecordingHistory()
        for start in range(0, len(events), block):
            self.history.append(blocks_of(events[start : start + block]), [])
        self.arrived: list[tuple[Seat, int]] = []
        self.catch_up = CatchUp(self.history, lambda *arrival: self.arrived.append(arrival))
        self.catch_up.stored(len(events))

    def begin(
        self, connection: FakeConnection, seq: int, reach: Reach = GENERAL, lines: int = 0
    ) -> FakeConnection:
        """Catch up one member, to the end."""
        self.catch_up.begin(seat(connection), reach, seq, lines)
        self.serve()
        return connection

    def serve(self) -> None:
        """Slices until nobody is in the line."""
        while self.catch_up.waiting:
            self.catch_up.serve()


def test_slices_in_order() -> None:
    """The missed events come in order and in slices; then the member may go live."""
    alone = Alone(lines(4 * SLICE))
    connection = FakeConnection(alone.history)
    alone.begin(connection, 7)
    assert connection.events() == alone.history.log[7:]
    assert len(connection.sizes) == 4
    ((arrived, seq),) = alone.arrived
    assert seq == len(alone.history.log) and arrived.connection is connection


def test_long_texts_come_in_small_slices() -> None:
    """However long the missed texts are, and wherever they begin, a slice is small."""
    short, long = lines(SLICE - 1), [said(seq, text="x" * MAX_TEXT) for seq in range(SLICE, SLICE + 10)]
    alone = Alone(short + long, 1)
    connection = FakeConnection(alone.history)
    alone.begin(connection, 0)
    assert connection.events() == alone.history.log
    assert max(connection.sizes) <= SLICE_BYTES + len(encode_event(long[0]))


def test_a_member_that_takes_nothing_gets_one_slice() -> None:
    """Who does not read costs one slice, and no place in the line; the rest comes when it has read."""
    alone = Alone(lines(3 * SLICE))
    connection = FakeConnection(alone.history)
    connection.taking = False
    alone.begin(connection, 0)
    assert len(connection.events()) == SLICE and alone.catch_up.waiting == 0
    connection.taking = True
    assert connection.waits is not None
    connection.waits(True)
    alone.serve()
    assert connection.events() == alone.history.log and len(alone.arrived) == 1


def test_who_missed_little_does_not_wait_for_the_end_of_longer_replays() -> None:
    """One that has missed a tenth, and comes after fifty that want all, is live within a few slices."""
    many = 40 * SLICE
    alone = Alone(lines(many))
    greedy = [FakeConnection() for _ in range(50)]
    for connection in greedy:
        alone.catch_up.begin(seat(connection), GENERAL, 0)
    for _ in range(40):
        alone.catch_up.serve()
    late = FakeConnection()
    alone.catch_up.begin(seat(late), GENERAL, many - many // 10)
    for _ in range(2 * 4):  # four slices of events
        alone.catch_up.serve()
    assert [arrived.connection for arrived, _ in alone.arrived] == [late]


def test_nobody_waits_for_ever() -> None:
    """However many come that have missed little, one that has missed much gets every second slice."""
    many = 10 * SLICE
    alone = Alone(lines(many))
    long = FakeConnection()
    alone.catch_up.begin(seat(long), GENERAL, 0)
    for _ in range(4 * many // SLICE):
        alone.catch_up.begin(seat(FakeConnection()), GENERAL, many - 10)
        alone.catch_up.serve()
    assert len(long.events()) >= 3 * SLICE
    alone.serve()
    assert long.events() == alone.history.log


def test_all_get_slices_in_turn() -> None:
    """Each of those that wait gets its share of every second slice, in the order in which they came."""
    alone = Alone(lines(20 * SLICE))
    peers = [FakeConnection() for _ in range(5)]
    for connection in peers:
        alone.catch_up.begin(seat(connection), GENERAL, 0)
    for _ in range(30):
        alone.catch_up.serve()
    assert all(len(connection.sizes) >= 3 for connection in peers)


def test_other_channels_do_not_hold_it_up() -> None:
    """A member that missed nothing in its own channel is up to date with the whole log."""
    alone = Alone(lines(1999, place=2))
    connection = FakeConnection(alone.history)
    alone.begin(connection, 3)
    assert connection.packets == []
    assert alone.arrived[0][1] == 1999


def test_a_member_that_is_gone_leaves_the_line() -> None:
    """When the member disconnects, catching up stops after the slice that was being sent."""
    alone = Alone(lines(3 * SLICE))
    connection = FakeConnection(alone.history)
    connection.taking = False
    alone.begin(connection, 0)
    connection.part(Code.GOODBYE)
    assert connection.waits is not None
    connection.waits(False)
    assert len(connection.events()) == SLICE
    assert alone.arrived == [] and alone.catch_up.waiting == 0


def test_history_that_cannot_be_read() -> None:
    """When history cannot be read, the connection of the member ends, and the member may come back."""
    alone = Alone([said(1)])

    def read(after: int, places: Collection[int], size: int) -> Slice:
        raise HistoryError("broken")

    alone.history.read = read  # type: ignore[method-assign]
    connection = FakeConnection()
    alone.begin(connection, 0)
    assert connection.ended == (Code.UNAVAILABLE, "the server cannot read its history")


def test_retention_overtakes_a_slow_reader() -> None:
    """Who was promised every event is not shown a silent gap: the next WELCOME tells of it."""
    alone = Alone(lines(3 * SLICE))
    read = alone.history.read

    def removing(after: int, places: Collection[int], size: int) -> Slice:
        if after:  # the first slice is on its way
            alone.history.remove(after + 2 * BLOCK)
        return read(after, places, size)

    alone.history.read = removing  # type: ignore[method-assign]
    exact, told = FakeConnection(alone.history), FakeConnection(alone.history)
    alone.catch_up.begin(seat(exact), GENERAL, 0, exact=True)
    alone.serve()
    assert exact.ended is not None and exact.ended[0] is Code.UNAVAILABLE and "removed" in exact.ended[1]
    assert [event.seq for event in exact.events()] == list(range(1, SLICE + 1))
    assert alone.arrived == []
    alone.begin(told, 0)  # a member that was told of a gap gets the rest
    assert told.ended is None and len(alone.arrived) == 1


def test_the_end_of_the_chatroom() -> None:
    """When the chatroom closes, catching up leaves the goodbye to the chatroom."""

    def closed(*_: object) -> None:
        raise Closed("closing")

    catch_up, connection = CatchUp(RecordingHistory(), closed), FakeConnection()
    catch_up.begin(seat(connection), GENERAL, 0)
    catch_up.serve()
    assert connection.ended is None


def test_a_bug_ends_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody expects ends the connection of its member, and is logged; the others go on."""
    alone = Alone([said(1)])
    read = alone.history.read
    alone.history.read = mock.Mock(side_effect=KeyError("a bug"))  # type: ignore[method-assign]
    connection = alone.begin(FakeConnection(), 0)
    assert connection.ended == (Code.UNAVAILABLE, "an error in the server")
    assert "a bug" in caplog.text
    alone.history.read = read  # type: ignore[method-assign]
    assert alone.begin(FakeConnection(), 0).events() == [said(1)]


def test_the_thread_ends_with_the_chatroom() -> None:
    """The thread serves whoever comes, and ends when the chatroom closes, in the middle of a replay, too."""
    alone = Alone(lines(3 * SLICE))
    thread = Task(alone.catch_up.run)
    connection = FakeConnection(alone.history)
    alone.catch_up.begin(seat(connection), GENERAL, 0)
    connection.wait_for(lambda peer: len(peer.events()) == 3 * SLICE)
    alone.catch_up.close()
    thread.result()
    alone.catch_up.begin(seat(connection), GENERAL, 0)
    alone.catch_up.run()


@pytest.mark.parametrize("idle", [True, False])
@mock.patch("chatroom.catch_up.CATCH_UP_REST", 1e9)
def test_rests_only_while_the_forwarder_works(idle: bool) -> None:
    """While the forwarder has something to do, the thread rests after each slice; else it goes on at once."""
    alone, asked = Alone(lines(3 * SLICE)), threading.Event()

    def is_idle() -> bool:
        asked.set()
        return idle

    catch_up = CatchUp(alone.history, lambda *_: None, is_idle)
    catch_up.stored(3 * SLICE)
    connection = FakeConnection(alone.history)
    catch_up.begin(seat(connection), GENERAL, 0)
    thread = Task(catch_up.run)
    if idle:
        connection.wait_for(lambda peer: len(peer.events()) == 3 * SLICE)
    assert asked.wait(PATIENCE)
    catch_up.close()  # also ends the rest
    thread.result()
    assert len(connection.events()) == (3 * SLICE if idle else SLICE)


def test_only_what_is_within_reach() -> None:
    """Of a place that was left in between, only the stays are sent; the rest of history is passed over."""
    alone = Alone([said(seq, TEXT, place=1 + seq % 2) for seq in range(1, 20 * SLICE)])
    reach = Reach({1: [(10, 20), (300, 310)], 2: [(0, 4)]})
    connection = alone.begin(FakeConnection(alone.history), 0, reach)
    assert [event.seq for event in connection.events()] == [1, 3, *range(12, 21, 2), *range(302, 311, 2)]
    assert alone.arrived[0][1] == len(alone.history.log)


@pytest.mark.parametrize("block", [1, BLOCK, 100])
def test_the_latest_lines(block: int) -> None:
    """With a number of lines, each place begins with as many of its latest lines up to the seq."""
    alone = Alone([said(seq, place=1 if seq % 10 else 2) for seq in range(1, 101)], block)
    reach = Reach(dict.fromkeys((0, 1, 2), ((0, MAX_NUMBER),)))
    connection = alone.begin(FakeConnection(alone.history), 95, reach, lines=2)
    assert [event.seq for event in connection.events()] == [80, 90, *range(94, 101)]


def test_a_place_is_looked_for_in_a_turn() -> None:
    """The latest lines of many places are looked for place by place: others get slices in between."""
    alone = Alone([said(seq, place=1 + seq % 3) for seq in range(1, 31)])
    wide = Reach(dict.fromkeys(range(4), ((0, MAX_NUMBER),)))
    looking, connection = FakeConnection(alone.history), FakeConnection(alone.history)
    alone.catch_up.begin(seat(looking), wide, 30, 2)
    alone.catch_up.serve()
    alone.catch_up.begin(seat(connection), GENERAL, 25)
    alone.serve()
    assert [arrived.connection for arrived, _ in alone.arrived] == [connection, looking]
    assert [event.seq for event in looking.events()] == list(range(25, 31))


def test_what_was_stored_meanwhile() -> None:
    """A slice ends with what the forwarder has carried out, although history may have more."""
    alone = Alone(lines(2 * BLOCK))
    alone.catch_up.stored(BLOCK)
    connection = alone.begin(FakeConnection(alone.history), 0)
    assert connection.events() == alone.history.log[:BLOCK] and alone.arrived[0][1] == BLOCK


def test_who_gets_a_place_while_it_catches_up_misses_nothing() -> None:
    """Bob writes to ann and then to all in one round, and a slice is sent when that is stored and not yet
    carried out. Ann comes back for the conversation: so far she must have got nothing that came after it."""
    history, presence = RecordingHistory(), Presence()
    catch_up = CatchUp(history, lambda *_: None)
    forwarder = Forwarder(WaitingQueue(), history, presence, Flow(), catch_up, time.monotonic)
    forwarder.recover()

    def propose(*proposals: Proposal) -> None:
        forwarder.forward(Taken([Entry(b"", NOON, "", 1, proposals)], []))

    def enter(name: str, since: int) -> tuple[int, FakeConnection]:
        connection = FakeConnection(history)
        origin, _ = presence.ask()
        arrive, enter = arrival(origin, name)
        propose(arrive)
        join = Join(Reservation(origin, name, NO_TOKEN, name), connection, (), since, 0, NO_IDENTITY, 0)
        presence.come(join, Missed(since, 0, Resumed.EXACT))
        propose(enter)
        return origin, connection

    def say(id: int, channel: str, extra: bytes = b"") -> Proposal:
        return Proposal(bob, 0, ProposalKind.LINES, Burst(channel, [id], [b"x"], 0, extra))

    propose(Proposal(0, 0, ProposalKind.UP, None))
    with mock.patch("chatroom.tail.TAIL_EVENTS", 1):
        bob, _ = enter("bob", 0)
        propose(say(1, "#general"))
        propose(say(2, "#general"))
        _, connection = enter("ann", 1)
        assert catch_up.waiting == 1
        before, append = forwarder.state.head, history.append

        def append_and_send(*batch: Any) -> None:
            append(*batch)
            catch_up.serve()

        with mock.patch.object(history, "append", append_and_send):
            propose(say(3, "@ann", extra_row(Extra.RECEIVER, 2, 4)), say(4, "#general"))
    assert connection.ended is not None and forwarder.state.head == before + 2
    seqs = [event.seq for event in connection.events()]
    assert seqs == list(range(2, before + 1))


def test_a_slice_is_translated_for_its_door() -> None:
    """A door gets the packets of a slice together; a slice without events is not sent at all."""
    alone, door = Alone(lines(3 * SLICE)), FakeDoor()
    connection = alone.begin(FakeConnection(alone.history, door=door), 0)
    assert door.translated == len(connection.sizes) == 3 and connection.shared == []
    nothing = alone.begin(FakeConnection(door=door), 0, Reach({1: [(0, 0)]}))
    assert door.translated == 3 and nothing.sizes == [] and len(alone.arrived) == 2


@mock.patch("chatroom.catch_up.CATCH_UP_BYTES", 2 * len(encode_event(said(1))))
def test_a_block_that_goes_on_behind_a_slice() -> None:
    """Of a block that ends behind the slice, the events behind it come with the next one, and only once."""
    alone = Alone([said(seq, place=place) for seq, place in enumerate((2, 1, 1, 3, 3, 2), 1)], 6)
    everything = Reach(dict.fromkeys(range(4), ((0, MAX_NUMBER),)))
    connection = alone.begin(FakeConnection(alone.history), 0, everything)
    assert connection.events() == alone.history.log and len(connection.sizes) > 1


PLACES = st.integers(0, 3) | st.sampled_from([(1,), (1, 2), (2, 3)])
INTERVALS = st.lists(st.tuples(st.integers(0, 35), st.integers(0, 35) | st.just(MAX_NUMBER)), max_size=3)


@given(
    st.lists(PLACES, max_size=30),
    st.integers(1, 12),
    st.integers(1, 700),
    st.integers(0, 30),
    st.dictionaries(st.integers(0, 3), INTERVALS),
)
@settings(max_examples=50)
def test_all_within_reach_and_nothing_else(
    made: list[int | tuple[int, ...]],
    block: int,
    size: int,
    seq: int,
    intervals: dict[int, list[tuple[int, int]]],
) -> None:
    """However the events were stored and slices are cut: each event within reach comes once, in order."""
    events = [
        Event(number, NOON, EventKind.QUIT, "", "ann", "", 0, 1, 0, b"", place)
        if isinstance(place, tuple)
        else said(number, place=place)
        for number, place in enumerate(made, 1)
    ]
    alone, reach = Alone(events, block), Reach(intervals)
    with mock.patch("chatroom.catch_up.CATCH_UP_BYTES", size):
        connection = alone.begin(FakeConnection(alone.history), seq, reach)
    wanted = [event for event in events if event.seq > seq and reaches(reach, event)]
    assert connection.events() == [event._replace(places=()) for event in wanted]
    assert alone.arrived[0][1] == len(events)


EVENTS = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30)


@given(EVENTS, st.integers(1, 5), st.integers(0, 30), st.sets(st.integers(1, 3)), st.integers(1, 12))
def test_history_and_tail_agree(
    made: list[tuple[int, bool]], lines: int, back: int, places: set[int], block: int
) -> None:
    """Where the latest lines begin does not depend on whether memory or history knows it."""
    events = [
        said(seq, place=place)._replace(kind=EventKind.SAID if is_line else EventKind.JOINED)
        for seq, (place, is_line) in enumerate(made, 1)
    ]
    alone, tail, head = Alone(events, block), Tail(), max(0, len(events) - back)
    tail.extend(Batch(events))
    reach = Reach(dict.fromkeys((0, *places), ((0, MAX_NUMBER),)))
    starts = tail.starts(lines, reach.places, head)
    assert starts is not None
    connection = alone.begin(FakeConnection(alone.history), head, reach, lines)
    replay = tail.bytes_after(DOOR, min(starts.values()), reach.later(starts))
    assert connection.events() == Decoder().feed(b"".join(replay))


@mock.patch("chatroom.catch_up.CATCH_UP_BYTES", 32 * 1024)
def test_each_event_once_while_others_talk() -> None:
    """A member 5,000 events behind gets each event once and in order, while another member talks."""
    hall = Busy()
    talker, _ = hall.enter("talker", 5000)
    stop = threading.Event()

    def talk() -> int:
        id = 0
        while not stop.wait(0.0002):
            burst = Burst("#general", range(id + 1, id + 4), [b"x"] * 3)
            hall.queue.put(Proposal(talker, 0, ProposalKind.LINES, burst))
            id += 3
        return id

    talking = Task(talk)
    _, behind = hall.enter("behind", 1)
    behind.wait_for(lambda peer: bool(peer.of(Live)))
    stop.set()
    said_in_all = talking.result()
    last = 5003 + said_in_all  # one start, and two have joined
    behind.wait_for(lambda peer: [e.seq for e in peer.events()[-1:]] == [last])
    hall.close()
    assert [event.seq for event in behind.events()] == list(range(2, last + 1))
    (live,) = behind.of(Live)
    before = behind.packets[: behind.packets.index(live)]
    assert live.seq >= 5000 and [e.seq for e in before if isinstance(e, Event)][-1] == live.seq


class Busy:
    """A forwarder in a thread of its own, with a history of 5,000 lines of #general."""

    def __init__(self) -> None:
        self.history, self.presence, self.queue = RecordingHistory(), Presence(), WaitingQueue()
        bob = (Proposal(0, 0, ProposalKind.UP, None), *arrival(1, "bob"))
        state = State()
        proposals: list[Proposal] = [*bob]
        for first in range(1, 5000, 49):
            burst = Burst("#general", range(first, min(first + 49, 5000)), [b"x"] * min(49, 5000 - first))
            proposals.append(Proposal(1, 0, ProposalKind.LINES, burst))
            applied = state.apply(Entry(b"", NOON, "", 1, proposals))
            self.history.append(blocks_of(applied.happened), applied.records)
            proposals = []
        self.catch_up = CatchUp(
            self.history, lambda seat, seq: self.forwarder.go_live(seat, seq), lambda: self.queue.idle
        )
        self.forwarder = Forwarder(
            self.queue, self.history, self.presence, Flow(), self.catch_up, time.monotonic
        )
        self.forwarder.recover()
        self.running = Task(self.forwarder.run)
        self.catching_up = Task(self.catch_up.run)

    def enter(self, name: str, since: int) -> tuple[int, FakeConnection]:
        connection = FakeConnection(self.history)
        origin, answer = self.presence.ask()
        arrive, enter = arrival(origin, name)
        self.queue.put(arrive)
        answer.result(PATIENCE)
        join = Join(Reservation(origin, name, NO_TOKEN, name), connection, (), since, 0, NO_IDENTITY, 0)
        self.presence.come(join, Missed(since, 0, Resumed.EXACT))
        self.queue.put(enter)
        return origin, connection

    def close(self) -> None:
        self.queue.close()
        self.running.result()
        self.catch_up.close()
        self.catching_up.result()


def arrival(origin: int, name: str) -> tuple[Proposal, Proposal]:
    """What a newcomer proposes."""
    return (
        Proposal(origin, 0, ProposalKind.ARRIVE, Arrive(name, name, "", name, "")),
        Proposal(origin, 0, ProposalKind.ENTER, Enter(name, ("#general",))),
    )


def test_a_connection_that_has_ended_is_not_looked_for() -> None:
    """Looking back for many lines ends with the connection: else those that vanish would fill the line."""
    alone = Alone(lines(3 * SLICE))
    connection = FakeConnection(alone.history)
    connection.part(Code.SILENT)
    alone.catch_up.begin(seat(connection), GENERAL, len(alone.history.log), 2)
    alone.catch_up.serve()
    assert alone.catch_up.waiting == 0

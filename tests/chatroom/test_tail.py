"""The tail: the latest events in memory."""

from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from chatroom.batch import Batch
from chatroom.events import Event, EventKind, memory_of
from chatroom.limits import MAX_NUMBER
from chatroom.packets import Decoder
from chatroom.places import Reach
from chatroom.tail import Tail
from tests.chatroom.fakes import DOOR, FakeDoor
from tests.support.events import NOON, said

PLACES = (1, 2, 3)
EVERYTHING = Reach({place: [(0, MAX_NUMBER)] for place in (0, *PLACES)})
batches = st.lists(
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 60), st.booleans()), min_size=1, max_size=8),
    max_size=8,
)
Batches = list[list[tuple[int, int, bool]]]
reaches = st.dictionaries(
    st.sampled_from((0, *PLACES)),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90) | st.just(MAX_NUMBER)), max_size=2),
).map(Reach)


def fill(head: int, batches: Batches) -> tuple[Tail, list[Event]]:
    """A tail that follows on `head` and, as the model, everything that it was ever given."""
    tail, log, seq = Tail(), [], head
    tail.begin(head, NOON)
    for batch in batches:
        events = []
        for place, size, is_line in batch:
            seq += 1
            event = said(seq, "x" * size, place=place)._replace(time=NOON + seq)
            events.append(event if is_line else event._replace(kind=EventKind.JOINED))
        tail.extend(Batch(events))
        log += events
    return tail, log


def decoded(tail: Tail, seq: int, reach: Reach = EVERYTHING, until: int = MAX_NUMBER) -> list[Event]:
    """The events that the tail gives, in order."""
    packets = Decoder().feed(b"".join(tail.bytes_after(DOOR, seq, reach, until)))
    return [packet for packet in packets if isinstance(packet, Event)]


@given(head=st.integers(0, 30), batches=batches, seq=st.integers(0, 200), reach=reaches)
def test_it_is_the_end_of_a_list(head: int, batches: Batches, seq: int, reach: Reach) -> None:
    """The tail has every event after its floor, with the same answer as the whole log."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 10), mock.patch("chatroom.tail.TAIL_BYTES", 300):
        tail, log = fill(head, batches)
    assert tail.head == head + len(log)
    assert tail.covers(seq) == (seq >= tail.floor) and tail.floor >= head
    if tail.covers(seq):
        assert decoded(tail, seq, reach) == [event for event in log if event.seq > seq and reach.has(event)]
    assert tail.time_of(tail.floor) == (NOON if tail.floor == head else NOON + tail.floor)
    if tail.floor <= seq <= tail.head:
        assert tail.time_of(seq) == (NOON if seq == head else NOON + seq)


@given(
    head=st.integers(0, 5),
    batches=batches,
    lines=st.integers(0, 3),
    places=st.lists(st.sampled_from(PLACES), min_size=1, unique=True),
    back=st.integers(0, 6),
)
def test_where_the_latest_lines_begin(
    head: int, batches: Batches, lines: int, places: list[int], back: int
) -> None:
    """starts() counts the said lines of each place; it gives None when the tail may lack one of them."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 10), mock.patch("chatroom.tail.TAIL_BYTES", 300):
        tail, log = fill(head, batches)
    until = max(tail.floor, tail.head - back)
    starts = tail.starts(lines, [0, *places], until)
    wanted, complete = {}, True
    for place in places:
        said_there = [e.seq for e in log if e.place == place and e.kind is EventKind.SAID and e.seq <= until]
        latest = said_there[len(said_there) - min(lines, len(said_there)) :]
        wanted[place] = latest[0] - 1 if latest else until
        complete &= tail.floor == 0 or len([seq for seq in latest if seq > tail.floor]) == lines
    if complete:
        assert starts == wanted | {0: min([until, *wanted.values()])}
    else:
        assert starts is None


@given(head=st.integers(0, 30), batches=batches)
def test_its_bounds(head: int, batches: Batches) -> None:
    """It always holds the whole last batch; with more batches, it stays within both limits."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 10), mock.patch("chatroom.tail.TAIL_BYTES", 300):
        tail, log = fill(head, batches)
    size = len(batches[-1]) if batches else 0
    assert tail.covers(head + len(log) - size)
    latest = decoded(tail, tail.floor)
    assert len(latest) <= max(10, size)
    assert len(latest) == size or sum(memory_of(event.text) for event in latest) <= 300
    assert tail.size == sum(memory_of(event.text) for event in latest)


def test_an_empty_tail_knows_the_end() -> None:
    """Right after a start, a client that has seen everything needs no history."""
    tail = Tail()
    assert tail.covers(0) and decoded(tail, 0) == []
    assert tail.starts(5, [0, 1], 0) == {0: 0, 1: 0}
    tail.begin(7, NOON)
    assert tail.covers(7) and decoded(tail, 7) == [] and tail.time_of(7) == NOON
    assert not tail.covers(6)
    assert tail.starts(1, [0, 1], 7) is None
    assert tail.starts(0, [0, 1], 7) == {0: 7, 1: 7}


def test_a_round_without_events_changes_nothing() -> None:
    """An empty batch takes no room and moves nothing."""
    tail = Tail()
    tail.extend(Batch([said(1)]))
    for _ in range(5):
        tail.extend(Batch([]))
    assert (tail.head, tail.floor, decoded(tail, 0)) == (1, 0, [said(1)])


def test_replays_share_their_bytes() -> None:
    """Each event is encoded once for a door: every replay gets the same objects, and what was sent live."""
    door, batch, tail = FakeDoor(), Batch([said(1), said(2, place=2), said(3)]), Tail()
    live = batch.bytes_of_each(door)
    tail.extend(batch)
    first, second = (tail.bytes_after(door, seq, EVERYTHING) for seq in (0, 1))
    assert [id(data) for data in first] == list(map(id, live)) and list(map(id, second)) == list(
        map(id, live[1:])
    )
    assert door.encoded == 3


def test_a_replay_can_end_before_the_latest_event() -> None:
    """A newcomer gets the events up to its own coming first; what is later comes after LIVE."""
    tail = Tail()
    tail.extend(Batch([said(seq) for seq in range(1, 6)]))
    assert decoded(tail, 1, until=3) == [said(2), said(3)]


def test_it_counts_the_memory_of_texts() -> None:
    """A text of characters of four bytes counts four times as much as one of as many letters."""
    letters, wide = Tail(), Tail()
    letters.extend(Batch([said(1, "x" * 1000)]))
    wide.extend(Batch([said(1, "\N{GRINNING FACE}" * 1000)]))
    assert wide.size > 3.5 * letters.size

"""The tail: the latest events in memory."""

from __future__ import annotations

from itertools import accumulate
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from chatroom.batch import Batch
from chatroom.blanking import blank
from chatroom.events import Event, EventKind, Talk
from chatroom.limits import MAX_NUMBER
from chatroom.packets import Decoder, encode_event
from chatroom.places import Reach
from chatroom.tail import Tail
from tests.chatroom.fakes import DOOR, FakeDoor
from tests.support.blocks import reaches
from tests.support.events import BOB, NOON, said

PLACES = (1, 2, 3)
EVERYTHING = Reach({place: [(0, MAX_NUMBER)] for place in (0, *PLACES)})
batches = st.lists(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.integers(1, 60), st.integers(0, 4)), min_size=1, max_size=5
    ),
    max_size=8,
)
Batches = list[list[tuple[int, int, int]]]
"""Place, bytes of the text, and how many such lines come together; 0: one joins."""
small = mock.patch.multiple("chatroom.tail", TAIL_EVENTS=10, TAIL_BYTES=900)
short = mock.patch("chatroom.batch.BLOCK_BYTES", 200)  # so that a talk has several pieces
some_reaches = st.dictionaries(
    st.sampled_from((0, *PLACES)),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90) | st.just(MAX_NUMBER)), max_size=2),
).map(Reach)


def talk(first: int, size: int, lines: int, place: int = 1) -> Talk:
    """Lines that came together, with the first seq as their time."""
    ids = range(first, first + lines)
    return Talk(first, NOON + first, "#general", "bob", BOB, place, ids, [b"x" * size] * lines)


def fill(head: int, batches: Batches) -> tuple[Tail, list[list[Event]]]:
    """A tail that follows on `head` and, as the model, everything that it was ever given, batch by batch."""
    tail, log, seq = Tail(), [], head
    tail.begin(head, NOON)
    with small, short:
        for batch in batches:
            happened: list[Event | Talk] = []
            events: list[Event] = []
            for place, size, lines in batch:
                joined = said(seq + 1, "x" * size, place=place)._replace(kind=EventKind.JOINED)
                one = talk(seq + 1, size, lines, place) if lines else joined._replace(time=NOON + seq + 1)
                happened.append(one)
                events += one.events() if isinstance(one, Talk) else [one]
                seq += max(1, lines)
            tail.extend(Batch(happened))
            log.append(events)
    return tail, log


def flat(log: list[list[Event]]) -> list[Event]:
    return [event for batch in log for event in batch]


def decoded(tail: Tail, seq: int, reach: Reach = EVERYTHING, until: int = MAX_NUMBER) -> list[Event]:
    """The events that the tail gives, in order."""
    packets = Decoder().feed(b"".join(tail.bytes_after(DOOR, seq, reach, until)))
    return [packet for packet in packets if isinstance(packet, Event)]


@given(
    head=st.integers(0, 30),
    batches=batches,
    ahead=st.integers(-3, 20),
    until=st.integers(0, 60) | st.just(MAX_NUMBER),
    reach=some_reaches,
)
def test_it_is_the_end_of_a_list(head: int, batches: Batches, ahead: int, until: int, reach: Reach) -> None:
    """The tail has every event after its floor, with the same answer as the whole log."""
    tail, log = fill(head, batches)
    times = {head: NOON} | {event.seq: event.time for event in flat(log)}
    seq = max(0, tail.floor + ahead)
    assert tail.head == max(times)
    assert tail.covers(seq) == (seq >= tail.floor) and tail.floor >= head
    if tail.covers(seq):
        wanted = [event for event in flat(log) if seq < event.seq <= until and reaches(reach, event)]
        assert decoded(tail, seq, reach, until) == wanted
    assert tail.time_of(tail.floor) == times[tail.floor]
    if tail.floor <= seq <= tail.head:
        assert tail.time_of(seq) == times[seq]


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
    tail, log = fill(head, batches)
    # It is asked for a seq at which somebody has come: lines that came together do not go beyond that.
    until = max([tail.floor, *[seq for seq in ends_of(batches, head) if seq <= tail.head - back]])
    starts = tail.starts(lines, [0, *places], until)
    wanted, complete = {}, True
    for place in places:
        said_there = [
            e.seq for e in flat(log) if e.place == place and e.kind is EventKind.SAID and e.seq <= until
        ]
        latest = said_there[len(said_there) - min(lines, len(said_there)) :]
        wanted[place] = latest[0] - 1 if latest else until
        complete &= tail.floor == 0 or len([seq for seq in latest if seq > tail.floor]) == lines
    if complete:
        assert starts == wanted | {0: min([until, *wanted.values()])}
    else:
        assert starts is None


def ends_of(batches: Batches, head: int) -> list[int]:
    """The seqs at which lines end that came together."""
    return list(accumulate((max(1, lines) for batch in batches for _, _, lines in batch), initial=head))


@given(head=st.integers(0, 30), batches=batches)
def test_its_bounds(head: int, batches: Batches) -> None:
    """It always holds the whole last batch; with more batches, it stays within both limits."""
    tail, log = fill(head, batches)
    size = len(log[-1]) if log else 0
    assert tail.covers(tail.head - size)
    latest = decoded(tail, tail.floor)
    assert tail.size == sum(len(encode_event(event)) for event in latest)
    assert len(latest) == size or (len(latest) <= 10 and tail.size <= 900)
    before = [batch for batch in log if batch[-1].seq <= tail.floor]
    if before:  # it has dropped no batch that had room
        more = before[-1] + latest
        assert len(more) > 10 or sum(len(encode_event(event)) for event in more) > 900


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
    """All is translated once for a door: every replay gets the same objects, and what was sent live."""
    door, batch, tail = FakeDoor(), Batch([said(1), said(2, place=2), said(3)]), Tail()
    live = batch.bytes_of_each(door)
    tail.extend(batch)
    first, second = (tail.bytes_after(door, seq, EVERYTHING) for seq in (0, 1))
    assert [id(data) for data in first] == list(map(id, live)) and list(map(id, second)) == list(
        map(id, live[1:])
    )
    assert door.translated == 3


def test_a_replay_that_begins_or_ends_inside_a_piece() -> None:
    """Lines that came together are cut where a replay begins or ends; each door translates its part."""

    class Hex(FakeDoor):
        def translate(self, packets: bytes) -> bytes:
            return super().translate(packets).hex().encode()

    tail, door = Tail(), Hex()
    tail.extend(Batch([talk(1, 5, 6), said(7)]))
    parts = tail.bytes_after(door, 2, EVERYTHING, 5)
    assert [Decoder().feed(bytes.fromhex(part.decode())) for part in parts] == [talk(1, 5, 6).events()[2:5]]
    assert door.translated == 3  # two pieces, and a part
    first, last = tail.bytes_after(door, 2, EVERYTHING)
    assert Decoder().feed(bytes.fromhex(first.decode())) == talk(1, 5, 6).events()[2:]
    assert last is tail.bytes_after(door, 6, EVERYTHING)[0]
    assert tail.bytes_after(door, 0, EVERYTHING, 6)[0] is tail.bytes_after(door, 0, EVERYTHING)[0]
    assert door.translated == 4


def test_the_latest_lines_begin_inside_a_piece() -> None:
    """Of lines that came together, as many count as are wanted; an earlier talk has the rest."""
    tail = Tail()
    tail.extend(Batch([talk(1, 5, 5), talk(6, 5, 2, place=2), talk(8, 5, 3)]))
    assert [tail.starts(lines, [0, 1], 10) for lines in (1, 2, 3, 4, 8)] == [
        {0: start, 1: start} for start in (9, 8, 7, 4, 0)
    ]
    assert tail.starts(2, [0, 1, 2], 10) == {0: 5, 1: 8, 2: 5}


def test_a_replay_with_a_gap_inside_a_piece() -> None:
    """Of lines that came together, a member gets those of its stays."""
    tail = Tail()
    tail.extend(Batch([talk(1, 5, 9)]))
    reach = Reach({1: [(0, 2), (4, 6), (8, MAX_NUMBER)]})
    assert [event.seq for event in decoded(tail, 0, reach)] == [1, 2, 5, 6, 9]
    assert decoded(tail, 6, reach, 8) == []


def test_a_replay_can_end_before_the_latest_event() -> None:
    """A newcomer gets the events up to its own coming first; what is later comes after LIVE."""
    tail = Tail()
    tail.extend(Batch([said(seq) for seq in range(1, 6)]))
    assert decoded(tail, 1, until=3) == [said(2), said(3)]


def test_it_counts_the_bytes_of_packets() -> None:
    """A text of characters of four bytes counts four times as much as one of as many letters."""
    letters, wide = Tail(), Tail()
    letters.extend(Batch([said(1, "x" * 1000)]))
    wide.extend(Batch([said(1, "\N{GRINNING FACE}" * 1000)]))
    assert wide.size > 3.5 * letters.size


@given(
    head=st.integers(0, 5),
    batches=batches,
    changed=st.dictionaries(st.integers(1, 60), st.text("ab", max_size=60), max_size=6),
    asked=st.booleans(),
)
def test_what_was_amended(head: int, batches: Batches, changed: dict[int, str], asked: bool) -> None:
    """Whoever asks later gets the events as they are now; those that it does not hold make no difference."""
    tail, log = fill(head, batches)
    events = [event for event in flat(log) if event.seq > tail.floor]
    if asked:  # the bytes for each door are there already
        decoded(tail, tail.floor)
    now = [one._replace(text=changed.get(one.seq, one.text)) for one in events]
    with small:
        tail.amend({one.seq: encode_event(one) for one in now if one.seq in changed} | {10**9: b"", 0: b""})
    assert decoded(tail, tail.floor) == [one for one in now if one.seq > tail.floor]
    assert tail.size == sum(len(encode_event(one)) for one in now if one.seq > tail.floor)
    assert tail.size <= 900 or tail.floor == (events[-1].seq - len(log[-1]) if events else head)


@given(head=st.integers(0, 5), batches=batches, asked=st.booleans(), until=st.integers(1, 60))
def test_who_was_erased(head: int, batches: Batches, asked: bool, until: int) -> None:
    """Whoever asks later gets nothing of what the person said, nor its name."""
    tail, log = fill(head, batches)
    events = [event for event in flat(log) if event.seq > tail.floor]
    erased = {events[-1].person if events else 1: until}
    if asked:  # the bytes for each door are there already
        decoded(tail, tail.floor)
    with small:
        tail.erase(erased)
    now = [blank(one, erased) for one in events if one.seq > tail.floor]
    assert decoded(tail, tail.floor) == now
    assert tail.size == sum(len(encode_event(one)) for one in now)

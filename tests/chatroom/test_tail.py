"""The tail: the latest events in memory."""

from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import Event
from chatroom.tail import Tail
from tests.support.events import said

CHANNELS = ("#general", "#quiet")
batches = st.lists(
    st.lists(st.tuples(st.sampled_from(CHANNELS), st.integers(1, 60)), min_size=1, max_size=12), max_size=12
)


def fill(head: int, batches: list[list[tuple[str, int]]]) -> tuple[Tail, list[Event]]:
    """A tail that follows on `head` and, as the model, everything that it was ever given."""
    tail, log, seq = Tail(head), [], head
    for batch in batches:
        events = []
        for channel, size in batch:
            seq += 1
            events.append(said(seq, "x" * size, channel=channel))
        tail.extend(events)
        log += events
    return tail, log


@given(
    head=st.integers(0, 30),
    batches=batches,
    seq=st.integers(0, 200),
    channels=st.frozensets(st.sampled_from(CHANNELS)),
    count=st.integers(0, 30),
    before=st.integers(0, 200),
)
def test_it_is_the_end_of_a_list(
    head: int,
    batches: list[list[tuple[str, int]]],
    seq: int,
    channels: frozenset[str],
    count: int,
    before: int,
) -> None:
    """Within its range the tail answers as the whole log would; outside of it, it returns None."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 10), mock.patch("chatroom.tail.TAIL_BYTES", 300):
        tail, log = fill(head, batches)
    mine = [event for event in log if event.channel in channels]
    if seq < head:
        assert not tail.covers(seq)
    if tail.covers(seq):
        assert tail.after(seq, channels) == [event for event in mine if event.seq > seq]
    last = tail.last(count, channels, before)
    wanted = [event for event in mine if event.seq < before][-count:] if count else []
    if last is None:
        assert count > 0
    else:
        assert last == wanted
        assert len(last) == count or head == 0


@given(head=st.integers(0, 30), batches=batches)
def test_its_bounds(head: int, batches: list[list[tuple[str, int]]]) -> None:
    """It always holds the whole last batch; with more batches, it stays within both limits."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 10), mock.patch("chatroom.tail.TAIL_BYTES", 300):
        tail, log = fill(head, batches)
    size = len(batches[-1]) if batches else 0
    assert tail.covers(head + len(log) - size)
    latest = tail.after(tail.floor, frozenset(CHANNELS))
    assert len(latest) <= max(10, size)
    assert len(latest) == size or sum(len(event.text) for event in latest) <= 300
    assert tail.size == sum(len(event.text) for event in latest)


def test_an_empty_tail_knows_the_end() -> None:
    """Right after a start, a client that has seen everything needs no history."""
    tail = Tail(7)
    assert tail.covers(7) and tail.after(7, frozenset(CHANNELS)) == []
    assert not tail.covers(6)
    assert tail.last(1, frozenset(CHANNELS), 8) is None
    assert Tail(0).last(5, frozenset(CHANNELS), 1) == []

"""The contract of History, checked for every implementation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import Event, EventKind
from chatroom.history import History, MemoryHistory, SessionRecord
from chatroom.limits import MAX_NUMBER, MAX_TEXT, MAX_TIME
from server.storage import SqliteHistory
from tests.chatroom.strategies import LETTERS

CHANNELS = ("#general", "#quiet", "#ünïcode")


@contextmanager
def memory() -> Iterator[History]:
    yield MemoryHistory()


@contextmanager
def sqlite() -> Iterator[History]:
    with TemporaryDirectory() as folder:
        history = SqliteHistory(Path(folder) / "history.db")
        try:
            yield history
        finally:
            history.close()


Make = Callable[[], AbstractContextManager[History]]
every_history = pytest.mark.parametrize("make", [memory, sqlite])


def event(seq: int, kind: EventKind = EventKind.SAID, channel: str = "#general") -> Event:
    return Event(seq, 1_700_000_000_000 + seq, kind, channel, "ann", f"text {seq}", seq)


def session(key: bytes, name: str = "ann", confirmed: int = 0, present: bool = True) -> SessionRecord:
    return SessionRecord(key, name, "#general", present, confirmed, 1_700_000_000_000)


@every_history
def test_a_new_history_is_empty(make: Make) -> None:
    """A new history is empty: head and time are 0."""
    with make() as history:
        assert history.restore()[:2] == (0, [])
        assert history.read(0, 10, CHANNELS) == []
        assert history.last_seqs(10, CHANNELS) == []


@every_history
def test_what_is_appended_is_read(make: Make) -> None:
    """A stored event is read back unchanged, with every kind, number and text that is allowed."""
    events = [
        Event(1, 0, EventKind.JOINED, "#general", "ann", "", 0),
        Event(2, MAX_TIME, EventKind.SAID, "#general", "Зоя", "a\0b\n\x1b[31m\U0001f600", MAX_NUMBER),
        Event(3, 5, EventKind.SAID, "#general", "bob", "x" * MAX_TEXT, 1),
        *(event(seq, kind) for seq, kind in enumerate(EventKind, 4)),
    ]
    with make() as history:
        history.append(events, [], [])
        found = history.read(0, 100, CHANNELS)
        assert found == events
        assert all(type(one) is Event and type(one.kind) is EventKind for one in found)


@every_history
def test_reading_starts_after_a_seq_and_ends_at_the_limit(make: Make) -> None:
    """A reader can read the whole log in chunks, each after the end of the one before."""
    with make() as history:
        history.append([event(seq) for seq in range(1, 701)], [], [])
        found: list[Event] = []
        while chunk := history.read(found[-1].seq if found else 0, 99, ["#general"]):
            assert len(chunk) <= 99
            found += chunk
        assert found == [event(seq) for seq in range(1, 701)]


@every_history
def test_only_the_asked_channels_are_read(make: Make) -> None:
    """Reading returns only events of the given channels, in the order of the log."""
    where = {1: "#general", 2: "#quiet", 3: "#general", 4: "#ünïcode", 5: "#quiet"}
    with make() as history:
        history.append([event(seq, channel=channel) for seq, channel in where.items()], [], [])
        assert [one.seq for one in history.read(0, 10, ["#quiet"])] == [2, 5]
        assert [one.seq for one in history.read(2, 10, ["#ünïcode", "#quiet"])] == [4, 5]
        assert history.last_seqs(10, ["#general", "#ünïcode"]) == [1, 3, 4]
        assert (
            history.read(0, 10, ["#nowhere"])
            == history.last_seqs(10, ["#nowhere"])
            == history.read(0, 10, [])
            == []
        )


@every_history
def test_the_last_events_come_in_order(make: Make) -> None:
    """last_seqs() returns the latest seqs of a channel, the oldest first."""
    with make() as history:
        history.append([event(seq) for seq in range(1, 601)], [], [])
        assert history.last_seqs(2, ["#general"]) == [599, 600]
        assert history.last_seqs(400, ["#general"]) == list(range(201, 601))
        assert history.last_seqs(999, ["#general"]) == list(range(1, 601))


@every_history
def test_the_last_events_of_a_channel_that_went_quiet(make: Make) -> None:
    """An old line of a quiet channel is found behind a thousand events of other channels."""
    with make() as history:
        history.append([event(1, channel="#quiet"), *(event(seq) for seq in range(2, 1500))], [], [])
        assert history.last_seqs(50, ["#quiet"]) == [1]


@every_history
def test_sessions_are_replaced_and_forgotten(make: Make) -> None:
    """A session is restored as it was written last, until it is forgotten."""
    with make() as history:
        history.append([event(1)], [session(b"a"), session(b"b", "bob")], [])
        history.append([], [session(b"a", "anna", MAX_NUMBER, present=False)], [b"b", b"unknown"])
        assert history.restore()[:2] == (1, [session(b"a", "anna", MAX_NUMBER, present=False)])
        assert type(history.restore().sessions[0].present) is bool
        history.append([], [session(b"c")], [b"c"])  # forgotten first, then written: it is there
        assert {one.key for one in history.restore().sessions} == {b"a", b"c"}


@every_history
def test_tending_ends_when_it_is_told_to(make: Make) -> None:
    """The background thread of a history ends soon after `stopping` was set."""
    with make() as history:
        stopping = threading.Event()
        thread = threading.Thread(target=history.tend, args=(stopping,))
        thread.start()
        stopping.set()
        thread.join(2.0)
        assert not thread.is_alive()


@every_history
def test_reading_while_it_is_written(make: Make) -> None:
    """Readers in other threads see whole batches in order while the writer appends."""
    done = threading.Event()
    broken: list[str] = []

    def read() -> None:
        while not done.is_set():
            found = [one.seq for one in history.read(0, 10_000, ["#general"])]
            if found != list(range(1, len(found) + 1)) or len(found) % 7:
                broken.append(f"read {found}")
                return

    with make() as history:
        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for first in range(1, 701, 7):
            history.append([event(seq) for seq in range(first, first + 7)], [], [])
        done.set()
        for reader in readers:
            reader.join()
        assert not broken
        assert history.restore().head == 700
        assert history.restore().time == history.read(699, 1, CHANNELS)[0].time


counts = st.one_of(st.integers(1, 5), st.integers(1, 600))  # long enough for stretches without a channel
runs = st.lists(
    st.tuples(
        st.sampled_from(CHANNELS),
        st.sampled_from(EventKind),
        counts,
        st.text(LETTERS, max_size=8),
        st.integers(0, MAX_NUMBER),
    ),
    max_size=6,
)
several = st.sets(st.sampled_from(CHANNELS), min_size=1)
questions = st.lists(
    st.tuples(st.booleans(), st.integers(0, 2000), st.integers(1, 300), several), min_size=1, max_size=8
)


@every_history
@given(runs=runs, cut=st.integers(1, 700), questions=questions)
def test_it_is_a_list(make: Make, runs: list, cut: int, questions: list) -> None:  # type: ignore[type-arg]
    """Reading returns the same events as a plain list, for any events in any batches."""
    model: list[Event] = []
    for channel, kind, count, text, id in runs:
        first = len(model) + 1
        model += [Event(seq, seq, kind, channel, "ann", text, id) for seq in range(first, first + count)]
    with make() as history:
        for start in range(0, len(model), cut):
            history.append(model[start : start + cut], [], [])
        assert history.restore().head == len(model)
        for from_the_end, after, limit, channels in questions:
            if from_the_end:
                mine = [one for one in model if one.channel in channels]
                assert history.last_seqs(limit, channels) == [event.seq for event in mine[-limit:]]
            else:
                mine = [one for one in model if one.seq > after and one.channel in channels]
                assert history.read(after, limit, channels) == mine[:limit]


def test_memory_keeps_the_latest() -> None:
    """A history in memory is bounded: the oldest events are dropped, and the later ones can be read."""
    history = MemoryHistory(max_events=100)
    for seq in range(1, 1001):
        history.append([event(seq)], [], [])
    latest = [one.seq for one in history.read(0, 1000, ["#general"])]
    assert 100 <= len(latest) <= 200
    assert latest == list(range(latest[0], 1001))
    assert history.read(990, 3, ["#general"]) == [event(991), event(992), event(993)]

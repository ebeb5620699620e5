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
from chatroom.history import History, Located, MemoryHistory, is_full
from chatroom.limits import MAX_NUMBER, MAX_TEXT, MAX_TIME
from chatroom.records import Record
from server.storage import SqliteHistory
from tests.server.histories import seqs

GENERAL, QUIET, THIRD = 1, 2, 3
NAMES = {0: "", GENERAL: "#general", QUIET: "#quiet", THIRD: "#ünïcode"}
PLACES = tuple(NAMES)


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


def event(seq: int, kind: EventKind = EventKind.SAID, place: int = GENERAL) -> Event:
    at = 1_700_000_000_000 + seq
    return Event(seq, at, kind, NAMES[place], "ann", f"text {seq}", seq, 7, place)


def stored(history: History) -> tuple[int, list[Record]]:
    """Head and records."""
    restored = history.restore()
    return restored.head, restored.records


@every_history
def test_a_new_history_is_empty(make: Make) -> None:
    """A new history is empty: head and time are 0, and there is no position."""
    with make() as history:
        assert history.restore()[1:] == (b"", 0, 0, [])
        assert history.read(0, 10, PLACES) == []
        assert history.last_seqs(10, PLACES) == []
        assert history.locate(1) == Located(0, 1)


@every_history
@pytest.mark.parametrize("text", ["x" * 1000, "\N{GRINNING FACE}" * 250], ids=["narrow", "wide"])
def test_a_read_is_bounded_in_bytes(make: Make, text: str) -> None:
    """A read ends with the event that reaches the size, at least one; is_full() says that more may follow."""
    with make() as history:
        history.append([event(seq)._replace(text=text) for seq in range(1, 600)], [])
        for size, count in ((1, 1), (2000, 2), (300_000, None)):
            found = history.read(0, 1000, PLACES, size)
            assert count is None or len(found) == count
            assert seqs(found) == list(range(1, len(found) + 1)) and is_full(found, 1000, size)
            assert len(text.encode()) * (len(found) - 1) < size
        rest = history.read(590, 1000, PLACES, 300_000)
        assert seqs(rest) == list(range(591, 600)) and not is_full(rest, 1000, 300_000)
        assert is_full(history.read(590, 9, PLACES), 9, MAX_NUMBER)


@every_history
def test_each_history_has_an_identity(make: Make) -> None:
    """The identity is random, and the same for the life of the history."""
    with make() as history, make() as other:
        identity = history.restore().identity
        assert len(identity) == 16
        assert identity not in (bytes(16), other.restore().identity)
        history.append([event(1)], [], b"somewhere")
        assert history.restore().identity == identity


@every_history
def test_the_position_is_of_the_last_append(make: Make) -> None:
    """The position belongs to the last append, also to one without events."""
    with make() as history:
        for position in (b"1-0", b"", b"\0\xff", b"\0\xff", b"4-2"):
            history.append([], [], position)
            assert history.restore().position == position
        history.append([event(1)], [])
        assert history.restore().position == b""


@every_history
def test_what_is_appended_is_read(make: Make) -> None:
    """A stored event is read back unchanged, with every kind, number and text that is allowed."""
    events = [
        Event(1, 0, EventKind.JOINED, "#general", "ann", "", 0, 1, GENERAL),
        Event(
            2,
            MAX_TIME,
            EventKind.SAID,
            "#general",
            "Зоя",
            "a\0b\n\x1b[31m\U0001f600",
            MAX_NUMBER,
            2**32 - 1,
            THIRD,
        ),
        Event(3, 5, EventKind.SAID, "#general", "bob", "x" * MAX_TEXT, 1, 3, GENERAL, b"\1\2\0\xff"),
        Event(4, 5, EventKind.QUIT, "", "bob", "bye", 0, 3, 0, b"", (GENERAL, 2**32 - 1)),
        Event(5, 5, EventKind.QUIT, "", "ann", "", 0, 1, 0, b"\3\0", (QUIET,)),
        *(event(seq, kind) for seq, kind in enumerate(EventKind, 6)),
    ]
    with make() as history:
        history.append(events, [])
        found = history.read(0, 100, PLACES)
        assert found == events
        for one in found:
            assert type(one) is Event and type(one.kind) is EventKind
            assert type(one.extra) is bytes and type(one.places) is tuple


@every_history
def test_reading_starts_after_a_seq_and_ends_at_the_limit(make: Make) -> None:
    """A reader can read the whole log in chunks, each after the end of the one before."""
    with make() as history:
        history.append([event(seq) for seq in range(1, 701)], [])
        found: list[Event] = []
        while chunk := history.read(found[-1].seq if found else 0, 99, [GENERAL]):
            assert len(chunk) <= 99
            found += chunk
        assert found == [event(seq) for seq in range(1, 701)]


@every_history
def test_only_the_asked_places_are_read(make: Make) -> None:
    """Reading returns only events of the given places, in the order of the log."""
    where = {1: GENERAL, 2: QUIET, 3: GENERAL, 4: THIRD, 5: QUIET}
    with make() as history:
        history.append([event(seq, place=place) for seq, place in where.items()], [])
        assert seqs(history.read(0, 10, [QUIET])) == [2, 5]
        assert seqs(history.read(2, 10, {THIRD, QUIET})) == [4, 5]
        assert history.last_seqs(10, (GENERAL, THIRD)) == [1, 3, 4]
        for nowhere in ([99], []):
            assert history.read(0, 10, nowhere) == []
            assert history.last_seqs(10, nowhere) == []


@every_history
def test_a_place_is_a_number(make: Make) -> None:
    """A channel that has another name now, or a name that another channel had, is told apart by its place."""
    events = [event(1)._replace(channel="#old"), event(2)._replace(channel="#new"), event(3, place=QUIET)]
    with make() as history:
        history.append([*events[:2], events[2]._replace(channel="#old")], [])
        assert seqs(history.read(0, 10, [GENERAL])) == [1, 2]
        assert seqs(history.read(0, 10, [QUIET])) == [3]


@every_history
def test_an_event_of_several_places(make: Make) -> None:
    """It is found by each of its places, once, and not by place 0; RESTARTED is found by place 0 alone."""
    quit = Event(2, 5, EventKind.QUIT, "", "ann", "", person=1, places=(GENERAL, THIRD))
    restarted = Event(3, 6, EventKind.RESTARTED, "", "", "")
    with make() as history:
        history.append([event(1, place=QUIET), quit, restarted, event(4)], [])
        assert history.read(0, 10, [THIRD]) == [quit]
        assert seqs(history.read(0, 10, [GENERAL])) == seqs(history.read(0, 10, [GENERAL, THIRD])) == [2, 4]
        assert seqs(history.read(0, 10, [QUIET])) == [1]
        assert history.read(0, 10, [0]) == [restarted]
        assert seqs(history.read(0, 10, [0, THIRD])) == [2, 3]


@every_history
def test_only_said_lines_are_the_last_ones(make: Make) -> None:
    """last_seqs() counts what was said; joins, leaves and quits between the lines do not count."""
    with make() as history:
        kinds = [EventKind.SAID, EventKind.JOINED, EventKind.LEFT, EventKind.SAID, EventKind.TOPIC]
        history.append([event(seq, kind) for seq, kind in enumerate(kinds, 1)], [])
        history.append([event(6)._replace(kind=EventKind.QUIT, place=0, places=(GENERAL,))], [])
        assert history.last_seqs(1, [GENERAL]) == [4]
        assert history.last_seqs(10, PLACES) == [1, 4]


@every_history
def test_locating_an_event(make: Make) -> None:
    """locate() gives the time of a stored event and 0 for any other seq, and the oldest stored seq."""
    with make() as history:
        history.append([event(seq) for seq in range(1, 4)], [])
        assert history.locate(2) == Located(1_700_000_000_002, 1)
        for seq in (0, 4, MAX_NUMBER):
            assert history.locate(seq) == Located(0, 1)


@every_history
def test_the_last_events_come_in_order(make: Make) -> None:
    """last_seqs() returns the latest seqs of a place, the oldest first."""
    with make() as history:
        history.append([event(seq) for seq in range(1, 601)], [])
        assert history.last_seqs(2, [GENERAL]) == [599, 600]
        assert history.last_seqs(400, [GENERAL]) == list(range(201, 601))
        assert history.last_seqs(999, [GENERAL]) == list(range(1, 601))
        assert history.last_seqs(300, [GENERAL], 400) == list(range(101, 401))
        assert history.last_seqs(300, [GENERAL], 0) == []


@every_history
def test_the_last_events_of_a_channel_that_went_quiet(make: Make) -> None:
    """An old line of a quiet channel is found behind a thousand events of other channels."""
    with make() as history:
        history.append([event(1, place=QUIET), *(event(seq) for seq in range(2, 1500))], [])
        assert history.last_seqs(50, [QUIET]) == [1]


@every_history
def test_records_are_replaced_and_removed(make: Make) -> None:
    """A record is restored as it was written last, until it is gone."""
    with make() as history:
        history.append(
            [event(1)],
            [Record("session", "b", "1"), Record("channel", "1", "[2]"), Record("session", "a", "{}")],
        )
        assert stored(history) == (
            1,
            [Record("channel", "1", "[2]"), Record("session", "a", "{}"), Record("session", "b", "1")],
        )
        history.append(
            [],
            [Record("session", "a", '"ü\U0001f600"'), Record("session", "b", None), Record("no", "", None)],
        )
        assert stored(history) == (
            1,
            [Record("channel", "1", "[2]"), Record("session", "a", '"ü\U0001f600"')],
        )
        assert all(type(one) is Record for one in history.restore().records)


@every_history
def test_the_last_record_of_a_batch_counts(make: Make) -> None:
    """If a batch has several records of one kind and key, the last one is what remains."""
    with make() as history:
        kept, gone = Record("a", "kept", "2"), Record("a", "gone", None)
        history.append(
            [], [kept._replace(value=None), gone._replace(value="1"), kept._replace(value="1"), gone, kept]
        )
        assert stored(history) == (0, [kept])


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
            found = [one.seq for one in history.read(0, 10_000, [GENERAL])]
            if found != list(range(1, len(found) + 1)) or len(found) % 7:
                broken.append(f"read {found}")
                return

    with make() as history:
        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for first in range(1, 701, 7):
            history.append([event(seq) for seq in range(first, first + 7)], [])
        done.set()
        for reader in readers:
            reader.join()
        assert not broken
        assert history.restore().head == 700
        assert history.restore().time == history.read(699, 1, PLACES)[0].time


counts = st.one_of(st.integers(1, 5), st.integers(1, 600))  # long enough for stretches without a place
places = st.sampled_from(PLACES)
runs = st.lists(
    st.tuples(
        st.one_of(places, st.sets(places, min_size=1).map(tuple)),
        st.sampled_from(EventKind),
        counts,
        st.text(max_size=8),
        st.integers(0, MAX_NUMBER),
    ),
    max_size=6,
)
several = st.sets(places, min_size=1)
questions = st.lists(
    st.tuples(st.booleans(), st.integers(0, 2000), st.integers(1, 300), several), min_size=1, max_size=8
)


@pytest.mark.slow
@every_history
@given(runs=runs, cut=st.integers(1, 700), questions=questions)
def test_it_is_a_list(make: Make, runs: list, cut: int, questions: list) -> None:  # type: ignore[type-arg]
    """Reading returns the same events as a plain list, for any events in any batches."""
    model: list[Event] = []
    for where, kind, count, text, id in runs:
        first = len(model) + 1
        place, in_all = (0, where) if isinstance(where, tuple) else (where, ())
        model += [
            Event(seq, seq, kind, NAMES[place], "ann", text, id, 7, place, b"", in_all)
            for seq in range(first, first + count)
        ]
    with make() as history:
        for start in range(0, len(model), cut):
            history.append(model[start : start + cut], [])
        assert history.restore().head == len(model)
        for from_the_end, after, limit, wanted in questions:
            mine = [one for one in model if wanted.intersection(one.places or [one.place])]
            if from_the_end:
                said = [one.seq for one in mine if one.kind is EventKind.SAID]
                assert history.last_seqs(limit, wanted) == said[-limit:]
                earlier = [seq for seq in said if seq <= after]
                assert history.last_seqs(limit, wanted, after) == earlier[-limit:]
            else:
                assert history.read(after, limit, wanted) == [one for one in mine if one.seq > after][:limit]


def test_memory_keeps_the_latest() -> None:
    """A history in memory is bounded: the oldest events are dropped, and the later ones can be read."""
    history = MemoryHistory(max_events=100)
    for seq in range(1, 1001):
        history.append([event(seq)], [])
    latest = seqs(history.read(0, 1000, [GENERAL]))
    assert 100 <= len(latest) <= 200
    assert latest == list(range(latest[0], 1001))
    assert history.read(990, 3, [GENERAL]) == [event(991), event(992), event(993)]
    assert history.locate(latest[0] - 1) == Located(0, latest[0])
    assert history.locate(991) == Located(event(991).time, latest[0])

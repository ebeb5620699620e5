"""The contract of History, checked for every implementation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.blanking import NOTHING_ERASED, Erased
from chatroom.blocks import Block, merged
from chatroom.events import Event, EventKind
from chatroom.history import NOTHING_AMENDED, History, Located, MemoryHistory
from chatroom.limits import MAX_NUMBER, MAX_TEXT, MAX_TIME, SLICE_FACTOR
from chatroom.packets import encode_event
from chatroom.places import Reach
from chatroom.records import Record, Talker
from server import merging
from server.maintenance import Maintenance
from server.retention import Retention
from server.storage import SqliteHistory
from tests.chatroom.strategies import LETTERS
from tests.server.histories import blocks_of, read, seqs, store
from tests.support.blocks import flat

GENERAL, QUIET, THIRD = 1, 2, 3
NAMES = {0: "", GENERAL: "#general", QUIET: "#quiet", THIRD: "#ünïcode"}
PLACES = tuple(NAMES)
START = 1_700_000_000_000


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


class Tended(SqliteHistory):
    """A history whose maintenance runs after each append."""

    upkeep: Maintenance

    def append(
        self,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
        amended: Mapping[int, bytes] = NOTHING_AMENDED,
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        super().append(blocks, records, position, noted, amended, erased)
        self.upkeep.run(threading.Event())


@contextmanager
def tended() -> Iterator[History]:
    """With limits so small that blocks are merged and indexed in the shortest test."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("server.rows.MERGE_WINDOW", 8)
        patched.setattr(merging, "MERGED_BYTES", 600)
        patched.setattr(merging, "INDEX_STEP", 3)
        patched.setattr("server.maintenance.MAINTENANCE_PAUSE", 0)
        path = Path(folder) / "history.db"
        history = Tended(path)
        history.upkeep = Maintenance(path, threading.Lock(), Retention())
        try:
            yield history
        finally:
            history.upkeep.close()
            history.close()


Make = Callable[[], AbstractContextManager[History]]
every_history = pytest.mark.parametrize("make", [memory, sqlite, tended])


def event(seq: int, kind: EventKind = EventKind.SAID, place: int = GENERAL, person: int = 7) -> Event:
    return Event(seq, START + seq, kind, NAMES[place], "ann", f"text {seq}", seq, person, place)


def several(first: int, last: int, place: int = GENERAL) -> list[Event]:
    """The lines with these seqs."""
    return [event(seq, place=place) for seq in range(first, last + 1)]


def without_one(event: Event) -> Event:
    """The event as it is read: one number in `places` is the same scope as `place`, and is not kept."""
    return event._replace(places=()) if len(event.places) == 1 else event


def stored(history: History) -> tuple[int, list[Record]]:
    """Head and records."""
    restored = history.restore()
    return restored.head, restored.records


def latest(history: History, lines: int, place: int, until: int = MAX_NUMBER) -> list[int]:
    """The seqs of the latest lines of a place."""
    start = history.start_of(lines, place, until)
    found = [one for one in read(history, start, [place]) if one.kind is EventKind.SAID and one.seq <= until]
    assert len(found) <= lines
    return seqs(found)


@every_history
def test_a_new_history_is_empty(make: Make) -> None:
    """A new history is empty: head and time are 0, and there is no position."""
    with make() as history:
        assert history.restore()[1:] == (b"", 0, 0, [], [])
        assert history.read(0, PLACES, 1000) == ([], MAX_NUMBER, 0)
        assert history.start_of(10, GENERAL) == MAX_NUMBER
        assert history.start_of(10, GENERAL, 5) == 5
        assert history.locate(1) == Located(0, 1)


@every_history
def test_each_history_has_an_identity(make: Make) -> None:
    """The identity is random, and the same for the life of the history."""
    with make() as history, make() as other:
        identity = history.restore().identity
        assert len(identity) == 16
        assert identity not in (bytes(16), other.restore().identity)
        store(history, [event(1)])
        assert history.restore().identity == identity


@every_history
def test_the_position_is_of_the_last_append(make: Make) -> None:
    """The position belongs to the last append, also to one without events."""
    with make() as history:
        for position in (b"1-0", b"", b"\0\xff", b"\0\xff", b"4-2"):
            history.append([], [], position)
            assert history.restore().position == position
        history.append(blocks_of([event(1)]), [])
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
        *several(20, 40),
    ]
    events[-21:] = [one._replace(seq=seq) for seq, one in enumerate(events[-21:], len(events) - 20)]
    with make() as history:
        store(history, events)
        assert [without_one(one) for one in read(history, 0, PLACES)] == [without_one(one) for one in events]


@every_history
def test_a_block_is_read_as_it_was_stored(make: Make) -> None:
    """The packets that readers get are those that were stored, byte for byte, in one piece where they fit."""
    blocks = blocks_of(several(1, 5))
    with make() as history:
        history.append(blocks, [], noted=0)
        assert history.read(0, [GENERAL], 10_000) == (blocks, MAX_NUMBER, 0)
        (block,), until, _ = history.read(3, [GENERAL], 10_000)
        assert until == MAX_NUMBER and (block.first, block.last) == (4, 5)
        assert flat([block]) == several(4, 5)


@every_history
def test_reading_goes_on_where_it_ended(make: Make) -> None:
    """A reader can read the whole history in slices, each after the end of the one before."""
    with make() as history:
        for first in range(1, 701, 7):
            store(history, several(first, first + 6))
        for size in (1, 500, 5000):
            found, after, most = list[Event](), 0, 0
            while after < MAX_NUMBER:
                blocks, until, _ = history.read(after, [GENERAL], size)
                assert until > after
                most = max(most, sum(len(block.packets) for block in blocks))
                found += [one for one in flat(blocks) if one.seq <= until]
                after = until
            assert found == several(1, 700)
            assert most < size + 700


@every_history
def test_a_slice_of_many_places_is_bounded(make: Make) -> None:
    """Blocks of many places that overlap are cut, so that a slice is not as long as all of them."""
    places = range(1, 41)
    events = [event(seq)._replace(place=places[seq % 40], text="x" * 500) for seq in range(1, 401)]
    with make() as history:
        store(history, events)
        found, after = list[Event](), 0
        while after < MAX_NUMBER:
            blocks, until, _ = history.read(after, places, 5000)
            assert sum(len(block.packets) for block in blocks) <= SLICE_FACTOR * 5000
            found += [one for one in flat(blocks) if one.seq <= until]
            after = until
        assert found == events


@every_history
def test_only_the_asked_places_are_read(make: Make) -> None:
    """Reading returns only events of the given places, in the order of the log."""
    where = {1: GENERAL, 2: QUIET, 3: GENERAL, 4: THIRD, 5: QUIET}
    with make() as history:
        store(history, [event(seq, place=place) for seq, place in where.items()])
        assert seqs(read(history, 0, [QUIET])) == [2, 5]
        assert seqs(read(history, 2, {THIRD, QUIET})) == [4, 5]
        assert latest(history, 10, GENERAL) == [1, 3]
        for nowhere in ([99], []):
            assert read(history, 0, nowhere) == []
        assert history.start_of(10, 99, 4) == 4


@every_history
def test_a_place_is_a_number(make: Make) -> None:
    """A channel that has another name now, or a name that another channel had, is told apart by its place."""
    events = [event(1)._replace(channel="#old"), event(2)._replace(channel="#new"), event(3, place=QUIET)]
    with make() as history:
        store(history, [*events[:2], events[2]._replace(channel="#old")])
        assert seqs(read(history, 0, [GENERAL])) == [1, 2]
        assert seqs(read(history, 0, [QUIET])) == [3]


@every_history
def test_an_event_of_several_places(make: Make) -> None:
    """It is found by each of its places, once, and not by place 0; RESTARTED is found by place 0 alone."""
    quit = Event(2, 5, EventKind.QUIT, "", "ann", "", person=1, places=(GENERAL, THIRD))
    restarted = Event(3, 6, EventKind.RESTARTED, "", "", "")
    with make() as history:
        store(history, [event(1, place=QUIET), quit, restarted, *several(4, 30)])
        rest = list(range(4, 31))
        assert read(history, 0, [THIRD]) == [quit]
        assert seqs(read(history, 0, [GENERAL])) == seqs(read(history, 0, [GENERAL, THIRD])) == [2, *rest]
        assert seqs(read(history, 0, [QUIET])) == [1]
        assert read(history, 0, [0]) == [restarted]
        assert seqs(read(history, 0, [0, THIRD])) == [2, 3]


@every_history
def test_only_said_lines_count(make: Make) -> None:
    """start_of() counts what was said; joins, leaves and quits between the lines do not count."""
    with make() as history:
        kinds = [EventKind.SAID, EventKind.JOINED, EventKind.LEFT, EventKind.SAID, EventKind.TOPIC]
        store(history, [event(seq, kind) for seq, kind in enumerate(kinds, 1)])
        store(history, [event(6)._replace(kind=EventKind.QUIT, place=0, places=(GENERAL,))])
        assert history.start_of(1, GENERAL) == 3
        assert history.start_of(2, GENERAL) == history.start_of(10, GENERAL) == 0
        assert history.start_of(0, GENERAL) == MAX_NUMBER
        assert history.start_of(1, QUIET) == MAX_NUMBER


@every_history
def test_a_quit_among_the_lines_of_its_channel(make: Make) -> None:
    """A QUIT of somebody who was in one channel is in one block with its lines, and they are found."""
    with make() as history:
        quit = Event(1, START, EventKind.QUIT, "", "bob", "bye", person=2, places=(GENERAL,))
        block, *others = blocks_of([quit, *several(2, 3)])
        assert not others
        history.append([block], [])
        assert history.start_of(1, GENERAL) == 2
        assert history.start_of(5, GENERAL) == 1
        assert seqs(read(history, 0, [GENERAL])) == [1, 2, 3]
        assert read(history, 0, [0, QUIET]) == []


@every_history
def test_locating_an_event(make: Make) -> None:
    """locate() gives the time of a stored event and 0 for any other seq, and the oldest stored seq."""
    with make() as history:
        store(history, [event(1), event(2, place=QUIET), event(3)])
        store(history, several(4, 40))
        for seq in (1, 2, 3, 4, 17, 40):
            assert history.locate(seq) == Located(START + seq, 1)
        for seq in (0, 41, MAX_NUMBER):
            assert history.locate(seq) == Located(0, 1)


@every_history
def test_one_event(make: Make) -> None:
    """event_at() gives a stored event with the places of its scope, and None for any other seq."""
    gone = event(5, EventKind.QUIT, 0)._replace(channel="", places=(GENERAL, QUIET))
    with make() as history:
        said = [event(1), event(2, place=QUIET), event(3), event(4, place=QUIET), gone]
        store(history, said)
        store(history, several(6, 40))
        assert [history.event_at(seq) for seq in range(1, 6)] == said
        assert history.event_at(17) == event(17)
        for seq in (-1, 0, 41, MAX_NUMBER):
            assert history.event_at(seq) is None


@every_history
def test_what_is_erased(make: Make) -> None:
    """Nobody reads what the person said up to that event, in that batch or before; the lines still count."""
    with make() as history:
        store(history, [event(1), event(2)._replace(person=9, author="ann")])
        amended = event(2)._replace(person=9, author="ann", text="again")
        last = [event(3)._replace(person=9, author="ann"), event(4)]
        history.append(blocks_of(last), [], amended={2: encode_event(amended)}, erased={9: 3})
        found = flat(history.read(0, PLACES, 10**6).blocks)
        assert [(one.author, one.text) for one in found if one.person == 9] == [("erased", "")] * 2
        assert [one for one in found if one.person != 9] == [event(1), event(4)]
        assert history.event_at(2) == found[1] and history.event_at(3) == found[2]
        assert history.start_of(3, GENERAL) == 1
        store(history, [event(5)._replace(person=9, author="ann")])
        assert history.event_at(5) == event(5)._replace(person=9, author="ann")


@every_history
def test_the_latest_lines(make: Make) -> None:
    """start_of() finds where the latest lines of a place begin, also before a given seq."""
    with make() as history:
        for first in range(1, 601, 40):
            store(history, several(first, first + 39))
        assert history.start_of(2, GENERAL) == 598
        assert history.start_of(400, GENERAL) == 200
        assert history.start_of(999, GENERAL) == 0
        assert history.start_of(300, GENERAL, 400) == 100
        assert history.start_of(3, GENERAL, 85) == 82
        assert history.start_of(300, GENERAL, 0) == 0


@every_history
def test_the_latest_lines_of_a_channel_that_went_quiet(make: Make) -> None:
    """An old line of a quiet channel is found behind a thousand events of other channels."""
    with make() as history:
        store(history, [event(1, place=QUIET), *several(2, 1500)])
        assert history.start_of(50, QUIET) == 0
        assert history.start_of(1, QUIET) == 0


@every_history
def test_records_are_replaced_and_removed(make: Make) -> None:
    """A record is restored as it was written last, until it is gone."""
    with make() as history:
        history.append(
            blocks_of([event(1)]),
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
def test_the_talkers_that_the_records_do_not_know(make: Make) -> None:
    """restore() gives who has said something after `noted`, with the highest id; `noted` never falls."""
    with make() as history:
        store(history, [event(1, person=1), event(2, person=2)._replace(id=2**63 - 1), event(3, person=1)])
        assert history.restore().talkers == [Talker(1, 3), Talker(2, 2**63 - 1)]
        store(history, [event(4, EventKind.JOINED), event(5, person=3, place=QUIET)], noted=3)
        assert history.restore().talkers == [Talker(3, 5)]
        store(history, [event(6, person=1)], noted=2)
        assert history.restore().talkers == [Talker(3, 5), Talker(1, 6)]
        history.append([], [], noted=6)
        assert history.restore().talkers == []


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

    def look() -> None:
        while not done.is_set():
            found = seqs(flat(history.read(0, [GENERAL], 10**6).blocks))
            if found != list(range(1, len(found) + 1)) or len(found) % 7:
                broken.append(f"read {found}")
                return

    with make() as history:
        readers = [threading.Thread(target=look) for _ in range(3)]
        for reader in readers:
            reader.start()
        for first in range(1, 351, 7):
            store(history, several(first, first + 6))
        done.set()
        for reader in readers:
            reader.join()
        assert not broken
        assert history.restore().head == 350
        assert history.restore().time == START + 350


counts = st.one_of(st.integers(1, 5), st.integers(1, 600))  # long enough for stretches without a place
places = st.sampled_from(PLACES)
runs = st.lists(
    st.tuples(
        st.one_of(places, st.sets(st.sampled_from(PLACES[1:]), min_size=1).map(tuple)),
        st.sampled_from(EventKind),
        counts,
        st.text(LETTERS, max_size=8),
    ),
    max_size=6,
)
some_places = st.sets(places, min_size=1)
questions = st.lists(
    st.tuples(st.booleans(), st.integers(0, 2000), st.integers(1, 300), some_places), min_size=1, max_size=8
)


@pytest.mark.slow
@every_history
@given(runs=runs, cut=st.integers(1, 700), noted=st.integers(0, 3000), questions=questions)
def test_it_is_a_list(make: Make, runs: list, cut: int, noted: int, questions: list) -> None:  # type: ignore[type-arg]
    """Reading returns the same events as a plain list, for any events in any batches."""
    model: list[Event] = []
    for where, kind, count, text in runs:
        first = len(model) + 1
        place, in_all = (0, where) if isinstance(where, tuple) and kind != EventKind.SAID else (where, ())
        place = where[0] if isinstance(place, tuple) else place
        model += [
            Event(seq, seq, kind, NAMES[place], "ann", text, seq, seq % 3 + 1, place, b"", in_all)
            for seq in range(first, first + count)
        ]
    with make() as history:
        for start in range(0, len(model), cut):
            store(history, model[start : start + cut], noted=min(noted, start))
        assert history.restore().head == len(model)
        for look_back, after, number, wanted in questions:
            mine = [one for one in model if wanted.intersection(one.places or [one.place])]
            if look_back:
                place = min(wanted)
                said = [one.seq for one in model if one.place == place and one.kind is EventKind.SAID]
                for until in (MAX_NUMBER, after):
                    earlier = [seq for seq in said if seq <= until][-number:]
                    assert history.start_of(number, place, until) == (earlier[0] - 1 if earlier else until)
            else:
                later = [without_one(one) for one in mine if one.seq > after]
                assert [without_one(one) for one in read(history, after, wanted)] == later
                reach = Reach({place: [(0, MAX_NUMBER)] for place in wanted})
                blocks, until, _ = history.read(after, wanted, number * 50)
                upto = [one for one in later if one.seq <= until]
                data = b"".join(merged(blocks, reach, after, until))
                assert data == b"".join(block.packets for one in upto for block in blocks_of([one]))


def test_memory_keeps_the_latest() -> None:
    """A history in memory is bounded: the oldest events are dropped, and the later ones can be read."""
    history = MemoryHistory(max_events=100)
    for seq in range(1, 1001):
        store(history, [event(seq)])
    found = seqs(read(history, 0, [GENERAL]))
    assert 100 <= len(found) <= 200
    assert found == list(range(found[0], 1001))
    assert read(history, 990, [GENERAL])[:3] == several(991, 993)
    assert history.locate(found[0] - 1) == Located(0, found[0])
    assert history.locate(991) == Located(START + 991, found[0])


def test_what_memory_has_dropped_is_gone() -> None:
    """A block that begins before the events that were dropped shows none of them."""
    history = MemoryHistory(max_events=7)
    for first in range(1, 40, 6):
        around = [event(first, place=QUIET), event(first + 5, place=QUIET)]
        store(history, sorted([*around, *several(first + 1, first + 4)]))
    oldest = history.locate(42).oldest
    assert oldest > 1
    assert (history.read(0, [QUIET], 1).after, history.read(oldest, [QUIET], 1).after) == (oldest - 1, oldest)
    assert [history.locate(seq).time > 0 for seq in (oldest - 1, oldest)] == [False, True]
    assert seqs(read(history)) == list(range(oldest, 43))

"""Amending: what was amended takes the place of what was said, in the blocks and in the search's index."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from chatroom.blocks import Block
from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.packets import encode_event
from server.amending import Amending
from server.database import connect
from server.history_tool import check
from server.limits import AMENDED_BYTES, MERGE_WINDOW
from server.search import Search
from server.storage import SqliteHistory
from tests.server.histories import (
    EVERYWHERE,
    GENERAL,
    NOW,
    QUIET,
    blocks_of,
    execute,
    lines,
    maintained,
    opened,
    read,
    run,
    said,
    seqs,
    store,
)
from tests.server.test_search import found


def append(history: SqliteHistory, events: list[Event], *amended: Event) -> None:
    """Store a batch that amends earlier events."""
    packets = {event.seq: encode_event(event) for event in amended}
    history.append(blocks_of(events), [], b"", 0, packets)


@contextmanager
def amending(path: Path) -> Iterator[Amending]:
    with closing(connect(path)) as connection:
        yield Amending(connection, threading.Lock())


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(connect(path, "mode=ro")) as shell:
        return shell.execute(query).fetchall()


def test_amended_packets_come_into_their_blocks(tmp_path: Path) -> None:
    """Block by block, whatever else lies between their seqs; before, between and after it reads the same."""
    path = tmp_path / "history.db"
    events = [said(seq, place=QUIET if seq % 3 == 0 else GENERAL) for seq in range(1, 61)]
    changed = [events[seq - 1]._replace(text="new") for seq in (1, 3, 4, 20, 41, 60)]
    wanted = [next((one for one in changed if one.seq == event.seq), event) for event in events]
    with opened(path) as history, amending(path) as each:
        append(history, events[:40])
        append(history, events[40:])
        append(history, [said(61)], *changed)
        assert read(history)[:60] == wanted
        steps = 0
        while each.step():
            assert read(history)[:60] == wanted
            steps += 1
    assert steps == 4  # two blocks of two places
    assert rows(path, "SELECT * FROM amended") == []
    assert check(path).sound


def test_nothing_of_what_was_said_is_in_the_file(tmp_path: Path) -> None:
    """When the log is copied into the file, the bytes of the earlier text are nowhere. (The index of the
    search has single words, until SQLite merges it.)"""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        texts = [said(seq, f"secret word {seq} " * 30) for seq in range(1, 200)]
        append(history, texts)
        run(upkeep)
        append(history, [said(200)], *[one._replace(text="") for one in texts])
        run(upkeep)
    assert b"secret word" not in path.read_bytes()
    assert not path.with_name("history.db-wal").exists()
    assert check(path).sound


def test_only_what_is_there_is_amended(tmp_path: Path) -> None:
    """Nothing is stored for an event that retention has removed."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 10), noted=10)
        execute(path, "UPDATE state SET value = 5 WHERE name = 'removed'")
        append(history, [said(11)], said(3, "gone"), said(7, "new"))
        assert rows(path, "SELECT seq FROM amended") == [(7,)]
        assert history.event_at(7) == said(7, "new") and history.event_at(3) is None


def test_an_event_of_the_same_batch(tmp_path: Path) -> None:
    """It is amended like an earlier one; of several amendments of an event the last one counts."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        append(history, lines(1, 3), said(2, "new"))
        append(history, [said(4)], said(2, "newer"))
        assert [event.text for event in read(history)] == ["line 1", "newer", "line 3", "line 4"]


def test_what_retention_has_removed(tmp_path: Path) -> None:
    """Packets for an event that is not there are dropped."""
    path = tmp_path / "history.db"
    with opened(path) as history, amending(path) as each:
        append(history, lines(1, 3))
        execute(path, f"INSERT INTO amended VALUES(99, x'{encode_event(said(99)).hex()}')")
        assert each.step() and not each.step()
        assert seqs(read(history)) == [1, 2, 3]


def test_a_block_that_grows_is_split(tmp_path: Path) -> None:
    """Short lines that were edited to long ones do not make a block that nobody can hold."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        for first in range(1, 2 * MERGE_WINDOW + 101, 100):
            store(history, lines(first, first + 99), noted=3 * MERGE_WINDOW)
        run(upkeep)
        head = history.restore().head
        changed = [said(seq, f"{seq} " * 10_000) for seq in range(5, 25)]
        append(history, [said(head + 1)], *changed)
        run(upkeep)
        assert [one.text for one in read(history)][4:24] == [one.text for one in changed]
        assert seqs(read(history, places=[GENERAL])) == list(range(1, head + 2))
        assert seqs(read(history, after=20, places=[GENERAL])) == list(range(21, head + 2))
        assert history.start_of(head, GENERAL) == 1
    sizes = rows(path, "SELECT length(packets), lines FROM blocks")
    assert all(size <= AMENDED_BYTES for size, _ in sizes)  # type: ignore[operator]
    assert rows(path, "SELECT * FROM amended") == []
    assert check(path).sound


def test_events_of_several_places(tmp_path: Path) -> None:
    """They keep their places, also when their block is split."""
    path = tmp_path / "history.db"
    events = [
        Event(seq, NOW, EventKind.QUIT, "", "ann", "bye" * 200, person=1, places=(GENERAL, QUIET))
        for seq in range(1, 101)
    ]
    with opened(path) as history, amending(path) as each:
        append(history, events)
        changed = events[49]._replace(text="b" * 50_000)
        append(history, [said(101)], changed)
        while each.step():
            pass
        assert len(rows(path, "SELECT 1 FROM blocks")) > 2
        for place in (GENERAL, QUIET):
            found = read(history, places=[place])[:100]
            assert found == [*events[:49], changed, *events[50:]]
    assert check(path).sound


def edited(seq: int, text: str, by: int) -> tuple[Event, Event]:
    """EDITED with the seq `by`, and the line that it amends as it is then."""
    event = said(by, text)._replace(kind=EventKind.EDITED, extra=extra_row(Extra.MESSAGE, seq))
    return event, said(seq, text)._replace(extra=extra_row(Extra.EDITED, by))


def test_an_edited_line_is_found_at_any_time(tmp_path: Path) -> None:
    """It waits in its table until the index has its new text; what was deleted need not wait."""
    path = tmp_path / "history.db"
    with opened(path) as history, closing(connect(path)) as connection:
        builder = Search(connection, threading.Lock())
        each = Amending(connection, threading.Lock(), builder.indexed)
        store(history, lines(1, 30))
        while builder.step():
            pass
        event, line = edited(5, "brand new", 31)
        append(history, [event], line, said(6)._replace(text=""))
        assert each.step() and not each.step()
        for _ in range(2):
            assert rows(path, "SELECT seq FROM amended") == [(5,)]
            assert found(history, "brand", EVERYWHERE, 9) == [5]
            assert found(history, "line", EVERYWHERE, 99) == [
                seq for seq in range(30, 0, -1) if seq not in (5, 6)
            ]
            assert not each.step()
        while builder.step():
            pass
        assert each.step() and rows(path, "SELECT seq FROM amended") == []
        assert found(history, "brand", EVERYWHERE, 9) == [5]
        event, line = edited(5, "newest", 32)
        append(history, [event], line)
        while builder.step():
            pass
        assert each.step()
        assert found(history, "brand", EVERYWHERE, 9) == []
        assert found(history, "newest", EVERYWHERE, 9) == [5]
    assert check(path).sound


def test_without_an_index_nothing_waits(tmp_path: Path) -> None:
    """A history whose lines are scanned for a search needs no table for it."""
    path = tmp_path / "history.db"
    with opened(path) as history, amending(path) as each:
        append(history, lines(1, 20))
        event, line = edited(5, "new", 21)
        append(history, [event], line)
        assert each.step()
        assert found(history, "new", EVERYWHERE, 9) == [5]


def test_a_block_is_whole(tmp_path: Path) -> None:
    """The row keeps what the index of places and a start need to know."""
    path = tmp_path / "history.db"
    with opened(path) as history, amending(path) as each:
        append(history, lines(1, 9))
        before = history.read(0, [GENERAL], 10**6).blocks
        append(history, [said(10)], said(4, "new"))
        assert each.step()
        (after, _) = history.read(0, [GENERAL], 10**6).blocks
        assert after._replace(packets=b"") == before[0]._replace(packets=b"")
        assert isinstance(after, Block) and history.restore().talkers[0] == (2, 7)

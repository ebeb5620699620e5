"""Readers: any number of threads read over a bounded number of connections and never delay the writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.errors import Closed, HistoryError
from chatroom.events import Event, EventKind
from server.database import connect
from server.limits import HISTORY_READERS
from server.readers import Readers
from server.storage import SqliteHistory
from tests.conftest import open_descriptors
from tests.server.histories import EVERYWHERE, NOW, QUIET, execute, lines, opened, recording, said, seqs


@contextmanager
def readable(path: Path, count: int) -> Iterator[tuple[SqliteHistory, Readers]]:
    """A history of `count` lines that can still be appended to, and Readers of its file."""
    with opened(path) as history:
        history.append(lines(1, count), [])
        with closing(Readers(path)) as readers:
            yield history, readers


def test_a_slow_reader_delays_nobody(tmp_path: Path) -> None:
    """During a read, batches are stored and other reads see them; the slow read itself does not."""
    with readable(tmp_path / "history.db", 5) as (history, readers):
        with readers.connection() as slow:
            assert slow.execute("SELECT max(seq) FROM events").fetchone() == (5,)
            history.append(lines(6, 10), [])
            assert seqs(readers.read(0, 100, EVERYWHERE))[-1] == 10
            assert slow.execute("SELECT max(seq) FROM events").fetchone() == (5,)
        assert seqs(readers.read(0, 100, EVERYWHERE))[-1] == 10


def test_connections_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many threads read, there are never more than HISTORY_READERS connections."""
    made: list[sqlite3.Connection] = []
    monkeypatch.setattr("server.readers.connect", recording(made))
    with readable(tmp_path / "history.db", 1000) as (_, readers):
        start = threading.Barrier(50)
        found: list[list[int]] = []

        def read() -> None:
            start.wait()
            found.append(readers.last_seqs(700, EVERYWHERE))

        threads = [threading.Thread(target=read) for _ in range(50)]
        before = len(open_descriptors())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [list(range(301, 1001))] * 50
        assert 1 <= len(made) <= HISTORY_READERS
        assert len(open_descriptors()) <= before + 3 * HISTORY_READERS


def test_a_read_that_has_ended_blocks_no_checkpoint(tmp_path: Path) -> None:
    """Even a read that stopped at its limit gives up its state: the whole WAL can be copied afterwards."""
    path = tmp_path / "history.db"
    with readable(path, 2000) as (history, readers), closing(connect(path)) as shell:
        readers.read(0, 3, EVERYWHERE)
        readers.last_seqs(3, EVERYWHERE)
        history.append(lines(2001, 2010), [])
        assert shell.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """The connections for reading are read-only: there is one writer."""
    with (
        readable(tmp_path / "history.db", 3) as (_, readers),
        pytest.raises(HistoryError, match="readonly"),
        readers.connection() as reader,
    ):
        reader.execute("DELETE FROM events")


def test_a_failed_read_does_not_harm_the_next(tmp_path: Path) -> None:
    """After an error in a read its connection is closed, and the next read has another one."""
    with readable(tmp_path / "history.db", 3) as (_, readers):
        for _ in range(2 * HISTORY_READERS):
            with pytest.raises(ZeroDivisionError), readers.connection():
                raise ZeroDivisionError
        assert seqs(readers.read(0, 10, EVERYWHERE)) == [1, 2, 3]


def test_an_event_of_an_unknown_kind_is_damage(tmp_path: Path) -> None:
    """An event kind that the program does not know is reported as damage, with the path."""
    path = tmp_path / "history.db"
    with readable(path, 3) as (_, readers):
        execute(path, "UPDATE events SET kind = 99 WHERE seq = 2")
        with pytest.raises(HistoryError, match=f"{path} is damaged: there is no event of kind 99"):
            readers.read(0, 10, EVERYWHERE)


def test_damaged_places_are_damage(tmp_path: Path) -> None:
    """An event whose places are no JSON is reported with the path, and not read as something else."""
    path = tmp_path / "history.db"
    with readable(path, 3) as (_, readers):
        execute(path, "UPDATE events SET places = '[1' WHERE seq = 2")
        with pytest.raises(HistoryError, match=f"{path}: malformed JSON"):
            readers.read(0, 10, EVERYWHERE)


def test_only_the_spans_of_the_places_are_visited(tmp_path: Path) -> None:
    """An event of several places has a span for each of them, and none for place 0."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append([Event(1, NOW, EventKind.QUIT, "", "ann", "", person=1, places=(1, 2))], [])
        history.append([Event(2, NOW, EventKind.RESTARTED, "", "", "")], [])
        history.append([said(600, place=QUIET)], [])
    with closing(connect(path, "mode=ro")) as shell:
        assert shell.execute("SELECT * FROM spans").fetchall() == [(0, 0), (0, 1), (0, 2), (2, 2)]


def test_closing(tmp_path: Path) -> None:
    """After close() a new read raises Closed; a read that is in progress still ends normally."""
    with readable(tmp_path / "history.db", 3) as (_, readers):
        with readers.connection() as reader:
            readers.close()
            assert reader.execute("SELECT count(*) FROM events").fetchone() == (3,)
        with pytest.raises(Closed):
            readers.read(0, 10, EVERYWHERE)


def test_a_closed_history_is_not_read(tmp_path: Path) -> None:
    """Closing the history closes its readers."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 3), [])
    with pytest.raises(Closed):
        history.read(0, 10, EVERYWHERE)


@pytest.mark.parametrize("count", [255, 256, 257, 511, 512, 513])
def test_the_edges_of_the_spans(tmp_path: Path, count: int) -> None:
    """Around the ends of the spans of the index of places no event is missed or read twice."""
    with readable(tmp_path / "history.db", count) as (history, readers):
        history.append([said(count + 1, place=QUIET)], [])
        for after in range(max(0, count - 3), count + 2):
            assert seqs(readers.read(after, 10, EVERYWHERE)) == list(range(after + 1, count + 2))
        assert readers.last_seqs(3, EVERYWHERE) == [count - 1, count, count + 1]
        assert readers.last_seqs(3, [QUIET]) == [count + 1]

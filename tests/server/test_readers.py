"""Readers: any number of threads read over a bounded number of connections and never delay the writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.errors import Closed, HistoryError
from server.database import connect
from server.limits import HISTORY_READERS
from server.readers import Readers
from server.storage import SqliteHistory
from tests.conftest import open_descriptors
from tests.server.histories import (
    EVERYWHERE,
    GENERAL,
    QUIET,
    amend,
    blocks_of,
    execute,
    lines,
    opened,
    read,
    recording,
    said,
    seqs,
    store,
)


@contextmanager
def readable(path: Path, count: int) -> Iterator[tuple[SqliteHistory, Readers]]:
    """A history of `count` lines that can still be appended to, and Readers of its file."""
    with opened(path) as history:
        store(history, lines(1, count))
        with closing(Readers(path)) as readers:
            yield history, readers


def test_a_slow_reader_delays_nobody(tmp_path: Path) -> None:
    """During a read, batches are stored and other reads see them; the slow read itself does not."""
    with readable(tmp_path / "history.db", 5) as (history, readers):
        with readers.connection() as slow:
            assert slow.execute("SELECT max(last) FROM blocks").fetchone() == (5,)
            store(history, lines(6, 10))
            assert seqs(read(history))[-1] == 10
            assert slow.execute("SELECT max(last) FROM blocks").fetchone() == (5,)
        assert seqs(read(history))[-1] == 10


def test_connections_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many threads read, there are never more than HISTORY_READERS connections."""
    made: list[sqlite3.Connection] = []
    monkeypatch.setattr("server.readers.connect", recording(made))
    with readable(tmp_path / "history.db", 1000) as (_, readers):
        start = threading.Barrier(50)
        found: list[int] = []

        def look() -> None:
            start.wait()
            found.append(readers.start_of(700, GENERAL))

        threads = [threading.Thread(target=look) for _ in range(50)]
        before = len(open_descriptors())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [300] * 50
        assert 1 <= len(made) <= HISTORY_READERS
        assert len(open_descriptors()) <= before + 3 * HISTORY_READERS


def test_a_read_that_has_ended_blocks_no_checkpoint(tmp_path: Path) -> None:
    """Even a read that stopped at its limit gives up its state: the whole WAL can be copied afterwards."""
    path = tmp_path / "history.db"
    with readable(path, 2000) as (history, readers), closing(connect(path)) as shell:
        readers.read(0, EVERYWHERE, 3)
        readers.start_of(3, GENERAL)
        store(history, lines(2001, 2010))
        assert shell.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """The connections for reading are read-only: there is one writer."""
    with (
        readable(tmp_path / "history.db", 3) as (_, readers),
        pytest.raises(HistoryError, match="readonly"),
        readers.connection() as reader,
    ):
        reader.execute("DELETE FROM blocks")


def test_a_failed_read_does_not_harm_the_next(tmp_path: Path) -> None:
    """After an error in a read its connection is closed, and the next read has another one."""
    with readable(tmp_path / "history.db", 3) as (_, readers):
        for _ in range(2 * HISTORY_READERS):
            with pytest.raises(ZeroDivisionError), readers.connection():
                raise ZeroDivisionError
        assert readers.read(0, EVERYWHERE, 10**6).blocks == blocks_of(lines(1, 3))


@pytest.mark.parametrize(
    "change",
    [
        "packets = substr(packets, 1, 100)",
        "packets = substr(packets, 1, length(packets) - 1)",
        "talkers = x'00'",
        "places = '[1'",
    ],
)
def test_damaged_rows_are_damage(tmp_path: Path, change: str) -> None:
    """A row that is no block is reported with the path, and not read as something else."""
    path = tmp_path / "history.db"
    with readable(path, 3) as (_, readers):
        execute(path, f"UPDATE blocks SET {change}")
        with pytest.raises(HistoryError, match=f"{path}"):
            readers.read(1, EVERYWHERE, 1000)


def test_amended_packets_are_read_instead(tmp_path: Path) -> None:
    """A reader gets what was amended in the place of what was said, also in a block that is cut."""
    path = tmp_path / "history.db"
    changed = [said(seq)._replace(text="changed" * (seq * 1000)) for seq in (2, 5)]
    with opened(path) as history:
        store(history, [*lines(1, 3), *lines(4, 4, QUIET), *lines(5, 6)])
        amend(path, *changed)
        wanted = [said(1), changed[0], said(3), said(4, place=QUIET), changed[1], said(6)]
        assert read(history) == wanted
        assert read(history, 1) == wanted[1:]
        assert read(history, 4, [GENERAL]) == wanted[4:]
        assert read(history, 0, [QUIET]) == [wanted[3]]


def test_closing(tmp_path: Path) -> None:
    """After close() a new read raises Closed; a read that is in progress still ends normally."""
    with readable(tmp_path / "history.db", 3) as (_, readers):
        with readers.connection() as reader:
            readers.close()
            assert reader.execute("SELECT count(*) FROM blocks").fetchone() == (1,)
        with pytest.raises(Closed):
            readers.read(0, EVERYWHERE, 10)


def test_a_closed_history_is_not_read(tmp_path: Path) -> None:
    """Closing the history closes its readers."""
    with opened(tmp_path / "history.db") as history:
        store(history, lines(1, 3))
    with pytest.raises(Closed):
        history.read(0, EVERYWHERE, 10)

"""Reading from many threads: bounded, and never in the writer's way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from chatroom.errors import Closed, HistoryError
from server.limits import HISTORY_READERS
from server.schema import transaction
from tests.conftest import open_descriptors
from tests.server.histories import EVERYWHERE, lines, opened, said, seqs


def test_a_slow_reader_holds_nobody_up(tmp_path: Path) -> None:
    """While a read is in progress batches are stored, other reads see them, and the slow one does not."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 5), [], [])
        with history._readers._reader() as slow:
            assert slow.execute("SELECT max(seq) FROM events").fetchone() == (5,)
            history.append(lines(6, 10), [], [])
            assert seqs(history.read(0, 100, EVERYWHERE))[-1] == 10
            assert slow.execute("SELECT max(seq) FROM events").fetchone() == (5,)
        assert history.restore().head == 10


def test_connections_are_shared(tmp_path: Path) -> None:
    """However many threads read, there are never more than HISTORY_READERS connections."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 1000), [], [])
        start = threading.Barrier(50)
        found: list[list[int]] = []

        def read() -> None:
            start.wait()
            found.append(history.last_seqs(700, EVERYWHERE))

        threads = [threading.Thread(target=read) for _ in range(50)]
        before = len(open_descriptors())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [list(range(301, 1001))] * 50
        assert 1 <= len(history._readers._idle) <= HISTORY_READERS
        assert len(open_descriptors()) <= before + 3 * HISTORY_READERS


def test_nothing_is_pinned_after_a_read(tmp_path: Path) -> None:
    """A read that stopped in the middle lets go of what it saw: all of the log can be moved afterwards."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 2000), [], [])
        history.read(0, 3, EVERYWHERE)
        history.last_seqs(3, EVERYWHERE)
        history.append(lines(2001, 2010), [], [])
        moved = history._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert moved == (0, 0, 0)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """The connections for reading are read-only: there is one writer."""
    with (
        opened(tmp_path / "history.db") as history,
        pytest.raises(HistoryError, match="readonly"),
        history._readers._reader() as reader,
    ):
        reader.execute("DELETE FROM events")


def test_a_failed_read_does_not_spoil_the_next(tmp_path: Path) -> None:
    """After an error in a read, its connection is thrown away and the next read has another."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 3), [], [])
        for _ in range(2 * HISTORY_READERS):
            with pytest.raises(ZeroDivisionError), history._readers._reader():
                raise ZeroDivisionError
        assert seqs(history.read(0, 10, EVERYWHERE)) == [1, 2, 3]


def test_an_event_of_an_unknown_kind_is_damage(tmp_path: Path) -> None:
    """A kind that no version of this file has is told as damage, with the path."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 3), [], [])
        with transaction(history._writer):
            history._writer.execute("UPDATE events SET kind = 99 WHERE seq = 2")
        with pytest.raises(HistoryError, match=f"{path} is damaged: there is no event of kind 99"):
            history.read(0, 10, EVERYWHERE)


def test_after_closing(tmp_path: Path) -> None:
    """Who reads when the server has closed its history is told so; a read in progress ends in peace."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 3), [], [])
        with history._readers._reader() as reader:
            history._readers.close()
            assert reader.execute("SELECT count(*) FROM events").fetchone() == (3,)
        with pytest.raises(Closed):
            history.read(0, 10, EVERYWHERE)


@pytest.mark.parametrize("count", [255, 256, 257, 511, 512, 513])
def test_the_edges_of_the_stretches(tmp_path: Path, count: int) -> None:
    """Around the ends of the stretches that the channel index knows, no event is missed or doubled."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, count), [], [])
        history.append([said(count + 1, channel="#quiet")], [], [])
        for after in range(max(0, count - 3), count + 2):
            assert seqs(history.read(after, 10, EVERYWHERE)) == list(range(after + 1, count + 2))
        assert history.last_seqs(3, EVERYWHERE) == [count - 1, count, count + 1]
        assert history.last_seqs(3, ["#quiet"]) == [count + 1]

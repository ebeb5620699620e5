"""Tidying up in the background: the log stays short, and what is not kept goes, in small steps."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from server import tidier
from server.history_tool import check
from server.limits import RETENTION_STEP
from server.schema import connect
from server.storage import Keep, SqliteHistory
from tests.server.histories import EVERYWHERE, all_in, lines, opened, said, seqs

STOPPING = threading.Event()
DAY = 24 * 3600 * 1000


@contextmanager
def tended(history: SqliteHistory) -> Iterator[None]:
    """The history's background thread, for as long as the block lasts."""
    stopping = threading.Event()
    thread = threading.Thread(target=history.tend, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def kept(history: SqliteHistory) -> list[int]:
    history._tidier.tidy(STOPPING)
    return seqs(history.read(0, 10**9, EVERYWHERE))


def test_all_is_kept_when_nobody_says_otherwise(tmp_path: Path) -> None:
    """Without --keep nothing is ever removed, however old."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 500, at=0), [], [])
        assert kept(history) == list(range(1, 501))


@pytest.mark.parametrize("count", [1, 99, 100, 101, 256, 257, 5000])
def test_so_many_events_are_kept(tmp_path: Path, count: int) -> None:
    """--keep 100 leaves exactly the latest hundred, also over several steps."""
    with opened(tmp_path / "history.db", keep=Keep(events=100)) as history:
        history.append(lines(1, count), [], [])
        assert kept(history) == list(range(max(1, count - 99), count + 1))
    assert check(tmp_path / "history.db").sound


def test_so_many_days_are_kept(tmp_path: Path) -> None:
    """--keep 90d removes what is older than ninety days, and nothing younger."""
    now = int(time.time() * 1000)
    with opened(tmp_path / "history.db", keep=Keep(days=90)) as history:
        history.append(lines(1, 300, at=now - 91 * DAY), [], [])
        history.append(lines(301, 400, at=now - 89 * DAY), [], [])
        assert kept(history) == list(range(301, 401))


def test_the_log_has_no_holes(tmp_path: Path) -> None:
    """An old time in the middle (a clock that was set back) does not make a hole: only the beginning goes."""
    now = int(time.time() * 1000)
    with opened(tmp_path / "history.db", keep=Keep(days=90)) as history:
        for first, days in ((1, 91), (101, 1), (201, 91), (301, 0)):
            history.append(lines(first, first + 99, at=now - days * DAY), [], [])
        assert kept(history) == list(range(101, 401))


def test_seqs_go_on_when_everything_was_removed(tmp_path: Path) -> None:
    """A seq is never given twice, even if nothing is left of the events that had it."""
    path = tmp_path / "history.db"
    with opened(path, keep=Keep(days=1)) as history:
        history.append(lines(1, 500, at=0), [], [])
        assert kept(history) == []
        assert history.last_seqs(50, EVERYWHERE) == []
        assert history.restore().head == 500
    with opened(path, keep=Keep(days=1)) as history:
        assert history.restore().head == 500
        history.append([said(501, at=int(time.time() * 1000))], [], [])
        assert kept(history) == [501]
    with closing(connect(path)) as look:  # nothing is left of the index of what was removed, either
        assert look.execute("SELECT span FROM spans").fetchall() == [(1,)]


def test_removing_in_small_steps(tmp_path: Path) -> None:
    """No transaction removes more than RETENTION_STEP events, and batches are stored between two of them."""
    with opened(tmp_path / "history.db", keep=Keep(events=10)) as history:
        head = 3 * RETENTION_STEP
        history.append(lines(1, head), [], [])
        for step in (1, 2):
            assert history._tidier._retire()
            head += 1
            history.append([said(head)], [], [])
            assert seqs(history.read(0, 10**9, EVERYWHERE)) == list(
                range(step * RETENTION_STEP + 1, head + 1)
            )
        assert history._tidier._retire()
        assert not history._tidier._retire()
        assert seqs(history.read(0, 10**9, EVERYWHERE)) == list(range(head - 9, head + 1))


def test_removing_stops_at_once(tmp_path: Path) -> None:
    """A server that closes does not wait for the removing of a million events."""
    stopping = threading.Event()
    stopping.set()
    with opened(tmp_path / "history.db", keep=Keep(events=10)) as history:
        history.append(lines(1, 3 * RETENTION_STEP), [], [])
        history._tidier.tidy(stopping)
        assert len(history.read(0, 10**9, EVERYWHERE)) == 2 * RETENTION_STEP


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are reached within milliseconds."""
    monkeypatch.setattr(tidier, "CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(tidier, "WAL_BYTES", 300_000)
    monkeypatch.setattr(tidier, "TEND_SECONDS", 0.001)
    monkeypatch.setattr("server.schema.CHECKPOINT_BYTES", 100_000)


@pytest.mark.usefixtures("small_log")
def test_the_log_is_bounded_however_busy_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that stores a batch during every checkpoint does not make the log grow without end."""
    path, log = tmp_path / "history.db", tmp_path / "history.db-wal"
    longest = written = head = 0

    def append() -> None:
        nonlocal head, written
        batch = [said(seq, "x" * 2000) for seq in range(head + 1, head + 21)]
        history.append(batch, [], [])
        head += 20
        written += 20 * 2000

    def move_while_busy() -> None:
        if history._turn.locked():
            return move()
        with history._readers._reader() as slow:  # makes the checkpoint end where it began, as a batch would
            slow.execute("SELECT count(*) FROM state").fetchone()
            append()
            return move()

    with opened(path) as history:
        move = history._tidier._move
        monkeypatch.setattr(history._tidier, "_move", move_while_busy)
        for _ in range(60):
            append()
            history._tidier.tidy(STOPPING)
            longest = max(longest, log.stat().st_size)
    assert longest < 600_000 < written / 5
    assert seqs(all_in(path)) == list(range(1, head + 1))


@pytest.mark.usefixtures("small_log")
def test_an_idle_history_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was moved once is not moved again: an idle server writes nothing."""
    moves: list[int] = []
    with opened(tmp_path / "history.db") as history:
        move = history._tidier._move

        def counted() -> None:
            moves.append(1)
            move()

        monkeypatch.setattr(history._tidier, "_move", counted)
        history.append(lines(1, 3000), [], [])
        for _ in range(5):
            history._tidier.tidy(STOPPING)
        assert len(moves) == 1
        history.append(lines(3001, 3001), [], [])  # begins the log anew, in which there is little now
        for _ in range(5):
            history._tidier.tidy(STOPPING)
        assert len(moves) == 1


@pytest.mark.usefixtures("small_log")
def test_trouble_is_told_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that fails while tidying up makes one log line, not one a second, and is tried again."""
    tries = threading.Semaphore(0)
    repaired, worked = threading.Event(), threading.Event()

    def move() -> None:
        tries.release()
        if not repaired.is_set():
            raise sqlite3.OperationalError("disk I/O error")
        worked.set()

    with opened(tmp_path / "history.db") as history, caplog.at_level(logging.WARNING):
        monkeypatch.setattr(history._tidier, "_move", move)
        history.append(lines(1, 3000), [], [])
        with tended(history):
            assert all(tries.acquire(timeout=2.0) for _ in range(5))
            repaired.set()
            assert worked.wait(2.0)
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == ["disk I/O error"]

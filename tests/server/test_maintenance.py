"""Maintenance: the WAL stays short, and expired events are removed in small steps."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.errors import HistoryError
from server import maintenance
from server.database import checkpoint, connect
from server.history_files import HistoryFiles
from server.retention import Retention
from server.storage import SqliteHistory
from tests.server.histories import all_in, execute, lines, maintained, opened, run, said, seqs, store, stored


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches within milliseconds."""
    monkeypatch.setattr(maintenance, "CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(maintenance, "WAL_BYTES", 300_000)
    monkeypatch.setattr(maintenance, "TEND_SECONDS", 0.001)
    monkeypatch.setattr("server.database.CHECKPOINT_BYTES", 100_000)


@pytest.mark.usefixtures("small_limits")
def test_the_background_thread_does_both(tmp_path: Path) -> None:
    """`tend` of a history checkpoints its WAL and removes its expired events, until it is stopped."""
    path = tmp_path / "history.db"
    stopping = threading.Event()
    with opened(path, retention=Retention(events=10)) as history:
        store(history, lines(1, 3000), noted=10**6)
        thread = threading.Thread(target=history.tend, args=(stopping,))
        thread.start()
        try:
            end = time.monotonic() + 10
            while (stored(history)[0] != 2991 or path.stat().st_size < 100_000) and time.monotonic() < end:
                time.sleep(0.001)
        finally:
            stopping.set()
            thread.join()
        assert stored(history) == list(range(2991, 3001))
        assert path.stat().st_size > 100_000  # before the checkpoint all of it was in the WAL


@pytest.mark.usefixtures("small_limits")
def test_the_wal_is_bounded_however_busy_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that stores a batch during every checkpoint does not make the WAL grow without end."""
    path, wal = tmp_path / "history.db", tmp_path / "history.db-wal"
    write_lock = threading.Lock()
    longest = written = head = 0

    def append() -> None:
        nonlocal head, written
        batch = [said(seq, "x" * 2000) for seq in range(head + 1, head + 21)]
        store(history, batch)
        head += 20
        written += 20 * 2000

    def checkpoint_while_busy(connection: sqlite3.Connection) -> bool:
        if write_lock.locked():
            return checkpoint(connection)
        with closing(connect(path, "mode=ro")) as slow:  # its read ends the checkpoint before the new batch
            slow.execute("BEGIN")
            slow.execute("SELECT count(*) FROM state").fetchone()
            append()
            return checkpoint(connection)

    monkeypatch.setattr(maintenance, "checkpoint", checkpoint_while_busy)
    with maintained(path, write_lock=write_lock) as (history, upkeep):
        for _ in range(60):
            append()
            run(upkeep)
            longest = max(longest, wal.stat().st_size)
    assert longest < 600_000 < written / 5
    assert seqs(all_in(path)) == list(range(1, head + 1))


@pytest.mark.usefixtures("small_limits")
def test_an_idle_history_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WAL without new batches is not checkpointed again: an idle server writes nothing."""
    checkpoints: list[sqlite3.Connection] = []

    def counted(connection: sqlite3.Connection) -> bool:
        checkpoints.append(connection)
        return checkpoint(connection)

    monkeypatch.setattr(maintenance, "checkpoint", counted)
    monkeypatch.setattr("server.search.can_search", lambda _connection: False)  # its index would grow
    with maintained(tmp_path / "history.db") as (history, upkeep):
        store(history, lines(1, 3000), noted=10**6)
        for _ in range(5):
            run(upkeep)
        assert len(checkpoints) == 1
        store(history, lines(3001, 3001), noted=10**6)  # the WAL restarts and is short now
        for _ in range(5):
            run(upkeep)
        assert len(checkpoints) == 1


@pytest.mark.usefixtures("small_limits")
def test_a_failure_is_logged_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that fails during maintenance makes one log line, not one per round; later rounds try again."""
    tries = threading.Semaphore(0)
    stopping, repaired, worked = threading.Event(), threading.Event(), threading.Event()

    def failing(_connection: sqlite3.Connection) -> bool:
        tries.release()
        if not repaired.is_set():
            raise sqlite3.OperationalError("disk I/O error")
        worked.set()
        return True

    monkeypatch.setattr(maintenance, "checkpoint", failing)
    with maintained(tmp_path / "history.db") as (history, upkeep), caplog.at_level(logging.WARNING):
        store(history, lines(1, 3000), noted=10**6)
        thread = threading.Thread(target=upkeep.tend, args=(stopping,))
        thread.start()
        try:
            assert all(tries.acquire(timeout=2.0) for _ in range(5))
            repaired.set()
            assert worked.wait(2.0)
        finally:
            stopping.set()
            thread.join()
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == ["disk I/O error"]


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("change", ["packets = substr(packets, 1, 30)", "packets = x'01'", "lines = 'x'"])
def test_a_damaged_block_does_not_end_the_maintenance(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    """Of a block that cannot be decoded a warning tells, with the path; checkpoints go on."""
    path = tmp_path / "history.db"
    stopping = threading.Event()
    with opened(path, retention=Retention(days=1)) as history:
        store(history, lines(1, 10))
        store(history, lines(11, 3000))
        execute(path, f"UPDATE blocks SET {change} WHERE first = 1")
        thread = threading.Thread(target=history.tend, args=(stopping,))
        thread.start()
        try:
            end = time.monotonic() + 10
            while path.stat().st_size < 100_000 and time.monotonic() < end:
                time.sleep(0.001)
        finally:
            alive = thread.is_alive()
            stopping.set()
            thread.join()
    assert alive
    assert path.stat().st_size > 100_000
    assert [message.split(": ")[0] for message in caplog.messages] == [f"{path} is damaged"]


class Busy(threading.Event):
    """Lets a maintenance go on for so many pauses. In each of them the server stores a line."""

    def __init__(self, history: SqliteHistory, head: int, pauses: int) -> None:
        super().__init__()
        self._history, self.head, self._left = history, head, pauses

    def wait(self, timeout: float | None = None) -> bool:
        self.head += 1
        self._left -= 1
        store(self._history, [said(self.head)], noted=self.head)
        return self._left <= 0


def small_blocks(path: Path) -> list[int]:
    """How many blocks there are, and up to where the small ones are merged."""
    with closing(connect(path, "mode=ro")) as shell:
        query = "SELECT (SELECT count(*) FROM blocks), (SELECT value FROM state WHERE name = 'settled')"
        return list(shell.execute(query).fetchone())


def test_removing_under_load_leaves_time_for_merging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If each pause brings a line that makes another one expire, small blocks are merged all the same."""
    monkeypatch.setattr("server.rows.MERGE_WINDOW", 64)
    monkeypatch.setattr(maintenance, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(maintenance, "TEND_SECONDS", 0.0)
    path = tmp_path / "history.db"
    with opened(path, retention=Retention(events=300)) as history:
        for seq in range(1, 301):
            store(history, [said(seq)], noted=seq)
        history.tend(Busy(history, 300, 200))
        blocks, settled = small_blocks(path)
        assert stored(history)[0] >= 195
        assert settled >= 256
        assert blocks < 250


def test_the_files_are_watched_during_long_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who removes the file is found out although the removal of events has no end."""
    pauses = 50
    watched: list[HistoryFiles] = []

    def trouble(files: HistoryFiles) -> str:
        watched.append(files)
        return ""

    monkeypatch.setattr(HistoryFiles, "trouble", trouble)
    monkeypatch.setattr(maintenance, "TEND_SECONDS", 0.0)
    with opened(tmp_path / "history.db", retention=Retention(events=10)) as history:
        store(history, lines(1, 10), noted=10)
        history.tend(Busy(history, 10, pauses))
    assert len(watched) >= pauses - 2


def test_a_damaged_block_does_not_stop_the_merging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the removal fails in each round, the other parts of the maintenance have their turns."""
    monkeypatch.setattr("server.rows.MERGE_WINDOW", 64)
    path = tmp_path / "history.db"
    with maintained(path, Retention(days=1)) as (history, upkeep):
        for seq in range(1, 301):
            store(history, [said(seq)], noted=seq)
        execute(path, "UPDATE blocks SET packets = x'01' WHERE first = 1")
        with pytest.raises(HistoryError, match="is damaged"):
            run(upkeep)
        blocks, settled = small_blocks(path)
        assert settled >= 128
        assert blocks < 250


@pytest.mark.usefixtures("small_limits")
def test_a_foreign_reader_holds_a_checkpoint_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A checkpoint that a foreign reader has blocked is tried again, and the operator is told of it."""
    path, wal = tmp_path / "history.db", tmp_path / "history.db-wal"
    monkeypatch.setattr(maintenance, "BLOCKED_SECONDS", 0.0)
    with maintained(path) as (history, upkeep), closing(connect(path, "mode=ro")) as shell:
        shell.execute("BEGIN")
        shell.execute("SELECT count(*) FROM blocks").fetchone()
        store(history, lines(1, 3000), noted=10**6)
        store(history, lines(3001, 3010), noted=10**6)
        for _ in range(4):
            run(upkeep)
        assert path.stat().st_size < 100_000 < wal.stat().st_size
        assert [record.getMessage().split(":")[0] for record in caplog.records] == [
            f"another program has read {path} for a long time"
        ]
        shell.execute("ROLLBACK")
        run(upkeep)
        assert path.stat().st_size > 100_000
        store(history, lines(3011, 3011), noted=10**6)  # the WAL restarts
        assert wal.stat().st_size < 100_000

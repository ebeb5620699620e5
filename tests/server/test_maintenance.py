"""Maintenance: the WAL stays short, and expired events are removed in small steps."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from server import maintenance
from server.database import checkpoint, connect
from server.history_tool import check
from server.limits import RETENTION_STEP
from server.maintenance import Maintenance
from server.retention import PROOF, Retention
from server.storage import SqliteHistory
from tests.server.histories import GENERAL, NOW, all_in, lines, opened, read, said, seqs, store

DAY = 24 * 3600 * 1000


class Wall:
    """A wall clock that the test moves; times are in milliseconds since 1970."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now / 1000


@contextmanager
def maintained(
    path: Path,
    retention: Retention | None = None,
    write_lock: threading.Lock | None = None,
    wall: Wall | None = None,
) -> Iterator[tuple[SqliteHistory, Maintenance]]:
    """A history that retains everything, and a Maintenance for its file that is run by hand.

    Without `wall`, the clock has proven itself.
    """
    clock, lock = wall or Wall(), write_lock or threading.Lock()
    with (
        opened(path) as history,
        closing(Maintenance(path, lock, retention or Retention(), wall=clock)) as upkeep,
    ):
        if wall is None:
            clock.now -= PROOF
            run(upkeep)
            clock.now += PROOF
        yield history, upkeep


def run(upkeep: Maintenance) -> None:
    """One complete round."""
    upkeep.run(threading.Event())


def stored(history: SqliteHistory) -> list[int]:
    """The seqs of all events in the history."""
    return seqs(read(history))


def test_everything_is_retained_by_default(tmp_path: Path) -> None:
    """Without --keep nothing is removed, however old it is."""
    with maintained(tmp_path / "history.db") as (history, upkeep):
        store(history, lines(1, 500, at=0), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(1, 501))


@pytest.mark.parametrize("count", [1, 99, 100, 101, 256, 257, 5000])
def test_a_number_of_events_is_retained(tmp_path: Path, count: int) -> None:
    """--keep 100 retains exactly the latest hundred, also when the removal takes several steps."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(events=100)) as (history, upkeep):
        store(history, lines(1, count), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(max(1, count - 99), count + 1))
    assert check(path).sound


def test_a_number_of_days_is_retained(tmp_path: Path) -> None:
    """--keep 90d removes the events older than ninety days, and no younger ones."""
    now = NOW
    with maintained(tmp_path / "history.db", Retention(days=90)) as (history, upkeep):
        store(history, lines(1, 300, at=now - 91 * DAY), noted=10**6)
        store(history, lines(301, 400, at=now - 89 * DAY), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(301, 401))
        assert history.locate(300) == (0, 301)
        assert history.locate(301) == (now - 89 * DAY, 301)


def test_a_clock_that_jumps_ahead_removes_nothing(tmp_path: Path) -> None:
    """--keep 90d with a clock a year ahead removes no line of today; it has an hour to be corrected."""
    wall = Wall()
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        store(history, lines(1, 100, at=NOW - 91 * DAY), noted=10**6)
        store(history, lines(101, 200, at=NOW), noted=10**6)
        run(upkeep)
        assert len(stored(history)) == 200  # nobody knows yet whether the clock is right
        wall.now += 365 * DAY
        run(upkeep)
        store(history, lines(201, 300, at=wall.now), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(101, 301))  # by the clock as it was before
        wall.now -= 365 * DAY - PROOF
        run(upkeep)
        assert stored(history) == list(range(101, 301))
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        wall.now += 365 * DAY - 1
        run(upkeep)  # a start with a wrong clock: the latest event proves nothing beyond itself
        assert stored(history) == list(range(101, 301))


def test_an_hour_of_the_same_clock_is_believed(tmp_path: Path) -> None:
    """After an hour --keep goes by the clock, whatever it was before."""
    wall = Wall()
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        store(history, lines(1, 100, at=NOW), noted=10**6)
        wall.now += 91 * DAY
        run(upkeep)
        assert len(stored(history)) == 100
        wall.now += PROOF
        run(upkeep)
        assert stored(history) == []


def test_a_class_of_less_than_an_hour_a_day(tmp_path: Path) -> None:
    """The latest event of the day before is proof enough: --keep works for a server that never runs long."""
    path, wall = tmp_path / "history.db", Wall()
    with opened(path) as history:
        store(history, lines(1, 100, at=NOW - 92 * DAY), noted=10**6)
        store(history, lines(101, 200, at=NOW - DAY), noted=10**6)
    with maintained(path, Retention(days=90), wall=wall) as (history, upkeep):
        run(upkeep)
        assert stored(history) == list(range(101, 201))


def test_events_of_the_future_hold_nothing_back(tmp_path: Path) -> None:
    """Lines with the time of a clock that was ahead expire with their neighbours, in small steps, too."""
    wall, count = Wall(), RETENTION_STEP + 100
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        store(history, lines(1, count, at=NOW + 365 * DAY), noted=10**6)
        store(history, lines(count + 1, count + 10, at=NOW - 91 * DAY), noted=10**6)
        store(history, lines(count + 11, count + 20, at=NOW + 365 * DAY), noted=10**6)
        run(upkeep)
        wall.now += PROOF
        assert upkeep.remove_expired()
        assert stored(history)[0] == RETENTION_STEP + 1
        run(upkeep)
        assert stored(history) == list(range(count + 11, count + 21))  # nothing behind them is old
        store(history, lines(count + 21, count + 30, at=NOW), noted=10**6)
        run(upkeep)
        assert len(stored(history)) == 20


YESTERDAY = "2027-01-14T07:00:00.000Z"


@pytest.mark.parametrize(
    ("retention", "said"),
    [
        (Retention(events=50), [f"--keep 50events removes the events up to {YESTERDAY} now: 250 of 300"]),
        (
            Retention(days=1),
            [
                "--keep 1d removes the events up to 2027-01-12T08:00:00.000Z now: 100 of 300",
                f"--keep 1d removes the events up to {YESTERDAY} when the clock has been right for an hour:"
                " 250 of 300",
            ],
        ),
        (Retention(events=1000), []),
        (Retention(days=9), []),
        (Retention(), []),
    ],
)
def test_the_operator_is_told_what_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, retention: Retention, said: list[str]
) -> None:
    """The start of a server says how much --keep removes, before it does."""
    path, wall, stopping = tmp_path / "history.db", Wall(), threading.Event()
    with opened(path) as history:
        store(history, lines(1, 100, at=NOW - 3 * DAY), noted=10**6)
        store(history, lines(101, 200, at=NOW - DAY - PROOF), noted=10**6)
        store(history, lines(201, 250, at=NOW - DAY - PROOF), noted=10**6)
        store(history, lines(251, 300, at=NOW - PROOF), noted=10**6)
    with maintained(path, retention, wall=wall) as (history, upkeep), caplog.at_level(logging.WARNING):
        stopping.set()
        upkeep.tend(stopping)
    assert [record.getMessage() for record in caplog.records] == said


def test_the_history_has_no_gaps(tmp_path: Path) -> None:
    """Only the beginning is removed: an old event behind a young one (a clock was set back) is retained."""
    now = NOW
    with maintained(tmp_path / "history.db", Retention(days=90)) as (history, upkeep):
        for first, days in ((1, 91), (101, 1), (201, 91), (301, 0)):
            store(history, lines(first, first + 99, at=now - days * DAY), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(101, 401))


def test_seqs_continue_after_everything_was_removed(tmp_path: Path) -> None:
    """A seq is never given twice, even when no event is left."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(days=1)) as (history, upkeep):
        store(history, lines(1, 500, at=0), noted=10**6)
        run(upkeep)
        assert stored(history) == [] and history.start_of(50, GENERAL, 600) == 600
        assert history.restore().head == 500
        assert history.locate(500) == (0, 501)
    with maintained(path, Retention(days=1)) as (history, upkeep):
        assert history.restore().head == 500
        store(history, [said(501, at=NOW)], noted=10**6)
        run(upkeep)
        assert stored(history) == [501]
    with closing(connect(path)) as shell:
        assert shell.execute("SELECT first FROM blocks").fetchall() == [(501,)]


def test_events_are_removed_in_small_steps(tmp_path: Path) -> None:
    """No transaction removes more than RETENTION_STEP events, and batches are stored between two of them."""
    with maintained(tmp_path / "history.db", Retention(events=10)) as (history, upkeep):
        head = 3 * RETENTION_STEP
        store(history, lines(1, head), noted=10**6)
        for step in (1, 2):
            assert upkeep.remove_expired()
            head += 1
            store(history, [said(head)], noted=10**6)
            assert stored(history) == list(range(step * RETENTION_STEP + 1, head + 1))
        assert upkeep.remove_expired()
        assert not upkeep.remove_expired()
        assert stored(history) == list(range(head - 9, head + 1))


def test_removing_stops_at_once(tmp_path: Path) -> None:
    """A server that closes does not wait until a million events are removed."""
    stopping = threading.Event()
    stopping.set()
    with maintained(tmp_path / "history.db", Retention(events=10)) as (history, upkeep):
        store(history, lines(1, 3 * RETENTION_STEP), noted=10**6)
        upkeep.run(stopping)
        assert len(stored(history)) == 2 * RETENTION_STEP


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

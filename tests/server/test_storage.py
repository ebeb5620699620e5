"""The history in a file: one transaction per batch, and no loss when the disk or the server fails."""

from __future__ import annotations

import itertools
import os
import queue
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.blocks import Block
from chatroom.errors import HistoryError, HistoryFull
from chatroom.events import Event, EventKind
from chatroom.records import Record
from server.database import connect, pragma, transaction
from server.maintenance import Maintenance
from server.retention import Retention
from server.storage import Durability, SqliteHistory, default_path
from tests.server.histories import (
    GENERAL,
    NOW,
    QUIET,
    all_in,
    blocks_of,
    execute,
    lines,
    opened,
    opened_with_writer,
    read,
    said,
    seqs,
    store,
)

ANN = Record("session", "key of ann", '{"name": "ann"}')


def stored(history: SqliteHistory) -> tuple[int, list[Record]]:
    """Head and records."""
    restored = history.restore()
    return restored.head, restored.records


def test_identity_and_position_outlive_the_server(tmp_path: Path) -> None:
    """They are stored with each batch, and neither is a record."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        identity = history.restore().identity
        history.append(blocks_of(lines(1, 2)), [], b"\0first")
    for before, after in ((b"\0first", b"second"), (b"second", b"second"), (b"second", b"")):
        with opened(path) as history:
            assert history.restore()[:5] == (identity, before, 2, NOW, [])
            history.append([], [], after)
    with opened(path) as history:
        assert history.restore().position == b""


def test_a_batch_that_fails_does_not_move_the_position(tmp_path: Path) -> None:
    """The position stays that of the last stored batch; the repeated call stores the new one."""
    path = tmp_path / "history.db"
    with opened_with_writer(path) as (history, writer):
        history.append(blocks_of(lines(1, 5)), [], b"5")
        writer.execute(f"PRAGMA max_page_count = {pragma(writer, 'page_count')}")
        with pytest.raises(HistoryFull):
            history.append(blocks_of(lines(6, 1000)), [], b"1000")
        assert history.restore().position == b"5"
        writer.execute("PRAGMA max_page_count = 1000000")
        history.append(blocks_of(lines(6, 1000)), [], b"1000")
        assert history.restore().position == b"1000"


def test_a_lone_block_is_one_insert(tmp_path: Path) -> None:
    """When nothing else changes, an append is one statement in its own transaction; else all is in one."""
    statements: list[str] = []
    with opened_with_writer(tmp_path / "history.db") as (history, writer):
        history.append(blocks_of(lines(1, 1)), [], b"", 1)
        writer.set_trace_callback(statements.append)
        history.append(blocks_of(lines(2, 5)), [], b"", 1)
        assert [statement.split()[0] for statement in statements] == ["INSERT"]
        for blocks, records, position, noted in (
            (blocks_of([said(6), said(7, place=QUIET)]), [], b"", 1),
            (blocks_of(lines(8, 8)), [ANN], b"", 1),
            (blocks_of(lines(9, 9)), [], b"x", 1),
            (blocks_of(lines(10, 10)), [], b"x", 9),
            (blocks_of(lines(11, 2100)), [], b"x", 9),  # reaches further than any block before
            ([], [], b"x", 9),
        ):
            statements.clear()
            history.append(blocks, records, position, noted)
            assert (statements[0], statements[-1]) == ("BEGIN IMMEDIATE", "COMMIT")
        statements.clear()
        history.append(blocks_of(lines(2101, 2110)), [], b"x", 9)
        assert len(statements) == 1
    assert all_in(tmp_path / "history.db") == [
        said(seq, place=QUIET if seq == 7 else GENERAL) for seq in range(1, 2111)
    ]


def test_an_insert_after_a_failed_rollback(tmp_path: Path) -> None:
    """A transaction that was left open does not swallow the next lone block."""
    path = tmp_path / "history.db"
    with opened_with_writer(path) as (history, writer):
        store(history, lines(1, 1))
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM blocks")
        store(history, lines(2, 2))
        assert not writer.in_transaction
    assert all_in(path) == lines(1, 2)


def test_a_history_outlives_its_server(tmp_path: Path) -> None:
    """After an orderly end everything is in one file, without a WAL beside it."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(blocks_of(lines(1, 5)), [ANN])
        assert "history.db" in repr(history)
    assert not (tmp_path / "history.db-wal").exists()
    with opened(path) as history:
        assert stored(history) == (5, [ANN])
        history.append(blocks_of(lines(6, 7)), [ANN._replace(value=None)])
    with opened(path) as history:
        assert stored(history) == (7, [])
    assert all_in(path) == lines(1, 7)


@pytest.mark.parametrize(("durability", "level"), [("normal", 1), ("full", 2)])
def test_the_levels_of_durability(tmp_path: Path, durability: Durability, level: int) -> None:
    """ "full" is SQLite's synchronous=FULL: an fsync before a commit returns; "normal" leaves it out."""
    with opened_with_writer(tmp_path / "history.db", durability) as (_, writer):
        assert pragma(writer, "synchronous") == level


def test_a_batch_is_stored_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """Of a batch that fails in the middle nothing is stored, neither events nor records."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 5))
        with pytest.raises(HistoryError, match="cannot write the history") as raised:
            history.append(blocks_of([said(6), said(1, "twice", QUIET)]), [ANN])
        assert not isinstance(raised.value, HistoryFull)  # the same would fail again
        assert stored(history) == (5, [])
        store(history, lines(6, 6))
    assert all_in(path) == lines(1, 6)


def test_only_the_forwarder_appends(tmp_path: Path) -> None:
    """A second append during the first one is a bug of the program: it raises, and nothing is mixed up."""
    path = tmp_path / "history.db"

    class Interrupted(list[Block]):
        """A batch during whose append somebody else appends."""

        def __iter__(self) -> Iterator[Block]:
            with pytest.raises(RuntimeError, match="only the forwarder"):
                store(history, lines(10, 12))
            return super().__iter__()

    with opened(path) as history:
        history.append(Interrupted(blocks_of(lines(1, 1))), [])
        store(history, lines(2, 2))
    assert all_in(path) == lines(1, 2)


def test_a_batch_is_visible_once_it_is_stored(tmp_path: Path) -> None:
    """A read does not see an uncommitted transaction, and does not wait for it."""
    with opened_with_writer(tmp_path / "history.db") as (history, writer):
        store(history, lines(1, 5))
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM blocks")
        assert seqs(read(history)) == [1, 2, 3, 4, 5]
        writer.execute("ROLLBACK")


def test_a_batch_waits_for_the_maintenance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that comes during a removal waits for it on a lock, without a conflict in SQLite."""
    monkeypatch.setattr("server.database.BUSY_SECONDS", 0)  # a conflict would fail at once
    monkeypatch.setattr("server.maintenance.TEND_SECONDS", 0.001)
    stopping, failures = threading.Event(), queue.SimpleQueue[HistoryError | None]()

    def append() -> None:
        try:
            store(history, lines(1001, 1010))
            failures.put(None)
        except HistoryError as error:
            failures.put(error)

    appending = threading.Thread(target=append)

    @contextmanager
    def interrupted(connection: sqlite3.Connection) -> Iterator[None]:
        with transaction(connection):
            connection.execute("UPDATE state SET value = 1 WHERE name = 'removed'")
            appending.start()
            appending.join(0.05)  # an append that does not wait ends in this time
            stopping.set()
            yield

    with opened(tmp_path / "history.db", retention=Retention(events=100)) as history:
        store(history, lines(1, 1000))
        monkeypatch.setattr("server.removal.transaction", interrupted)
        history.tend(stopping)
        assert failures.get(timeout=5) is None
        appending.join()
        assert seqs(read(history)) == list(range(901, 1011))


def test_the_starts_outlive_their_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is recognised by its first RESTARTED, also when retention has removed that event."""
    path = tmp_path / "history.db"
    monkeypatch.setattr("server.storage.STARTS_NOTED", 2)
    for seq in (1, 11, 21, 31):
        with opened(path) as history:
            restarted = Event(seq, NOW + seq, EventKind.RESTARTED, "", "", "")
            batch = [restarted, *lines(seq + 1, seq + 9, at=NOW + seq)]
            store(history, batch if seq > 1 else [said(1), *batch[1:]])
            if seq == 1:
                assert history.parted(5, 0) == 0
    with closing(Maintenance(path, threading.Lock(), Retention(events=1))) as upkeep:
        upkeep.run(threading.Event())
    with opened(path) as history:
        assert history.parted(35, NOW + 15) == 21  # who has seen 35 at that time: the first start after it
        assert history.parted(25, NOW + 15) == 21
        assert history.parted(35, NOW + 25) == 31
        assert history.parted(35, NOW + 31) == history.parted(20, NOW + 15) == 0
        store(history, lines(41, 42))  # not a start: nothing is noted
        assert history.parted(35, 0) == 21


# --- the place of the file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "cause"), [("", "it is a folder"), ("missing/history.db", "there is no folder .*missing")]
)
def test_an_impossible_path(tmp_path: Path, where: str, cause: str) -> None:
    """A path that is a folder, or in a missing folder, is one line with the path and the cause."""
    with pytest.raises(HistoryError, match=f"{tmp_path}.*{cause}"):
        SqliteHistory(tmp_path / where)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file is reported when the server starts, not at the first line."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 3))
    path.chmod(0o400)
    if os.geteuid() == 0:  # root may write anywhere, so SQLite has to refuse it
        monkeypatch.setattr("server.storage.connect", lambda path: connect(path, "mode=ro"))
    with pytest.raises(HistoryError, match=rf"cannot open the history {path}: .*readonly"):
        SqliteHistory(path)


def test_a_file_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root has put a backup back: SQLite would only say that it is unable to open it."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 3))
    if os.geteuid() == 0:  # root may read anything
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    path.chmod(0)
    with pytest.raises(HistoryError, match=rf"cannot open the history {path}: it belongs to another user"):
        SqliteHistory(path)


@pytest.mark.parametrize("folder", ["data", ""])
def test_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Without an option the history is in the user's data folder, which only the user can read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / folder) if folder else "")
    base = tmp_path / folder if folder else tmp_path / ".local" / "share"
    assert default_path() == base / "chatroom" / "history.db"
    with opened(default_path()) as history:
        store(history, lines(1, 1))
    assert default_path().parent.stat().st_mode & 0o777 == 0o700


def test_a_relative_data_folder_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path in XDG_DATA_HOME counts as not set (XDG Base Directory)."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert default_path() == tmp_path / ".local" / "share" / "chatroom" / "history.db"


# --- the disk fails --------------------------------------------------------------------------------------


def test_a_full_database_takes_the_same_batch_later(tmp_path: Path) -> None:
    """A batch without room is refused as a whole; the same call works when there is room again."""
    path = tmp_path / "history.db"
    with opened_with_writer(path) as (history, writer):
        store(history, lines(1, 5))
        writer.execute(f"PRAGMA max_page_count = {pragma(writer, 'page_count')}")
        batch = lines(6, 1000)
        for _ in range(3):
            with pytest.raises(
                HistoryFull, match=f"cannot write the history {path}: database or disk is full"
            ):
                history.append(blocks_of(batch), [ANN])
        assert stored(history) == (5, [])
        assert seqs(read(history)) == [1, 2, 3, 4, 5]
        writer.execute("PRAGMA max_page_count = 1000000")
        history.append(blocks_of(batch), [ANN])
        assert stored(history) == (1000, [ANN])
    assert all_in(path) == lines(1, 1000)


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The kernel lets this process write no file beyond `size` (setrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("durability", ["normal", "full"])
def test_a_write_that_fails_anywhere_loses_nothing(tmp_path: Path, durability: Durability) -> None:
    """Wherever in a batch the disk begins to fail: the batch is refused, repeated, and then stored once."""
    path = tmp_path / "history.db"
    wal = tmp_path / "history.db-wal"
    stored = 0
    with opened(path, durability) as history:
        for room in itertools.chain(range(0, 9000, 500), (4096, 4120, 4152)):
            batch = lines(stored + 1, stored + 90)
            end = wal.stat().st_size + room
            with files_no_longer_than(end), pytest.raises(HistoryFull, match="I/O error"):
                history.append(blocks_of(batch), [ANN])
            assert history.restore().head == stored
            history.append(blocks_of(batch), [ANN])
            stored += 90
    assert all_in(path) == lines(1, stored)


@pytest.mark.slow
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a full file system batches are refused until there is room; the file is never damaged."""
    with small_disk(tmp_path):
        filler = tmp_path / "filler"
        path = tmp_path / "history.db"
        with opened(path) as history:
            store(history, lines(1, 100))
            filler.write_bytes(bytes(shutil.disk_usage(tmp_path).free - 64 * 1024))
            stored = 100
            with pytest.raises(HistoryFull, match="full"):
                for _ in range(1000):
                    history.append(blocks_of(lines(stored + 1, stored + 50)), [ANN])
                    stored += 50
            assert stored < 50_000
            with closing(Maintenance(path, threading.Lock(), Retention())) as upkeep:
                upkeep.run(threading.Event())  # does no harm on a full disk
            assert seqs(read(history)) == list(range(1, stored + 1))
            with pytest.raises(HistoryFull, match="full"):
                store(history, lines(stored + 1, stored + 500))
            filler.unlink()
            store(history, lines(stored + 1, stored + 500))
        with closing(connect(path)) as look:
            assert look.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert all_in(path) == lines(1, stored + 500)


@pytest.mark.slow
def test_starting_on_a_full_disk(tmp_path: Path) -> None:
    """A server that cannot make its file reports it when it starts."""
    with small_disk(tmp_path):
        (tmp_path / "filler").write_bytes(bytes(shutil.disk_usage(tmp_path).free))
        with pytest.raises(HistoryFull, match=r"cannot open the history .*history\.db: .*(full|I/O)"):
            SqliteHistory(tmp_path / "history.db")


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A file system of one megabyte at `place`; skips the test where that is not allowed."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a file system")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True)
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)  # also when a failed test left files open


def test_another_program_locks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program has the file locked, batches are refused; afterwards they are stored."""
    path = tmp_path / "history.db"
    monkeypatch.setattr("server.database.BUSY_SECONDS", 0.02)
    with opened(path) as history, closing(connect(path)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryFull, match="locked"):
            store(history, lines(1, 5))
        shell.execute("ROLLBACK")
        store(history, lines(1, 5))
        assert seqs(read(history)) == [1, 2, 3, 4, 5]


def test_damage_is_reported(tmp_path: Path) -> None:
    """Damage raises HistoryError with the path, not HistoryFull: the same call would fail again."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, [said(seq, "x" * 500) for seq in range(1, 500)])
    content = bytearray(path.read_bytes())
    content[6 * 4096 :] = os.urandom(len(content) - 6 * 4096)
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=f"{path}") as raised, opened(path) as history:
        read(history)
    assert not isinstance(raised.value, HistoryFull)


def test_a_damaged_block_is_no_crash(tmp_path: Path) -> None:
    """A last block that cannot be decoded refuses the start in one line, with the path."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, [said(1)])
    execute(path, "UPDATE blocks SET packets = substr(packets, 1, length(packets) - 1)")
    with pytest.raises(HistoryError, match=f"{path} is damaged: the last packet of a block is cut short"):
        SqliteHistory(path)


def test_damaged_talkers_are_reported_at_the_start(tmp_path: Path) -> None:
    """What a start reads of the blocks and cannot decode is HistoryError."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, [said(1)])
    execute(path, "UPDATE blocks SET talkers = x'00'")
    with pytest.raises(HistoryError, match=f"{path} is damaged: row 1"):
        SqliteHistory(path)
    execute(path, "UPDATE blocks SET talkers = NULL")
    with opened(path) as history:
        execute(path, "UPDATE blocks SET talkers = x'00'")
        with pytest.raises(HistoryError, match=f"{path} is damaged: row 1"):
            history.restore()


# --- the server fails ------------------------------------------------------------------------------------

_WRITER = """
import sys
from server.storage import SqliteHistory
from tests.server.histories import lines, store
path, size = sys.argv[1], int(sys.argv[2])
history = SqliteHistory(path)
head = history.restore().head
while True:
    store(history, lines(head + 1, head + size))
    head += size
    sys.stdout.write(f"{head}\\n")
    sys.stdout.flush()
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 40, 1000])
def test_kill_9_loses_nothing_that_was_stored(tmp_path: Path, size: int) -> None:
    """After kill -9 at any instant, every batch that append() returned for is there, whole and in order."""
    path = tmp_path / "history.db"
    acknowledged = 0
    for round in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), str(size)], stdout=subprocess.PIPE, text=True
        )
        with writer:
            assert writer.stdout is not None
            for _ in range(10 + 17 * round):
                acknowledged = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split("\n")[:-1]  # the last line may be incomplete
            acknowledged = int(rest[-1]) if rest else acknowledged
        start = time.perf_counter()
        with opened(path) as history:
            head = history.restore().head
            took = time.perf_counter() - start
        assert acknowledged <= head <= acknowledged + size
        assert head % size == 0
        assert took < 0.3
    assert all_in(path) == lines(1, head)


@pytest.mark.slow
def test_a_long_history_opens_at_once(tmp_path: Path) -> None:
    """With a million events, opening and reading a busy or a quiet channel take less than 0.1 s each."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        for first in range(1, 1_000_001, 10_000):
            batch = lines(first, first + 9_999)
            batch[77] = said(first + 77, place=QUIET) if first < 100_000 else batch[77]
            store(history, batch, noted=first)
        with closing(Maintenance(path, threading.Lock(), Retention())) as upkeep:
            upkeep.run(threading.Event())
    quickest: dict[str, float] = {}

    def timed(what: str, start: float) -> None:
        quickest[what] = min(quickest.get(what, 9.0), time.perf_counter() - start)

    for _ in range(3):  # and take the best time: a shared machine stalls now and then
        start = time.perf_counter()
        with opened(path) as history:
            assert history.restore().head == 1_000_000
            timed("open", start)
            start = time.perf_counter()
            assert history.start_of(50, GENERAL) == 999_950
            timed("busy", start)
            start = time.perf_counter()
            assert history.start_of(50, QUIET) == 77
            timed("quiet", start)
            start = time.perf_counter()
            assert history.read(400_000, [GENERAL], 100_000).blocks[0].first == 400_001
            timed("slice", start)
            start = time.perf_counter()
            assert history.read(100_000, [QUIET], 100_000).blocks == []
            timed("nothing", start)
    assert quickest["open"] < 0.1
    assert max(quickest.values()) < 0.1, quickest

"""The history in a file: one transaction per batch, and what happens when the disk or the server fails."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.errors import HistoryError, HistoryFull
from chatroom.history import SessionRecord
from server.schema import connect, pragma
from server.storage import Durability, SqliteHistory
from tests.server.histories import EVERYWHERE, NOW, all_in, lines, opened, said, seqs

ANN = SessionRecord(b"key of ann", "ann", "#general", True, 7, NOW)


def test_a_history_outlives_its_server(tmp_path: Path) -> None:
    """After an orderly end everything is there, in one file without a log beside it."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 5), [ANN], [])
        assert "history.db" in repr(history)
    assert not (tmp_path / "history.db-wal").exists()
    with opened(path) as history:
        assert history.restore()[:2] == (5, [ANN])
        history.append(lines(6, 7), [], [ANN.key])
    with opened(path) as history:
        assert history.restore()[:2] == (7, [])
    assert all_in(path) == lines(1, 7)


@pytest.mark.parametrize(("durability", "level"), [("normal", 1), ("full", 2)])
def test_the_levels_of_durability(tmp_path: Path, durability: Durability, level: int) -> None:
    """ "full" is SQLite's synchronous=FULL: an fsync before a commit returns; "normal" leaves it out."""
    with opened(tmp_path / "history.db", durability) as history:
        assert pragma(history._writer, "synchronous") == level


def test_a_batch_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """A batch that fails in the middle leaves nothing behind, neither events nor sessions."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 5), [], [])
        with pytest.raises(HistoryError, match="cannot write the history") as raised:
            history.append([said(6), said(5, "twice")], [ANN], [])
        assert not isinstance(raised.value, HistoryFull)  # the same would fail again
        assert history.restore()[:2] == (5, [])
        history.append(lines(6, 6), [], [])
    assert all_in(path) == lines(1, 6)


def test_only_the_forwarder_appends(tmp_path: Path) -> None:
    """A second append at the same time is a bug of the program, and is told instead of mixed in."""
    with opened(tmp_path / "history.db") as history:
        with history._appending, pytest.raises(RuntimeError, match="forwarder"):
            history.append(lines(1, 1), [], [])
        history.append(lines(1, 1), [], [])


def test_a_batch_is_seen_when_it_is_stored(tmp_path: Path) -> None:
    """A reader sees nothing of a batch that is not committed yet, and is not held up by it."""
    with opened(tmp_path / "history.db") as history:
        history.append(lines(1, 5), [], [])
        history._writer.execute("BEGIN IMMEDIATE")
        history._writer.execute("DELETE FROM events")
        assert seqs(history.read(0, 10, EVERYWHERE)) == [1, 2, 3, 4, 5]
        history._writer.execute("ROLLBACK")


# --- the disk fails --------------------------------------------------------------------------------------


def test_a_full_database_takes_the_same_batch_later(tmp_path: Path) -> None:
    """When there is no room the batch is refused as a whole; the same call works when there is room again."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 5), [], [])
        history._writer.execute(f"PRAGMA max_page_count = {pragma(history._writer, 'page_count')}")
        batch = lines(6, 1000)
        for _ in range(3):
            with pytest.raises(
                HistoryFull, match=f"cannot write the history {path}: database or disk is full"
            ):
                history.append(batch, [ANN], [])
        assert history.restore()[:2] == (5, [])
        assert seqs(history.read(0, 10, EVERYWHERE)) == [1, 2, 3, 4, 5]
        history._writer.execute("PRAGMA max_page_count = 1000000")
        history.append(batch, [ANN], [])
        assert history.restore()[:2] == (1000, [ANN])
    assert all_in(path) == lines(1, 1000)


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The kernel refuses to write behind `size` in any file of this process (setrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("durability", ["normal", "full"])
def test_a_write_that_fails_anywhere_loses_nothing(tmp_path: Path, durability: Durability) -> None:
    """Wherever in a batch the disk begins to fail, the batch is refused, repeated, and there once."""
    path = tmp_path / "history.db"
    log = tmp_path / "history.db-wal"
    stored = 0
    with opened(path, durability) as history:
        for room in itertools.chain(range(0, 9000, 500), (4096, 4120, 4152)):
            batch = lines(stored + 1, stored + 90)
            end = log.stat().st_size + room
            with files_no_longer_than(end), pytest.raises(HistoryFull, match="I/O error"):
                history.append(batch, [ANN], [])
            assert history.restore().head == stored
            history.append(batch, [ANN], [])
            stored += 90
    assert all_in(path) == lines(1, stored)


@pytest.mark.slow
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a full file system batches are refused until there is room; the file stays sound throughout."""
    with small_disk(tmp_path):
        filler = tmp_path / "filler"
        path = tmp_path / "history.db"
        with opened(path) as history:
            history.append(lines(1, 100), [], [])
            filler.write_bytes(bytes(shutil.disk_usage(tmp_path).free - 64 * 1024))
            stored = 100
            with pytest.raises(HistoryFull, match="full"):
                for _ in range(1000):
                    history.append(lines(stored + 1, stored + 50), [ANN], [])
                    stored += 50
            assert stored < 50_000
            history._tidier.tidy(threading.Event())  # neither does tidying up hurt
            assert seqs(history.read(0, 10**6, EVERYWHERE)) == list(range(1, stored + 1))
            with pytest.raises(HistoryFull, match="full"):
                history.append(lines(stored + 1, stored + 500), [], [])
            filler.unlink()
            history.append(lines(stored + 1, stored + 500), [], [])
        with closing(connect(path)) as look:
            assert look.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert all_in(path) == lines(1, stored + 500)


@pytest.mark.slow
def test_starting_on_a_full_disk(tmp_path: Path) -> None:
    """A server that cannot make its file says so at once."""
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
        subprocess.run(["umount", place], check=True)


def test_another_program_holds_the_file(tmp_path: Path) -> None:
    """While somebody's shell has the file locked, batches are refused; afterwards they go through."""
    path = tmp_path / "history.db"
    with opened(path) as history, closing(connect(path)) as shell:
        history._writer.execute("PRAGMA busy_timeout = 20")
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryFull, match="locked"):
            history.append(lines(1, 5), [], [])
        shell.execute("ROLLBACK")
        history.append(lines(1, 5), [], [])
        assert seqs(history.read(0, 10, EVERYWHERE)) == [1, 2, 3, 4, 5]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """Damage is a HistoryError with the path, not something that may work later."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append([said(seq, "x" * 500) for seq in range(1, 500)], [], [])
    content = bytearray(path.read_bytes())
    content[6 * 4096 :] = os.urandom(len(content) - 6 * 4096)
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=f"{path}") as raised, opened(path) as history:
        history.read(0, 1000, EVERYWHERE)
    assert not isinstance(raised.value, HistoryFull)


# --- the server fails ------------------------------------------------------------------------------------

_WRITER = """
import sys
from server.storage import SqliteHistory
from tests.server.histories import lines
path, size = sys.argv[1], int(sys.argv[2])
history = SqliteHistory(path)
head = history.restore().head
while True:
    history.append(lines(head + 1, head + size), [], [])
    head += size
    sys.stdout.write(f"{head}\\n")
    sys.stdout.flush()
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 40, 1000])
def test_kill_9_loses_nothing_that_was_stored(tmp_path: Path, size: int) -> None:
    """A server killed at any instant: what it had said to be stored is there, whole batches in order."""
    path = tmp_path / "history.db"
    told = 0
    for round in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), str(size)], stdout=subprocess.PIPE, text=True
        )
        with writer:
            assert writer.stdout is not None
            for _ in range(10 + 17 * round):
                told = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            told = max([told, *map(int, filter(str.strip, _whole_lines(writer.stdout.read())))])
        start = time.perf_counter()
        with opened(path) as history:
            head = history.restore().head
            took = time.perf_counter() - start
        assert told <= head <= told + size
        assert head % size == 0
        assert took < 0.3
    assert all_in(path) == lines(1, head)


def _whole_lines(text: str) -> list[str]:
    return text.split("\n")[:-1]


@pytest.mark.slow
def test_a_long_history_opens_at_once(tmp_path: Path) -> None:
    """With a million events, opening and the last lines of a busy and of a quiet channel take no time."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        for first in range(1, 1_000_001, 10_000):
            batch = lines(first, first + 9_999)
            batch[77] = said(first + 77, channel="#quiet") if first < 100_000 else batch[77]
            history.append(batch, [], [])
    quickest: dict[str, float] = {}

    def timed(what: str, start: float) -> None:
        quickest[what] = min(quickest.get(what, 9.0), time.perf_counter() - start)

    for _ in range(3):  # the quickest of three: a shared machine stalls now and then
        start = time.perf_counter()
        with opened(path) as history:
            assert history.restore().head == 1_000_000
            timed("open", start)
            start = time.perf_counter()
            assert history.last_seqs(50, ["#general"]) == list(range(999_951, 1_000_001))
            timed("busy", start)
            start = time.perf_counter()
            assert len(history.last_seqs(50, ["#quiet"])) == 10
            timed("quiet", start)
            start = time.perf_counter()
            assert seqs(history.read(400_000, 1000, ["#general"]))[-1] == 401_000
            timed("piece", start)
            start = time.perf_counter()
            assert history.read(100_000, 1000, ["#quiet"]) == []
            timed("nothing", start)
    assert quickest["open"] < 0.1
    assert max(quickest.values()) < 0.1, quickest

"""The file lock: one server per history, and the lock ends with its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatroom.errors import HistoryError
from server.file_lock import FileLock
from server.storage import SqliteHistory
from tests.server.histories import all_in, lines, opened, store


def test_two_servers_on_one_file(tmp_path: Path) -> None:
    """A second server is refused with the process id of the first; after it the file is free again."""
    path = tmp_path / "history.db"
    other_name = tmp_path / "link.db"
    other_name.symlink_to(path)
    with opened(path) as history:
        for name in (path, other_name):
            with pytest.raises(HistoryError, match=f"in use by another server .process {os.getpid()}"):
                SqliteHistory(name)
        store(history, lines(1, 1))
    assert all_in(path) == lines(1, 1)


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    """After kill -9 a new server can start at once, without removing a lock by hand."""
    path = tmp_path / "history.db"
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys; from server.storage import SqliteHistory;"
         "h = SqliteHistory(sys.argv[1]); print('held', flush=True); sys.stdin.read()", str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(HistoryError, match=f"process {holder.pid}"):
            SqliteHistory(path)
        holder.kill()
    SqliteHistory(path).close()


def test_a_lock_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """A lock file that cannot be opened is reported when the server starts, with both paths."""
    path = tmp_path / "history.db"
    lock = tmp_path / "history.db.lock"
    lock.mkdir()
    with pytest.raises(HistoryError, match=f"cannot open the history {path}: {lock}: Is a directory"):
        FileLock(path)


def test_a_link_is_no_lock_file(tmp_path: Path) -> None:
    """What a link FILE.lock leads to is not touched: the server does not start, and says why."""
    path, letter = tmp_path / "history.db", tmp_path / "letter.txt"
    letter.write_text("dear all")
    lock = tmp_path / "history.db.lock"
    for link in (lock.symlink_to, lock.hardlink_to):
        link(letter)
        with pytest.raises(HistoryError, match=r"history\.db\.lock.*(is a link|is no lock file)"):
            SqliteHistory(path)
        assert letter.read_text() == "dear all"
        lock.unlink()
    lock.symlink_to(tmp_path / "missing")
    with pytest.raises(HistoryError, match="it is a link"):
        SqliteHistory(path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["history.db.lock", "letter.txt"]


def test_a_file_of_somebody_else_is_no_lock_file(tmp_path: Path) -> None:
    """A file that only has the name of the lock file is not overwritten."""
    lock = tmp_path / "history.db.lock"
    lock.write_text("my notes on the history.db lock")
    with pytest.raises(HistoryError, match="is no lock file"):
        FileLock(tmp_path / "history.db")
    assert lock.read_text() == "my notes on the history.db lock"


def test_a_lock_file_is_removed_only_by_who_made_it(tmp_path: Path) -> None:
    """discard() removes a new lock file, and leaves one that was there before."""
    first = FileLock(tmp_path / "history.db")
    first.discard()
    first.release()
    assert list(tmp_path.iterdir()) == []
    first.path.touch()
    second = FileLock(tmp_path / "history.db")
    second.discard()
    second.release()
    assert list(tmp_path.iterdir()) == [first.path]

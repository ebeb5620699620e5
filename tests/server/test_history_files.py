"""The files of a history: private, watched, and nothing is left behind by a start that failed."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event as Flag

import pytest

from chatroom.errors import HistoryError, HistoryFull
from server.file_lock import FileLock
from server.history_files import HistoryFiles
from server.storage import SqliteHistory
from tests.server.histories import all_in, lines, opened, store
from tests.support.patience import eventually
from tests.support.tasks import Task


def names(folder: Path) -> list[str]:
    """What is in the folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_its_users_alone(tmp_path: Path) -> None:
    """Others on the machine cannot read the conversation: neither the file, nor the files beside it."""
    before = os.umask(0o022)
    try:
        with opened(tmp_path / "history.db") as history:
            store(history, lines(1, 3))
            assert len(names(tmp_path)) == 4
            for path in tmp_path.iterdir():
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    finally:
        os.umask(before)


def test_the_rights_of_an_existing_file_stay(tmp_path: Path) -> None:
    """An operator may let a group read the history."""
    path = tmp_path / "history.db"
    path.touch(0o640)
    path.chmod(0o640)
    with opened(path) as history:
        store(history, lines(1, 3))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_second_name_is_refused(tmp_path: Path) -> None:
    """Two servers never write one file: a hard link is refused, whether it came before or during a run."""
    path, other = tmp_path / "history.db", tmp_path / "other.db"
    with opened(path) as history:
        store(history, lines(1, 3))
        other.hardlink_to(path)
        with pytest.raises(HistoryError, match=r"other\.db: the file has a second name"):
            SqliteHistory(other)
        store(history, lines(4, 4))
    with pytest.raises(HistoryError, match=r"history\.db: the file has a second name"):
        SqliteHistory(path)
    assert "other.db.lock" not in names(tmp_path)
    other.unlink()
    assert all_in(path) == lines(1, 4)


def foreign_text(path: Path) -> None:
    path.write_bytes(b"Dear diary" * 1000)


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mail(text)")


def device(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [foreign_text, foreign_database, device])
def test_nothing_is_left_beside_a_foreign_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A file that is no history is left alone, and so is its folder."""
    make(tmp_path / "theirs")
    with pytest.raises(HistoryError):
        SqliteHistory(tmp_path / "theirs")
    assert names(tmp_path) == ["theirs"]


def test_a_start_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file is removed when no server came up on it, whatever failed; what was there before stays."""
    path = tmp_path / "history.db"
    SqliteHistory(path).close()
    assert names(tmp_path) == []

    def fails(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr("server.storage.make_tables", fails)
        with pytest.raises(HistoryError):
            SqliteHistory(path)
    assert names(tmp_path) == []
    with opened(path) as history:
        store(history, lines(1, 3))
    SqliteHistory(path).close()
    assert names(tmp_path) == ["history.db", "history.db.lock"]
    assert all_in(path) == lines(1, 3)


def test_a_lock_file_that_is_removed(tmp_path: Path) -> None:
    """Another lock is taken at once, so no second server comes in; one that was faster is named."""
    path = tmp_path / "history.db"
    files = HistoryFiles(path, folders=False)
    files.watch()
    (tmp_path / "history.db.lock").unlink()
    assert files.trouble() == ""
    with pytest.raises(HistoryError, match="in use by another server"):
        FileLock(path)
    (tmp_path / "history.db.lock").unlink()
    faster = FileLock(path)
    assert files.trouble() == f"{path} is in use by another server (process {os.getpid()})"
    faster.release()
    assert files.trouble() == ""
    files.close(discard=True)


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_file_that_is_removed_or_replaced(tmp_path: Path, suffix: str) -> None:
    """The watch says which file is missing or another one, and nothing as soon as it is back."""
    files = HistoryFiles(tmp_path / "history.db", folders=False)
    (tmp_path / "history.db-wal").touch()
    files.watch()
    assert files.trouble() == ""
    mine, away = tmp_path / f"history.db{suffix}", tmp_path / "away"
    mine.rename(away)
    assert files.trouble() == f"{mine} was removed while the server ran"
    mine.touch()
    assert files.trouble() == f"{mine} was replaced while the server ran"
    away.rename(mine)
    assert files.trouble() == ""
    files.close(discard=True)


def test_no_line_is_stored_in_a_file_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Lines that would be lost at the end of the server are not confirmed; when the file is back they are."""
    monkeypatch.setattr("server.maintenance.TEND_SECONDS", 0.001)
    path, stopping = tmp_path / "history.db", Flag()
    with opened(path) as history, caplog.at_level(logging.WARNING):
        store(history, lines(1, 3))
        tending = Task(lambda: history.tend(stopping))
        path.rename(tmp_path / "moved.db")
        eventually(lambda: "history.db was removed" in caplog.text, "the log says so")
        with pytest.raises(HistoryFull, match=r"history\.db was removed while the server ran"):
            store(history, lines(4, 6))
        (tmp_path / "moved.db").rename(path)
        eventually(lambda: "history.db are back" in caplog.text, "the log says so")
        store(history, lines(4, 6))
        stopping.set()
        tending.result()
    assert all_in(path) == lines(1, 6)
    assert len(caplog.records) == 2

"""The format of the history file: recognised, migrated, and opened without writing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.errors import HistoryError
from server import schema
from server.database import connect, pragma
from server.schema import APPLICATION_ID
from server.storage import SqliteHistory
from tests.server.histories import all_in, execute, lines, opened, store


def begin(path: Path) -> None:
    """Make a history without events."""
    with opened(path) as history:
        history.append([], [])


def test_a_history_says_what_it_is(tmp_path: Path) -> None:
    """The file contains the application id and the schema version, where file(1) and others find them."""
    path = tmp_path / "history.db"
    begin(path)
    with closing(connect(path)) as database:
        assert pragma(database, "application_id") == APPLICATION_ID
        assert pragma(database, "user_version") == schema.SCHEMA
    assert path.read_bytes()[68:72] == b"CHAT"


@pytest.mark.parametrize("content", [b"abc", b"x" * 5000, b"SQLite format 3\0" + bytes(90)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is refused by name, and not a byte of it is changed."""
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=r"holiday\.jpg is not a chatroom history"):
        SqliteHistory(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mark", ["", "PRAGMA application_id = 7", "PRAGMA user_version = 1"])
def test_other_databases_are_refused(tmp_path: Path, mark: str) -> None:
    """An SQLite file of another program is refused, and not a byte of it is changed."""
    path = tmp_path / "mail.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE mail(text); {mark}")
    content = path.read_bytes()
    with pytest.raises(HistoryError, match=r"mail\.db is not a chatroom history"):
        SqliteHistory(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_history(tmp_path: Path) -> None:
    """A file without content (from mktemp, or from a server that was killed at once) becomes a history."""
    path = tmp_path / "history.db"
    path.touch()
    with opened(path) as history:
        store(history, lines(1, 3))
    assert all_in(path) == lines(1, 3)


def test_a_newer_history_is_refused(tmp_path: Path) -> None:
    """A file of a newer version is refused, and the message has both versions."""
    path = tmp_path / "history.db"
    begin(path)
    execute(path, "PRAGMA user_version = 999")
    with pytest.raises(HistoryError, match=r"newer version .* schema is 999.* up to 3"):
        SqliteHistory(path)


@pytest.mark.parametrize(("version", "age"), [(1, "an older"), (3, "a newer")])
def test_another_version_of_the_wire_is_refused(tmp_path: Path, version: int, age: str) -> None:
    """A file with packets of another version of the protocol is refused, and not a byte of it is changed."""
    path = tmp_path / "history.db"
    begin(path)
    execute(path, f"UPDATE state SET value = {version} WHERE name = 'wire'")
    content = path.read_bytes()
    with pytest.raises(HistoryError, match=rf"{age} version .* packets are of version {version} .* knows 2"):
        SqliteHistory(path)
    with pytest.raises(HistoryError, match=f"{age} version"):
        schema.open_read_only(path)
    assert path.read_bytes() == content


@pytest.mark.slow
def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    """On a disk that is mounted read-only a server cannot start, but the history can be inspected."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a file system")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", tmp_path], capture_output=True)
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    try:
        path = tmp_path / "history.db"
        with opened(path) as history:
            store(history, lines(1, 3))
        subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True)
        with pytest.raises(HistoryError, match="Read-only file system"):
            SqliteHistory(path)
        with closing(schema.open_read_only(path)) as database:
            assert database.execute("SELECT count(*) FROM blocks").fetchone() == (1,)
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)  # also when a failed test left files open


def test_inspecting_a_missing_or_empty_file(tmp_path: Path) -> None:
    """Opening without writing makes no file, and the error says what is wrong."""
    with pytest.raises(HistoryError, match=r"there is no history .*history\.db"):
        schema.open_read_only(tmp_path / "history.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(HistoryError, match="it is empty"):
        schema.open_read_only(tmp_path / "empty.db")

"""The file itself: recognised, locked, brought up to date, and where it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.errors import HistoryError, HistoryFull
from server import schema
from server.schema import APPLICATION_ID, connect, explained, pragma, transaction
from server.storage import SqliteHistory, default_path
from tests.server.histories import all_in, lines, opened

ELSEWHERE = Path("somewhere/history.db")


def test_a_history_says_what_it_is(tmp_path: Path) -> None:
    """The file carries our application id and the version of its schema, as file(1) and others can read."""
    path = tmp_path / "history.db"
    SqliteHistory(path).close()
    with closing(connect(path)) as look:
        assert pragma(look, "application_id") == APPLICATION_ID
        assert pragma(look, "user_version") == len(schema.MIGRATIONS)
    assert path.read_bytes()[68:72] == b"CHAT"


@pytest.mark.parametrize("content", [b"abc", b"x" * 5000, b"SQLite format 3\0" + bytes(90)])
def test_what_is_no_history_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file of something else is refused by name, and not a byte of it is changed."""
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=r"holiday\.jpg is not a chatroom history"):
        SqliteHistory(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mark", ["", "PRAGMA application_id = 7", "PRAGMA user_version = 1"])
def test_the_database_of_another_program_is_refused(tmp_path: Path, mark: str) -> None:
    """An SQLite file of somebody else is refused, and not a byte of it is changed."""
    path = tmp_path / "mail.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE mail(text); {mark}")
    content = path.read_bytes()
    with pytest.raises(HistoryError, match=r"mail\.db is not a chatroom history"):
        SqliteHistory(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_history(tmp_path: Path) -> None:
    """A file without content (made by mktemp, or by a server that was killed at once) is begun anew."""
    path = tmp_path / "history.db"
    path.touch()
    with opened(path) as history:
        history.append(lines(1, 3), [], [])
    assert all_in(path) == lines(1, 3)


def test_a_newer_history_is_refused(tmp_path: Path) -> None:
    """A file of a newer version is left alone, and the message tells both versions."""
    path = tmp_path / "history.db"
    SqliteHistory(path).close()
    with closing(connect(path)) as newer:
        newer.execute("PRAGMA user_version = 999")
    with pytest.raises(HistoryError, match=r"newer version .* schema is 999.* up to 1"):
        SqliteHistory(path)


def test_an_older_history_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older version wrote is there after the migrations, each of which ran once and in order."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 3), [], [])
    later = (("UPDATE events SET text = text || '!'",), ("UPDATE events SET text = text || '?'",))
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + later)
    for _ in range(2):
        assert [event.text for event in all_in(path)] == ["line 1!?", "line 2!?", "line 3!?"]
    with closing(connect(path)) as look:
        assert pragma(look, "user_version") == 3


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version before can still open the file when a migration did not get through."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 3), [], [])
    broken = (("DELETE FROM events", "INSERT INTO nowhere VALUES(1)"),)
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + broken)
        with pytest.raises(HistoryError, match="nowhere"):
            SqliteHistory(path)
    assert all_in(path) == lines(1, 3)


def test_two_servers_on_one_file(tmp_path: Path) -> None:
    """The second server is refused and told by which process; afterwards the file is free again."""
    path = tmp_path / "history.db"
    other_name = tmp_path / "link.db"
    other_name.symlink_to(path)
    with opened(path) as history:
        for name in (path, other_name):
            with pytest.raises(HistoryError, match=f"in use by another server .process {os.getpid()}"):
                SqliteHistory(name)
        history.append(lines(1, 1), [], [])
    assert all_in(path) == lines(1, 1)


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    """After kill -9 nobody has to remove a lock by hand."""
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


@pytest.mark.parametrize(
    ("where", "cause"), [("", "it is a folder"), ("missing/history.db", "there is no folder .*missing")]
)
def test_a_place_that_cannot_be(tmp_path: Path, where: str, cause: str) -> None:
    """A folder, or a file in a folder that is not there: one line with the path and the cause."""
    with pytest.raises(HistoryError, match=f"{tmp_path}.*{cause}"):
        SqliteHistory(tmp_path / where)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A read-only folder is told when the server starts."""
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(HistoryError, match="Permission denied"):
        SqliteHistory(tmp_path / "history.db")


def test_a_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file is told when the server starts, not when the first line is said."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 3), [], [])
    path.chmod(0o400)
    if os.geteuid() == 0:  # who may write anywhere is held to it by SQLite
        monkeypatch.setattr("server.storage.connect", lambda path: connect(path, "mode=ro"))
    with pytest.raises(HistoryError, match=rf"cannot open the history {path}: .*readonly"):
        SqliteHistory(path)


@pytest.mark.slow
def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    """On a disk that was mounted read-only, a server says so; looking at the history still works."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a file system")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", tmp_path], capture_output=True)
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    try:
        path = tmp_path / "history.db"
        with opened(path) as history:
            history.append(lines(1, 3), [], [])
        subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True)
        with pytest.raises(HistoryError, match="Read-only file system"):
            SqliteHistory(path)
        with closing(schema.open_to_look(path)) as look:
            assert look.execute("SELECT count(*) FROM events").fetchone() == (3,)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("folder", ["data", ""])
def test_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Without an option the history is in the user's data folder, which is made, for the user alone."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / folder) if folder else "")
    base = tmp_path / folder if folder else tmp_path / ".local" / "share"
    assert default_path() == base / "chatroom" / "history.db"
    with opened(default_path()) as history:
        history.append(lines(1, 1), [], [])
    assert default_path().parent.stat().st_mode & 0o777 == 0o700


def test_a_relative_data_folder_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the XDG rules have it: a path in XDG_DATA_HOME that is not absolute counts as not set."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert default_path() == tmp_path / ".local" / "share" / "chatroom" / "history.db"


@pytest.mark.parametrize(
    ("code", "sort"),
    [
        (sqlite3.SQLITE_FULL, HistoryFull),
        (sqlite3.SQLITE_IOERR_FSYNC, HistoryFull),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, HistoryFull),
        (sqlite3.SQLITE_READONLY, HistoryFull),
        (sqlite3.SQLITE_CORRUPT, HistoryError),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, HistoryError),
        (None, HistoryError),
    ],
)
def test_what_an_error_means(code: int | None, sort: type[HistoryError]) -> None:
    """What may work later is HistoryFull, everything else HistoryError; path and cause are in the text."""
    error = sqlite3.OperationalError("the cause")
    if code is not None:
        error.sqlite_errorcode = code
    told = f"cannot write the history {ELSEWHERE}: the cause"
    with pytest.raises(HistoryError, match=told) as raised, explained(ELSEWHERE, "write"):
        raise error
    assert type(raised.value) is sort


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """An exception inside undoes what was written, and the connection can be used at once."""
    with closing(connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE t(n)")
        with pytest.raises(ZeroDivisionError), transaction(connection):
            connection.execute("INSERT INTO t VALUES(1)")
            raise ZeroDivisionError
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES(2)")
        assert connection.execute("SELECT n FROM t").fetchall() == [(2,)]


def test_a_transaction_that_was_left_open_is_ended_first(tmp_path: Path) -> None:
    """If even the rollback failed, the next transaction begins with it."""
    with closing(connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE t(n)")
        connection.execute("BEGIN")
        connection.execute("INSERT INTO t VALUES(1)")
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES(2)")
        assert connection.execute("SELECT n FROM t").fetchall() == [(2,)]


def test_looking_at_what_is_not_there(tmp_path: Path) -> None:
    """Looking makes no file, and says what is missing."""
    with pytest.raises(HistoryError, match=r"there is no history .*history\.db"):
        schema.open_to_look(tmp_path / "history.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(HistoryError, match="it is empty"):
        schema.open_to_look(tmp_path / "empty.db")

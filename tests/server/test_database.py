"""SQLite connections: transactions, and the meaning of errors."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from struct import error as StructError

import pytest

from chatroom.errors import HistoryDamaged, HistoryError, HistoryFull, ProtocolError
from server.database import connect, transaction, translate_errors

ELSEWHERE = Path("somewhere/history.db")


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        (sqlite3.SQLITE_FULL, HistoryFull),
        (sqlite3.SQLITE_IOERR_FSYNC, HistoryFull),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, HistoryFull),
        (sqlite3.SQLITE_READONLY, HistoryFull),
        (sqlite3.SQLITE_CORRUPT, HistoryDamaged),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, HistoryError),
        (None, HistoryError),
    ],
)
def test_what_an_error_means(code: int | None, error_class: type[HistoryError]) -> None:
    """Transient errors are HistoryFull, damage is HistoryDamaged; path and cause are in the text."""
    error = sqlite3.OperationalError("the cause")
    if code is not None:
        error.sqlite_errorcode = code
    text = f"cannot write the history {ELSEWHERE}: the cause"
    if error_class is HistoryDamaged:
        text = f"{ELSEWHERE} is damaged: the cause"
    with pytest.raises(HistoryError, match=text) as raised, translate_errors(ELSEWHERE, "write"):
        raise error
    assert type(raised.value) is error_class


@pytest.mark.parametrize("error", [ProtocolError("cut short"), StructError("cut short")])
def test_what_no_server_has_written(error: Exception) -> None:
    """Rows and packets that cannot be decoded are HistoryError: the file is damaged."""
    text = f"{ELSEWHERE} is damaged: cut short"
    with pytest.raises(HistoryError, match=text) as raised, translate_errors(ELSEWHERE, "read"):
        raise error
    assert not isinstance(raised.value, HistoryFull)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """An exception in the block undoes its writes, and the connection can be used at once."""
    with closing(connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE t(n)")
        with pytest.raises(ZeroDivisionError), transaction(connection):
            connection.execute("INSERT INTO t VALUES(1)")
            raise ZeroDivisionError
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES(2)")
        assert connection.execute("SELECT n FROM t").fetchall() == [(2,)]


def test_a_transaction_that_was_left_open_is_ended_first(tmp_path: Path) -> None:
    """If even the rollback failed, the next transaction begins with a rollback."""
    with closing(connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE t(n)")
        connection.execute("BEGIN")
        connection.execute("INSERT INTO t VALUES(1)")
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES(2)")
        assert connection.execute("SELECT n FROM t").fetchall() == [(2,)]

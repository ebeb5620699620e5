"""SQLite connections: open one, write in transactions, and turn errors into HistoryError."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import error as StructError

from chatroom.errors import HistoryDamaged, HistoryError, HistoryFull, ProtocolError
from server.limits import BUSY_SECONDS, CHECKPOINT_BYTES

_TRANSIENT = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""Result codes after which the same call may work later: a disk has room or is back, a lock is released."""


def connect(path: Path, parameters: str = "mode=rwc") -> sqlite3.Connection:
    """A connection in autocommit mode. Any thread may use it, but only one at a time.

    parameters: of the URI (https://sqlite.org/uri.html): `mode=rwc`, `mode=ro` or `immutable=1`
    """
    uri = f"{path.absolute().as_uri()}?{parameters}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commits what the block writes; after an exception, nothing of it is stored."""
    roll_back(connection)  # a transaction is open only if its own rollback failed
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        try:
            roll_back(connection)
        except sqlite3.Error:
            pass  # the first error is the one to report; the next transaction rolls back again
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """Ends a transaction that is open, if there is one, and undoes its writes."""
    if connection.in_transaction:  # after some I/O errors SQLite has rolled back already
        connection.execute("ROLLBACK")


@contextmanager
def translate_errors(path: Path, action: str) -> Iterator[None]:
    """Turns sqlite3's errors into HistoryFull (may work later) or HistoryError, with path and cause.

    What was read and is not what a server writes is HistoryError, too.
    action: a verb for the message: "cannot <action> the history …"
    """
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, path, action) from error
    except (ProtocolError, StructError) as error:  # of a row, or of the packets in it
        raise HistoryDamaged(f"{path} is damaged: {error}") from error


def translated(error: sqlite3.Error, path: Path, action: str) -> HistoryError:
    """What translate_errors() raises: entering and leaving it costs a lone append 2 µs of 30."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the primary result code
    if code == sqlite3.SQLITE_NOTADB:
        return HistoryError(f"{path} is not a chatroom history")
    if code == sqlite3.SQLITE_CORRUPT:
        return HistoryDamaged(f"{path} is damaged: {error}")
    error_class = HistoryFull if code in _TRANSIENT else HistoryError
    return error_class(f"cannot {action} the history {path}: {error}")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The value of a pragma that is a number."""
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def limit_wal(connection: sqlite3.Connection) -> None:
    """For a connection that writes: leave checkpoints to Maintenance, truncate the WAL when it restarts."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    # Less than CHECKPOINT_BYTES: Maintenance takes the length of the WAL for the amount that waits in it.
    connection.execute(f"PRAGMA journal_size_limit = {CHECKPOINT_BYTES // 2}")


def overwrite_deleted(connection: sqlite3.Connection) -> None:
    """For a connection that writes: overwrite with zeros what is deleted, also whole pages that become free.

    Else the bytes of a free page would come to stand behind the end of the next row that takes the page.
    """
    connection.execute("PRAGMA secure_delete = ON").fetchone()


def empty_wal(connection: sqlite3.Connection) -> bool:
    """Copies the rest of the WAL into the file, and truncates it. Requires holding the write lock.

    False: a running read, perhaps of another program, still needs it.
    """
    connection.execute("PRAGMA busy_timeout = 0").fetchone()
    try:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}").fetchone()
    return not busy


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Copies the WAL into the file, up to the first commit that a running read must not see yet.

    Returns whether it has copied all: else a reader, perhaps of another program, holds the rest back.
    """
    busy, pages, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return not busy and pages == copied

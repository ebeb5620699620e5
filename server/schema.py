"""The history file: where it is, how it is recognised, locked and brought up to date, and its errors."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chatroom.errors import HistoryError, HistoryFull
from server.limits import BUSY_SECONDS, CHECKPOINT_BYTES

APPLICATION_ID: Final = 0x43484154
""""CHAT", at byte 68 of the file: tells a history from any other SQLite database."""

SPAN_EVENTS: Final = 256
"""Events per entry of `spans`. Part of the file format: changing it needs a migration."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # The order of the columns is the order of Event's fields.
        """CREATE TABLE events(
            seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL,
            channel TEXT NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, id INTEGER NOT NULL)""",
        # Which channels have events in which stretch of SPAN_EVENTS seqs: an index on events would double
        # the cost of appending, this one has an entry per stretch (notes/decisions/0010-history.md).
        "CREATE TABLE spans(span INTEGER, channel TEXT, PRIMARY KEY(span, channel)) WITHOUT ROWID",
        "CREATE UNIQUE INDEX spans_of_channel ON spans(channel, span)",
        # The order of the columns is the order of SessionRecord's fields.
        """CREATE TABLE sessions(
            key BLOB PRIMARY KEY, name TEXT NOT NULL, channel TEXT NOT NULL,
            present INTEGER NOT NULL, confirmed INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID""",
        # `removed`: the highest seq that retention has taken out, so that no seq is ever given twice.
        "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO state VALUES('removed', 0)",
    ),
)
"""What each version of the schema adds to the one before; the version is PRAGMA user_version. What was once
published here is never edited: the next change is a further entry."""

_PASSING = frozenset(
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
"""Result codes after which the same call may work later: room is made, a disk is back, a lock is freed."""


def default_path() -> Path:
    """Where the history is when nobody said: the user's data folder (XDG Base Directory, 0.8)."""
    folder = os.environ.get("XDG_DATA_HOME", "")
    base = Path(folder) if os.path.isabs(folder) else Path.home() / ".local" / "share"
    return base / "chatroom" / "history.db"


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turns what sqlite3 raises into HistoryFull (may work later) or HistoryError, with path and cause."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the low byte is the sort
        if code == sqlite3.SQLITE_NOTADB:
            raise HistoryError(f"{path} is not a chatroom history") from error
        sort = HistoryFull if code in _PASSING else HistoryError
        raise sort(f"cannot {doing} the history {path}: {error}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of what is written inside is there afterwards, or, after an exception, nothing of it."""
    _roll_back(connection)  # only after a rollback that failed, too, is there anything
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        try:
            _roll_back(connection)
        except sqlite3.Error:
            pass  # the first error is the one to tell; the next transaction tries again
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite has rolled back itself after some I/O errors
        connection.execute("ROLLBACK")


def connect(path: Path, how: str = "mode=rwc") -> sqlite3.Connection:
    """A connection in autocommit mode that any one thread at a time may use.

    how: URI parameters (https://sqlite.org/uri.html): `mode=rwc`, `mode=ro` or `immutable=1`
    """
    uri = f"{path.absolute().as_uri()}?{how}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def open_to_look(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing in the history, also while a server is running on it.

    Raises HistoryError when there is no such file, or it is none of ours, or it is of a newer version.
    """
    if not path.is_file():
        raise HistoryError(f"there is no history {path}")
    with explained(path, "read"):
        try:
            return _recognised(path, "mode=ro")
        except sqlite3.OperationalError:
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise
            # A folder that nobody can write in: nothing changes there, and reading needs no shared memory.
            return _recognised(path, "immutable=1")


def _recognised(path: Path, how: str) -> sqlite3.Connection:
    connection = connect(path, how)
    try:
        if version_of(connection, path) == 0:
            raise HistoryError(f"{path} is not a chatroom history: it is empty")
    except BaseException:
        connection.close()
        raise
    return connection


def set_log_limits(connection: sqlite3.Connection) -> None:
    """For connections that write: moving the log is the tidier's business; begun anew, it is cut short."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    # Below what starts a checkpoint: the tidier judges by the length of the file how much is waiting in it.
    connection.execute(f"PRAGMA journal_size_limit = {CHECKPOINT_BYTES // 2}")


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version, 0 for an empty file; HistoryError when the file is something else or newer."""
    application = pragma(connection, "application_id")
    version = pragma(connection, "user_version")
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == version == tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise HistoryError(f"{path} is not a chatroom history")
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"{path} was written by a newer version of this program: its schema is {version},"
            f" this version knows up to {len(MIGRATIONS)}"
        )
    return version


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Brings the schema up to date, each version in a transaction of its own."""
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with transaction(connection):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The number that a pragma without argument answers."""
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


class FileLock:
    """The right to write one history, held until release() or the end of the process, however it ends.

    The lock is on a file of its own: SQLite's locks on the history are POSIX locks, which a process loses
    when it closes any descriptor of the file (fcntl(2)). The lock file stays: removing it would race.
    """

    def __init__(self, history: Path) -> None:
        path = history.with_name(history.name + ".lock")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HistoryError(f"cannot open the history {history}: {path}: {error.strerror}") from error
        try:
            _lock(self._descriptor)
        except OSError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            self.release()
            by = f" (process {holder})" if holder else ""
            raise HistoryError(f"{history} is in use by another server{by}") from None
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        except OSError:
            pass  # a full disk; only the hint is missing

    def release(self) -> None:
        """Another server may write from now on."""
        os.close(self._descriptor)


if sys.platform == "win32":  # pragma: no cover

    def _lock(descriptor: int) -> None:
        """No lock of this kind there: two servers on one file are not told apart."""

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

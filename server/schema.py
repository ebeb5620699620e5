"""The format of the history file: its tables, how a file is recognised, and how it is migrated."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from chatroom.errors import HistoryError
from server.database import connect, pragma, transaction, translate_errors

APPLICATION_ID: Final = 0x43484154
""""CHAT", at byte 68 of the file: distinguishes a history from any other SQLite database."""

SPAN_EVENTS: Final = 256
"""Number of seqs in a span. Part of the file format: a change needs a migration."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # The columns are in the order of Event's fields.
        """CREATE TABLE events(
            seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL,
            channel TEXT NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, id INTEGER NOT NULL)""",
        # The channel index: which channels have events in which span of SPAN_EVENTS seqs. An index on the
        # events themselves would double the cost of appending (notes/decisions/0010-history.md).
        "CREATE TABLE spans(span INTEGER, channel TEXT, PRIMARY KEY(span, channel)) WITHOUT ROWID",
        "CREATE UNIQUE INDEX spans_of_channel ON spans(channel, span)",
        # The columns are in the order of SessionRecord's fields.
        """CREATE TABLE sessions(
            key BLOB PRIMARY KEY, name TEXT NOT NULL, channel TEXT NOT NULL,
            present INTEGER NOT NULL, confirmed INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID""",
        # `removed`: the highest seq that retention has deleted, so that no seq is given twice.
        "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO state VALUES('removed', 0)",
    ),
)
"""The statements that lead from each schema version to the next; the version is PRAGMA user_version.
Published entries are never edited: a change of the schema is a new entry."""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version, 0 for an empty file. Raises HistoryError for other files and newer versions."""
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
    """Brings the schema from `version` up to date, with a transaction for each version."""
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with transaction(connection):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection for inspecting a history, also while a server runs on it. It writes nothing.

    Raises HistoryError when there is no such file, or it is not a history that this version can read.
    """
    if not path.is_file():
        raise HistoryError(f"there is no history {path}")
    with translate_errors(path, "read"):
        try:
            return _open_history(path, "mode=ro")
        except sqlite3.OperationalError:
            wal = path.with_name(path.name + "-wal")
            if wal.exists() and wal.stat().st_size:
                raise
            # SQLite cannot make its shared-memory file in a read-only folder. Nothing changes there either,
            # so the file can be read without one.
            return _open_history(path, "immutable=1")


def _open_history(path: Path, parameters: str) -> sqlite3.Connection:
    connection = connect(path, parameters)
    try:
        if version_of(connection, path) == 0:
            raise HistoryError(f"{path} is not a chatroom history: it is empty")
    except BaseException:
        connection.close()
        raise
    return connection

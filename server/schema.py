"""The format of the history file: its tables, how a file is recognised, and how it is migrated."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Final

from chatroom.errors import HistoryError
from server.database import connect, pragma, transaction, translate_errors
from server.limits import LONG_HISTORY

_log = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x43484154
""""CHAT", at byte 68 of the file: distinguishes a history from any other SQLite database."""

SPAN_EVENTS: Final = 256
"""Number of seqs in a span. Part of the file format: a change needs a migration."""

_HEAD: Final = """
    SELECT max(coalesce((SELECT max(seq) FROM events), 0), (SELECT value FROM state WHERE name = 'removed'))
"""
"""The highest seq that was given so far. The second migration uses it."""

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
    (
        # Persons, places and records. Old rows of events have NULL in the new columns and are not rewritten:
        # that would copy the whole file. `numbered` reads them with the numbers of two small tables.
        # extra, places: NULL where empty; places is a JSON array.
        "ALTER TABLE events ADD COLUMN person INTEGER",
        "ALTER TABLE events ADD COLUMN place INTEGER",
        "ALTER TABLE events ADD COLUMN extra BLOB",
        "ALTER TABLE events ADD COLUMN places TEXT",
        "CREATE TABLE old_places(name TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID",
        """INSERT INTO old_places
            SELECT channel, row_number() OVER (ORDER BY min(span), channel)
            FROM (SELECT span, channel FROM spans UNION ALL SELECT 9e18, channel FROM sessions)
            GROUP BY channel""",
        "CREATE TABLE old_persons(name TEXT PRIMARY KEY, person INTEGER NOT NULL) WITHOUT ROWID",
        """INSERT INTO old_persons
            SELECT author, row_number() OVER (ORDER BY author) FROM (SELECT DISTINCT author FROM events)""",
        # The columns are in the order of Event's fields.
        """CREATE VIEW numbered AS SELECT
            seq, time, kind, channel, author, text, id,
            coalesce(person, (SELECT person FROM old_persons WHERE name = author)) AS person,
            coalesce(place, (SELECT place FROM old_places WHERE name = channel)) AS place,
            extra, places FROM events""",
        # The index of places takes over from the index of channels.
        "ALTER TABLE spans RENAME TO old_spans",
        "CREATE TABLE spans(span INTEGER, place INTEGER, PRIMARY KEY(span, place)) WITHOUT ROWID",
        "INSERT INTO spans SELECT span, place FROM old_spans JOIN old_places ON name = channel",
        "CREATE UNIQUE INDEX spans_of_place ON spans(place, span)",
        """CREATE TABLE records(
            kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID""",
        """INSERT INTO records SELECT 'channel', place, json_object(
            'name', name,
            'founded', coalesce(
                (SELECT time FROM old_spans CROSS JOIN events
                    ON seq >= 256 * span AND seq < 256 * (span + 1) AND events.channel = name
                    WHERE old_spans.channel = name ORDER BY span, seq LIMIT 1), 0),
            'by', 0) FROM old_places""",
        # Each session gets a person of its own: nobody knows which of the old names its user had.
        """CREATE TEMP TABLE old_sessions AS
            SELECT lower(hex(key)) AS key, sessions.name, place, present, confirmed, seen,
                (SELECT count(*) FROM old_persons) + row_number() OVER (ORDER BY key) AS person
            FROM sessions JOIN old_places ON old_places.name = channel""",
        """INSERT INTO records SELECT 'session', key, json_object(
            'person', person, 'name', name, 'address', '',
            'phase', CASE WHEN present THEN 'here' ELSE 'absent' END, 'epoch', 0, 'origin', 0,
            'until', CASE WHEN present THEN 0 ELSE seen + 7 * 24 * 3600 * 1000 END,
            'confirmed', confirmed, 'seen', seen, 'channels', json_array(place)) FROM old_sessions""",
        """INSERT INTO records SELECT 'member', person, json_object('name', name)
            FROM old_sessions WHERE present""",
        f"""INSERT INTO records SELECT 'membership', person || ' ' || place,
            json_object('intervals', json_array(json_array(({_HEAD}), NULL)))
            FROM old_sessions WHERE present""",
        """INSERT INTO records SELECT 'history', '', json_object(
            'persons', (SELECT count(*) FROM old_persons) + (SELECT count(*) FROM sessions),
            'places', (SELECT count(*) FROM old_places), 'epoch', 0)
            WHERE EXISTS (SELECT 1 FROM old_places)""",
        "DROP TABLE old_sessions",
        "DROP TABLE sessions",
        "DROP TABLE old_spans",
        # Two more values of `state`, both bytes (a type in SQLite is only a preference). `identity`: of this
        # history, never changed. `position`: of the last append.
        "INSERT INTO state VALUES('identity', randomblob(16)), ('position', x'')",
    ),
)
"""One more value of `state` needs no migration. `starts`: seq and time of the latest RESTARTED events as
JSON, missing before the first one. An older program leaves it as it is.

The statements that lead from each schema version to the next; the version is PRAGMA user_version.
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


def head_of(connection: sqlite3.Connection) -> int:
    """The highest seq that was given so far, 0 for none."""
    head: int = connection.execute(_HEAD).fetchone()[0]
    return head


def migrate(connection: sqlite3.Connection, version: int, path: Path) -> None:
    """Brings the schema from `version` up to date, with a transaction for each version."""
    if 0 < version < len(MIGRATIONS) and (head := head_of(connection)) > LONG_HISTORY:
        _log.warning(
            "%s comes from an older version and has %d events: converting it takes some seconds", path, head
        )
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
    try:
        there = path.is_file()
    except OSError as error:
        raise HistoryError(f"cannot read the history {path}: {error.strerror}") from error
    if not there:
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

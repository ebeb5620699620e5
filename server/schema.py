"""The format of the history file: its tables, and how a file is recognised."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chatroom.errors import HistoryError
from chatroom.packets import VERSION
from server.database import connect, pragma, transaction, translate_errors
from server.history_files import refuse_foreign_log
from server.limits import MERGE_WINDOW

APPLICATION_ID: Final = 0x43484154
""""CHAT", at byte 68 of the file: distinguishes a history from any other SQLite database."""

SCHEMA: Final = 3
"""The version of the tables below, PRAGMA user_version. Files of earlier versions: server.conversion."""

TABLES: Final = (
    # The columns are those of server.rows, which says what is in them.
    """CREATE TABLE blocks(
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, time INTEGER NOT NULL, lines INTEGER NOT NULL,
        place INTEGER NOT NULL, places TEXT, talkers BLOB, packets BLOB NOT NULL)""",
    # The index of places, for the blocks that begin up to `state.settled`: one row for each place of a block.
    # An index that SQLite maintains would make an append dearer by half (notes/decisions/0010-history.md).
    """CREATE TABLE settled(
        place INTEGER, first INTEGER, last INTEGER NOT NULL, PRIMARY KEY(place, first)) WITHOUT ROWID""",
    # Packets that readers get instead of those in the block, until the block is merged.
    "CREATE TABLE amended(seq INTEGER PRIMARY KEY, packets BLOB NOT NULL)",
    "CREATE TABLE records(kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID",
    "CREATE TABLE state(name TEXT PRIMARY KEY, value) WITHOUT ROWID",
)

_STATE: Final = f"""INSERT INTO state VALUES
    ('wire', {VERSION}), ('identity', randomblob(16)), ('position', x''),
    ('noted', 0), ('removed', 0), ('settled', 0), ('reach', {MERGE_WINDOW})"""
"""The values of a new history.

wire:     version of the protocol of the packets in `blocks`
identity: of this history, never changed
position: of the last append
noted:    up to this seq, the records know who has said what
removed:  the highest seq that retention has removed, so that no seq is given twice
settled:  the blocks that begin up to this seq are in the index of places
reach:    no block reaches over more seqs: at least a window of merged blocks, else the largest batch. It is
          rounded to a power of two, so that it changes rarely
erasing:  what erased persons said and is still stored, as JSON, missing when there is nothing: by person, see
          `server.rows.Job`
starts:   seq and time of the latest RESTARTED events as JSON, missing before the first one
"""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version, 0 for an empty file. Raises HistoryError for what this version cannot read."""
    application = pragma(connection, "application_id")
    version = pragma(connection, "user_version")
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == version == tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise HistoryError(f"{path} is not a chatroom history")
    if version > SCHEMA:
        raise HistoryError(
            f"{path} was written by a newer version of this program: its schema is {version},"
            f" this version knows up to {SCHEMA}"
        )
    if version == SCHEMA:
        try:
            found = connection.execute("SELECT value FROM state WHERE name = 'wire'").fetchone()
        except sqlite3.DatabaseError:
            found = None
        # Without it the page is damaged: who goes on finds that, and `--check` tells what else is.
        wire = found[0] if found is not None and isinstance(found[0], int) else VERSION
        if wire != VERSION:
            age = "an older" if wire in range(VERSION) else "a newer"
            raise HistoryError(
                f"{path} was written by {age} version of this program: its packets are of version {wire}"
                f" of the protocol, this version knows {VERSION}"
            )
    return version


def bad_state(state: Mapping[str, object]) -> list[str]:
    """The values that are missing in `state`, or are none that a server has written."""
    return [name for name, kind in _STATE_KINDS.items() if not isinstance(state.get(name), kind)]


_STATE_KINDS: Final = {
    **dict.fromkeys(("identity", "position"), bytes),
    **dict.fromkeys(("wire", "noted", "removed", "settled", "reach"), int),
}


def make_tables(connection: sqlite3.Connection) -> None:
    """Makes the tables of an empty history."""
    with transaction(connection):
        for statement in (*TABLES, _STATE):
            connection.execute(statement)
        mark(connection, SCHEMA)


def mark(connection: sqlite3.Connection, version: int) -> None:
    """Notes in the file what it is. Requires a transaction."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection for inspecting a history, also while a server runs on it. It writes nothing.

    Raises HistoryError when there is no such file, or it is not a history that this version can read.
    """
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind):
            what = "a folder" if stat.S_ISDIR(kind) else "no file"
            raise HistoryError(f"cannot read the history {path}: it is {what}")
        path.open("rb").close()
    except FileNotFoundError:
        raise HistoryError(f"there is no history {path}") from None
    except OSError as error:  # it is another user's
        raise HistoryError(f"cannot read the history {path}: {error.strerror}") from error
    refuse_foreign_log(path)
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

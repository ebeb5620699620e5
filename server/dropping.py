"""An index of the search goes: first from the sight of all, then its pages, a few in each transaction.

What is deleted is overwritten (see `server.database.overwrite_deleted`). Of a whole index at once, that would
hold the write lock for seconds, and the conversation would wait.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from server.limits import DROPPED_ROWS

_PARTS: Final = {"data": "id", "idx": "segid, term"}
"""The tables that FTS5 makes for an index and that grow with it, and their keys:
https://sqlite.org/fts5.html#fts5_data_structures"""

_EMPTY: Final = {
    "data": "(id INTEGER PRIMARY KEY, block BLOB)",
    "idx": "(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID",
}
"""FTS5 needs them there to drop an index."""

_HEADS: Final = (1, 10)
"""The rows of an index without lines: averages and structure. FTS5 reads them when it opens one."""

_GONE: Final = "gone_"


def retire(connection: sqlite3.Connection, index: str) -> None:
    """Let there be no such index any more; `clear` does the rest. Requires the transaction.

    Where SQLite keeps its tables from being changed by others, the index is dropped as a whole.
    """
    try:
        for part in _PARTS:
            connection.execute(f"ALTER TABLE {index}_{part} RENAME TO {_GONE}{index}_{part}")
            connection.execute(f"CREATE TABLE {index}_{part}{_EMPTY[part]}")
        connection.execute(f"INSERT INTO {index}_data SELECT * FROM {_GONE}{index}_data WHERE id IN {_HEADS}")
    except sqlite3.OperationalError:
        pass
    connection.execute(f"DROP TABLE {index}")


def is_clear(connection: sqlite3.Connection) -> bool:
    """Whether nothing is left of indexes that are gone."""
    return _left(connection) is None


def clear(connection: sqlite3.Connection) -> None:
    """Overwrite some of what is left. Requires the transaction."""
    rows, table = DROPPED_ROWS, _left(connection)
    while rows > 0 and table is not None:
        key = _PARTS[table.rpartition("_")[2]]
        deleted = connection.execute(
            f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} LIMIT ?)", (rows,)
        ).rowcount
        if deleted < rows:
            connection.execute(f"DROP TABLE {table}")
            table = _left(connection)
        rows -= deleted


def _left(connection: sqlite3.Connection) -> str | None:
    found = connection.execute(
        f"SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '{_GONE}*' LIMIT 1"
    ).fetchone()
    return found[0] if found else None

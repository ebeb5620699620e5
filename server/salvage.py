"""`--export FILE --readable`: what can still be read of a damaged history."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

from chatroom.blocks import Block
from chatroom.errors import ProtocolError
from chatroom.printable import json_line
from server.database import pragma, translate_errors
from server.history_export import is_public
from server.history_tool import in_order, old_in_order, removed_until
from server.rows import COLUMNS, block_of, with_amendments
from server.schema import SCHEMA, open_read_only


def export_readable(path: str | Path, out: TextIO, with_direct: bool = False) -> list[str]:
    """Writes every event that can be read as a line of JSON, the oldest first; what was left out, in words.

    with_direct: whether also those of direct conversations
    A line is left out when nobody can tell whether it was deleted. Raises HistoryError when the file cannot
    be opened, or cannot be read for another reason than damage.
    """
    left_out = list[str]()
    with closing(open_read_only(Path(path))) as database, translate_errors(Path(path), "read"):
        database.execute("BEGIN")
        removed = removed_until(database)
        is_old = pragma(database, "user_version") < SCHEMA
        events = (
            old_in_order(database, left_out) if is_old else in_order(_blocks(database, left_out), left_out)
        )
        for event in events:
            if event.seq > removed and is_public(event, with_direct):
                out.write(json_line(event.as_json()) + "\n")
    out.flush()
    return left_out


def _blocks(database: sqlite3.Connection, left_out: list[str]) -> Iterator[Block]:
    """All blocks but those on damaged pages: from the first one on, and behind the damage up to the last.

    Blocks are in order of their first events, and overlap: so what is lost is named by first events, too.
    """
    last = yield from _read(database, "SELECT {} FROM blocks ORDER BY first", left_out)
    if last is None:
        return
    first = _first_from_behind(database, last)
    if first is None:
        left_out.append(f"all blocks that begin after seq {last}: the file is damaged there")
        return
    left_out.append(f"all blocks that begin between seq {last} and {first}: the file is damaged there")
    again = yield from _read(
        database, f"SELECT {{}} FROM blocks WHERE first >= {first} ORDER BY first", left_out
    )
    if again is not None:
        left_out.append(f"all blocks that begin after seq {again}: the file is damaged there, too")


def _read(
    database: sqlite3.Connection, query: str, left_out: list[str]
) -> Generator[Block, None, int | None]:
    """The blocks that the query finds, up to a damaged page.

    Returns the first seq of the last one before that page, 0: there is none; None: no page is damaged.
    """
    done = 0
    try:
        for row in database.execute(query.format(COLUMNS)):
            done = row[0]
            try:
                block = with_amendments(database, block_of(row))
            except ProtocolError as cause:
                left_out.append(str(cause))
            except sqlite3.DatabaseError as error:
                _raise_unless_damage(error)
                left_out.append(
                    f"the block of seq {row[0]}: nobody can tell what was edited and deleted in it"
                )
            else:
                yield block
    except sqlite3.DatabaseError as error:
        _raise_unless_damage(error)
        return done
    return None


def _first_from_behind(database: sqlite3.Connection, after: int) -> int | None:
    """The first block behind the damage: found by reading backwards. None: there is none that can be read."""
    found: int | None = None
    try:
        for first, *_ in database.execute(
            f"SELECT {COLUMNS} FROM blocks WHERE first > ? ORDER BY first DESC", (after,)
        ):
            found = first
    except sqlite3.DatabaseError as error:
        _raise_unless_damage(error)
    return found


def _raise_unless_damage(error: sqlite3.DatabaseError) -> None:
    if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        raise error

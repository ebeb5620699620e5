"""`--check` and `--export`: inspect a history without changing it, also while a server runs on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TextIO

from chatroom.errors import HistoryError
from chatroom.events import Event, EventKind, iso_time
from chatroom.limits import CATCH_UP_EVENTS, MAX_TIME
from chatroom.printable import json_line
from server.database import pragma, translate_errors
from server.schema import MIGRATIONS, SPAN_EVENTS, open_read_only

_SHOWN = 10  # of each kind of damage: the first few are enough for a person
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Report(NamedTuple):
    """The result of check().

    lines: for a person, in order
    sound: whether no damage was found; decides the program's exit code
    """

    lines: list[str]
    sound: bool


def check(path: str | Path) -> Report:
    """Reads the whole history and reports its contents and its damage.

    Raises HistoryError when there is no such file, or it is not a history that this version can read.
    """
    path = Path(path)
    with closing(open_read_only(path)) as database, translate_errors(path, "check"):
        database.execute("BEGIN")  # all queries see the same state, also while a server appends
        version = pragma(database, "user_version")
        lines = [f"{path}: a chatroom history, schema {version}, {_size(database)}"]
        damage = _collect(_contents, database, lines)
        if version < len(MIGRATIONS):
            lines.append(
                f"a server will convert it to schema {len(MIGRATIONS)}; only pages and events are checked"
            )
            parts = [_bad_pages, _gaps, _bad_events]
        else:
            damage += _collect(_sessions, database, lines)
            parts = [_bad_pages, _gaps, _bad_events, _bad_numbers, _bad_index, _bad_records]
        for part in parts:
            damage += _collect(part, database, damage)
    lines += [f"damage: {finding}" for finding in damage]
    lines.append("damaged" if damage else "sound")
    return Report(lines, not damage)


def export(path: str | Path, out: TextIO) -> int:
    """Writes every event as a line of JSON, the oldest first; returns their number.

    Reads and writes in chunks: memory is bounded, and no read is so long that it blocks the checkpoints of a
    running server.
    """
    path = Path(path)
    count = done = 0
    with closing(open_read_only(path)) as database, translate_errors(path, "read"):
        (head,) = database.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        while done < head:
            chunk = database.execute(
                """SELECT seq, time, kind, channel, author, text FROM events
                    WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?""",
                (done, head, CATCH_UP_EVENTS),
            )
            done = head  # if the chunk is empty
            for row in chunk:
                out.write(_as_line(row, path))
                done = row[0]
                count += 1
    out.flush()
    return count


def _as_line(row: tuple[int, int, int, str, str, str], path: Path) -> str:
    seq, at, kind, channel, author, text = row
    try:
        event = Event(seq, at, EventKind(kind), channel, author, text)
        return json_line(event.as_json()) + "\n"
    except (TypeError, ValueError, OverflowError) as cause:
        raise HistoryError(f"{path} is damaged: event {seq}: {cause}") from None


def _collect(
    part: Callable[[sqlite3.Connection], Iterator[str]], database: sqlite3.Connection, into: list[str]
) -> list[str]:
    """Adds the lines of one part of the check; returns the damage that stopped the part, if any."""
    try:
        into.extend(part(database))
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise
        return [f"{error}"]
    return []


def _contents(database: sqlite3.Connection) -> Iterator[str]:
    """Numbers and times of the events."""
    count, first, last, oldest, latest = database.execute(
        "SELECT count(*), min(seq), max(seq), min(time), max(time) FROM events"
    ).fetchone()
    if count:
        yield f"{count} events, seq {first} to {last}, {_time_text(oldest)} to {_time_text(latest)}"
    else:
        yield "no events"
    if removed := _removed(database):
        yield f"seq 1 to {removed} were removed by --keep"
    for kind, of_kind in database.execute("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind"):
        yield f"  {_word(kind)}: {of_kind}"
    for channel, of_channel in database.execute(
        "SELECT channel, count(*) FROM events GROUP BY channel ORDER BY count(*) DESC, channel"
    ):
        yield f"  in {channel!r}: {of_channel}" if channel else f"  in no single channel: {of_channel}"


def _sessions(database: sqlite3.Connection) -> Iterator[str]:
    """Number of the sessions."""
    sessions, present = database.execute(
        """SELECT count(*),
            count(CASE WHEN json_valid(value) AND json_extract(value, '$.phase') = 'here' THEN 1 END)
            FROM records WHERE kind = 'session'"""
    ).fetchone()
    yield f"{sessions} sessions, {present} of them in the chatroom when it was written"


def _bad_pages(database: sqlite3.Connection) -> Iterator[str]:
    """Damage that SQLite itself finds."""
    for (line,) in database.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield line


def _gaps(database: sqlite3.Connection) -> Iterator[str]:
    """Missing seqs, except those that retention has removed."""
    for seq, previous in database.execute(
        "SELECT seq, previous FROM (SELECT seq, lag(seq, 1, ?) OVER (ORDER BY seq) AS previous FROM events)"
        " WHERE seq != previous + 1 LIMIT ?",
        (_removed(database), _SHOWN),
    ):
        yield f"after seq {previous} comes seq {seq}"


def _bad_events(database: sqlite3.Connection) -> Iterator[str]:
    """Events that a server cannot have written."""
    kinds = ", ".join(str(int(kind)) for kind in EventKind)
    for seq, at, kind in database.execute(
        f"""SELECT seq, time, kind FROM events
            WHERE kind NOT IN ({kinds}) OR typeof(time) != 'integer' OR time NOT BETWEEN 0 AND ?
               OR typeof(channel) != 'text' OR typeof(author) != 'text' OR typeof(text) != 'text' LIMIT ?""",
        (MAX_TIME, _SHOWN),
    ):
        yield f"event {seq} was not written by a server (kind {kind!r}, time {at!r})"


def _bad_numbers(database: sqlite3.Connection) -> Iterator[str]:
    """Events whose person or places a server cannot have written."""
    for seq, person, place in database.execute(
        """SELECT seq, person, place FROM numbered
            WHERE typeof(person) != 'integer' OR typeof(place) != 'integer'
               OR typeof(extra) NOT IN ('null', 'blob')
               OR (places IS NOT NULL AND NOT json_valid(places)) LIMIT ?""",
        (_SHOWN,),
    ):
        yield f"event {seq} was not written by a server (person {person!r}, place {place!r})"


def _bad_index(database: sqlite3.Connection) -> Iterator[str]:
    """Events that the index of places lacks."""
    for seq, place in database.execute(
        """WITH found(seq, place) AS (
                SELECT seq, place FROM numbered WHERE places IS NULL
                UNION ALL
                SELECT seq, value
                FROM events CROSS JOIN json_each(CASE WHEN json_valid(places) THEN places END)
                WHERE places IS NOT NULL)
            SELECT min(seq), place FROM found GROUP BY seq / :span, place
            HAVING (seq / :span, place) NOT IN (SELECT span, place FROM spans) LIMIT :shown""",
        {"span": SPAN_EVENTS, "shown": _SHOWN},
    ):
        yield f"the index of places lacks event {seq} in place {place}"


def _bad_records(database: sqlite3.Connection) -> Iterator[str]:
    """Records that a server cannot have written."""
    for kind, key in database.execute(
        "SELECT kind, key FROM records WHERE NOT json_valid(value) LIMIT ?", (_SHOWN,)
    ):
        yield f"the record {kind!r} {key!r} is no JSON"


def _removed(database: sqlite3.Connection) -> int:
    """The highest seq that retention has removed."""
    found: tuple[int] | None = database.execute("SELECT value FROM state WHERE name = 'removed'").fetchone()
    return found[0] if found else 0


def _word(kind: int) -> str:
    try:
        return EventKind(kind).word
    except ValueError:
        return f"unknown kind {kind!r}"


def _time_text(at: int) -> str:
    return iso_time(at) if isinstance(at, int) and 0 <= at <= MAX_TIME else f"time {at!r}"


def _size(database: sqlite3.Connection) -> str:
    """Size of all pages, those in the WAL included."""
    return f"{pragma(database, 'page_count') * pragma(database, 'page_size') / 1e6:.1f} MB"

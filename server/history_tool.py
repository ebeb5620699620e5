"""What `--check` and `--export` do: look at a history without changing it, server running or not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TextIO

from chatroom.errors import HistoryError
from chatroom.events import Event, EventKind, iso_time
from chatroom.limits import CATCH_UP_EVENTS, MAX_TIME
from server.schema import SPAN_EVENTS, explained, open_to_look, pragma

_SHOWN = 10  # of each sort of damage; a person needs the first places, not all of them
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Report(NamedTuple):
    """What check() found.

    lines: for a person, in order
    sound: whether nothing is damaged; the exit code of the program says the same
    """

    lines: list[str]
    sound: bool


def check(path: str | Path) -> Report:
    """Reads the whole history and says what is in it and what is wrong with it.

    Raises HistoryError when there is no such file, or it is not a history that this version can read.
    """
    path = Path(path)
    with closing(open_to_look(path)) as look, explained(path, "check"):
        look.execute("BEGIN")  # all of it is of one moment, even while a server appends
        lines = [f"{path}: a chatroom history, schema {pragma(look, 'user_version')}, {_size(look)}"]
        wrong: list[str] = []
        for part, into in ((_contents, lines), (_page_damage, wrong), (_gaps, wrong), (_strays, wrong)):
            wrong += _collect(part, look, into)
    lines += [f"damage: {what}" for what in wrong]
    lines.append("damaged" if wrong else "sound")
    return Report(lines, not wrong)


def export(path: str | Path, out: TextIO) -> int:
    """Writes every event as a line of JSON, the oldest first; returns how many.

    A piece is read and written at a time: memory stays the same, and a running server can go on tidying up.
    """
    path = Path(path)
    count = done = 0
    with closing(open_to_look(path)) as look, explained(path, "read"):
        (head,) = look.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        while done < head:
            piece = look.execute(
                "SELECT * FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (done, head, CATCH_UP_EVENTS),
            )
            done = head  # unless there is a row after this
            for row in piece:
                out.write(_as_line(row, path))
                done = row[0]
                count += 1
    out.flush()
    return count


def _as_line(row: tuple[int, int, int, str, str, str, int], path: Path) -> str:
    seq, at, kind, channel, author, text, id = row
    try:
        event = Event(seq, at, EventKind(kind), channel, author, text, id)
        return json.dumps(event.as_json(), ensure_ascii=False) + "\n"
    except (TypeError, ValueError, OverflowError) as cause:
        raise HistoryError(f"{path} is damaged: event {seq}: {cause}") from None


def _collect(
    part: Callable[[sqlite3.Connection], Iterator[str]], look: sqlite3.Connection, into: list[str]
) -> list[str]:
    """Adds what a part of the check says; returns what kept it from going on, if that is damage."""
    try:
        into.extend(part(look))
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise
        return [f"{error}"]
    return []


def _contents(look: sqlite3.Connection) -> Iterator[str]:
    """What is in it, for a person."""
    count, first, last, oldest, latest = look.execute(
        "SELECT count(*), min(seq), max(seq), min(time), max(time) FROM events"
    ).fetchone()
    if count:
        yield f"{count} events, seq {first} to {last}, {_when(oldest)} to {_when(latest)}"
    else:
        yield "no events"
    if removed := _removed(look):
        yield f"seq 1 to {removed} were removed by --keep"
    for kind, of_kind in look.execute("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind"):
        yield f"  {_word(kind)}: {of_kind}"
    for channel, of_channel in look.execute(
        "SELECT channel, count(*) FROM events GROUP BY channel ORDER BY count(*) DESC, channel"
    ):
        yield f"  in {channel!r}: {of_channel}"
    sessions, present = look.execute("SELECT count(*), coalesce(sum(present), 0) FROM sessions").fetchone()
    yield f"{sessions} sessions, {present} of them in the chatroom when it was written"


def _page_damage(look: sqlite3.Connection) -> Iterator[str]:
    for (line,) in look.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield line


def _gaps(look: sqlite3.Connection) -> Iterator[str]:
    """Seqs that are missing between what was removed and the latest."""
    removed = _removed(look)
    for seq, previous in look.execute(
        "SELECT seq, previous FROM (SELECT seq, lag(seq, 1, ?) OVER (ORDER BY seq) AS previous FROM events)"
        " WHERE seq != previous + 1 LIMIT ?",
        (removed, _SHOWN),
    ):
        yield f"after seq {previous} comes seq {seq}"


def _strays(look: sqlite3.Connection) -> Iterator[str]:
    """Events that no reader could show: not of the form that is written, or missing in the channel index."""
    kinds = ", ".join(str(int(kind)) for kind in EventKind)
    for seq, at, kind in look.execute(
        f"""SELECT seq, time, kind FROM events
            WHERE kind NOT IN ({kinds}) OR typeof(time) != 'integer' OR time NOT BETWEEN 0 AND ?
               OR typeof(channel) != 'text' OR typeof(author) != 'text' OR typeof(text) != 'text' LIMIT ?""",
        (MAX_TIME, _SHOWN),
    ):
        yield f"event {seq} is none that a server wrote (kind {kind!r}, time {at!r})"
    for seq, channel in look.execute(
        "SELECT min(seq), channel FROM events GROUP BY seq / :span, channel"
        " HAVING (seq / :span, channel) NOT IN (SELECT span, channel FROM spans) LIMIT :shown",
        {"span": SPAN_EVENTS, "shown": _SHOWN},
    ):
        yield f"the channel index does not know of event {seq} in {channel!r}"


def _removed(look: sqlite3.Connection) -> int:
    found: tuple[int] | None = look.execute("SELECT value FROM state WHERE name = 'removed'").fetchone()
    return found[0] if found else 0


def _word(kind: int) -> str:
    try:
        return EventKind(kind).word
    except ValueError:
        return f"unknown kind {kind!r}"


def _when(at: int) -> str:
    return iso_time(at) if isinstance(at, int) and 0 <= at <= MAX_TIME else f"time {at!r}"


def _size(look: sqlite3.Connection) -> str:
    """Length of the file with all pages, those of the write-ahead log included."""
    return f"{pragma(look, 'page_count') * pragma(look, 'page_size') / 1e6:.1f} MB"

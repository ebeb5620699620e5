"""`--check`: inspects a history without changing it, also while a server runs on it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple

from chatroom.blocks import Block, encoded, events_of, times_of
from chatroom.errors import HistoryDamaged, ProtocolError
from chatroom.events import Event, EventKind, iso_time
from chatroom.limits import MAX_TIME
from server.database import pragma, translate_errors
from server.disk_watch import size_words
from server.history_export import OLD_EVENTS, checked_events, is_direct, old_event
from server.rows import COLUMNS, block_of, blocks_between
from server.schema import SCHEMA, bad_state, open_read_only

_SHOWN = 10  # of each kind of damage: the first few are enough for a person
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Report(NamedTuple):
    """The result of check().

    lines:  for a person, in order
    sound:  whether no damage was found; decides the program's exit code
    events: how many there are
    """

    lines: list[str]
    sound: bool
    events: int = 0


def check(path: str | Path) -> Report:
    """Reads the whole history and reports its contents and its damage.

    Raises HistoryError when there is no such file, or it is not a history that this version can read.
    """
    path = Path(path)
    try:
        database = open_read_only(path)
    except HistoryDamaged as error:
        reason = str(error).removeprefix(f"{path} is damaged: ")
        return Report([f"{path}: a damaged file, which cannot be opened", *_unreadable(path, reason)], False)
    with closing(database), translate_errors(path, "check"):
        database.execute("BEGIN")  # all queries see the same state, also while a server appends
        version = pragma(database, "user_version")
        is_old = version < SCHEMA
        lines = [f"{path}: a chatroom history, schema {version}, {_size(database)}"]
        damage = _collect(_bad_pages(database))
        seen, bad = _Seen(removed_until(database)), list[str]()
        events = old_in_order(database, bad) if is_old else in_order(_blocks(database, bad), bad)
        damage += _collect(seen.look_at(events)) + bad[:_SHOWN]
        lines += seen.contents()
        if is_old:
            lines.append(f"a server will convert it to schema {SCHEMA}; only pages and events are checked")
        else:
            lines += _collect(_records_in(database)) + _collect(_sessions(database))
            for part in (_bad_state, _bad_amendments, _bad_index, _bad_records):
                damage += _collect(part(database))
    lines += [f"damage: {finding}" for finding in damage]
    if damage:
        lines += [f"lost: {seen.lost_words()}", *_advice(path)]
    lines.append("damaged" if damage else "sound")
    return Report(lines, not damage, seen.count)


def _unreadable(path: Path, reason: str) -> Iterator[str]:
    """What is known of a file that SQLite cannot open."""
    yield f"damage: {_cut_off(path) or reason}"
    yield "lost: nobody can tell; perhaps all of it"
    yield "to do: stop the server, and put the latest backup in the place of this file (README, Backup)"
    yield "damaged"


def _advice(path: Path) -> Iterator[str]:
    """What to do with a damaged file."""
    yield "to do: stop the server, and put the latest backup in the place of this file (README, Backup)"
    yield f"to do: see what can still be read: chatroom-server --export {path} --readable"


def _cut_off(path: Path) -> str:
    """In words, when the file is shorter than its header says; else "".

    https://sqlite.org/fileformat.html: the size of a page at offset 16, the number of pages at 28.
    """
    try:
        with path.open("rb") as file:
            header = file.read(100)
        there = path.stat().st_size
    except OSError:
        return ""
    page = int.from_bytes(header[16:18], "big")
    whole = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    if there >= whole:
        return ""
    return f"the file is cut off: {size_words(there)} of {size_words(whole)} are there"


def _collect(part: Iterator[str]) -> list[str]:
    """The first lines of one part of the check, and the damage that stopped it. The part goes to its end."""
    found: list[str] = []
    try:
        for line in part:
            if len(found) < _SHOWN:
                found.append(line)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise
        found.append(str(error))
    return found


# --- the parts of a check -------------------------------------------------------------------------------


class _Seen:
    """What was seen of the events, in order of seq: their numbers, and what is wrong with the order."""

    def __init__(self, removed: int) -> None:
        self._removed = removed
        self._first = self._last = 0
        self._oldest, self._latest = MAX_TIME, 0
        self._kinds: Counter[EventKind] = Counter()
        self._channels: Counter[str] = Counter()
        self._direct = 0
        self._missing, self._first_missing = 0, 0
        self._whole = False  # all was looked at

    @property
    def count(self) -> int:
        """How many events there are."""
        return self._kinds.total()

    def look_at(self, events: Iterable[Event]) -> Iterator[str]:
        """The gaps, and what is stored twice. What retention has removed is neither."""
        previous = self._removed
        for event in events:
            if event.seq <= self._removed:
                continue
            if event.seq == previous:
                yield f"seq {previous} is stored twice"
            elif event.seq != previous + 1:
                missing = event.seq - previous - 1
                self._first_missing = self._first_missing or previous + 1
                self._missing += missing
                yield f"after seq {previous} comes seq {event.seq}: {counted(missing, 'event')} between them"
            previous = event.seq
            self._first, self._last = self._first or event.seq, event.seq
            self._oldest, self._latest = min(event.time, self._oldest), max(event.time, self._latest)
            self._kinds[event.kind] += 1
            self._channels["" if is_direct(event) else event.channel] += 1
            self._direct += is_direct(event)
        self._whole = True

    def lost_words(self) -> str:
        """How many events are missing, for a person."""
        if not self._whole:
            return f"all that came after seq {self._last}, unless it can be read in another way"
        if not self._missing:
            return "no event"
        return f"{counted(self._missing, 'event')}, the first of seq {self._first_missing}"

    def contents(self) -> Iterator[str]:
        """Numbers and times."""
        if count := self._kinds.total():
            times = f"{iso_time(self._oldest)} to {iso_time(self._latest)}"
            yield f"{count} events, seq {self._first} to {self._last}, {times}"
        else:
            yield "no events"
        if self._removed:
            yield f"seq 1 to {self._removed} were removed by --keep"
        for kind, of_kind in sorted(self._kinds.items()):
            yield f"  {kind.word}: {of_kind}"
        for channel, of_channel in sorted(self._channels.items(), key=lambda pair: (-pair[1], pair[0])):
            if channel:
                yield f"  in {channel!r}: {of_channel}"
            elif of_channel > self._direct:
                yield f"  in no single channel: {of_channel - self._direct}"
        if self._direct:
            yield f"  in direct conversations: {self._direct}"


def in_order(blocks: Iterable[Block], damage: list[str]) -> Iterator[Event]:
    """The events of blocks that are in order of their first events. Few blocks overlap, so it holds few."""
    waiting: list[Event] = []
    for block in blocks:
        while waiting and waiting[0].seq < block.first:
            yield heappop(waiting)
        try:
            events = checked_events(block)
        except ProtocolError as cause:
            damage.append(str(cause))
            continue
        damage.extend(_bad_block(block, events))
        for event in events:
            heappush(waiting, event)
    while waiting:
        yield heappop(waiting)


def old_in_order(database: sqlite3.Connection, damage: list[str]) -> Iterator[Event]:
    """The events of a file of an earlier version."""
    for row in database.execute(f"{OLD_EVENTS} ORDER BY seq"):
        try:
            yield old_event(row)
        except ProtocolError as cause:
            damage.append(str(cause))


def _blocks(database: sqlite3.Connection, damage: list[str]) -> Iterator[Block]:
    for row in database.execute(f"SELECT {COLUMNS} FROM blocks ORDER BY first"):
        try:
            yield block_of(row)
        except ProtocolError as cause:
            damage.append(str(cause))


def _bad_block(block: Block, events: list[Event]) -> Iterator[str]:
    """What its row says and its packets do not."""
    if not events:
        yield f"the block of seq {block.first} is empty"
        return
    seqs = [event.seq for event in events]
    if seqs != sorted(set(seqs)):
        yield f"the block of seq {block.first}: its events are not in order"
    elsewhere = [
        event.seq for event in events if event.place not in ((0,) if block.places else (0, block.place))
    ]
    if elsewhere:
        yield f"the block of seq {block.first}: event {elsewhere[0]} is of another place"
    should = encoded(events)
    for name, is_so, wanted in (
        ("first", block.first, should.first),
        ("last", block.last, should.last),
        ("time", block.time, should.time),
        ("lines", block.lines, should.lines),
        ("talkers", dict(block.talkers), dict(should.talkers)),
    ):
        if is_so != wanted:
            yield f"the block of seq {block.first}: {name} is {is_so}, its events say {wanted}"


def counted(number: int, what: str) -> str:
    """A number with its word."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _records_in(database: sqlite3.Connection) -> Iterator[str]:
    """How many channels and accounts there are."""
    found = dict(database.execute("SELECT kind, count(*) FROM records GROUP BY kind").fetchall())
    yield f"{counted(found.get('channel', 0), 'channel')}, {counted(found.get('account', 0), 'account')}"


def _sessions(database: sqlite3.Connection) -> Iterator[str]:
    """Number of the sessions."""
    sessions, present = database.execute(
        """SELECT count(*),
            count(CASE WHEN json_valid(value) AND json_extract(value, '$.phase') = 'here' THEN 1 END)
            FROM records WHERE kind = 'session'"""
    ).fetchone()
    yield f"{counted(sessions, 'session')}, {present} of them in the chatroom when it was written"


def _bad_pages(database: sqlite3.Connection) -> Iterator[str]:
    """Damage that SQLite itself finds."""
    for (line,) in database.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield line


def _bad_amendments(database: sqlite3.Connection) -> Iterator[str]:
    """Amended packets that are not those of a stored event."""
    for seq, packets in database.execute("SELECT seq, packets FROM amended"):
        stored = any(seq in times_of(block) for block in blocks_between(database, seq, seq))
        try:
            events = events_of(Block(seq, seq, 0, 0, 0, (), packets))
        except ProtocolError as cause:
            yield f"what amends seq {seq}: {cause}"
        else:
            if not stored or [event.seq for event in events] != [seq]:
                yield f"what amends seq {seq} is of another event"


def _bad_index(database: sqlite3.Connection) -> Iterator[str]:
    """Blocks that the index of places lacks."""
    for first, place in database.execute(
        """SELECT first, coalesce(each.value, place)
            FROM blocks LEFT JOIN json_each(CASE WHEN json_valid(places) THEN places END) AS each
            WHERE first <= (SELECT value FROM state WHERE name = 'settled')
                AND (coalesce(each.value, place), first, last)
                    NOT IN (SELECT place, first, last FROM settled)"""
    ):
        yield f"the index of places lacks the block of seq {first} in place {place}"
    for (first,) in database.execute(
        "SELECT first FROM blocks WHERE last - first >= (SELECT value FROM state WHERE name = 'reach')"
    ):
        yield f"the block of seq {first} reaches further than any should"


def _bad_state(database: sqlite3.Connection) -> Iterator[str]:
    """Values that a server cannot do without."""
    for name in bad_state(dict(database.execute("SELECT name, value FROM state").fetchall())):
        yield f"the state lacks {name!r}"


def _bad_records(database: sqlite3.Connection) -> Iterator[str]:
    """Records that a server cannot have written."""
    for kind, key in database.execute("SELECT kind, key FROM records WHERE NOT json_valid(value)"):
        yield f"the record {kind!r} {key!r} is no JSON"


def removed_until(database: sqlite3.Connection) -> int:
    """The highest seq that retention has removed; 0 also when the page that says so is damaged."""
    query = "SELECT value FROM state WHERE name = 'removed'"
    try:
        found: tuple[int] | None = database.execute(query).fetchone()
    except sqlite3.DatabaseError:
        return 0
    return found[0] if found and isinstance(found[0], int) else 0


def _size(database: sqlite3.Connection) -> str:
    """Size of all pages, those in the WAL included."""
    return size_words(pragma(database, "page_count") * pragma(database, "page_size"))

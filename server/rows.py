"""The rows of the history: a block each. How they are packed, found and read; any connection will do.

`settled` is the index of places. The maintenance adds the rows to it, up to the seq `state.settled`, when it
has merged the small ones; what is newer is scanned. So an append writes to one table only.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing
from enum import IntEnum
from heapq import merge
from itertools import chain, groupby
from struct import Struct
from struct import error as StructError
from typing import Final, NamedTuple

from chatroom.blanking import Erased
from chatroom.blocks import (
    Block,
    amended,
    asked_by,
    blanked,
    cut,
    event_in,
    lines_of,
    questions_in,
    split_block,
)
from chatroom.errors import ProtocolError
from chatroom.events import Event
from chatroom.history import time_of
from chatroom.limits import MAX_NUMBER
from server.limits import AMENDED_BYTES, MERGE_WINDOW

Row = tuple[int, int, int, int, int, str | None, bytes | None, bytes]

COLUMNS: Final = "first, last, time, lines, place, places, talkers, packets"
"""Those of the table `blocks`. The packets are the last one: the others are read without them."""

INSERT: Final = f"INSERT INTO blocks({COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"

_TALKER: Final = Struct("!IQ")

_STORED_WITH: Final = """
    SELECT seq, packets FROM amended WHERE seq BETWEEN ? AND ?
    UNION ALL SELECT 0, value FROM state WHERE name = 'erasing'"""
"""What takes the place of packets in a block; with 0, which is no seq, the jobs of erasing."""

_HEAD: Final = """
    SELECT max(
        (SELECT value FROM state WHERE name = 'removed'),
        coalesce((SELECT max(last) FROM blocks WHERE first > (SELECT max(first) FROM blocks)
            - (SELECT value FROM state WHERE name = 'reach')), 0))"""

_AROUND: Final = f"""
    SELECT {COLUMNS} FROM blocks
    WHERE first > :seq - (SELECT value FROM state WHERE name = 'reach') AND first <= :seq AND last >= :seq
    ORDER BY first DESC"""

_SETTLED: Final = """
    SELECT first FROM settled
    WHERE place = :place AND first > :least AND first <= :settled AND last > :after ORDER BY first"""

_LATEST: Final = f"""
    SELECT {COLUMNS} FROM blocks
    WHERE first > :settled AND first <= :until AND place = :place AND places IS NULL AND lines > 0
    ORDER BY first DESC"""

_LATEST_SETTLED: Final = """
    SELECT blocks.* FROM settled CROSS JOIN blocks ON blocks.first = settled.first
    WHERE settled.place = :place AND settled.first <= :until AND settled.first <= :settled
        AND places IS NULL AND lines > 0
    ORDER BY settled.first DESC"""


def row_of(block: Block) -> Row:
    """The row of a block. No talkers are NULL; places are NULL, too, when one number says the scope."""
    first, last, time, lines, place, places, packets, talkers = block
    if len(places) == 1:  # a QUIT of somebody who was in one channel, and perhaps lines of that channel
        place, places = places[0], ()
    return (
        first,
        last,
        time,
        lines,
        place,
        json.dumps(places) if places else None,
        b"".join([_TALKER.pack(person, id) for person, id in talkers]) if talkers else None,
        packets,
    )


def block_of(row: Row) -> Block:
    """The block of a row. Raises ProtocolError when it is no row of a block."""
    first, last, time, lines, place, places, talkers, packets = row
    try:
        if set(map(type, row[:5])) != {int} or type(packets) is not bytes:
            raise TypeError("a value is of another type")
        return Block(
            first,
            last,
            time,
            lines,
            place,
            tuple(json.loads(places)) if places else (),
            packets,
            tuple(_TALKER.iter_unpack(talkers)) if talkers else (),
        )
    except (StructError, TypeError, ValueError) as cause:
        raise ProtocolError(f"row {first}: {cause}") from None


def places_of(place: int, places: str | None) -> tuple[int, ...]:
    """The places of a row. Raises ProtocolError when they are no list."""
    try:
        return tuple(json.loads(places)) if places else (place,)
    except (TypeError, ValueError) as cause:
        raise ProtocolError(f"the places {places!r}: {cause}") from None


def window_end(seq: int) -> int:
    """The last seq of the window in which `seq` is; see MERGE_WINDOW."""
    return (seq // MERGE_WINDOW + 1) * MERGE_WINDOW - 1


def number(connection: sqlite3.Connection, name: str) -> int:
    """A number among the values of `state`."""
    found: tuple[int] = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return found[0]


def head_of(connection: sqlite3.Connection) -> int:
    """The highest seq that was given so far, 0 for none."""
    head: int = connection.execute(_HEAD).fetchone()[0]
    return head


def time_at(connection: sqlite3.Connection, seq: int) -> int:
    """Time of the event `seq`; 0: it is not stored."""
    if not number(connection, "removed") < seq <= MAX_NUMBER:
        return 0
    with closing(connection.execute(_AROUND, {"seq": seq})) as rows:
        return time_of(map(block_of, rows), seq)


def event_at(connection: sqlite3.Connection, seq: int) -> Event | None:
    """The event `seq` as it is now; None: it is not stored."""
    if not number(connection, "removed") < seq <= MAX_NUMBER:
        return None
    with closing(connection.execute(_AROUND, {"seq": seq})) as rows:
        return event_in((with_amendments(connection, block_of(row)) for row in rows), seq)


def talking_since(connection: sqlite3.Connection, noted: int) -> list[Block]:
    """The blocks that have talkers and end after `noted`; without their packets."""
    rows = connection.execute(
        """SELECT first, last, time, lines, place, places, talkers, x'' FROM blocks
            WHERE first > ?1 - (SELECT value FROM state WHERE name = 'reach') AND last > ?1
                AND talkers IS NOT NULL ORDER BY first""",
        (noted,),
    )
    return list(map(block_of, rows))


def blocks_after(connection: sqlite3.Connection, after: int, places: Collection[int]) -> Iterator[Block]:
    """The blocks of some places with an event after `after`, in order of their first events.

    Each is read when it is asked for. What was amended is in its place.
    """
    (any_changed,) = connection.execute(
        "SELECT EXISTS(SELECT 1 FROM amended) OR EXISTS(SELECT 1 FROM state WHERE name = 'erasing')"
    ).fetchone()
    settled = number(connection, "settled")
    for first in _firsts(connection, after, places, settled):
        row = connection.execute(f"SELECT {COLUMNS} FROM blocks WHERE first = ?", (first,)).fetchone()
        if row is not None:
            block = block_of(row)
            yield with_amendments(connection, block) if any_changed else block


def blocks_between(connection: sqlite3.Connection, first: int, last: int) -> Generator[Block, None, None]:
    """The blocks of all places with an event from `first` to `last`, as they are stored.

    Who does not read all of them closes it: until then the connection sees what was stored at the beginning,
    and nobody's checkpoint gets past that.
    """
    rows = connection.execute(
        f"""SELECT {COLUMNS} FROM blocks
            WHERE first > ?1 - (SELECT value FROM state WHERE name = 'reach') AND first <= ?2 AND last >= ?1
            ORDER BY first""",
        (first, last),
    )
    with closing(rows):
        yield from map(block_of, rows)


def with_amendments(connection: sqlite3.Connection, block: Block) -> Block:
    """The block as it is now: with the packets that were amended, and without what erased persons said."""
    found = dict(connection.execute(_STORED_WITH, (block.first, block.last)).fetchall())
    jobs = found.pop(0, None)
    block = amended(block, found) if found else block
    erased = {person: job.until for person, job in _jobs(jobs).items()} if jobs else {}
    return blanked_in(connection, block, erased)


def blanked_in(connection: sqlite3.Connection, block: Block, erased: Erased) -> Block:
    """The block without what these persons said or asked. Who asked, stands in another block."""
    if not erased:
        return block
    asked = [seq for seq in questions_in(block) if _is_asked_by(connection, seq, erased)]
    return blanked(block, erased, asked)


def _is_asked_by(connection: sqlite3.Connection, seq: int, erased: Erased) -> bool:
    with closing(connection.execute(_AROUND, {"seq": seq + 1})) as rows:
        return any(seq in asked_by(block, erased) for block in map(block_of, rows))


def replace_block(connection: sqlite3.Connection, block: Block, changed: Block) -> None:
    """Put a block in the place of another one. Requires the transaction.

    One that has become too large is split: a reader that needs one of its events has all of it in memory.
    """
    parts = split_block(changed, AMENDED_BYTES)
    connection.execute("DELETE FROM blocks WHERE first = ?", (block.first,))
    connection.executemany(INSERT, map(row_of, parts))
    if len(parts) > 1:  # the index may have come past them already; what is too much there does no harm
        connection.executemany(
            "INSERT OR REPLACE INTO settled VALUES(?, ?, ?)",
            [(place, part.first, part.last) for part in parts for place in part.scope],
        )


class Phase(IntEnum):
    """What is to be done next to erase what a person said. `Job.position` says how far it is."""

    AMENDED = 0  # the packets that take the place of others: up to this seq it is done
    BLOCKS = 1  # the blocks that begin up to this seq
    WORDS = 2  # the index of the search: 0: not looked at; else from the segment before this number on
    FREE = 3  # a table takes all pages that nothing uses: earlier versions did not overwrite them
    EMPTY = 4  # it gives them back
    LOG = 5  # the write-ahead log still has what was overwritten
    DONE = 6


class Job(NamedTuple):
    """What a person said is to be erased.

    until: up to this seq
    phase, position: how far it is, see `Phase`
    """

    until: int
    phase: int = 0
    position: int = 0


def jobs_in(connection: sqlite3.Connection) -> dict[int, Job]:
    """By person, what is still to be erased."""
    found = connection.execute("SELECT value FROM state WHERE name = 'erasing'").fetchone()
    return _jobs(found[0]) if found else {}


def _jobs(value: str) -> dict[int, Job]:
    return {int(person): Job(*job) for person, job in json.loads(value).items()}


def store_jobs(connection: sqlite3.Connection, jobs: Mapping[int, Job]) -> None:
    """Note what is still to be erased. Requires the transaction."""
    if jobs:
        connection.execute("INSERT OR REPLACE INTO state VALUES('erasing', ?)", (json.dumps(jobs),))
    else:
        connection.execute("DELETE FROM state WHERE name = 'erasing'")


def _firsts(
    connection: sqlite3.Connection, after: int, places: Collection[int], settled: int
) -> Iterator[int]:
    """The keys of the blocks of blocks_after(). Those of each place are merged as they are needed."""
    least = after - number(connection, "reach")
    indexed = (
        connection.execute(_SETTLED, {"place": place, "least": least, "after": after, "settled": settled})
        for place in places
    )
    # The numbers stand in the text: a parameter for each would be bounded in number, and be needed twice.
    numbers = ", ".join(str(int(place)) for place in places)
    scanned = f"""SELECT first FROM blocks WHERE first > ? AND last > ?
        AND CASE WHEN places IS NULL THEN place IN ({numbers})
            ELSE EXISTS (SELECT 1 FROM json_each(places) WHERE value IN ({numbers})) END
        ORDER BY first"""
    for (first,), _ in groupby(merge(*indexed)):
        yield first
    for (first,) in connection.execute(scanned, (max(least, settled), after)):
        yield first


def latest_lines(connection: sqlite3.Connection, place: int, until: int) -> Iterator[Block]:
    """The blocks of a place that have lines and begin up to `until`, the latest first.

    What retention has removed is cut off. A line belongs to one place.
    """
    removed, settled = number(connection, "removed"), number(connection, "settled")
    wanted = {"place": place, "until": until, "settled": settled}
    for row in chain(connection.execute(_LATEST, wanted), connection.execute(_LATEST_SETTLED, wanted)):
        block = block_of(row)
        if block.last <= removed:
            return
        yield later(block, removed) if block.first <= removed else block


def later(block: Block, after: int) -> Block:
    """The part of a block after `after`, its lines counted anew."""
    kept = block._replace(first=after + 1, packets=cut(block, after, MAX_NUMBER))
    return kept._replace(lines=len(lines_of(kept)))

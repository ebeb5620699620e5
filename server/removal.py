"""The removal of events that `--keep` does not retain, from the oldest on, in small steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from threading import Lock

from chatroom.blocks import times_of
from chatroom.event_log import EventLog
from chatroom.events import iso_time
from server.database import transaction
from server.limits import RETENTION_STEP
from server.retention import PROOF, ProvenClock, Retention
from server.rows import blocks_between, head_of, number, places_of, time_at

_log = EventLog(__name__)
_DAY = 24 * 3600 * 1000


class Removal:
    """Removes expired events. `state.removed` says up to which seq they are gone: readers cut a block there.

    A block is deleted when all of it is gone, and the records know its talkers.

    connection: of the maintenance, which uses it in one thread only
    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    wall:       seconds since 1970
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        write_lock: Lock,
        retention: Retention,
        wall: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._write_lock = write_lock
        self._retention = retention
        self._wall = wall
        self._head = head_of(connection)
        self._clock = ProvenClock(time_at(connection, self._head))
        self._nothing: tuple[int, int, int] = (0, 0, 0)  # see _last_too_old()

    def step(self) -> bool:
        """Remove the oldest expired events, at most RETENTION_STEP; False when there was nothing to remove.

        A step is small, so that the forwarder waits only a few milliseconds for the write lock.
        """
        first, head = self._ends()
        proven = self._clock.read(int(self._wall() * 1000))
        last = self._last_expired(first, head, min(head, first + RETENTION_STEP - 1), proven)
        removed = max(last, first - 1)
        gone = self._connection.execute(
            """SELECT first, place, places FROM blocks WHERE first <= ?1 AND last <= ?1
                AND (talkers IS NULL OR last <= (SELECT value FROM state WHERE name = 'noted'))
                ORDER BY first LIMIT ?2""",
            (removed, RETENTION_STEP),
        ).fetchall()
        if not last and not gone:
            return False
        with self._write_lock, transaction(self._connection):
            write_many = self._connection.executemany
            self._connection.execute("UPDATE state SET value = ? WHERE name = 'removed'", (removed,))
            write_many("DELETE FROM blocks WHERE first = ?", [(key,) for key, _, _ in gone])
            write_many(
                "DELETE FROM settled WHERE place = ? AND first = ?",
                [(each, key) for key, place, places in gone for each in places_of(place, places)],
            )
            self._connection.execute("DELETE FROM amended WHERE seq <= ?", (removed,))
        return True

    def announce(self) -> None:
        """Say, before the first step, what will be removed."""
        now, keep = int(self._wall() * 1000), self._retention
        first, head = self._ends()
        last = self._last_expired(first, head, head, self._clock.read(now))
        later = self._last_expired(first, head, head, now)
        until = iso_time(time_at(self._connection, last))
        until_later = iso_time(time_at(self._connection, later))
        count = head - first + 1
        if last:
            _log.warning(
                "removing",
                "--keep %(keep)s removes the events up to %(until)s now: %(removed)d of %(events)d",
                keep=keep,
                until=until,
                removed=last - first + 1,
                events=count,
            )
        if later > last:
            _log.warning(
                "removing_later",
                "--keep %(keep)s removes the events up to %(until)s when the clock has been right for an"
                " hour: %(removed)d of %(events)d",
                keep=keep,
                until=until_later,
                removed=later - first + 1,
                events=count,
            )

    def _ends(self) -> tuple[int, int]:
        """The first and the last seq of all events; the first is greater when there is none."""
        removed = number(self._connection, "removed")
        (latest,) = self._connection.execute(  # batches do not overlap: later ones begin behind the head
            "SELECT max(last) FROM blocks WHERE first > ?", (self._head,)
        ).fetchone()
        self._head = latest or self._head
        return removed + 1, self._head

    def _last_expired(self, first: int, head: int, end: int, proven: int) -> int:
        """The last expired seq from `first` to `end`, 0 when none has expired."""
        if first > head:
            return 0
        if self._retention.events:
            last = min(end, head - self._retention.events)
        elif self._retention.days:
            last = min(end, self._last_too_old(first, end, proven - self._retention.days * _DAY))
        else:
            last = 0
        return last if last >= first else 0

    def _last_too_old(self, first: int, end: int, oldest: int) -> int:
        """The last event before `oldest` behind which no younger one comes up to `end`; 0 for none.

        The clock was ahead when an event of the future was stored: its time says nothing, and its neighbours
        decide.
        """
        future = int(self._wall() * 1000) + PROOF
        if end - first < RETENTION_STEP:
            return self._last_in_step(first, end, oldest, future)
        # A long way: go by the blocks, which have the time of their last event, and at the end by events.
        young, old = self._connection.execute(
            """SELECT min(CASE WHEN time BETWEEN ?2 AND ?3 THEN first END),
                    min(CASE WHEN time < ?2 THEN first END)
                FROM blocks WHERE last >= ?1""",
            (first, oldest, future),
        ).fetchone()
        if old is None or (young is not None and young < old):
            return self._last_in_step(first, first + RETENTION_STEP - 1, oldest, future)
        reached = end if young is None else max(first, young) - 1
        return self._last_in_step(reached + 1, min(end, reached + RETENTION_STEP), oldest, future) or reached

    def _last_in_step(self, first: int, end: int, oldest: int, future: int) -> int:
        """The same for a few events, exactly."""
        if self._nothing[:2] == (first, end) and oldest <= self._nothing[2]:
            return 0
        times = self._times(first, end)
        if all(time > future for _, time in times):
            return end if self._time_after(end, future) < oldest else 0
        last = 0
        for seq, time in times:
            if time < oldest:
                last = seq
            elif time <= future:
                break
        if not last:
            self._nothing = first, end, min(time for _, time in times)
        return last

    def _times(self, first: int, end: int) -> list[tuple[int, int]]:
        """Seq and time of the events from `first` to `end`, in order."""
        with closing(blocks_between(self._connection, first, end)) as blocks:  # a damaged one ends the read
            return sorted(
                (seq, time)
                for block in blocks
                for seq, time in times_of(block).items()
                if first <= seq <= end
            )

    def _time_after(self, seq: int, future: int) -> int:
        """Time of the first event after `seq` that is not of the future; a time of the future: none."""
        found: tuple[int] | None = self._connection.execute(
            "SELECT first FROM blocks WHERE last > ? AND time <= ? ORDER BY first LIMIT 1", (seq, future)
        ).fetchone()
        times = self._times(max(found[0], seq + 1), found[0] + RETENTION_STEP) if found else []
        return next((time for _, time in times if time <= future), future + 1)

"""History: the interface of the durable log behind the chatroom, and an implementation in memory.

The forwarder is the only writer. Other threads may read at the same time, for members that catch up.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from itertools import islice
from threading import Event as Flag
from threading import Lock
from typing import NamedTuple, Protocol

from chatroom.events import Event, EventKind, memory_of
from chatroom.limits import MAX_NUMBER, TICKET_BYTES
from chatroom.records import Record


class Restored(NamedTuple):
    """The state with which the chatroom starts.

    identity: 16 random bytes, made once with the history, so that a client can recognise it
    position: of the last append, as the order gave it
    head:     seq of the latest event, 0 for none. Retention may have removed that event
    time:     of the latest stored event, in milliseconds since 1970; 0 for none
    records:  all that are not gone, sorted by kind and key; each has a value
    """

    identity: bytes
    position: bytes
    head: int
    time: int
    records: list[Record]


class Located(NamedTuple):
    """Whether an event is stored.

    time:   of the event, in milliseconds since 1970; 0: it is not stored
    oldest: seq of the oldest stored event; when there is none, of the next one that will be stored
    """

    time: int
    oldest: int


class History(Protocol):
    """A log of events, and the records that follow from it.

    Every method raises HistoryError when the storage fails for good.

    An event belongs to its `place`; an event that lists `places` belongs to each of those instead. So a QUIT
    is found by its channels, and RESTARTED by place 0, which the caller names like any other place.
    """

    def restore(self) -> Restored:
        """The stored state, as it was after the last append."""

    def append(self, events: Sequence[Event], records: Sequence[Record], position: bytes = b"") -> None:
        """Store a batch as one transaction: after a crash, either all of it is stored or nothing.

        events:   in order of seq, without a gap after the stored ones
        records:  written in this order; one without a value is removed
        position: where in the order the batch stands
        Raises HistoryFull when it may work later: nothing was stored, and the caller may repeat the call.
        """

    def read(self, after: int, limit: int, places: Collection[int], size: int = MAX_NUMBER) -> list[Event]:
        """The first events of `places` after seq `after`, in order. Any thread may call it.

        limit: how many at most
        size:  bytes of memory of their texts; the event that reaches it is the last one (see `is_full`)
        """

    def last_seqs(self, limit: int, places: Collection[int], until: int = MAX_NUMBER) -> list[int]:
        """The seqs of the latest `limit` lines said in `places`, in order. Any thread may call it.

        until: the last seq that counts
        It returns no texts, so its cost does not depend on their length. `read` then returns the events.
        """

    def locate(self, seq: int) -> Located:
        """Whether the event `seq` is stored. Any thread may call it."""

    def parted(self, seq: int, time: int) -> int:
        """Seq of the RESTARTED at which this history parted from one whose event `seq` is of `time`.

        A copy that a server goes on with begins with RESTARTED, and that came after all that clients have
        seen of the other history. It is known also when retention has removed it. 0: there is none. Any
        thread may call it.
        """

    def tend(self, stopping: Flag) -> None:
        """Do the maintenance (checkpoints, retention) until `stopping` is set. It has a thread of its own."""

    def close(self) -> None:
        """Close files and connections. Called once, after the forwarder and `tend` have ended."""


class MemoryHistory:
    """A history in memory, lost when the process ends: for `--data :memory:` and tests.

    max_events: it holds at least this many of the latest events, and at most twice as many
    """

    def __init__(self, max_events: int = 100_000) -> None:
        self._max_events = max_events
        self._identity = secrets.token_bytes(TICKET_BYTES)
        # Guards _events, _records and _position.
        self._lock = Lock()
        self._events: list[Event] = []
        self._records: dict[tuple[str, str], Record] = {}
        self._position = b""

    def restore(self) -> Restored:
        with self._lock:
            head = self._events[-1].seq if self._events else 0
            time = self._events[-1].time if self._events else 0
            records = [self._records[key] for key in sorted(self._records)]
            return Restored(self._identity, self._position, head, time, records)

    def append(self, events: Sequence[Event], records: Sequence[Record], position: bytes = b"") -> None:
        with self._lock:
            self._events.extend(events)
            if len(self._events) > 2 * self._max_events:  # rarely: so the cost per event stays constant
                del self._events[: -self._max_events]
            for record in records:
                if record.value is None:
                    self._records.pop((record.kind, record.key), None)
                else:
                    self._records[record.kind, record.key] = record
            self._position = position

    def read(self, after: int, limit: int, places: Collection[int], size: int = MAX_NUMBER) -> list[Event]:
        wanted = frozenset(places)
        found: list[Event] = []
        with self._lock:
            if not self._events:
                return []
            start = max(0, after + 1 - self._events[0].seq)  # seqs have no gaps, so a seq gives its index
            later = map(self._events.__getitem__, range(start, len(self._events)))
            for event in islice((event for event in later if _is_in(event, wanted)), limit):
                found.append(event)
                size -= memory_of(event.text)
                if size <= 0:
                    break
        return found

    def last_seqs(self, limit: int, places: Collection[int], until: int = MAX_NUMBER) -> list[int]:
        wanted = frozenset(places)
        with self._lock:
            count = min(len(self._events), until + 1 - self._events[0].seq) if self._events else 0
            matching = (
                event.seq
                for event in map(self._events.__getitem__, range(count - 1, -1, -1))
                if event.kind is EventKind.SAID and _is_in(event, wanted)
            )
            found = list(islice(matching, limit))
        return found[::-1]

    def locate(self, seq: int) -> Located:
        with self._lock:
            if not self._events:
                return Located(0, 1)
            oldest = self._events[0].seq
            index = seq - oldest
            return Located(self._events[index].time if 0 <= index < len(self._events) else 0, oldest)

    def parted(self, seq: int, time: int) -> int:
        return 0  # nobody can copy it

    def tend(self, stopping: Flag) -> None:
        stopping.wait()

    def close(self) -> None:
        pass


def is_full(events: Sequence[Event], limit: int, size: int) -> bool:
    """Whether History.read() has stopped at one of its limits, so that later events may be stored."""
    return len(events) >= limit or sum([memory_of(event.text) for event in events]) >= size


def _is_in(event: Event, wanted: frozenset[int]) -> bool:
    """Whether the event belongs to one of these places."""
    return not wanted.isdisjoint(event.places) if event.places else event.place in wanted

"""The tail: the latest events, in memory. A replay ends with them, and live delivery begins after them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from itertools import chain

from chatroom.batch import Batch
from chatroom.door import Door
from chatroom.events import Event, EventKind, memory_of
from chatroom.limits import MAX_NUMBER, TAIL_BYTES, TAIL_EVENTS
from chatroom.places import WHOLE_CHATROOM, Reach


class Tail:
    """The latest events, and always the whole last batch. Confined to the forwarder's thread.

    head:  seq of the latest stored event
    floor: the tail holds every event after this seq
    size:  bytes of memory of the texts that it holds
    """

    def __init__(self) -> None:
        self.begin(0, 0)

    def begin(self, head: int, time: int) -> None:
        """Empty the tail; the next event comes after the event `head` of `time`."""
        self.floor = head
        self._floor_time = time
        self.size = 0
        self._count = 0
        self._batches: deque[tuple[Batch, int]] = deque()  # with the size of each

    @property
    def head(self) -> int:
        """Seq of the latest event."""
        return self._batches[-1][0].events[-1].seq if self._batches else self.floor

    def extend(self, batch: Batch) -> None:
        """Add a batch, and drop the oldest batches that are over the limits. This batch always stays."""
        if not batch.events:
            return
        size = sum([memory_of(event.text) for event in batch.events])
        self._batches.append((batch, size))
        self._count += len(batch.events)
        self.size += size
        while len(self._batches) > 1 and (self._count > TAIL_EVENTS or self.size > TAIL_BYTES):
            oldest, size = self._batches.popleft()
            self.floor, self._floor_time = oldest.events[-1].seq, oldest.events[-1].time
            self._count -= len(oldest.events)
            self.size -= size

    def covers(self, seq: int) -> bool:
        """Whether the tail holds every event after `seq`."""
        return seq >= self.floor

    def time_of(self, seq: int) -> int:
        """Time of the event `seq`, in milliseconds since 1970. Requires covers(seq) and seq <= head."""
        assert self.floor <= seq <= self.head
        return next((e.time for e in self._newest_first() if e.seq == seq), self._floor_time)

    def bytes_after(self, door: Door, seq: int, reach: Reach, until: int = MAX_NUMBER) -> list[bytes]:
        """The bytes of the events after `seq`, up to and with `until`, within reach. Requires covers(seq).

        All who ask get the same objects, so however many replays wait, the bytes are in memory once.
        """
        assert self.covers(seq)
        found: list[bytes] = []
        for batch, _ in self._batches:
            if seq < batch.events[-1].seq:
                encoded = batch.bytes_of_each(door)
                found += [
                    data
                    for event, data in zip(batch.events, encoded, strict=True)
                    if seq < event.seq <= until and reach.has(event)
                ]
        return found

    def starts(self, lines: int, places: Collection[int], head: int) -> dict[int, int] | None:
        """For each place the seq after which the latest `lines` said lines up to `head` begin.

        None when the tail does not hold all of them. Events of the whole chatroom begin with the first line.
        """
        starts, counts = dict.fromkeys(places, head), dict.fromkeys(places, 0)
        missing = {place for place in places if place != WHOLE_CHATROOM and lines}
        for event in self._newest_first():
            if not missing:
                break
            if event.place in missing and event.kind is EventKind.SAID and event.seq <= head:
                starts[event.place] = event.seq - 1
                counts[event.place] += 1
                if counts[event.place] == lines:
                    missing.discard(event.place)
        if missing and self.floor > 0:
            return None
        return starts | {WHOLE_CHATROOM: min(starts.values())}

    def _newest_first(self) -> Iterator[Event]:
        return chain.from_iterable(reversed(batch.events) for batch, _ in reversed(self._batches))

"""The tail: the latest events, in memory. A replay ends with them, and live delivery begins after them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice, takewhile

from chatroom.events import Event
from chatroom.limits import TAIL_BYTES, TAIL_EVENTS


class Tail:
    """The latest events, and always the whole last batch. Confined to the forwarder's thread.

    head:  seq of the latest stored event
    floor: the tail holds every event after this seq
    size:  characters of text that it holds
    """

    def __init__(self, head: int) -> None:
        self.begin(head)

    def begin(self, head: int) -> None:
        """Empty the tail; the next event comes after seq `head`."""
        self.floor = head
        self.size = 0
        self._count = 0
        self._batches: deque[tuple[Sequence[Event], int]] = deque()  # with the size of each

    @property
    def head(self) -> int:
        """Seq of the latest event."""
        return self._batches[-1][0][-1].seq if self._batches else self.floor

    def extend(self, batch: Sequence[Event]) -> None:
        """Add a batch, and drop the oldest batches that are over the limits. This batch always stays."""
        if not batch:
            return
        size = sum([len(event.text) for event in batch])
        self._batches.append((batch, size))
        self._count += len(batch)
        self.size += size
        while len(self._batches) > 1 and (self._count > TAIL_EVENTS or self.size > TAIL_BYTES):
            oldest, size = self._batches.popleft()
            self.floor = oldest[-1].seq
            self._count -= len(oldest)
            self.size -= size

    def covers(self, seq: int) -> bool:
        """Whether the tail holds every event after `seq`."""
        return seq >= self.floor

    def after(self, seq: int, channels: frozenset[str]) -> list[Event]:
        """The events after `seq` in `channels`, in order. Requires covers(seq)."""
        assert self.covers(seq)
        newer = takewhile(lambda event: event.seq > seq, self._newest_first())
        return [event for event in newer if event.channel in channels][::-1]

    def last(self, count: int, channels: frozenset[str], before: int) -> list[Event] | None:
        """The latest `count` events of `channels` with a seq below `before`.

        None when the tail does not hold all of them.
        """
        older = (e for e in self._newest_first() if e.seq < before and e.channel in channels)
        found = list(islice(older, count))
        if len(found) < count and self.floor > 0:
            return None
        return found[::-1]

    def _newest_first(self) -> Iterator[Event]:
        return chain.from_iterable(reversed(events) for events, _ in reversed(self._batches))

"""The tail of the log, in memory: from it the seam between what was missed and what is live is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice, takewhile

from chatroom.events import Event
from chatroom.limits import TAIL_BYTES, TAIL_EVENTS


class Tail:
    """The latest events, always the whole last batch among them. Confined to the forwarder's thread.

    head: seq of the latest event that is stored
    """

    def __init__(self, head: int) -> None:
        self.begin(head)

    def begin(self, head: int) -> None:
        """Begin anew behind the event `head`."""
        self._floor = head  # every event after this seq is here
        self._count = 0
        self._size = 0  # characters of text
        self._batches: deque[tuple[Sequence[Event], int]] = deque()  # each with its size

    @property
    def head(self) -> int:
        """Seq of the latest event."""
        return self._batches[-1][0][-1].seq if self._batches else self._floor

    def extend(self, batch: Sequence[Event]) -> None:
        """Add a batch; the oldest batches go, but not this one."""
        if not batch:
            return
        size = sum([len(event.text) for event in batch])
        self._batches.append((batch, size))
        self._count += len(batch)
        self._size += size
        while len(self._batches) > 1 and (self._count > TAIL_EVENTS or self._size > TAIL_BYTES):
            oldest, size = self._batches.popleft()
            self._floor = oldest[-1].seq
            self._count -= len(oldest)
            self._size -= size

    def covers(self, seq: int) -> bool:
        """Whether everything after `seq` is here."""
        return seq >= self._floor

    def after(self, seq: int, channels: frozenset[str]) -> list[Event]:
        """The events after `seq` in `channels`, in order. Requires covers(seq)."""
        assert self.covers(seq)
        newer = takewhile(lambda event: event.seq > seq, self._newest_first())
        return [event for event in newer if event.channel in channels][::-1]

    def last(self, count: int, channels: frozenset[str], before: int) -> list[Event] | None:
        """The latest `count` events of `channels` with a seq below `before`; None when not all are here."""
        older = (e for e in self._newest_first() if e.seq < before and e.channel in channels)
        found = list(islice(older, count))
        if len(found) < count and self._floor > 0:
            return None
        return found[::-1]

    def _newest_first(self) -> Iterator[Event]:
        return chain.from_iterable(reversed(events) for events, _ in reversed(self._batches))

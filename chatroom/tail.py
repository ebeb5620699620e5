"""The tail of the log, in memory: from it the seam between what was missed and what is live is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from chatroom.events import Event
from chatroom.limits import TAIL_BYTES, TAIL_EVENTS


class Tail:
    """The latest events, always the whole last batch among them. Confined to the forwarder's thread.

    head: seq of the latest event that is stored
    """

    def __init__(self, head: int) -> None:
        self._floor = head  # every event after this seq is here
        self._size = 0
        self._events: deque[Event] = deque()

    def extend(self, batch: Sequence[Event]) -> None:
        """Add a batch; the oldest events go, but none of this batch."""
        self._events.extend(batch)
        self._size += sum([len(event.text) for event in batch])
        surplus = len(self._events) - len(batch)
        while surplus and (len(self._events) > TAIL_EVENTS or self._size > TAIL_BYTES):
            oldest = self._events.popleft()
            self._floor = oldest.seq
            self._size -= len(oldest.text)
            surplus -= 1

    def covers(self, seq: int) -> bool:
        """Whether everything after `seq` is here."""
        return seq >= self._floor

    def after(self, seq: int, channels: frozenset[str]) -> list[Event]:
        """The events after `seq` in `channels`, in order. Requires covers(seq)."""
        assert self.covers(seq)
        found: list[Event] = []
        for event in reversed(self._events):
            if event.seq <= seq:
                break
            if event.channel in channels:
                found.append(event)
        return found[::-1]

    def last(self, count: int, channels: frozenset[str], before: int) -> list[Event] | None:
        """The latest `count` events of `channels` with a seq below `before`; None when not all are here."""
        matching: Iterable[Event] = (
            event for event in reversed(self._events) if event.seq < before and event.channel in channels
        )
        found = list(islice(matching, count))
        if len(found) < count and self._floor > 0:
            return None
        return found[::-1]

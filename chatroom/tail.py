"""The tail: the latest events, in memory. A replay ends with them, and live delivery begins after them."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, takewhile

from chatroom.batch import Batch, Scope
from chatroom.blanking import Erased
from chatroom.blocks import Block, parts_in
from chatroom.door import Door
from chatroom.limits import MAX_NUMBER, TAIL_BYTES, TAIL_EVENTS
from chatroom.places import WHOLE_CHATROOM, Interval, Reach


class Tail:
    """The latest events, and always the whole last batch. Confined to the forwarder's thread.

    head:  seq of the latest stored event
    floor: the tail holds every event after this seq
    size:  bytes of the packets that it holds
    """

    def __init__(self) -> None:
        self.begin(0, 0)

    def begin(self, head: int, time: int) -> None:
        """Empty the tail; the next event comes after the event `head` of `time`."""
        self.head = self.floor = head
        self._floor_time = time
        self.size = 0
        self._batches: deque[tuple[Batch, int]] = deque()  # with the size of each

    def extend(self, batch: Batch) -> None:
        """Add a batch, and drop the oldest batches that are over the limits. This batch always stays."""
        if not batch.pieces:
            return
        size = sum([len(piece.packets) for piece in batch.pieces])
        self._batches.append((batch, size))
        self.head = batch.last
        self.size += size
        self._trim()

    def amend(self, packets: Mapping[int, bytes]) -> None:
        """Take other packets for some events, by seq. Those that it does not hold do not count."""
        later = sorted(seq for seq in packets if seq > self.floor)
        index = len(self._batches)
        while later and index:
            index -= 1
            batch, size = self._batches[index]
            first = bisect_right(later, self._batches[index - 1][0].last) if index else 0
            if first < len(later):
                grown = batch.amend({seq: packets[seq] for seq in later[first:]})
                self._batches[index] = batch, size + grown
                self.size += grown
                del later[first:]
        self._trim()

    def erase(self, erased: Erased) -> None:
        """Keep nothing of what these persons said, nor their names."""
        for index, (batch, size) in enumerate(self._batches if erased else ()):
            grown = batch.erase(erased)
            self._batches[index] = batch, size + grown
            self.size += grown
        self._trim()

    def _trim(self) -> None:
        """Drop the oldest batches that are over the limits, but never the latest one."""
        while len(self._batches) > 1 and (self.head - self.floor > TAIL_EVENTS or self.size > TAIL_BYTES):
            oldest, size = self._batches.popleft()
            self.floor, self._floor_time = oldest.last, oldest.pieces[-1].time
            self.size -= size

    def covers(self, seq: int) -> bool:
        """Whether the tail holds every event after `seq`."""
        return seq >= self.floor

    def time_of(self, seq: int) -> int:
        """Time of the event `seq`, in milliseconds since 1970. Requires covers(seq) and seq <= head."""
        assert self.floor <= seq <= self.head
        times = (piece.time for piece in self._newest_first() if piece.first <= seq <= piece.last)
        return next(times, self._floor_time)

    def bytes_after(self, door: Door, seq: int, reach: Reach, until: int = MAX_NUMBER) -> list[bytes]:
        """The bytes of the events after `seq`, up to and with `until`, within reach. Requires covers(seq).

        All who ask get the same objects, so however many replays wait, the bytes are in memory once. Only
        where a replay begins or ends inside a piece, it has a copy of its part of the piece.
        """
        assert self.covers(seq)
        found: list[bytes] = []
        of_scope: dict[Scope, list[Interval]] = {}
        for batch in reversed([*takewhile(lambda batch: batch.last > seq, self._newest())]):
            for scope in batch.scopes:
                if scope not in of_scope:
                    of_scope[scope] = reach.within(scope, seq, until)
            for piece, data in zip(batch.pieces, batch.bytes_of_each(door), strict=True):
                for packets in parts_in(piece, of_scope[piece.scope]):
                    found.append(data if packets is piece.packets else door.translate(packets))
        return found

    def starts(self, lines: int, places: Collection[int], head: int) -> dict[int, int] | None:
        """For each place the seq after which the latest `lines` said lines up to `head` begin.

        None when the tail does not hold all of them. Events of the whole chatroom begin with the first line.
        """
        starts = dict.fromkeys(places, head)
        missing = {place: lines for place in places if place != WHOLE_CHATROOM and lines}
        for piece in self._newest_first():  # a piece with lines has nothing else
            if not missing:
                break
            if piece.lines and piece.place in missing and piece.last <= head:
                count = min(piece.lines, missing[piece.place])
                starts[piece.place] = piece.last - count
                missing[piece.place] -= count
                if not missing[piece.place]:
                    del missing[piece.place]
        if missing and self.floor > 0:
            return None
        return starts | {WHOLE_CHATROOM: min(starts.values())}

    def _newest_first(self) -> Iterator[Block]:
        return chain.from_iterable(reversed(batch.pieces) for batch in self._newest())

    def _newest(self) -> Iterator[Batch]:
        """The batches, the latest first: who asks mostly needs few of them."""
        return (batch for batch, _ in reversed(self._batches))

"""History: the interface of the durable log behind the chatroom, and an implementation in memory.

The forwarder is the only writer. Other threads may read at the same time, for members that catch up.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from threading import Event as Flag
from threading import Lock
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from chatroom.blanking import NOTHING_ERASED, Erased
from chatroom.blocks import Block, asked_by, blanked, cut, event_in, lines_of, times_of
from chatroom.blocks import amended as amended_block
from chatroom.events import Event
from chatroom.finding import Gathering, Page, Wanted
from chatroom.limits import MAX_NUMBER, SLICE_FACTOR, TICKET_BYTES
from chatroom.records import Record, Talker

NOTHING_AMENDED: Final[Mapping[int, bytes]] = MappingProxyType({})


class Restored(NamedTuple):
    """The state with which the chatroom starts.

    identity: 16 random bytes, made once with the history, so that a client can recognise it
    position: of the last append, as the order gave it
    head:     seq of the latest event, 0 for none. Retention may have removed that event
    time:     of the latest stored event, in milliseconds since 1970; 0 for none
    records:  all that are not gone, sorted by kind and key; each has a value
    talkers:  of the lines that the records do not know: person and highest message id
    """

    identity: bytes
    position: bytes
    head: int
    time: int
    records: list[Record]
    talkers: list[Talker]


class Slice(NamedTuple):
    """What a read found.

    blocks: in order of their first events
    until:  up to here, they hold every event that was asked for; MAX_NUMBER: there is no other one.
            A block may go on behind it: the next read finds that block again
    after:  no event up to here is in it. Greater than what was asked for: retention has removed those between
    """

    blocks: list[Block]
    until: int
    after: int


class Located(NamedTuple):
    """Whether an event is stored.

    time:   of the event, in milliseconds since 1970; 0: it is not stored
    oldest: seq of the oldest stored event; when there is none, of the next one that will be stored
    """

    time: int
    oldest: int


class History(Protocol):
    """A log of events in blocks, and the records that follow from them.

    Every method raises HistoryError when the storage fails for good.

    A block belongs to its `place`; one that lists `places` belongs to each of those instead. So a QUIT is
    found by its channels, and RESTARTED by place 0, which the caller names like any other place.
    """

    def restore(self) -> Restored:
        """The stored state, as it was after the last append."""

    def append(
        self,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
        amended: Mapping[int, bytes] = NOTHING_AMENDED,
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        """Store a batch as one transaction: after a crash, either all of it is stored or nothing.

        blocks:   in any order; those of one scope do not overlap. Together they have all seqs that follow the
                  stored ones
        records:  written in this order; one without a value is removed
        position: where in the order the batch stands
        noted:    all talkers up to this seq are in the records; restore() gives the others. It never falls
        amended:  by seq, packets that readers get from now on instead of those of an event. It may be in this
                  batch; when retention has removed it, nothing is stored for it
        erased:   persons, and the seqs up to which readers get nothing any more of what they said, nor their
                  names: see `chatroom.blanking`. It may be in this batch. Soon nothing of it is stored
        Raises HistoryFull when it may work later: nothing was stored, and the caller may repeat the call.
        """

    def read(self, after: int, places: Collection[int], size: int) -> Slice:
        """The first events of `places` after seq `after`. Any thread may call it.

        size: the slice ends when its blocks, but for those that go on behind its end, have so many bytes of
              packets. Blocks are cut where all of them would have more than SLICE_FACTOR times as many.
              Progress is certain: the slice's `until` is greater than `after`
        No event comes up to `after`, and none that retention has removed, although its block may have begun
        before.
        """

    def start_of(self, lines: int, place: int, until: int = MAX_NUMBER) -> int:
        """The seq after which the latest `lines` lines of a place begin, or all, when it has not so many.

        until: the last seq that counts; also the answer when there is no line
        Any thread may call it.
        """

    def locate(self, seq: int) -> Located:
        """Whether the event `seq` is stored. Any thread may call it."""

    def event_at(self, seq: int) -> Event | None:
        """The event `seq` as it is now, with the places of its scope; None: it is not stored.

        Any thread may call it.
        """

    def parted(self, seq: int, time: int) -> int:
        """Seq of the RESTARTED at which this history parted from one whose event `seq` is of `time`.

        A copy that a server goes on with begins with RESTARTED, and that came after all that clients have
        seen of the other history. It is known also when retention has removed it. 0: there is none. Any
        thread may call it.
        """

    def find(self, wanted: Wanted, most: int, size: int, expired: Callable[[], bool]) -> Page:
        """The latest lines that are wanted, at most `most`, with at most `size` bytes of packets. Any thread
        may call it.

        expired: whether the time for it is over: then it gives what it has found
        """

    def tend(self, stopping: Flag) -> None:
        """Do the maintenance (checkpoints, retention) until `stopping` is set. It has a thread of its own."""

    def close(self) -> None:
        """Close files and connections. Called once, after the forwarder and `tend` have ended."""


_FIRST = attrgetter("first")
_LAST = attrgetter("last")


class MemoryHistory:
    """A history in memory, lost when the process ends: for `--data :memory:` and tests.

    max_events: it holds at least this many of the latest events, as far as they are not in the last block
    """

    def __init__(self, max_events: int = 100_000) -> None:
        self._max_events = max_events
        self._identity = secrets.token_bytes(TICKET_BYTES)
        # Guards the fields below.
        self._lock = Lock()
        self._blocks: list[Block] = []  # by their last events
        self._removed = 0  # seq up to which blocks were removed
        self._records: dict[tuple[str, str], Record] = {}
        self._position = b""
        self._noted = 0

    def restore(self) -> Restored:
        with self._lock:
            head, time = (self._blocks[-1].last, self._blocks[-1].time) if self._blocks else (0, 0)
            records = [self._records[key] for key in sorted(self._records)]
            talkers = talkers_of(self._after(self._noted))
            return Restored(self._identity, self._position, head, time, records, talkers)

    def append(
        self,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
        amended: Mapping[int, bytes] = NOTHING_AMENDED,
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        with self._lock:
            self._blocks += sorted(blocks, key=_LAST)
            if blocks and self._blocks[-1].last - self._blocks[0].last >= 2 * self._max_events:
                # Rarely: so the cost of an event stays constant.
                kept = self._after(self._blocks[-1].last - self._max_events)
                self._removed = self._blocks[-len(kept) - 1].last
                self._blocks = kept
            for seq, packets in amended.items():
                self._amend(seq, packets)
            if erased:
                asked = set[int]().union(*(asked_by(block, erased) for block in self._blocks))
                self._blocks = [blanked(block, erased, asked) for block in self._blocks]
            for record in records:
                if record.value is None:
                    self._records.pop((record.kind, record.key), None)
                else:
                    self._records[record.kind, record.key] = record
            self._position, self._noted = position, max(noted, self._noted)

    def _amend(self, seq: int, packets: bytes) -> None:
        """Put other packets into the block that has the event. Requires holding the lock."""
        for index in range(bisect_left(self._blocks, seq, key=_LAST), len(self._blocks)):
            block = self._blocks[index]
            if seq >= block.first:
                self._blocks[index] = amended_block(block, {seq: packets})
                if self._blocks[index] is not block:
                    return

    def read(self, after: int, places: Collection[int], size: int) -> Slice:
        wanted = frozenset(places)
        with self._lock:
            after = max(after, self._removed)
            later = self._after(after)
        return slice_of(sorted(block for block in later if not wanted.isdisjoint(block.scope)), after, size)

    def start_of(self, lines: int, place: int, until: int = MAX_NUMBER) -> int:
        with self._lock:
            blocks = self._blocks.copy()
        mine = (block for block in reversed(blocks) if place in block.scope and block.first <= until)
        return start_of(mine, lines, until)

    def locate(self, seq: int) -> Located:
        with self._lock:
            around = [block for block in self._after(seq - 1) if self._removed < seq and block.first <= seq]
            return Located(time_of(around, seq), self._removed + 1)

    def event_at(self, seq: int) -> Event | None:
        with self._lock:
            around = self._after(seq - 1) if seq > self._removed else []
        return event_in(around, seq)

    def find(self, wanted: Wanted, most: int, size: int, expired: Callable[[], bool]) -> Page:
        with self._lock:
            blocks, removed = self._blocks.copy(), self._removed
        blocks.sort(key=_FIRST, reverse=True)
        gathering = Gathering(wanted, most, size, expired)
        gathering.scan(blocks, max((block.last - block.first + 1 for block in blocks), default=0), removed)
        return gathering.page()

    def _after(self, seq: int) -> list[Block]:
        """The blocks with an event after `seq`. Requires holding the lock."""
        return self._blocks[bisect_right(self._blocks, seq, key=_LAST) :]

    def parted(self, seq: int, time: int) -> int:
        return 0  # nobody can copy it

    def tend(self, stopping: Flag) -> None:
        stopping.wait()

    def close(self) -> None:
        pass


def talkers_of(blocks: Iterable[Block]) -> list[Talker]:
    """The talkers of some blocks, as Restored has them."""
    return [Talker(person, id) for block in sorted(blocks) for person, id in block.talkers]


def slice_of(blocks: Iterable[Block], after: int, size: int) -> Slice:
    """The first of some blocks that are in order; see History.read. It takes from `blocks` what it needs.

    Of a block that begins before, the events up to `after` are cut off. Its lines are not counted anew.
    """
    found: list[Block] = []
    reaching: list[Block] = []  # those found that go on behind the beginning of the next one
    whole = 0  # bytes of the others
    until = MAX_NUMBER
    for block in blocks:
        whole += sum(len(one.packets) for one in reaching if one.last < block.first)
        reaching = [one for one in reaching if one.last >= block.first]
        if whole >= size and block.first - 1 > after:
            until = block.first - 1
            break
        if block.first <= after:
            block = block._replace(first=after + 1, packets=cut(block, after, MAX_NUMBER))
        found.append(block)
        reaching.append(block)
    return _shortened(Slice(found, until, after), after, size)


def _shortened(found: Slice, after: int, size: int) -> Slice:
    """Many blocks may overlap, each with few of the events that come next: leave out what comes later."""
    blocks, until, _ = found
    while len(blocks) > 1 and sum(len(block.packets) for block in blocks) > SLICE_FACTOR * size:
        until = (after + min(until, max(block.last for block in blocks))) // 2
        if until == after:
            break
        blocks = [
            block if block.last <= until else block._replace(packets=cut(block, after, until))
            for block in blocks
            if block.first <= until
        ]
        found = Slice([block for block in blocks if block.packets], until, after)
    return found


def start_of(blocks: Iterable[Block], lines: int, until: int) -> int:
    """See History.start_of. blocks: of the place, the latest first; it takes from `blocks` what it needs."""
    oldest: Block | None = None  # that has such lines
    for block in blocks if lines else ():
        if block.last <= until and block.lines < lines:
            lines -= block.lines
        else:
            found = _said(block, until)
            if len(found) >= lines:
                return found[-lines] - 1
            lines -= len(found)
        oldest = block if block.lines else oldest
    found = _said(oldest, until) if oldest is not None else []
    return found[0] - 1 if found else until


def _said(block: Block, until: int) -> list[int]:
    """The seqs of the lines up to `until`."""
    found = lines_of(block)
    return found[: bisect_right(found, until)]


def time_of(blocks: Iterable[Block], seq: int) -> int:
    """Time of the event `seq`, which one of these blocks may have; 0: none of them has it."""
    return next(filter(None, (times_of(block).get(seq, 0) for block in blocks)), 0)

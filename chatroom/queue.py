"""The waiting queue: every proposal waits here, in the order in which the proposals came.

In the C++ original it is a second vector, under a `std::mutex`. A producer for which there is no room waits
on a condition of its own, and the consumer lets it in. With one condition for all a later producer could take
the lock before the one that was notified, and first come would not be first served. (Unless each has a number
and all are woken: so does the twin, `notes/cpp/queue.hpp`.)
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from itertools import accumulate
from time import monotonic

from chatroom.deadline import Deadline
from chatroom.errors import Closed
from chatroom.limits import APART_WEIGHT, LINE_WEIGHT, MAX_WAITING, TICK_SECONDS
from chatroom.order import Entry, Taken, Task
from chatroom.order_clock import OrderClock
from chatroom.pace import Pace
from chatroom.packets import Burst
from chatroom.proposals import Amend, Proposal


class _Producer:
    """A proposal that has come, and is not in the queue yet, or not all of it. Needs the queue's lock.

    burst: its lines, None for what is not lines
    start: how many of them are in the queue
    left:  what the others weigh
    place: the condition on which its thread waits
    """

    __slots__ = ("_ends", "_line_weight", "burst", "left", "place", "proposal", "start")

    def __init__(self, proposal: Proposal) -> None:
        self.proposal = proposal
        self.burst = proposal.body if isinstance(proposal.body, Burst | Amend) else None
        self.start = 0
        self._line_weight = (
            LINE_WEIGHT if isinstance(self.burst, Burst) and self.burst.plain else APART_WEIGHT
        )
        self.left = self.burst.size + len(self.burst.ids) * self._line_weight if self.burst is not None else 0
        self.place: threading.Condition | None = None
        self._ends: list[int] = []  # the weight of the lines up to each line; most bursts need none

    def piece(self, room: int, least: int = 0) -> tuple[Proposal, int, int] | None:
        """The next lines that weigh at most `room` together, but at least so many; their number and weight.

        None: not even one.
        """
        burst = self.burst
        assert burst is not None
        start, end = self.start, len(burst.ids)
        if self.left <= room:
            weight = self.left
        else:
            self._ends = self._ends or list(
                accumulate([len(text) + self._line_weight for text in burst.texts])
            )
            before = self._ends[start - 1] if start else 0
            end = max(bisect_right(self._ends, before + room, start), start + least)
            if end == start:
                return None
            weight = self._ends[end - 1] - before
        self.start, self.left = end, self.left - weight
        return self.proposal._replace(body=burst.part(start, end)), end - start, weight


class WaitingQueue:
    """Many producers, one consumer. A connection whose share is used up waits, which slows its talker.

    What the forwarder does in one round of some milliseconds may wait here; its connections share that room.
    A connection gets as many lines in as its share allows, and the rest of its burst when the forwarder has
    taken those: so a line of one that talks little waits for one round, whoever else talks how much. What is
    no line needs no share: it waits only for what came before.

    It is the order of a server that is alone (`chatroom.order.Order`): one take() gives one entry.

    max_count: proposals other than lines
    pace:      tells how much may wait
    clock:     seconds that only rise
    now:       milliseconds since 1970, for the entries
    """

    def __init__(
        self,
        max_count: int = MAX_WAITING,
        pace: Pace | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], int] | None = None,
    ) -> None:
        self._max_count = max_count
        self._clock = clock
        # Confined to the consumer:
        self._now = now or OrderClock().now
        self._epoch = 0
        self._tick = Deadline(TICK_SECONDS, clock)
        self._pace = pace or Pace()
        self._taken = 0  # the weight of the latest round
        self._waited = 0.0  # how long its first proposal had waited
        # Guards the fields below, and the producers in line.
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._line: deque[_Producer] = deque()  # wait for room, the first at index 0
        self._proposals: list[Proposal] = []
        self._tasks: list[Task] = []
        self._count = 0  # lines, and other proposals
        self._others = 0  # other proposals
        self._since = 0.0  # when the first of the proposals came in
        self._weight = 0  # of the lines
        self._room = self._pace.room
        self._shares: dict[int, int] = {}  # the weight that waits here, for each connection with lines
        self._talked = 1  # how many connections had lines in the latest round
        self._idle = False
        self._closed = False

    def __len__(self) -> int:
        with self._lock:
            return self._count

    @property
    def blocked(self) -> int:
        """How many producers wait in line for room."""
        with self._lock:
            return len(self._line)

    @property
    def idle(self) -> bool:
        """See `Order.idle`."""
        with self._lock:
            return self._idle and not (self._proposals or self._tasks)

    def begin(self, identity: bytes, position: bytes, epoch: int) -> int:
        """See `Order.begin`. Entries are not kept here, so there is nothing to go on from."""
        self._epoch = epoch
        return epoch

    def put(self, proposal: Proposal, timeout: float | None = None) -> None:
        """Add `proposal`; wait while there is no room for it, at most `timeout` seconds.

        A burst that is larger than the share of its connection is added in pieces.
        Raises Closed, or TimeoutError when there was no room for all of that time. Pieces of a burst that
        were added before stay.
        """
        producer = _Producer(proposal)
        with self._lock:
            if self._closed:
                raise Closed("the chatroom is closing")
            if not self._let_in(producer):
                self._wait_in_line(producer, timeout)

    def post(self, task: Task) -> None:
        """See `Order.post`. Tasks need no bound: a thread that posts one waits for it, or ends."""
        with self._lock:
            if self._closed:
                raise Closed("the chatroom is closing")
            self._tasks.append(task)
            self._filled.notify()

    def take(self) -> Taken | None:
        """See `Order.take`. All proposals that wait are one entry."""
        with self._lock:
            while not (self._proposals or self._tasks or self._closed or self._tick.expired):
                self._idle = True
                self._filled.wait(self._tick.left())
            self._idle = False
            if self._closed and not self._proposals and not self._tasks:
                return None
            proposals, self._proposals = self._proposals, []
            tasks, self._tasks = self._tasks, []
            self._taken = self._weight
            self._make_room()
        return Taken(self._entries(proposals), tasks, self._waited)

    def done(self, sent: float, worked: float) -> None:
        """See `Order.done`."""
        self._pace.note(self._taken, sent, worked)

    def close(self) -> None:
        """Accept no more. Accepted proposals can still be taken; producers in line get Closed."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()
            for producer in self._line:
                assert producer.place is not None
                producer.place.notify()

    def _entries(self, proposals: list[Proposal]) -> list[Entry]:
        """The proposals, and the tick if it is due: last, so that UP is the first entry of all."""
        groups: list[list[Proposal]] = [proposals] if proposals else []
        if self._tick.expired:
            self._tick = Deadline(TICK_SECONDS, self._clock)
            groups.append([])
        return [Entry(b"", self._now(), "", self._epoch, group) for group in groups]

    def _wait_in_line(self, producer: _Producer, timeout: float | None) -> None:
        """Wait until the consumer has let all of it in. Requires holding the lock."""
        assert self._lock.locked()
        deadline = None if timeout is None else Deadline(timeout, self._clock)
        producer.place = threading.Condition(self._lock)
        self._line.append(producer)
        while producer in self._line and not self._closed:
            if deadline is not None and deadline.expired:
                self._line.remove(producer)
                raise TimeoutError("no room in the waiting queue")
            producer.place.wait(None if deadline is None else deadline.left())
        if producer in self._line:
            raise Closed("the chatroom is closing")

    def _make_room(self) -> None:
        """All was taken: let in those that wait in line, in turns. Requires holding the lock."""
        assert self._lock.locked()
        self._room = self._pace.room
        self._waited = self._clock() - self._since if self._count else 0.0
        self._count = self._others = self._weight = 0
        self._talked = max(1, len(self._shares))
        self._shares = {one.proposal.origin: 0 for one in self._line if one.burst}
        if self._closed:
            return
        line, self._line = self._line, deque()
        served: list[_Producer] = []  # in part: now it is the turn of those behind them
        for producer in line:
            assert producer.place is not None
            start = producer.start
            if self._let_in(producer):
                producer.place.notify()
            else:
                (served if producer.start > start else self._line).append(producer)
        self._line.extend(served)

    def _let_in(self, producer: _Producer) -> bool:
        """Add what there is room for; whether that was all of it. Requires holding the lock."""
        assert self._lock.locked()
        if producer.burst is not None:
            return self._let_lines_in(producer)
        if self._others >= self._max_count:
            return False
        self._others += 1
        self._add(producer.proposal, 1)
        return True

    def _let_lines_in(self, producer: _Producer) -> bool:
        """As _let_in(), for lines. A line that is larger than a share needs room beside all that waits."""
        origin = producer.proposal.origin
        own = self._shares.setdefault(origin, 0)
        share = self._room // max(self._talked, len(self._shares))
        piece = producer.piece(share - own)
        if piece is None and not own and self._weight < self._room:
            piece = producer.piece(0, least=1)
        if piece is not None:
            proposal, count, weight = piece
            self._shares[origin] += weight
            self._weight += weight
            self._add(proposal, count)
        return not producer.left

    def _add(self, proposal: Proposal, count: int) -> None:
        if not self._proposals:
            self._since = self._clock()
        self._proposals.append(proposal)
        self._count += count
        self._filled.notify()

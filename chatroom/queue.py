"""The waiting queue: every proposal waits here, in the order in which the proposals came.

In the C++ original it is a second vector, under a `std::mutex`. A producer that finds the queue full waits on
a condition of its own. With one condition for all, as with `std::condition_variable`, a later producer could
take the lock before the one that was notified; so first come would not be first served.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

from chatroom.deadline import Deadline
from chatroom.errors import Closed
from chatroom.events import memory_of
from chatroom.limits import MAX_WAITING, MAX_WAITING_BYTES, TICK_SECONDS
from chatroom.order import Entry, Taken, Task
from chatroom.order_clock import OrderClock
from chatroom.proposals import Lines, Proposal


class WaitingQueue:
    """Many producers, one consumer. A full queue blocks its producers, which slows the talkers.

    It is the order of a server that is alone (`chatroom.order.Order`): one take() gives one entry.

    max_count: proposals (each line of a burst counts)
    max_bytes: memory of the texts
    clock:     seconds that only rise
    now:       milliseconds since 1970, for the entries
    """

    def __init__(
        self,
        max_count: int = MAX_WAITING,
        max_bytes: int = MAX_WAITING_BYTES,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], int] | None = None,
    ) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._clock = clock
        # Confined to the consumer:
        self._now = now or OrderClock().now
        self._epoch = 0
        self._tick = Deadline(TICK_SECONDS, clock)
        # Guards _producers, _proposals, _tasks, _count, _bytes, _idle and _closed.
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._producers: deque[threading.Condition] = deque()  # wait for room, the first at index 0
        self._proposals: list[Proposal] = []
        self._tasks: list[Task] = []
        self._count = 0
        self._bytes = 0
        self._idle = False
        self._closed = False

    def __len__(self) -> int:
        with self._lock:
            return self._count

    @property
    def blocked(self) -> int:
        """How many producers wait in line for room."""
        with self._lock:
            return len(self._producers)

    @property
    def idle(self) -> bool:
        """Whether the consumer waits for the first proposal."""
        with self._lock:
            return self._idle

    def begin(self, identity: bytes, position: bytes, epoch: int) -> None:
        """See `Order.begin`. Entries are not kept here, so there is nothing to go on from."""
        self._epoch = epoch

    def put(self, proposal: Proposal, timeout: float | None = None) -> None:
        """Add `proposal`; wait in line while the queue is full, at most `timeout` seconds.

        A burst is added whole, so the queue may go over its limits by at most one burst.
        Raises Closed, or TimeoutError when the queue was full for all of that time.
        """
        count, size = _weight(proposal)
        with self._lock:
            if self._producers or self._full():
                self._wait_in_line(timeout)
            if self._closed:
                raise Closed("the chatroom is closing")
            self._proposals.append(proposal)
            self._count += count
            self._bytes += size
            self._filled.notify()
            self._call_next()

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
            self._count = self._bytes = 0
            self._call_next()
        return Taken(self._entries(proposals), tasks)

    def close(self) -> None:
        """Accept no more. Accepted proposals can still be taken; producers in line get Closed."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()
            for place in self._producers:
                place.notify()

    def _entries(self, proposals: list[Proposal]) -> list[Entry]:
        """The proposals, and the tick if it is due: last, so that UP is the first entry of all."""
        groups: list[list[Proposal]] = [proposals] if proposals else []
        if self._tick.expired:
            self._tick = Deadline(TICK_SECONDS, self._clock)
            groups.append([])
        return [Entry(b"", self._now(), "", self._epoch, group) for group in groups]

    def _wait_in_line(self, timeout: float | None) -> None:
        """Wait until this producer is the first in line and there is room. Requires holding the lock."""
        assert self._lock.locked()
        deadline = None if timeout is None else Deadline(timeout, self._clock)
        place = threading.Condition(self._lock)
        self._producers.append(place)
        try:
            while not self._closed and (self._producers[0] is not place or self._full()):
                if deadline is not None and deadline.expired:
                    raise TimeoutError("the waiting queue is full")
                place.wait(None if deadline is None else deadline.left())
        finally:
            self._producers.remove(place)  # the first one, unless the queue was closed or the time is over

    def _call_next(self) -> None:
        """Wake the first in line when there is room. Requires holding the lock."""
        assert self._lock.locked()
        if self._producers and not self._full():
            self._producers[0].notify()

    def _full(self) -> bool:
        """Requires holding the lock."""
        return self._count >= self._max_count or self._bytes >= self._max_bytes


def _weight(proposal: Proposal) -> tuple[int, int]:
    """How many proposals, and how many bytes of memory of texts, one proposal counts for."""
    body = proposal.body
    if isinstance(body, Lines):
        return len(body.says), sum([memory_of(say.text) for say in body.says])
    return 1, 0

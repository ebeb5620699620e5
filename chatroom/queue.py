"""The waiting queue: everything that wants to happen waits here, in the order in which it came.

In the original: a second vector under a `std::mutex`. Whoever finds it full waits in line on a condition of
its own, so that first come is first served also among those who wait (`std::condition_variable` and
Python's wake somebody, but a newcomer could be faster).
"""

from __future__ import annotations

import threading
from collections import deque

from chatroom.deadline import Deadline
from chatroom.errors import Closed
from chatroom.limits import MAX_WAITING, MAX_WAITING_BYTES
from chatroom.requests import Lines, Request


class WaitingQueue:
    """Many producers, one consumer. A full queue blocks its producers: that is what slows the talkers.

    max_count: requests (each line of a burst counts)
    max_bytes: characters of text, roughly bytes
    """

    def __init__(self, max_count: int = MAX_WAITING, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        # Guards every field below.
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._line: deque[threading.Condition] = deque()  # who waits for room, first come first
        self._requests: list[Request] = []
        self._count = 0
        self._bytes = 0
        self._closed = False

    def __len__(self) -> int:
        with self._lock:
            return self._count

    def put(self, request: Request, timeout: float | None = None) -> None:
        """Add `request`; wait in line while the queue is full, at most `timeout` seconds.

        A burst is added whole, so the queue may go over its limits by one burst for each call, no more.
        Raises Closed, or TimeoutError when the queue was full for all of that time.
        """
        count, size = _weight(request)
        with self._lock:
            if self._line or self._full():
                self._wait_in_line(timeout)
            if self._closed:
                raise Closed("the chatroom is closing")
            self._requests.append(request)
            self._count += count
            self._bytes += size
            self._filled.notify()
            self._call_next()

    def take_all(self) -> list[Request] | None:
        """Everything that waits, in order; waits for the first. None: closed, and nothing is left."""
        with self._lock:
            while not self._requests and not self._closed:
                self._filled.wait()
            if not self._requests:
                return None
            taken, self._requests = self._requests, []
            self._count = self._bytes = 0
            self._call_next()
            return taken

    def close(self) -> None:
        """Take no more; what was accepted can still be taken, who waits in line gets Closed."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()
            for place in self._line:
                place.notify()

    def _wait_in_line(self, timeout: float | None) -> None:
        """Wait until this producer is the first in line and there is room. Requires holding the lock."""
        assert self._lock.locked()
        deadline = None if timeout is None else Deadline(timeout)
        place = threading.Condition(self._lock)
        self._line.append(place)
        while not self._closed and (self._line[0] is not place or self._full()):
            if deadline is not None and deadline.expired:
                self._line.remove(place)
                self._call_next()  # it may be this producer that was woken a moment ago
                raise TimeoutError("the waiting queue is full")
            place.wait(None if deadline is None else deadline.left())
        self._line.remove(place)  # the first one, unless the queue was closed

    def _call_next(self) -> None:
        """Wake the first in line when there is room. Requires holding the lock."""
        assert self._lock.locked()
        if self._line and not self._full():
            self._line[0].notify()

    def _full(self) -> bool:
        """Requires holding the lock."""
        return self._count >= self._max_count or self._bytes >= self._max_bytes


def _weight(request: Request) -> tuple[int, int]:
    """How many requests and how many characters of text one request counts for."""
    if isinstance(request, Lines):
        return len(request.says), sum([len(say.text) for say in request.says])
    return 1, 0

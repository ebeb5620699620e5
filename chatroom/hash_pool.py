"""Turns for hashing passwords: two at a time, and fair between networks.

A hash takes some 60 ms and 16 MiB on purpose, so who asks for many could stop the others. Here each thread
hashes its own password, and waits for its turn before.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TypeVar

from chatroom.deadline import Deadline
from chatroom.errors import Closed, Refused
from chatroom.limits import FAVOUR_SECONDS, FAVOURS, HASHES_AT_ONCE, MAX_FAVOURED, NETWORK_HASHES
from chatroom.outcomes import Code

Result = TypeVar("Result")

BUSY = "too many passwords are being checked: try again in some seconds"


class _Waiter:
    """A thread that waits for its turn. Needs the pool's lock."""

    __slots__ = ("place", "turn")

    def __init__(self, lock: threading.Lock) -> None:
        self.place = threading.Condition(lock)
        self.turn = False


class _Line:
    """Waiters by network; the turns go round by network. Needs the pool's lock."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[_Waiter]] = {}  # the network whose turn is next comes first

    def of(self, network: str) -> int:
        """How many of a network wait."""
        return len(self._waiting.get(network, ()))

    def append(self, network: str, waiter: _Waiter) -> None:
        self._waiting.setdefault(network, deque()).append(waiter)

    def remove(self, network: str, waiter: _Waiter) -> None:
        self._waiting[network].remove(waiter)
        if not self._waiting[network]:
            del self._waiting[network]

    def take(self) -> _Waiter | None:
        """The next waiter. Its network comes last now."""
        if not self._waiting:
            return None
        network = next(iter(self._waiting))
        waiters = self._waiting.pop(network)
        waiter = waiters.popleft()
        if waiters:
            self._waiting[network] = waiters
        return waiter

    def __iter__(self) -> Iterator[_Waiter]:
        return (waiter for waiters in self._waiting.values() for waiter in waiters)


class _Favours:
    """Which hashes may wait in the line of known networks: of each network so many at once, then one each so
    many seconds. Everybody may have an account, and log in to it for ever. Needs the pool's lock.
    """

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}  # by network: when it has all again; the latest used last

    def take(self, network: str, now: float) -> bool:
        """Whether the network has one more; it is used up then."""
        full_at = max(now, self._full_at.pop(network, now))
        favoured = full_at <= now + (FAVOURS - 1) * FAVOUR_SECONDS
        self._full_at[network] = full_at + FAVOUR_SECONDS if favoured else full_at
        if len(self._full_at) > MAX_FAVOURED:
            del self._full_at[next(iter(self._full_at))]
        return favoured


class HashPool:
    """Lets `at_once` threads hash at the same time. Any thread may ask.

    at_once: threads
    most:    threads of one network that may wait
    clock:   seconds that only rise
    """

    def __init__(
        self,
        at_once: int = HASHES_AT_ONCE,
        most: int = NETWORK_HASHES,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._most = most
        self._clock = clock
        # Guards the fields below, and the waiters in both lines.
        self._lock = threading.Lock()
        self._favours = _Favours()
        self._free = at_once
        self._lines = (_Line(), _Line())  # of known networks that have a favour left, of all others
        self._next = 0  # the line whose turn comes next
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn."""
        with self._lock:
            return sum(1 for line in self._lines for _ in line)

    def run(self, network: str, known: bool, hash: Callable[[], Result], timeout: float) -> Result:
        """Call `hash` in this thread, once it is its turn.

        known:   the account was used from this network before: it waits in a line of its own, and the lines
                 take turns, so that a flood from everywhere delays it by one hash. Of one network only a few
                 may: who floods with an account of his own soon waits with all others
        timeout: seconds to wait for the turn
        Raises Refused (SLOW_DOWN: too many of this network wait, or no turn in time) and Closed.
        """
        self._wait(network, known, Deadline(timeout, self._clock))
        try:
            return hash()
        finally:
            with self._lock:
                self._free += 1
                self._let_in()

    def close(self) -> None:
        """Let no thread wait any more."""
        with self._lock:
            self._closed = True
            for line in self._lines:
                for waiter in line:
                    waiter.place.notify()

    def _wait(self, network: str, known: bool, deadline: Deadline) -> None:
        with self._lock:
            if self._closed:
                raise Closed("the chatroom is closing")
            favoured = known and self._favours.take(network, self._clock())
            line = self._lines[0 if favoured else 1]
            if line.of(network) >= self._most:
                raise Refused(BUSY, Code.SLOW_DOWN)
            waiter = _Waiter(self._lock)
            line.append(network, waiter)
            self._let_in()
            while not (waiter.turn or self._closed or deadline.expired):
                waiter.place.wait(deadline.left())
            if waiter.turn:
                return
            line.remove(network, waiter)
            if self._closed:
                raise Closed("the chatroom is closing")
            raise Refused(BUSY, Code.SLOW_DOWN)

    def _let_in(self) -> None:
        """Give the free turns to the next waiters. Requires holding _lock."""
        assert self._lock.locked()
        while self._free and (waiter := self._take()) is not None:
            self._free -= 1
            waiter.turn = True
            waiter.place.notify()

    def _take(self) -> _Waiter | None:
        """The next waiter: the lines take turns, unless only one has somebody. Requires holding _lock."""
        for index in (self._next, 1 - self._next):
            waiter = self._lines[index].take()
            if waiter is not None:
                self._next = 1 - index
                return waiter
        return None

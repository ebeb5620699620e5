"""The turnstile: bursts may be processed by many threads, and their results still come out in order.

The original starts a thread for every received burst of messages. Threads finish in any order; so each burst
gets a turn when it is received, and what it has to hand over it hands over when its turn has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from client.limits import MAX_PROCESSING


class Turnstile:
    """Turns are taken in the order of arrival by one thread, and passed in that order by any threads."""

    def __init__(self, width: int = MAX_PROCESSING) -> None:
        self._width = width
        # Guards _taken and _passed.
        self._moved = Condition()
        self._taken = 0
        self._passed = 0

    def take(self) -> int:
        """The next turn; waits while `width` turns are taken and not passed."""
        with self._moved:
            while self._taken - self._passed >= self._width:
                self._moved.wait()
            self._taken += 1
            return self._taken - 1

    @contextmanager
    def passing(self, turn: int) -> Iterator[None]:
        """Wait until all earlier turns have been passed; the turn is passed at the end of the block.

        Every turn that was taken must be passed, whatever went wrong: those behind it wait.
        """
        with self._moved:
            while self._passed != turn:
                self._moved.wait()
        try:
            yield  # without the lock: only this turn can be here
        finally:
            with self._moved:
                self._passed += 1
                self._moved.notify_all()

    def drain(self) -> None:
        """Wait until all turns that were taken have been passed."""
        with self._moved:
            while self._passed != self._taken:
                self._moved.wait()

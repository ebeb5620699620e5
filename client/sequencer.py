"""The sequencer: many threads process bursts at once, and the results still come out in order.

The original starts a thread for every received burst of messages, and threads finish in any order. So the
receiver takes a turn for each burst; the burst's thread waits for its turn before it delivers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from client.limits import MAX_PROCESSING


class Sequencer:
    """Turns are passed in the order in which they were taken: by the receiver, and one by each login."""

    def __init__(self, width: int = MAX_PROCESSING) -> None:
        self._width = width
        # Guards _taken and _passed.
        self._moved = Condition()
        self._taken = 0
        self._passed = 0

    def take(self) -> int:
        """The next turn; waits while `width` turns are taken and not passed."""
        with self._moved:
            self._moved.wait_for(lambda: self._taken - self._passed < self._width)
            self._taken += 1
            return self._taken - 1

    def wait(self, turn: int) -> None:
        """Wait until all earlier turns have been passed."""
        with self._moved:
            self._moved.wait_for(lambda: self._passed == turn)

    @contextmanager
    def passing(self, turn: int) -> Iterator[None]:
        """Pass the turn at the end of the block, also after an error: all later turns wait for it."""
        try:
            yield
        finally:
            self.wait(turn)
            with self._moved:
                self._passed += 1
                self._moved.notify_all()

    def drain(self) -> None:
        """Wait until all turns that were taken have been passed."""
        with self._moved:
            self._moved.wait_for(lambda: self._passed == self._taken)

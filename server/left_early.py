"""Newcomers that close in the middle of the handshake: a scan of ports, a health check, a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from server.limits import LEFT_EARLY, LEFT_EARLY_SECONDS


class LeftEarly:
    """Counts them. One is nothing that an operator wants to read; many are told as a number. Any thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards all fields below.
        self._lock = threading.Lock()
        self._until = 0.0  # when counting begins anew
        self._count = 0
        self._next = 0  # the number that is told next

    def note(self) -> int:
        """One more; how many they were in the last LEFT_EARLY_SECONDS, if that is to be told, else 0.

        It is told at LEFT_EARLY, and at twice the number that was told last: a flood is a few lines.
        """
        now = self._clock()
        with self._lock:
            if now >= self._until:
                self._until, self._count, self._next = now + LEFT_EARLY_SECONDS, 0, LEFT_EARLY
            self._count += 1
            if self._count < self._next:
                return 0
            self._next *= 2
            return self._count

"""A pulse: a thread shows by it that it works, and another one looks."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class Pulse:
    """The time of the latest beat. Any thread.

    clock: seconds that only rise
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # Guards _latest.
        self._lock = Lock()
        self._latest = clock()

    def beat(self) -> None:
        """Show that the thread works."""
        now = self._clock()
        with self._lock:
            self._latest = now

    @property
    def age(self) -> float:
        """Seconds since the latest beat."""
        with self._lock:
            return self._clock() - self._latest

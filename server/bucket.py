"""A bucket of tokens: so much of something at once, and then a steady rate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic


class Bucket:
    """Full at first; tokens come back at `rate` a second, up to `size`. Any thread may use it.

    clock: seconds that only rise
    """

    def __init__(self, rate: float, size: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._size = size
        self._clock = clock
        # Guards _tokens, and _filled: when they were counted.
        self._lock = threading.Lock()
        self._tokens = size
        self._filled = clock()

    def take(self, most: int = 1) -> int:
        """Take as many tokens as there are, at most so many; how many it took."""
        with self._lock:
            self._fill()
            taken = max(0, min(most, int(self._tokens)))
            self._tokens -= taken
            return taken

    def charge(self, tokens: int) -> None:
        """Take tokens that may not be there: others wait until they have come back."""
        with self._lock:
            self._fill()
            self._tokens -= tokens

    def wait(self) -> float:
        """Seconds until there is a token."""
        with self._lock:
            self._fill()
            return max(0.0, (1 - self._tokens) / self._rate)

    def _fill(self) -> None:
        """Requires holding _lock."""
        now = self._clock()
        self._tokens = min(self._size, self._tokens + (now - self._filled) * self._rate)
        self._filled = now

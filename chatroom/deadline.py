"""One deadline over several steps, so that the time-outs of slow steps do not add up."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A moment in the future, by a clock that cannot be set back.

    seconds: from now
    clock:   seconds that only rise
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds until the deadline, 0.0 after it: a time-out for `wait` and `join`."""
        return max(0.0, self._end - self._clock())

    @property
    def expired(self) -> bool:
        return self._clock() >= self._end

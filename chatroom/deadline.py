"""One deadline over several steps, so that a slow peer cannot add the time-outs of the steps up."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A moment in the future, by a clock that no one can set back.

    seconds: from now
    clock:   seconds that only rise
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds until the deadline, 0.0 once it has passed: fit for `wait(timeout=…)` and `join`."""
        return max(0.0, self._end - self._clock())

    @property
    def expired(self) -> bool:
        return self._clock() >= self._end

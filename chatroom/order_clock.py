"""The time of entries: it follows the wall clock, but does not jump with every correction of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from chatroom.limits import CLOCK_STEP_SECONDS


class OrderClock:
    """The wall clock at the start, plus the time that has passed since. Confined to the forwarder's thread.

    A wall clock that is more than CLOCK_STEP_SECONDS away was wrong before or is set anew: its time is
    taken over in one step, backwards, too. The order of events does not depend on it.

    wall:   seconds since 1970
    steady: seconds that only rise
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()

    def now(self) -> int:
        """Milliseconds since 1970."""
        wall, time = self._wall(), self._steady() + self._offset
        if abs(wall - time) > CLOCK_STEP_SECONDS:
            self._offset += wall - time
            time = wall
        return int(time * 1000)

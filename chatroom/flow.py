"""Flow: slows the talkers while most readers are behind, so that readers need not be disconnected."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic

from chatroom.limits import PAUSE_PERIOD, PAUSE_SECONDS


class Flow:
    """Counts the members that are behind, though they read. Connections report, handlers wait here.

    One slow reader does not slow the talkers. While more than half of the members are behind, there is a
    pause: each handler waits before it queues the next burst of lines. It reads no more bytes, and TCP slows
    the talker. Only lines wait. A pause is over when half of the members have caught up, and after
    PAUSE_SECONDS; in each PAUSE_PERIOD there is one. So readers, however many, slow the others very little.
    The forwarder never waits here: what is queued goes on, and so do names, joins, leaves and commands.

    clock: seconds that only rise
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards every field below.
        self._lock = threading.Lock()
        self._eased = threading.Condition(self._lock)
        self._behind = 0
        self._members = 0
        self._paused = 0  # handlers in wait_for_readers()
        self._pauses = 0
        self._began = -math.inf  # the latest pause
        self._open = False

    @property
    def behind(self) -> int:
        """How many members are behind now, and read."""
        with self._lock:
            return self._behind

    @property
    def paused(self) -> int:
        """How many handlers wait for the readers now."""
        with self._lock:
            return self._paused

    @property
    def pauses(self) -> int:
        """How many bursts had to wait so far."""
        with self._lock:
            return self._pauses

    def count_members(self, members: int) -> None:
        """Note how many members the chatroom has. Called by the forwarder."""
        with self._lock:
            self._members = members
            self._notify()

    def fell_behind(self) -> None:
        """One more member is behind: it was live and read a moment ago."""
        with self._lock:
            self._behind += 1

    def caught_up(self) -> None:
        """A member that was behind has caught up, or has stopped reading, or its connection is closing."""
        with self._lock:
            self._behind -= 1
            self._notify()

    def wait_for_readers(self) -> None:
        """Wait while there is a pause. Called by handlers."""
        with self._lock:
            if not self._most_are_behind():
                return
            end = self._end_of_pause()
            if self._clock() >= end:
                return
            self._pauses += 1
            self._paused += 1
            while self._most_are_behind() and (left := end - self._clock()) > 0:
                self._eased.wait(left)
            self._paused -= 1

    def open(self) -> None:
        """End all waits, now and later: the chatroom is closing."""
        with self._lock:
            self._open = True
            self._notify()

    def _end_of_pause(self) -> float:
        """When the latest pause ends or ended; a new one begins when it is time. Requires holding _lock."""
        assert self._lock.locked()
        now = self._clock()
        if now >= self._began + PAUSE_PERIOD:
            self._began = now
        return self._began + PAUSE_SECONDS

    def _most_are_behind(self) -> bool:
        """Requires holding _lock."""
        return 2 * self._behind > self._members and not self._open

    def _notify(self) -> None:
        """Wake the handlers that wait, if they may go on. Requires holding _lock."""
        if self._paused and not self._most_are_behind():
            self._eased.notify_all()

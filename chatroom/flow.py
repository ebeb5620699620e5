"""Flow: slows the talkers while most readers are behind, so that readers need not be disconnected."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from chatroom.deadline import Deadline
from chatroom.limits import PAUSE_SECONDS


class Flow:
    """Counts the members that are behind. Connections report, handlers wait before they queue lines.

    One slow reader does not slow the talkers. While more than half of the members are behind, each handler
    waits before it queues the next burst of lines: it reads no more bytes, and TCP slows the talker. Only
    lines wait, and each burst waits at most PAUSE_SECONDS: readers that have stopped cannot stop the
    others. The forwarder never waits here, so names, joins, leaves and commands go on.

    clock: seconds that only rise
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards _behind, _members, _paused, _pauses and _open.
        self._lock = threading.Lock()
        self._eased = threading.Condition(self._lock)
        self._behind = 0
        self._members = 0
        self._paused = 0  # handlers in wait_for_readers()
        self._pauses = 0
        self._open = False

    @property
    def behind(self) -> int:
        """How many members are behind now."""
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
        """One more member is behind."""
        with self._lock:
            self._behind += 1

    def caught_up(self) -> None:
        """A member that had fallen behind has caught up, or its connection is closing."""
        with self._lock:
            self._behind -= 1
            self._notify()

    def wait_for_readers(self) -> None:
        """Wait while more than half of the members are behind, at most PAUSE_SECONDS. Called by handlers."""
        with self._lock:
            if not self._most_are_behind():
                return
            self._pauses += 1
            self._paused += 1
            deadline = Deadline(PAUSE_SECONDS, self._clock)
            while self._most_are_behind() and not deadline.expired:
                self._eased.wait(deadline.left())
            self._paused -= 1

    def open(self) -> None:
        """End all waits, now and later: the chatroom is closing."""
        with self._lock:
            self._open = True
            self._notify()

    def _most_are_behind(self) -> bool:
        """Requires holding _lock."""
        return 2 * self._behind > self._members and not self._open

    def _notify(self) -> None:
        """Wake the handlers that wait, if they may go on. Requires holding _lock."""
        if self._paused and not self._most_are_behind():
            self._eased.notify_all()

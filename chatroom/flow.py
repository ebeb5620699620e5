"""Flow: slow the talkers when most readers are behind, so that readers need not be dropped."""

from __future__ import annotations

import threading


class Flow:
    """Counts the members that are behind; connections report, the forwarder waits.

    One slow reader never slows anybody. Only when more than half are behind at once, the forwarder takes
    no new batch; the queue fills, the handlers block, and TCP passes it on to the talkers.
    """

    def __init__(self) -> None:
        # Guards _behind, _bearable and _open.
        self._lock = threading.Lock()
        self._eased = threading.Condition(self._lock)
        self._behind = 0
        self._bearable: int | None = None  # the count that the forwarder waits for
        self._open = False

    @property
    def behind(self) -> int:
        """How many members are behind now."""
        with self._lock:
            return self._behind

    def fell_behind(self) -> None:
        with self._lock:
            self._behind += 1

    def caught_up(self) -> None:
        """A member that had fallen behind is not any more (or is gone)."""
        with self._lock:
            self._behind -= 1
            if self._bearable is not None and self._behind <= self._bearable:
                self._eased.notify()

    def wait_while_most_are_behind(self, members: int) -> bool:
        """Wait while more than half of `members` are behind; whether there was a wait."""
        with self._lock:
            self._bearable = members // 2
            waited = False
            while self._behind > self._bearable and not self._open:
                waited = True
                self._eased.wait()
            self._bearable = None
            return waited

    def open(self) -> None:
        """Never wait again: the end has come."""
        with self._lock:
            self._open = True
            self._eased.notify()

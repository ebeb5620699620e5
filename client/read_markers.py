"""When to tell the server how far the user has looked."""

from __future__ import annotations

from collections.abc import Callable

from client.limits import READ_SECONDS


class ReadMarkers:
    """Collects read markers. Pure: times are passed in, in seconds of a monotonic clock.

    tell: called with a place and the seq up to which the user has looked there
    """

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._told: dict[int, int] = {}
        self._waiting: dict[int, int] = {}
        self._next = 0.0  # when the next one may be told, unless the user leaves its place

    def looked(self, place: int, seq: int, now: float) -> None:
        """The user has looked at a place up to `seq`."""
        if place and seq > max(self._told.get(place, 0), self._waiting.get(place, 0)):
            self._waiting[place] = seq
            self.tick(now)

    def leave(self, place: int) -> None:
        """The user leaves a place: tell its marker now."""
        seq = self._waiting.pop(place, 0)
        if seq:
            self._told[place] = seq
            self._tell(place, seq)

    def end(self) -> None:
        """The program ends: tell all."""
        for place in list(self._waiting):
            self.leave(place)

    def forget(self) -> None:
        """The places have other numbers now."""
        self._told.clear()
        self._waiting.clear()

    def wait(self, now: float) -> float | None:
        """Seconds until `tick` has something to do; None if it has nothing to do."""
        return max(0.0, self._next - now) if self._waiting else None

    def tick(self, now: float) -> None:
        """Tell what waits, when it is time."""
        if self._waiting and now >= self._next:
            self._next = now + READ_SECONDS
            self.end()

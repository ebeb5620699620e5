"""When to paint: at once after a pause, and then not more often than so many times a second."""

from __future__ import annotations


class FrameClock:
    """Leading and trailing edge: the first of a burst is shown at once, the last is never forgotten."""

    def __init__(self, frames_per_second: float) -> None:
        self._pause = 1.0 / frames_per_second
        self._next = float("-inf")
        self._wanted = False

    def request(self, *, at_once: bool = False) -> None:
        """Something has changed. at_once: it was a key, and who pressed it is waiting."""
        self._wanted = True
        if at_once:
            self._next = float("-inf")

    def wait(self, now: float) -> float | None:
        """Seconds until a frame is due, None when nothing has changed."""
        return max(0.0, self._next - now) if self._wanted else None

    def due(self, now: float) -> bool:
        """Whether to paint now."""
        return self._wanted and now >= self._next

    def painted(self, now: float) -> None:
        """A frame was painted."""
        self._wanted = False
        self._next = now + self._pause

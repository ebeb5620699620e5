"""The schedule of frames: the first change is painted at once, later ones at a bounded rate."""

from __future__ import annotations


class FrameClock:
    """Limits the rate of frames. After a pause a change is painted at once; the last change is never lost."""

    def __init__(self, frames_per_second: float) -> None:
        self._pause = 1.0 / frames_per_second
        self._next = float("-inf")
        self._wanted = False

    def request(self, *, at_once: bool = False) -> None:
        """Ask for a frame. at_once: the user pressed a key and waits for its effect, so skip the pause."""
        self._wanted = True
        if at_once:
            self._next = float("-inf")

    def wait(self, now: float) -> float | None:
        """Seconds until a frame is due, None if no frame was requested."""
        return max(0.0, self._next - now) if self._wanted else None

    def due(self, now: float) -> bool:
        """Whether to paint now."""
        return self._wanted and now >= self._next

    def painted(self, now: float) -> None:
        """Note that a frame was painted at `now`: the next one is due a pause later, if requested."""
        self._wanted = False
        self._next = now + self._pause

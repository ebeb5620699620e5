"""What the status says while there is no connection: it counts down to the next try."""

from __future__ import annotations

import math

from client.updates import Retrying


class Trouble:
    """In the main thread. Times are passed in, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._lost = False
        self._until: float | None = None  # the next try; None: it has no time, or comes at once
        self._reason = ""

    def lost(self) -> None:
        """The connection was lost; the first try follows at once."""
        self._lost, self._until, self._reason = True, None, ""

    def retrying(self, retrying: Retrying, now: float) -> None:
        """The last try has failed. A pause of less than a second is not told: the words would flicker."""
        self._lost, self._reason = True, retrying.reason
        self._until = now + retrying.seconds if retrying.seconds >= 1 else None

    def over(self) -> None:
        """There is a connection."""
        self._lost = False

    def words(self, now: float) -> str:
        """What to say; empty while all is well."""
        if not self._lost:
            return ""
        when = ""
        if self._until is not None:
            left = math.ceil(self._until - now)
            when = f" in {left:,} s" if left > 0 else " now"
        return f"reconnecting{when}" + (f": {self._reason}" if self._reason else "")

    def wait(self, now: float) -> float | None:
        """Seconds until the words change; None: they do not."""
        if not self._lost or self._until is None or self._until <= now:
            return None
        left = self._until - now
        return left - (math.ceil(left) - 1)

"""Names that were given to a newcomer who did not take them up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from server.limits import MAX_LAPSES


class Lapses:
    """After an address has let a name lapse, it gets that name again only after as long as it had held it.

    So nobody can keep a name from the others by asking for it again and again: at least half of the time it
    is free for them. Who has only lost the connection has held the name for a moment, and waits for a moment.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards _until.
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], float] = {}  # by share and name_key; the latest last

    def note(self, share: str, key: str, held: float) -> None:
        """An address has let a name lapse that it had held for `held` seconds."""
        with self._lock:
            self._until.pop((share, key), None)
            self._until[share, key] = self._clock() + held
            if len(self._until) > MAX_LAPSES:
                del self._until[next(iter(self._until))]

    def wait(self, share: str, key: str) -> float:
        """Seconds until the address may get the name again; 0: now."""
        with self._lock:
            return max(0.0, self._until.get((share, key), 0.0) - self._clock())

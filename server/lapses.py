"""Names that were given to a newcomer who did not take them up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from server.limits import LAPSE_SECONDS, MAX_LAPSES


class Lapses:
    """After an address has let a name lapse, it gets that name again only after as long as it had held it.

    When it lets the name lapse again soon, it waits twice as long as the last time, at most LAPSE_SECONDS. So
    nobody can keep a name from the others by asking for it again and again. Who has only lost the connection
    has held the name for a moment, and waits for a moment.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards _lapses.
        self._lock = threading.Lock()
        self._lapses: dict[tuple[str, str], _Lapse] = {}  # by share and name_key; the latest last

    def note(self, share: str, key: str, held: float) -> None:
        """An address has let a name lapse that it had held for `held` seconds."""
        now = self._clock()
        with self._lock:
            until, seconds = self._lapses.pop((share, key), _NONE)
            if now - held < until + seconds:  # it asked again soon
                held = max(held, min(2 * seconds, LAPSE_SECONDS))
            self._lapses[share, key] = _Lapse(now + held, held)
            if len(self._lapses) > MAX_LAPSES:
                del self._lapses[next(iter(self._lapses))]

    def wait(self, share: str, key: str) -> float:
        """Seconds until the address may get the name again; 0: now."""
        with self._lock:
            return max(0.0, self._lapses.get((share, key), _NONE).until - self._clock())


class _Lapse(NamedTuple):
    until: float
    seconds: float  # how long the address had to wait


_NONE = _Lapse(0.0, 0.0)

"""Names that were given to a newcomer who did not take them up."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from server.limits import LAPSE_FACTOR, LAPSE_SECONDS, MAX_LAPSES


class Lapses:
    """After an address has let a name lapse, it gets that name again only after as long as it had held it.

    When it lets the name lapse again soon, it waits for twice that time, then for four times, at most
    LAPSE_FACTOR times. So nobody can keep a name from the others by asking for it again and again. Who has
    only lost the connection has held the name for a moment, and waits for some moments.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards _lapses.
        self._lock = threading.Lock()
        self._lapses: dict[tuple[str, str], _Lapse] = {}  # by network and name_key; the latest last

    def note(self, network: str, key: str, held: float) -> None:
        """An address has let a name lapse that it had held for `held` seconds."""
        now = self._clock()
        with self._lock:
            until, factor = self._lapses.pop((network, key), _NONE)
            soon = now - held < until + LAPSE_SECONDS
            factor = min(2 * factor, LAPSE_FACTOR) if soon else 1
            self._lapses[network, key] = _Lapse(now + factor * held, factor)
            if len(self._lapses) > MAX_LAPSES:
                del self._lapses[next(iter(self._lapses))]

    def wait(self, network: str, key: str) -> float:
        """Seconds until the address may get the name again; 0: now."""
        with self._lock:
            return max(0.0, self._lapses.get((network, key), _NONE).until - self._clock())


class _Lapse(NamedTuple):
    until: float
    factor: int  # the address waits so many times as long as it had held the name


_NONE = _Lapse(-math.inf, 1)

"""When to try again: growing pauses with jitter, the first try at once."""

from __future__ import annotations

import random
from collections.abc import Callable

from client.limits import RETRY_FIRST, RETRY_LONGEST


class Backoff:
    """How long to wait before each try to connect again.

    chance: a random number from 0.0 to 1.0. Each pause is between half and all of its length, so that the
            clients of a restarted server do not all come in the same instant
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._tries = 0

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait before the next try; 0.0 before the first."""
        self._tries += 1
        if self._tries == 1:
            return 0.0
        longest = min(RETRY_LONGEST, RETRY_FIRST * 2.0 ** min(self._tries - 2, 30))
        return longest * (0.5 + self._chance() / 2)

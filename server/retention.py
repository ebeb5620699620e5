"""How much history is retained: the option `--keep`, and the clock that it believes."""

from __future__ import annotations

import re
from typing import NamedTuple

from chatroom.errors import ConfigError
from server.limits import CLOCK_PROOF_SECONDS, MAX_RETENTION

PROOF = CLOCK_PROOF_SECONDS * 1000
"""CLOCK_PROOF_SECONDS in milliseconds, the unit of all times of events."""


class Retention(NamedTuple):
    """Which events are retained; 0 means no such bound, and two zeros mean all.

    events: number of the latest events
    days:   maximum age in days
    """

    events: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Retention:
        """From the option's text: `90d`, `1000000events` or `all`. Raises ConfigError.

        A number alone is refused: who forgets the d of `90d` would lose all but 90 events.
        """
        if text == "all":
            return cls()
        match = re.fullmatch(r"([1-9][0-9]{0,17})(d|events|)", text)
        if match is None or int(match[1]) > MAX_RETENTION:
            raise ConfigError(
                f"cannot keep {text!r}: say a number of days (90d), a number of events (1000000events) or all"
            )
        number, unit = int(match[1]), match[2]
        if not unit:
            raise ConfigError(
                f"--keep {number} lacks a unit: {number}d keeps {number} days, {number}events keeps"
                f" the latest {number} events"
            )
        return cls(days=number) if unit == "d" else cls(events=number)

    def __str__(self) -> str:
        return f"{self.days}d" if self.days else f"{self.events}events" if self.events else "all"


class ProvenClock:
    """The wall clock, believed an hour late: what is removed by it cannot be brought back.

    A reading is proven by another one that is CLOCK_PROOF_SECONDS or more later, when no reading between
    them was earlier: then nobody has set the clock back. So a clock that jumps ahead and is corrected within
    that time removes nothing. Times are milliseconds since 1970.

    latest: an earlier reading, for which the latest event's time will do; 0 for none
    """

    def __init__(self, latest: int) -> None:
        self._proven = 0
        self._waiting = latest  # for its proof

    def read(self, now: int) -> int:
        """Take a reading; the latest proven one, 0 for none."""
        if now < self._waiting:
            self._waiting, self._proven = now, min(self._proven, now)
        elif now >= self._waiting + PROOF:
            self._proven, self._waiting = self._waiting, now
        return self._proven

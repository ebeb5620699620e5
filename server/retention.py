"""How much history is retained: the option `--keep`."""

from __future__ import annotations

import re
from typing import NamedTuple

from chatroom.errors import ConfigError
from server.limits import MAX_RETENTION


class Retention(NamedTuple):
    """Which events are retained; 0 means no such bound, and two zeros mean all.

    events: number of the latest events
    days:   maximum age in days
    """

    events: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Retention:
        """From the option's text: `90d`, `1000000` or `all`. Raises ConfigError."""
        if text == "all":
            return cls()
        match = re.fullmatch(r"([1-9][0-9]{0,17})(d?)", text)
        if match is None or int(match[1]) > MAX_RETENTION:
            raise ConfigError(
                f"cannot keep {text!r}: say a number of days (90d), a number of events (1000000) or all"
            )
        return cls(days=int(match[1])) if match[2] else cls(events=int(match[1]))

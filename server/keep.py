"""How much history is kept: the option `--keep`."""

from __future__ import annotations

import re
from typing import NamedTuple

from chatroom.errors import ConfigError
from server.limits import MAX_KEPT


class Keep(NamedTuple):
    """What stays; 0 means no bound of that sort.

    events: how many of the latest events
    days:   how many days of events
    """

    events: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Keep:
        """`90d`, `1000000` or `all`; ConfigError with one line for a person otherwise."""
        if text == "all":
            return cls()
        match = re.fullmatch(r"([1-9][0-9]{0,17})(d?)", text)
        if match is None or int(match[1]) > MAX_KEPT:
            raise ConfigError(
                f"cannot keep {text!r}: say a number of days (90d), a number of events (1000000) or all"
            )
        return cls(days=int(match[1])) if match[2] else cls(events=int(match[1]))

"""Durations as moderators type them: 30s, 10m, 2 hours."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from chatroom.limits import MAX_BAN_SECONDS

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_WORDS: Final = {
    "s": "s",
    "sec": "s",
    "second": "s",
    "m": "m",
    "min": "m",
    "minute": "m",
    "h": "h",
    "hr": "h",
    "hour": "h",
    "d": "d",
    "day": "d",
}
_DURATION: Final = re.compile(r"([0-9]{1,9}) *([a-z]{1,7})(?= |$)", re.IGNORECASE | re.ASCII)
_NUMBER: Final = re.compile("[-+]?[0-9]")


class Read(NamedTuple):
    """What begins a text, and what stands behind it.

    seconds: of the duration; 0: the text begins with none; None: it begins with one that cannot be
    rest:    the text behind the duration, without outer spaces; all of it if there is none
    """

    seconds: int | None
    rest: str


def read_duration(text: str) -> Read:
    """Read a duration at the beginning of a text: `10m`, `10 min`, `10 minutes`.

    Whatever begins with a digit is to be one: as a reason, a slip such as "10 mn" would count for ever.
    """
    text = text.strip()
    found = _DURATION.match(text)
    unit = _unit(found[2].lower()) if found is not None else ""
    if found is None or not unit:
        return Read(None if _NUMBER.match(text) else 0, text)
    seconds = int(found[1]) * _UNITS[unit]
    return Read(seconds if 0 < seconds <= MAX_BAN_SECONDS else None, text[found.end() :].strip())


def _unit(word: str) -> str:
    """The letter of a unit, "": it is none."""
    return _WORDS.get(word) or (_WORDS.get(word[:-1], "") if len(word) > 2 and word.endswith("s") else "")


def duration_text(seconds: int) -> str:
    """A duration as one types it, in the largest unit that divides it: 600 is `10m`."""
    unit = next(unit for unit, size in reversed(_UNITS.items()) if seconds % size == 0)
    return f"{seconds // _UNITS[unit]}{unit}"

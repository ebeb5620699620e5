"""What many did, on one row: `12 joined: amir, bea, carla and 9 more`, with as many names as fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from views.text import text_width


class Told(NamedTuple):
    """What is told of some persons.

    words:  how many they are, and what they did: `12 joined`
    names:  of the first of them, sanitized; none where no name is to be shown
    number: how many they are
    least:  so many of the names are told in any case
    """

    words: str
    names: tuple[str, ...] = ()
    number: int = 0
    least: int = 0

    def text(self, most: int) -> str:
        """The words, with `most` names at most, or `least` if that is more."""
        shown = self.names[: max(most, self.least)]
        if not shown:
            return self.words
        rest = f" and {self.number - len(shown):,} more" if self.number > len(shown) else ""
        return f"{self.words}: {', '.join(shown)}{rest}"


def told_text(told: Sequence[Told], columns: int) -> str:
    """All of it as one sentence with as many names as fit `columns`; with the least it may be longer."""
    for most in range(max((len(each.names) for each in told), default=0), 0, -1):
        text = "; ".join(each.text(most) for each in told)
        if text_width(text) <= columns:
            return text
    return ("; " if any(each.least for each in told) else ", ").join(each.text(0) for each in told)

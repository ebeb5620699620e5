"""The half-typed line of a plain terminal: it changes at its end only, so nothing is painted again."""

from __future__ import annotations

from chatroom.limits import MAX_TEXT
from views.keys import Key
from views.sanitize import sanitize_input
from views.text import clusters, input_cell
from views.words import is_gap

_BACK = "\b \b"
"""Wipes out one column, as the terminal driver itself does."""


class TypedLine:
    """What is typed, and what the terminal must print for it.

    echoes: whether it must print anything: a console that reads lines shows them itself
    """

    def __init__(self, echoes: bool) -> None:
        self._echoes = echoes
        self._units: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._units)

    @property
    def text(self) -> str:
        """The line."""
        return "".join(self._units)

    @property
    def shown(self) -> str:
        """The line as it is printed."""
        return "".join(map(_shown, self._units)) if self._echoes else ""

    def insert(self, text: str) -> str | None:
        """Add to the line; what is to be printed for it, None: it has no room."""
        wanted = clusters(sanitize_input(text))
        if len(self.text.encode()) + len(text.encode()) > MAX_TEXT:
            return None
        self._units += wanted
        return "".join(map(_shown, wanted)) if self._echoes else ""

    def take(self) -> str:
        """The line, which is empty then."""
        text, self._units = self.text, []
        return text

    def restore(self, text: str) -> None:
        """Nothing: a line that could not be sent stands above, where it was typed."""

    def hold(self) -> None:
        """Nothing: no key brings a line back."""

    def erase(self, key: Key) -> str:
        """Take away what the key deletes at the end; what is to be printed for it."""
        keep = len(self._units)
        if key is Key.KILL_TO_START:
            keep = 0
        elif key is Key.BACKSPACE:
            keep = max(0, keep - 1)
        else:
            while keep and is_gap(self._units[keep - 1]):
                keep -= 1
            while keep and not is_gap(self._units[keep - 1]):
                keep -= 1
        gone, self._units = self._units[keep:], self._units[:keep]
        return _BACK * sum(input_cell(unit).width for unit in gone) if self._echoes else ""


def _shown(unit: str) -> str:
    return input_cell(unit).shown

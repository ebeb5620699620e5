"""Long texts of which the screen shows the beginning. The latest are kept, for whoever wants them whole."""

from __future__ import annotations

from typing import NamedTuple

from views.excerpt import excerpt
from views.limits import CUT_TEXTS


class CutText(NamedTuple):
    """A text that was cut. person: who said it, 0: the program or the server"""

    person: int
    text: str


class _Kept(NamedTuple):
    """The same, with the text in UTF-8: a text with one emoji would take four bytes for each character."""

    person: int
    text: bytes


class CutTexts:
    """The latest CUT_TEXTS of them, by number."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}
        self._last = 0

    def cut(self, text: str, person: int = 0) -> tuple[str, str]:
        """What is shown of a text, and a note about the rest, which has its number; empty for no rest.

        person: who said it
        """
        short, more = excerpt(text)
        if not more:
            return text, ""
        self._last += 1
        self._kept[self._last] = _Kept(person, text.encode("utf-8", "surrogatepass"))
        self._kept.pop(self._last - CUT_TEXTS, None)
        return short, f"{more}: /show {self._last}"

    def whole(self, number: int | None) -> CutText | None:
        """The text with this number, or the latest; None: it is not kept (any more)."""
        kept = self._kept.get(self._last if number is None else number)
        return None if kept is None else CutText(kept.person, kept.text.decode("utf-8", "surrogatepass"))

    def erase(self, person: int) -> None:
        """Keep nothing of what this person has said."""
        self._kept = {number: kept for number, kept in self._kept.items() if kept.person != person}

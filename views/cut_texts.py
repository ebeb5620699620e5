"""Long texts of which the screen shows the beginning. The latest are kept, for whoever wants them whole."""

from __future__ import annotations

from typing import NamedTuple

from chatroom.names import name_key
from views.excerpt import excerpt
from views.limits import CUT_TEXTS


class CutText(NamedTuple):
    """A text as it was said, in UTF-8: with one emoji a str would take four bytes for each character.

    person, author: number and name of whoever said it; 0 and "": the program or the server did
    number:         that stands below it; 0: it is shown whole
    """

    person: int
    author: str
    data: bytes
    number: int = 0

    @property
    def text(self) -> str:
        """The same as characters."""
        return self.data.decode("utf-8", "surrogatepass")


class CutTexts:
    """The latest CUT_TEXTS of them, by number.

    block: the latest text that somebody has said and that has several lines, or was cut; None: there is none
    """

    def __init__(self) -> None:
        self.block: CutText | None = None
        self._blocks: dict[int, CutText] = {}  # the latest such text of each of the last CUT_TEXTS persons
        self._kept: dict[int, CutText] = {}
        self._last = 0

    def cut(self, text: str, person: int = 0, author: str = "") -> tuple[str, str]:
        """What is shown of a text, and a note about the rest, which has its number; empty for no rest.

        person, author: as in `CutText`
        """
        short, more = excerpt(text)
        if not more and not (author and "\n" in text):
            return text, ""
        number = self._last + 1 if more else 0
        kept = CutText(person, author, text.encode("utf-8", "surrogatepass"), number)
        if author:
            self.block = kept
            self._blocks.pop(person, None)
            self._blocks[person] = kept
            if len(self._blocks) > CUT_TEXTS:
                del self._blocks[next(iter(self._blocks))]
        if not more:
            return text, ""
        self._last = number
        self._kept[number] = kept
        self._kept.pop(self._last - CUT_TEXTS, None)
        return short, f"{more}: /show {self._last}"

    def whole(self, number: int | None) -> CutText | None:
        """The text that was cut with this number, or as the latest; None: it is not kept (any more)."""
        return self._kept.get(self._last if number is None else number)

    def block_of(self, name: str) -> CutText | None:
        """The latest text of several lines of whoever was called so; None: none is kept."""
        key = name_key(name)
        blocks = (block for block in reversed(self._blocks.values()) if name_key(block.author) == key)
        return next(blocks, None) if key else None

    def wanted(self, number: int | None, name: str = "") -> CutText | str:
        """The text that is to be shown whole; or why there is none, in words.

        number: as for `whole`
        name:   the latest of several lines of whoever is called so is wanted instead
        """
        if name:
            none = f"{name} has said no text of several lines; /whois {name} tells who that is"
            return self.block_of(name) or none
        return self.whole(number) or ("there is no such text any more" if number else "no text was cut")

    def was_cut(self, number: int) -> bool:
        """Whether a text was cut with this number."""
        return 0 < number <= self._last

    def erase(self, person: int) -> None:
        """Keep nothing of what this person has said."""
        self._kept = {number: kept for number, kept in self._kept.items() if kept.person != person}
        self._blocks.pop(person, None)
        if self.block is not None and self.block.person == person:
            self.block = None

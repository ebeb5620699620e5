"""The beginning of a long text: what the screen shows of it, and how much more there is.

One message may have 65,000 lines, or take as long to format as 1,000 messages. So the view formats only its
beginning, whose size bounds the work; `parts` gives the whole text in pieces of that size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from chatroom.printable import LINE_ENDS, TAB
from views.limits import ITEM_CHARACTERS, ITEM_LINES

_LINE_END = re.compile(f"\r\n|[{LINE_ENDS}]")


class Excerpt(NamedTuple):
    """What is shown of a text. `more`: how much is not, in words; empty if all of it is shown."""

    text: str
    more: str


def excerpt(text: str) -> Excerpt:
    """At most ITEM_LINES lines and ITEM_CHARACTERS characters from the beginning of the text."""
    end, following = _part(text, 0)
    if end == len(text):
        return Excerpt(text, "")
    lines = _line_ends(text, following) + (end < following)
    count, unit = (lines, "line") if lines else (len(text) - end, "character")
    return Excerpt(text[:end], f"{count:,} more {unit}{'' if count == 1 else 's'}")


def parts(text: str) -> Iterator[str]:
    """The whole text, in parts that are as long as an excerpt."""
    following = 0
    while following < len(text):
        start = following
        end, following = _part(text, start)
        yield text[start:end]


def _part(text: str, start: int) -> tuple[int, int]:
    """Where the part that begins at `start` ends, and where the next one begins: behind its line end."""
    end = min(len(text), start + ITEM_CHARACTERS)
    while (size := end - start + (len(TAB) - 1) * text.count("\t", start, end)) > ITEM_CHARACTERS:
        end = start + (end - start) * ITEM_CHARACTERS // size
    if end - start <= ITEM_LINES:
        return end, end
    last = next(islice(_LINE_END.finditer(text, start, end), ITEM_LINES - 1, None), None)
    return last.span() if last is not None else (end, end)


def _line_ends(text: str, start: int) -> int:
    """How many line ends there are from `start` on. (Counting is faster than searching with a pattern.)"""
    return sum(text.count(character, start) for character in LINE_ENDS) - text.count("\r\n", start)

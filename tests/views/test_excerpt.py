"""views/excerpt.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import MAX_TEXT
from chatroom.printable import LINE_ENDS, TAB, printable
from views.excerpt import excerpt, parts
from views.limits import ITEM_CHARACTERS, ITEM_LINES

texts = st.lists(
    st.one_of(st.text(max_size=30), st.sampled_from(["\n" * 40, "\r\n" * 60, "\t" * 900, "x" * 1500])),
    max_size=8,
).map("".join)


@given(texts)
def test_an_excerpt_is_a_bounded_beginning(text: str) -> None:
    """It has at most ITEM_LINES lines and ITEM_CHARACTERS characters, and says if something is missing."""
    short, more = excerpt(text)
    assert text.startswith(short)
    assert bool(more) is (short != text)
    shown = printable(short)
    assert shown.count("\n") < ITEM_LINES
    assert len(shown) <= ITEM_CHARACTERS


@given(texts)
def test_the_parts_are_the_whole(text: str) -> None:
    """All parts together have each character once, but for the line ends between them."""
    found = list(parts(text))
    position = 0
    for part in found:
        position = text.index(part, position)
        assert excerpt(part).more == ""
        position += len(part)
    assert sum(map(len, found)) >= len(text) - 2 * len(found)
    assert not text or found[0] == excerpt(text).text


@pytest.mark.parametrize(
    ("text", "length", "more"),
    [
        ("\n" * 65_000, ITEM_LINES - 1, "64,951 more lines"),
        ("line\n" * ITEM_LINES, 5 * ITEM_LINES - 1, "1 more line"),
        ("line\r\n" * ITEM_LINES + "x", 6 * ITEM_LINES - 2, "1 more line"),
        ("\n".join("x" * ITEM_LINES), 2 * ITEM_LINES - 1, ""),
        ("x" * ITEM_CHARACTERS, ITEM_CHARACTERS, ""),
        ("x" * MAX_TEXT, ITEM_CHARACTERS, f"{MAX_TEXT - ITEM_CHARACTERS:,} more characters"),
        ("x" * (ITEM_CHARACTERS + 1), ITEM_CHARACTERS, "1 more character"),
        ("x" * ITEM_CHARACTERS + "\nand\nmore", ITEM_CHARACTERS, "2 more lines"),
        ("\t" * ITEM_CHARACTERS, ITEM_CHARACTERS // len(TAB), "1,500 more characters"),
    ],
)
def test_what_is_missing_is_counted(text: str, length: int, more: str) -> None:
    """Lines if a line end is missing, else characters."""
    short = excerpt(text)
    assert (len(short.text), short.more) == (length, more)


@pytest.mark.parametrize("end", [*LINE_ENDS, "\r\n"])
def test_each_line_end_counts(end: str) -> None:
    """Whatever ends the lines, they are counted as the screen shows them."""
    assert excerpt(end * 100).more == f"{101 - ITEM_LINES} more lines"

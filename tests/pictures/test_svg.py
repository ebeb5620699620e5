"""Pictures of screens: the text stays, and stands in its columns and colours."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pictures.paper import GREY, WHITE, Paper
from tests.pictures.svg import CELL, EDGE, ROW, rows_in, svg
from tests.views.screen import Screen

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str, paper: Paper = GREY, columns: int = 40, lines: int = 3) -> ElementTree.Element:
    """The picture of what a terminal shows after this output."""
    screen = Screen(columns, lines)
    screen.feed(text)
    return ElementTree.fromstring(svg(screen, paper, "a test"))


def texts(picture: ElementTree.Element) -> list[ElementTree.Element]:
    return picture.findall(f"{SVG}text")


def grounds(picture: ElementTree.Element) -> list[tuple[str | None, ...]]:
    """Of each rectangle behind the text: its column, row, columns and colour. The last one is the cursor."""
    return [
        (
            f"{(float(one.attrib['x']) - EDGE) / CELL:g}",
            f"{(float(one.attrib['y']) - EDGE) / ROW:g}",
            f"{float(one.attrib['width']) / CELL:g}",
            one.get("fill"),
        )
        for one in picture.findall(f"{SVG}rect")[1:]
    ]


def style_of(picture: ElementTree.Element, text: ElementTree.Element) -> str:
    """The CSS of the last class of a text."""
    name = text.get("class", "").rpartition(" ")[2]
    found = re.search(rf"\.{name}{{([^}}]*)}}", picture.findtext(f"{SVG}style") or "")
    return found[1] if name and found else ""


def test_a_screen_as_a_picture() -> None:
    """It has the size of the screen, its title, the paper's colours, and a block for the cursor."""
    picture = drawn("hello", WHITE)
    assert (picture.get("width"), picture.get("height")) == ("364", "82")
    assert picture.findtext(f"{SVG}title") == "a test"
    assert picture.find(f"{SVG}rect").get("fill") == WHITE.ground  # type: ignore[union-attr]
    assert grounds(picture) == [("5", "0", "1", WHITE.ink)]
    (text,) = texts(picture)
    assert (text.text, text.get("x"), text.get("textLength")) == ("hello", f"{EDGE}", "42")


@pytest.mark.parametrize(
    ("sequence", "style", "ground"),
    [
        ("38;5;246", "fill:#949494", None),
        ("1", "font-weight:bold", None),
        ("4", "text-decoration:underline", None),
        ("3", "font-style:italic", None),
        ("7", f"fill:{GREY.ground}", GREY.ink),
        ("1;38;5;16;48;5;221", "fill:#000000;font-weight:bold", "#ffd75f"),
    ],
)
def test_styles(sequence: str, style: str, ground: str | None) -> None:
    """Each of the 256 colours is its exact RGB; bold, underline, italic and reverse are drawn."""
    picture = drawn(f"is \x1b[{sequence}mann\x1b[0m here\n")
    before, text, after = texts(picture)
    assert [(one.text or "").strip() for one in (before, text, after)] == ["is", "ann", "here"]
    assert style_of(picture, text) == style
    assert style_of(picture, before) == style_of(picture, after) == ""
    assert grounds(picture)[:-1] == ([("3", "0", "3", ground)] if ground else [])


def test_colours_of_the_theme_are_refused() -> None:
    """What colour 1 is, only the terminal knows; a picture would have to invent it."""
    with pytest.raises(ValueError, match="theme"):
        drawn("\x1b[31mred")


def test_wide_characters_stand_in_their_cells() -> None:
    """Each is pinned to the middle of its two cells, so what follows is where the terminal has it."""
    picture = drawn("a你好b 🚇c\n")
    columns = [(text.text, (float(text.attrib["x"]) - EDGE) / CELL) for text in texts(picture)]
    found = [(text, round(column, 2)) for text, column in columns]
    assert found == [("a", 0), ("你", 2), ("好", 4), ("b ", 5), ("🚇", 8), ("c", 9)]
    assert all(
        (text.get("class") == "w") == (len(text.text or "") == 1 and (text.text or "") > "z")
        for text in texts(picture)
    )


def test_the_cursor_on_a_character() -> None:
    """The character under the block is drawn in the colour of the paper."""
    picture = drawn("hello\x1b[4D")
    assert [text.text for text in texts(picture)] == ["h", "e", "llo"]
    assert style_of(picture, texts(picture)[1]) == f"fill:{GREY.ground}"
    assert grounds(picture) == [("1", "0", "1", GREY.ink)]


def test_text_is_no_markup() -> None:
    """`<` and `&` come out as they are."""
    assert [text.text for text in texts(drawn("<b>&amp;"))] == ["<b>&amp;"]


@given(st.lists(st.text("ab <&é…你好🚇", max_size=12), min_size=1, max_size=4))
def test_the_text_can_be_read_back(rows: list[str]) -> None:
    """A picture has the text of each row, with its blanks."""
    screen = Screen(30, 6)
    screen.feed("\r\n".join(f"\x1b[38;5;{100 + len(row)}m{row}" for row in rows))
    found = rows_in(svg(screen, GREY, "a test"))
    assert found == screen.rows()[: len(found)]
    assert not any(screen.rows()[len(found) :])

"""Tests of clusters, their widths, and rows that fit the screen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.attacks import texts
from tests.views.screen import Screen, readable
from views.limits import CLUSTER_CHARACTERS, CLUSTER_COLUMNS
from views.sanitize import one_line, sanitize, sanitize_input
from views.text import (
    Row,
    Span,
    cells,
    clip,
    clusters,
    input_cell,
    needs_pin,
    row_of,
    text_width,
    width_of,
    wrap,
)

BOLD, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


@given(texts)
def test_clusters_are_the_text(text: str) -> None:
    """The clusters together are the text, and none has more than CLUSTER_CHARACTERS characters."""
    parts = clusters(text)
    assert "".join(parts) == text
    assert all(0 < len(part) <= CLUSTER_CHARACTERS for part in parts)


@given(texts, st.integers(2, 50), st.integers(0, 30))
def test_rows_fit_and_lose_nothing(text: str, columns: int, indent: int) -> None:
    """Each row is narrower than the screen, and all rows together are the text, except for blanks."""
    rows = wrap([Span("12:34 "), Span(text, DIM)], columns, indent)
    if columns >= 2 * CLUSTER_COLUMNS + 2:
        assert all(taken(row) < columns for row in rows)
    squeezed = "".join("".join(map(readable, rows)).split())
    assert squeezed == "".join(("12:34 " + sanitize(text)).split())


def taken(row: Row) -> int:
    """The columns that a row takes on a very wide terminal."""
    screen = Screen(200, 2)
    screen.feed(row)
    assert screen.cursor.y == 0
    return screen.cursor.x


@given(texts, st.integers(8, 50))
def test_a_row_stays_on_its_row(text: str, columns: int) -> None:
    """A row with any text takes exactly one row of the terminal."""
    rows = wrap([Span(one_line(text))], columns)
    screen = Screen(columns, 3)
    for row in rows:
        screen.feed(f"\x1b[?7l\x1b[2H\x1b[K{row}")  # autowrap is off, as in every frame
        assert screen.cursor.y == 1
        assert screen.rows()[0] == screen.rows()[2] == ""
    assert screen.obeyed == []


def test_what_is_indented_stays_so() -> None:
    """No row ends after the blanks that it begins with, and a wrapped line goes on under its indent."""
    assert wrap([Span("    one two three")], 13) == ["    one two ", "    three"]
    assert wrap([Span("    " + "x" * 10)], 11) == ["    xxxxxx", "    xxxx"]
    assert wrap([Span("a\n    " + "x" * 10)], 13, 2) == ["a", "      xxxxxx", "      xxxx"]
    assert wrap([Span("  "), Span("    one two")], 11, 2) == ["      one ", "      two"]
    assert wrap([Span(" " * 8 + "one two three")], 14) == [
        " " * 8 + "one ",
        " " * 6 + "two ",
        " " * 6 + "three",
    ]


def test_words_stay_whole() -> None:
    """Rows end between words, and the rows after the first are indented."""
    assert wrap([Span("one two three")], 9, 2) == ["one two ", "  three"]


@pytest.mark.parametrize("mark", ["", "\u0e49"], ids=["columns", "cells"])
def test_a_row_ends_before_a_wide_character(mark: str) -> None:
    """A wide character that does not fit moves to the next row alone, without the letters before it."""
    assert wrap([Span(f"to abcdef漢{mark}")], 11) == [Row("to abcdef"), row_of(cells(Span(f"漢{mark}")))]


@pytest.mark.parametrize("length", [9, 10, 11, 19, 20])
def test_lines_at_the_margin(length: int) -> None:
    """A line of just the width takes one row, and one more column takes one more row."""
    assert len(wrap([Span("x" * length)], 11)) == (1 if length <= 10 else 2)
    assert len(wrap([Span("漢" * length)], 11)) == -(-length // 5)


def test_a_space_at_the_margin_is_dropped() -> None:
    """A space that does not fit is dropped, not moved to the next row."""
    assert wrap([Span("0123456789 abc")], 11) == ["0123456789", "abc"]
    assert wrap([Span("0123456789 ")], 11) == ["0123456789"]


def test_disputed_widths_are_pinned() -> None:
    """A pin follows a character of disputed width, and no other character."""
    assert row_of(cells(Span("aé漢"))) == "aé漢"
    assert row_of(cells(Span("a🫨b"))) == "a🫨\r\x1b[3Cb"
    assert needs_pin("…")


def test_styles_end_with_the_row() -> None:
    """Every row with a style resets it at its end."""
    rows = wrap([Span("name", BOLD), Span(": "), Span("text " * 10, DIM)], 20)
    assert len(rows) > 2
    assert all(row.count(DIM) == 1 and row.endswith(RESET) for row in rows)


def test_clip_marks_what_is_missing() -> None:
    """Clipped text ends with an ellipsis and is not wider than asked; text that fits stays whole."""
    assert "".join(cell.shown for cell in clip([Span("abcdef")], 4)) == "abc…"
    assert "".join(cell.shown for cell in clip([Span("abcd")], 4)) == "abcd"
    assert width_of(clip([Span("漢字漢字")], 4)) <= 4
    assert clip([Span("abc")], 0) == []


@given(texts)
def test_input_text_is_clean_and_visible(text: str) -> None:
    """Text in the input line has no control but tab and line end, can be encoded, and is visible."""
    kept = sanitize_input(text)
    assert all(unicodedata.category(c) != "Cc" or c in "\t\n" for c in kept)
    kept.encode()
    for cluster in clusters(kept):
        cell = input_cell(cluster)
        assert cell.shown
        assert cell.width == text_width(cell.shown) <= 2 * CLUSTER_COLUMNS

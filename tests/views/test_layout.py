"""Where the input line and its cursor are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.attacks import texts
from tests.views.screen import readable
from views.layout import layout_input
from views.sanitize import sanitize_input
from views.text import Row, Span, clusters

NOBODY = Span("")


def block(text: str, cursor: int, columns: int, most: int = 9) -> tuple[list[str], int, int]:
    result = layout_input(NOBODY, list(text), cursor, columns, most)
    return [readable(row) for row in result.rows], result.row, result.column


@pytest.mark.parametrize(
    ("text", "cursor", "rows", "row", "column"),
    [
        ("", 0, [">"], 0, 2),
        ("abc", 3, ["> abc"], 0, 5),
        ("abc", 1, ["> abc"], 0, 3),
        ("abcdefg", 7, ["> abcdefg", ""], 1, 0),  # the row is full: the cursor goes to the next
        ("abcdefg", 6, ["> abcdefg"], 0, 8),
        ("abcdefgh", 8, ["> abcdefg", "h"], 1, 1),
        ("abcdefgh", 7, ["> abcdefg", "h"], 1, 0),
        ("abcdef漢", 7, ["> abcdef", "漢"], 1, 2),
        ("abcdef漢", 6, ["> abcdef", "漢"], 1, 0),
        ("a\nb", 3, ["> a⏎b"], 0, 5),
    ],
)
def test_rows_and_cursor(text: str, cursor: int, rows: list[str], row: int, column: int) -> None:
    """Ten columns: nine are used, and the cursor never stands behind a full row."""
    assert block(text, cursor, 10) == (rows, row, column)


def test_a_long_input_scrolls_around_the_cursor() -> None:
    """More rows than there may be: those around the cursor are shown."""
    text = "".join(str(n % 10) for n in range(100))
    rows, row, _ = block(text, 100, 11, 3)
    assert len(rows) == 3
    assert row == 2
    rows, row, column = block(text, 0, 11, 3)
    assert (row, column) == (0, 2)
    assert rows[0] == "> 01234567"
    rows, row, _ = block(text, 50, 11, 3)
    assert row == 1


def test_what_stands_above_moves_the_cursor_down() -> None:
    """Rows over the input belong to the block."""
    result = layout_input(NOBODY, ["x"], 1, 20, 5, [Row("one"), Row("two")])
    assert result.rows == ("one", "two", "> x")
    assert (result.row, result.column) == (2, 3)


def test_a_long_name_leaves_half_the_row() -> None:
    """The prompt is cut where it would take the place of what is typed."""
    result = layout_input(Span("averylongname"), [], 0, 13, 5)
    assert [readable(row) for row in result.rows] == ["ave…>"]
    assert result.column == 6


@given(texts, st.integers(4, 40), st.integers(1, 6), st.data())
def test_the_cursor_is_always_inside(text: str, columns: int, most: int, data: st.DataObject) -> None:
    """For any text, width and cursor: at most so many rows, and the cursor in one of them."""
    parts = clusters(sanitize_input(text))
    cursor = data.draw(st.integers(0, len(parts)))
    result = layout_input(NOBODY, parts, cursor, columns, most)
    assert 1 <= len(result.rows) <= most
    assert 0 <= result.row < len(result.rows)
    assert 0 <= result.column < columns
    assert result.at_end == (cursor == len(parts))
    assert all("\x1b" not in readable(row) for row in result.rows)

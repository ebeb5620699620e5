"""Tests of the block: input line, cursor, own lines that are not stored yet, status."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.attacks import texts
from tests.views.screen import readable
from views.formatting import Theme
from views.layout import (
    Status,
    Waiting,
    layout_input,
    layout_question,
    pending_rows,
    prompt_name,
    status_rows,
)
from views.limits import PENDING_SHOWN, TALL_LINES
from views.palette import Depth
from views.sanitize import sanitize_input
from views.text import Cell, Row, Span, clusters, input_cell

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
        ("abcdefg", 7, ["> abcdefg", ""], 1, 0),  # the row is full, so the cursor is in the next one
        ("abcdefg", 6, ["> abcdefg"], 0, 8),
        ("abcdefgh", 8, ["> abcdefg", "h"], 1, 1),
        ("abcdefgh", 7, ["> abcdefg", "h"], 1, 0),
        ("abcdef漢", 7, ["> abcdef", "漢"], 1, 2),
        ("abcdef漢", 6, ["> abcdef", "漢"], 1, 0),
        ("a\nb", 3, ["> a⏎b"], 0, 5),
    ],
)
def test_rows_and_cursor(text: str, cursor: int, rows: list[str], row: int, column: int) -> None:
    """Of ten columns nine are used, and the cursor is never behind a full row."""
    assert block(text, cursor, 10) == (rows, row, column)


def test_a_long_input_scrolls_around_the_cursor() -> None:
    """If the input has too many rows, the rows around the cursor are shown."""
    text = "".join(str(n % 10) for n in range(100))
    rows, row, _ = block(text, 100, 11, 3)
    assert len(rows) == 3
    assert row == 2
    rows, row, column = block(text, 0, 11, 3)
    assert (row, column) == (0, 2)
    assert rows[0] == "> 01234567"
    rows, row, _ = block(text, 50, 11, 3)
    assert row == 1


@pytest.mark.parametrize("cursor", [0, 100, 799, 800, 801, 4000, 8999, 9000])
def test_a_very_long_input_costs_what_is_shown(cursor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line of any length only what is near the cursor is laid out; the rows around it are full."""
    seen: list[str] = []

    def counted(cluster: str) -> Cell:
        seen.append(cluster)
        return input_cell(cluster)

    monkeypatch.setattr("views.input_rows.input_cell", counted)
    clusters = list("0123456789" * 900)
    block = layout_input(Span("ann"), clusters, cursor, 41, 10)
    assert len(seen) <= 4 * 10 * 40
    assert len(block.rows) == 10
    assert all(len(row) == 40 for row in block.rows[1:-1])
    shown = readable(block.rows[block.row])
    assert shown[block.column :][:1] == ("" if cursor == 9000 else str(cursor % 10))
    assert block.at_end is (cursor == 9000)


def test_rows_above_move_the_cursor_down() -> None:
    """Rows above the input belong to the block, and the cursor's row counts them."""
    result = layout_input(NOBODY, ["x"], 1, 20, 5, [Row("one"), Row("two")])
    assert result.rows == ("one", "two", "> x")
    assert (result.row, result.column) == (2, 3)


def test_a_long_name_leaves_half_the_row() -> None:
    """A long name is clipped so that half of the row is left for the input."""
    result = layout_input(Span("averylongname"), [], 0, 13, 5)
    assert [readable(row) for row in result.rows] == ["ave…>"]
    assert result.column == 6


@given(texts, st.integers(4, 40), st.integers(1, 6), st.data())
def test_the_cursor_is_always_inside(text: str, columns: int, most: int, data: st.DataObject) -> None:
    """For any text, width and cursor there are at most `most` rows, and the cursor is in one of them."""
    parts = clusters(sanitize_input(text))
    cursor = data.draw(st.integers(0, len(parts)))
    result = layout_input(NOBODY, parts, cursor, columns, most)
    assert 1 <= len(result.rows) <= most
    assert 0 <= result.row < len(result.rows)
    assert 0 <= result.column < columns
    assert result.at_end == (cursor == len(parts))
    assert all("\x1b" not in readable(row) for row in result.rows)


TALL = 4 * PENDING_SHOWN  # the fewest lines of a screen that has room for PENDING_SHOWN pending rows


def pending(texts: list[str], columns: int = 40, lines: int = TALL) -> list[str]:
    return [readable(row) for row in pending_rows(texts, columns, lines, Theme())]


@pytest.mark.parametrize(
    ("question", "columns", "rows", "row", "column"),
    [
        ("password:", 40, ["password:"], 0, 10),
        ("password:", 10, ["password:", ""], 1, 1),
        ("password:", 8, ["passwor", "d:"], 1, 3),
        ("one two three:", 8, ["one two", "three:"], 1, 7),
        ("one twenty:", 8, ["twenty:", ""], 1, 1),
        ("password:", 4, ["rd:", ""], 1, 1),
        ("漢字", 5, ["漢字", ""], 1, 1),
    ],
)
def test_a_question(question: str, columns: int, rows: list[str], row: int, column: int) -> None:
    """It may fill rows; the cursor stands behind it; too little room shows its end."""
    block = layout_question(Span(question), columns, 2)
    assert [readable(each).rstrip() for each in block.rows] == rows
    assert (block.row, block.column, block.at_end) == (row, column, True)


def test_all_pending_lines_are_shown_if_they_fit() -> None:
    """Up to PENDING_SHOWN lines that are not stored yet are shown in order, without a number."""
    texts = [str(n) for n in range(PENDING_SHOWN)]
    assert pending(texts) == [f"--:-- {text}" for text in texts]
    assert pending([]) == []


def test_more_pending_lines_are_a_number() -> None:
    """If some pending lines have no room, the last row says how many lines are not among the first ones."""
    assert pending(["x"] * 1004)[-2:] == ["--:-- x", "1,000 more lines wait"]
    assert len(pending(["x"] * 1004)) == PENDING_SHOWN
    assert pending(["x"] * (PENDING_SHOWN + 1))[-1] == "1 more lines wait"
    assert pending(["x"] * 3, lines=8) == ["--:-- x", "1 more lines wait"]


def test_a_long_pending_line_ends_with_an_ellipsis() -> None:
    """If the rows of few pending lines have no room, an ellipsis is the last row."""
    assert pending(["word " * 40])[-1] == "…"
    assert len(pending(["word " * 40])) == PENDING_SHOWN


def test_a_low_screen_has_no_pending_rows() -> None:
    """A screen of fewer than four lines shows no pending lines, one of four shows one row."""
    assert pending(["x"], lines=3) == []
    assert pending(["x"], lines=4) == ["--:-- x"]


def test_the_status() -> None:
    """It takes one row that fits the screen; on a tall one it has an empty row above it."""
    theme = Theme()
    quiet, notice = theme.palette.quiet, theme.palette.notice
    assert status_rows(Status("#a", ", 2\nhere"), 20, 4, theme) == [f"#a{quiet}, 2 here\x1b[0m"]
    assert status_rows(Status(text="lost", trouble=True), 20, 4, theme) == [f"{notice}lost\x1b[0m"]
    trouble = Status(text="reconnecting in 3 s: the cable was cut", trouble=True)
    assert status_rows(trouble, 30, 24, Theme(depth=Depth.NONE)) == ["reconnecting in 3 s"]
    assert status_rows(trouble, 40, 24, Theme(depth=Depth.NONE)) == [trouble.text]
    assert status_rows(Status("#a"), 20, TALL_LINES, theme) == ["", "#a"]
    long = status_rows(Status("x" * 99), 10, 24, Theme(depth=Depth.NONE))
    assert [readable(row) for row in long] == ["xxxxxxxx\u2026"]
    assert status_rows(Status(), 20, 24, theme) == []
    assert status_rows(Status("x"), 20, 3, theme) == []


def test_what_waits_elsewhere() -> None:
    """Places and calls are words; a place that calls has the colour of the mark besides."""
    theme = Theme()
    quiet, mark = theme.palette.quiet, theme.palette.mark
    waiting = (Waiting("#tea", 1_200, 1), Waiting("#\x1bx", 2, 2), Waiting("#lunch", 3))
    status = Status("#a", ", 2 here", silent="you are muted", waiting=waiting, topic="hot")
    (row,) = status_rows(status, 200, 24, theme)
    assert f"{mark}#tea 1,200 (1 calls you)\x1b[0m" in row and f"{mark}#lunch" not in row
    assert readable(row) == (
        "#a, 2 here \u00b7 read-only: you are muted"
        " \u00b7 unread: #tea 1,200 (1 calls you), #\u241bx 2 (2 call you), #lunch 3 \u00b7 hot"
    )
    assert quiet in row
    (row,) = status_rows(Status("#a", waiting=waiting), 40, 24, Theme(depth=Depth.NONE))
    assert readable(row) == "#a \u00b7 unread: >#tea 1,200, >#\u241bx 2, +1"


@pytest.mark.parametrize(
    ("to", "columns", "name"),
    [
        ("", 80, "mia"),
        ("tom", 80, "mia to tom"),
        ("tom", 25, "mia to tom"),
        ("tom", 24, "to tom"),
        ("tom", 16, "@tom"),
        ("a_name_of_24_columns_____", 80, "mia to a_name_of_24_columns_____"),
        ("a_name_of_24_columns_____", 65, "to a_name_of_24_columns_____"),
    ],
)
def test_the_prompt_names_the_only_reader(to: str, columns: int, name: str) -> None:
    """Nobody writes to one person, or to all, without seeing it beside the line; also on a narrow screen."""
    assert prompt_name("mia", to, columns) == name


def test_a_narrow_status_names_whole_places() -> None:
    """Where the words have no room `>` says that somebody calls; what has no room besides is counted."""
    waiting = (Waiting("#tea", 2, 1), Waiting("@eve", 1, 1), Waiting("#lunch", 3))
    status = Status("#a", waiting=waiting, topic="hot and cold")

    def row(columns: int) -> str:
        shown = status if columns > 40 else status._replace(topic="")
        return readable(status_rows(shown, columns, 24, Theme(depth=Depth.NONE))[0])

    assert row(60) == "#a \u00b7 unread: #tea 2 (1 calls you), @eve 1, #lunch 3 \u00b7 hot \u2026"
    assert row(45) == "#a \u00b7 unread: >#tea 2, @eve 1, #lunch 3 \u00b7 ho\u2026"
    assert row(34) == "#a \u00b7 unread: >#tea 2, @eve 1, +1"
    assert row(26) == "#a \u00b7 unread: >#tea 2, +2"
    assert row(20) == "#a \u00b7 unread: >#tea\u2026"

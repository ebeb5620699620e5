"""Tests of the output for a frame, on a model of a terminal: it shows the rows and it is short."""

from __future__ import annotations

import pytest

from tests.views.screen import Screen, code_points
from views import render
from views.layout import Block, layout_input
from views.render import Drawn
from views.text import WRAPPED, Row, Span, wrap


def block(text: str, columns: int = 80, cursor: int | None = None) -> Block:
    return layout_input(Span(""), list(text), len(text) if cursor is None else cursor, columns, 12)


def rows(*texts: str) -> list[Row]:
    return [Row(text) for text in texts]


def started(columns: int, lines: int, current: Block) -> tuple[Screen, Drawn]:
    """A screen with the transcript rows 0, 1, 2 and a block."""
    screen = Screen(columns, lines)
    screen.feed(render.scroll_away(lines))
    out, drawn = render.reprint([], rows("0", "1", "2"), current, lines)
    screen.feed(out)
    return screen, drawn


MESSAGE = "m" * 60


@pytest.mark.parametrize(("typed", "most"), [(0, 95), (40, 140), (200, 320)])
def test_bytes_of_a_message(typed: int, most: int) -> None:
    """A new row of 60 columns costs at most 95, 140 or 320 bytes, by the length of the input."""
    current = block("t" * typed)
    drawn = Drawn(20, current, 24)
    out, _ = render.append(drawn, rows(MESSAGE), current)
    assert len(out) <= most


def test_bytes_of_a_reprint() -> None:
    """A reprint of 80 × 24 characters with rows of 60 columns costs at most 1,700 bytes."""
    out, _ = render.reprint(rows(*[MESSAGE] * 23), rows(MESSAGE), block("t" * 40), 24)
    assert len(out) <= 1700


def test_an_indent_costs_little() -> None:
    """Over the blanks before a text the cursor moves; the screen shows the same, also where text stood."""
    text = " " * 22 + "text"
    screen, drawn = started(40, 8, block("half", 40))
    out, drawn = render.append(drawn, rows("x" * 39, text, " " * 30, "end"), block("half", 40))
    screen.feed(out)
    assert screen.rows()[3:7] == ["x" * 39, text, "", "end"]
    assert text not in out
    screen.feed(render.reprint(rows(text, "x" * 39, text), [], block("half", 40), 8)[0])
    assert screen.rows()[:3] == [text, "x" * 39, text]


def test_new_rows_go_above_the_input() -> None:
    """`append` writes new rows over the old block, and the block with its cursor below them."""
    screen, drawn = started(20, 8, block("half", 20, cursor=2))
    out, drawn = render.append(drawn, rows("new"), block("half", 20, cursor=2))
    screen.feed(out)
    assert screen.rows() == ["0", "1", "2", "new", "> half", "", "", ""]
    assert (screen.cursor.y, screen.cursor.x) == (4, 4)
    assert drawn.transcript_rows == 4


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 20])
def test_append_and_reprint_agree(count: int) -> None:
    """`append` and `reprint` leave the same screen, cursor and scrollback."""
    current, new = block("typed text", 20), rows(*(f"new {n}" for n in range(count)))
    inline, drawn = started(20, 6, current)
    around, _ = started(20, 6, current)
    out, after_inline = render.append(drawn, new, current)
    inline.feed(out)
    out, after_around = render.reprint(rows("0", "1", "2")[-drawn.transcript_rows :], new, current, 6)
    around.feed(out)
    assert inline.rows() == around.rows()
    assert inline.scrollback == around.scrollback
    assert (inline.cursor.x, inline.cursor.y) == (around.cursor.x, around.cursor.y)
    assert after_inline == after_around


def test_a_reprint_repairs_the_screen() -> None:
    """A reprint removes text that another program wrote on the screen."""
    current = block("typed", 20)
    screen, drawn = started(20, 6, current)
    screen.feed("\x1b[1;1HBroadcast message\r\nfrom root\x1b[5;10Hxxx")
    out, _ = render.reprint(rows("0", "1", "2")[-drawn.transcript_rows :], rows("new"), current, 6)
    screen.feed(out)
    assert screen.rows() == ["0", "1", "2", "new", "> typed", ""]


def test_a_gap_shows_no_old_text() -> None:
    """No old text is left in the gap beside a character that a terminal draws narrower than reserved."""
    [wide] = wrap([Span("a\U0001faebb")], 20)
    for paint in (
        lambda drawn, current: render.append(drawn, [wide], current),
        lambda drawn, current: render.reprint([wide] * 4, [wide], current, 8),
    ):
        screen = Screen(20, 8, code_points)
        current = block("xxxxxx", 20)
        screen.feed(render.scroll_away(8))
        out, drawn = render.reprint([], rows("xxxxxx"), current, 8)
        screen.feed(out)
        screen.feed(paint(drawn, current)[0])
        assert "xx" not in "".join(row for row in screen.rows() if "b" in row)
        assert any(row.startswith("a") and row.endswith("  b") for row in screen.rows())


def test_a_shrinking_block_leaves_nothing() -> None:
    """After a long input was sent, the rows that it used are empty."""
    screen, drawn = started(10, 8, block("x" * 30, 10))
    out, drawn = render.append(drawn, [], block("", 10))
    screen.feed(out)
    assert screen.rows() == ["0", "1", "2", ">", "", "", "", ""]


def test_old_screen_content_is_kept() -> None:
    """The old content of the screen moves into the scrollback, wherever the cursor was."""
    screen = Screen(20, 5)
    screen.feed("$ ls\r\nfile\r\n$ chat\r\n")
    screen.feed(render.scroll_away(5))
    out, _ = render.reprint([], rows("hello"), block("", 20), 5)
    screen.feed(out)
    assert screen.scrollback == ["$ ls", "file", "$ chat"]
    assert screen.rows() == ["hello", ">", "", "", ""]


def test_clear_scrolls_no_prompt_away() -> None:
    """/clear moves the transcript into the scrollback, but not the input line."""
    screen, drawn = started(20, 6, block("typed", 20))
    screen.feed(render.scroll_transcript_away(drawn))
    out, _ = render.reprint([], [], block("typed", 20), 6)
    screen.feed(out)
    assert screen.scrollback == ["0", "1", "2"]
    assert screen.rows() == ["> typed", "", "", "", "", ""]


def test_leaving() -> None:
    """After `move_below_block` the shell writes below the block, after `erase_block` in its place."""
    screen, drawn = started(10, 8, block("x" * 10, 10, cursor=3))
    screen.feed(render.move_below_block(drawn) + "$ ")
    assert screen.rows()[3:6] == ["> xxxxxxx", "xxx", "$"]
    screen, drawn = started(10, 8, block("x" * 10, 10, cursor=3))
    screen.feed(render.erase_block(drawn) + "$ ")
    assert screen.rows() == ["0", "1", "2", "$", "", "", "", ""]


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        (block("ab"), block("abc"), "c"),
        (block("ab"), block("ab"), ""),
        (block("ab"), block("ab", cursor=0), "\r\x1b[2C"),
        (block("aa", cursor=0), block("aaa", cursor=1), None),  # the new character may be before the cursor
        (block("aa", cursor=1), block("aaa"), None),
        (block("ab"), block("abé"), None),
        (block("x" * 6, 10), block("x" * 7, 10), None),  # the cursor goes to the next row
        (block("ab"), block("a"), None),
    ],
)
def test_shortcuts(before: Block, after: Block, written: str | None) -> None:
    """An ASCII character typed at the end costs one byte, a cursor move only a move, the rest a frame."""
    assert render.shortcut(Drawn(3, before, 24), after) == written


def test_rows_apart_are_no_line_of_the_terminal() -> None:
    """After rows that are apart from the next ones the terminal does not go on by itself."""
    part = Row(WRAPPED + "x" * 20)
    assert render.apart([part, part]) == [part, "x" * 20]
    assert render.apart([]) == []

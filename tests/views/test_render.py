"""Rows and block on a real screen model: what is written is what stands there, and it is little."""

from __future__ import annotations

import pytest

from tests.views.screen import Screen, code_points
from views import render
from views.layout import Block, layout_input
from views.render import Drawn
from views.text import Row, Span, wrap


def block(text: str, columns: int = 80, cursor: int | None = None) -> Block:
    return layout_input(Span(""), list(text), len(text) if cursor is None else cursor, columns, 12)


def rows(*texts: str) -> list[Row]:
    return [Row(text) for text in texts]


def started(columns: int, lines: int, current: Block) -> tuple[Screen, Drawn]:
    """A screen with history rows 0, 1, 2 … and a block."""
    screen = Screen(columns, lines)
    screen.feed(render.scroll_away(lines))
    out, drawn = render.reprint([], rows("0", "1", "2"), current, lines)
    screen.feed(out)
    return screen, drawn


MESSAGE = "m" * 60


@pytest.mark.parametrize(("typed", "most"), [(0, 95), (40, 140), (200, 320)])
def test_bytes_of_a_message(typed: int, most: int) -> None:
    """One 60-column line above the input costs at most 95, 140 and 320 bytes."""
    current = block("t" * typed)
    drawn = Drawn(20, current, 24)
    out, _ = render.append(drawn, rows(MESSAGE), current)
    assert len(out) <= most


def test_bytes_of_a_reprint() -> None:
    """A whole 80 × 24 screen of such lines costs at most 1,700 bytes."""
    out, _ = render.reprint(rows(*[MESSAGE] * 23), rows(MESSAGE), block("t" * 40), 24)
    assert len(out) <= 1700


def test_new_rows_go_above_the_input() -> None:
    """A frame puts the new rows where the input was, and the input with its cursor below them."""
    screen, drawn = started(20, 8, block("half", 20, cursor=2))
    out, drawn = render.append(drawn, rows("new"), block("half", 20, cursor=2))
    screen.feed(out)
    assert screen.rows() == ["0", "1", "2", "new", "> half", "", "", ""]
    assert (screen.cursor.y, screen.cursor.x) == (4, 4)
    assert drawn.transcript_rows == 4


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 20])
def test_frame_and_reprint_are_the_same(count: int) -> None:
    """Screen, cursor and scrollback are equal, whichever way the rows came."""
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


def test_a_reprint_heals() -> None:
    """Whatever somebody else has written on the screen is gone after a reprint."""
    current = block("typed", 20)
    screen, drawn = started(20, 6, current)
    screen.feed("\x1b[1;1HBroadcast message\r\nfrom root\x1b[5;10Hxxx")
    out, _ = render.reprint(rows("0", "1", "2")[-drawn.transcript_rows :], rows("new"), current, 6)
    screen.feed(out)
    assert screen.rows() == ["0", "1", "2", "new", "> typed", ""]


def test_nothing_shows_through_a_gap() -> None:
    """Where a terminal draws a character narrower than was thought, no old text is left in the gap."""
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
    """Rows that a long input took are empty after it was sent."""
    screen, drawn = started(10, 8, block("x" * 30, 10))
    out, drawn = render.append(drawn, [], block("", 10))
    screen.feed(out)
    assert screen.rows() == ["0", "1", "2", ">", "", "", "", ""]


def test_what_was_there_before_is_kept() -> None:
    """The screen's former content moves into the scrollback, wherever the cursor stood."""
    screen = Screen(20, 5)
    screen.feed("$ ls\r\nfile\r\n$ chat\r\n")
    screen.feed(render.scroll_away(5))
    out, _ = render.reprint([], rows("hello"), block("", 20), 5)
    screen.feed(out)
    assert screen.scrollback == ["$ ls", "file", "$ chat"]
    assert screen.rows() == ["hello", ">", "", "", ""]


def test_history_scrolled_away_takes_no_prompt_along() -> None:
    """/clear moves the history, not the input, into the scrollback."""
    screen, drawn = started(20, 6, block("typed", 20))
    screen.feed(render.scroll_transcript_away(drawn))
    out, _ = render.reprint([], [], block("typed", 20), 6)
    screen.feed(out)
    assert screen.scrollback == ["0", "1", "2"]
    assert screen.rows() == ["> typed", "", "", "", "", ""]


def test_leaving() -> None:
    """The block goes away and the shell writes in its place; or it stays and the shell writes below it."""
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
        (block("aa", cursor=0), block("aaa", cursor=1), None),  # the added one is not behind the cursor
        (block("aa", cursor=1), block("aaa"), None),
        (block("ab"), block("abé"), None),
        (block("x" * 6, 10), block("x" * 7, 10), None),  # the cursor goes to the next row
        (block("ab"), block("a"), None),
    ],
)
def test_shortcuts(before: Block, after: Block, written: str | None) -> None:
    """A plain character typed at the end is echoed as itself; a moved cursor is only moved."""
    assert render.shortcut(Drawn(3, before, 24), after) == written

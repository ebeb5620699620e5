"""Tests of the rows of the input line: whole words, the cursor, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.attacks import texts
from views.input_rows import input_rows, unit_cells
from views.pasted import Pasted, pasted, units
from views.sanitize import sanitize_input
from views.text import Cell, clusters

HEAD = [Cell(">", 1), Cell(" ", 1)]


def laid(text: str, room: int = 9, cursor: int | None = None) -> tuple[list[str], int, int]:
    line = list(text)
    rows, row, column = input_rows(HEAD, line, 0, len(line) if cursor is None else cursor, room)
    return ["".join(cell.shown for cell in each) for each in rows], row, column


@pytest.mark.parametrize(
    ("text", "rows", "row", "column"),
    [
        ("one two th", ["> one two", "th"], 1, 2),
        ("one t three", ["> one t ", "three"], 1, 5),
        ("one two", ["> one two", ""], 1, 0),
        ("one two ", ["> one two", ""], 1, 0),
        ("one two  x", ["> one two", " x"], 1, 2),
        ("a bbbbbbbbbbbbb", ["> a ", "bbbbbbbbb", "bbbb"], 2, 4),
        ("bbbbbbbbbbbbb", ["> bbbbbbb", "bbbbbb"], 1, 6),
        ("ab漢字bcd", ["> ab漢字", "bcd"], 1, 3),
        ("abcdef漢", ["> abcdef", "漢"], 1, 2),
        ("ab\ncdefghi", ["> ab⏎", "cdefghi"], 1, 7),
        ("漢字 abcdefghi", ["> 漢字 ", "abcdefghi", ""], 2, 0),
    ],
)
def test_words_stay_whole(text: str, rows: list[str], row: int, column: int) -> None:
    """A word that does not fit moves to the next row; a space behind a full row is its end."""
    assert laid(text) == (rows, row, column)


@pytest.mark.parametrize(
    ("cursor", "row", "column"), [(0, 0, 2), (3, 0, 5), (7, 0, 9), (8, 1, 0), (9, 1, 1), (13, 1, 5)]
)
def test_the_cursor_is_at_its_character(cursor: int, row: int, column: int) -> None:
    """Before a moved word the cursor is in the word's row; on a space behind a full row, behind that row."""
    assert laid("one two three", cursor=cursor) == (["> one two", "three"], row, column)


def test_typing_a_word_moves_it_once() -> None:
    """While a word grows it moves to the next row once, and never back."""
    text = "one t" + "h" * 20
    rows = [laid(text[:size])[1] for size in range(len(text) + 1)]
    assert rows == sorted(rows)


def test_a_mark_is_wrapped_like_text() -> None:
    """The mark of a long paste is one unit of several cells."""
    line = units(["ab ", pasted("x\n" * 9), "!"])
    rows, row, column = input_rows(HEAD, line, 0, 3, 20)
    assert ["".join(cell.shown for cell in each) for each in rows] == ["> ab [Pasted 10 ", "lines]!"]
    assert (row, column) == (0, 5)
    assert input_rows(HEAD, line, 0, 4, 20)[1:] == (1, 6)


@given(texts, st.booleans(), st.integers(3, 40), st.data())
def test_the_input_is_the_text(text: str, paste: bool, room: int, data: st.DataObject) -> None:
    """For any text, width and cursor: no row is too wide, the cursor is inside and at its cell, and the rows
    show each unit of the text, but a space behind a full row."""
    line = clusters(sanitize_input(text))
    if paste:
        line.insert(data.draw(st.integers(0, len(line))), Pasted("x\n" * 7))
    cursor = data.draw(st.integers(0, len(line)))
    rows, row, column = input_rows(HEAD, line, 0, cursor, room)
    assert 0 <= row < len(rows) and 0 <= column <= room
    for each in rows:
        assert sum(cell.width for cell in each) <= room or sum(cell.width > 0 for cell in each) == 1
    wanted = [*HEAD, *(cell for unit in line for cell in unit_cells(unit))]
    places = [(number, cell) for number, each in enumerate(rows) for cell in each]
    assert len(places) == len(wanted)
    for at, ((number, found), cell) in enumerate(zip(places, wanted, strict=True)):
        full = sum(each.width for each in rows[number]) >= room  # more: one unit that no row has room for
        assert found == cell or (
            cell.shown == " " and found.width == 0 and full and found is rows[number][-1]
        ), at
    before = sum(len(unit_cells(unit)) for unit in line[:cursor]) + len(HEAD)
    if cursor < len(line):
        index = before - sum(len(each) for each in rows[:row])
        assert 0 <= index < len(rows[row])
        assert column == min(room, sum(cell.width for cell in rows[row][:index]))
    else:
        assert row == len(rows) - 1 and (column < room or len(rows[row]) == 1)

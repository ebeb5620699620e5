"""chatroom/table.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.names import columns
from chatroom.table import clipped, table, wrapped

CELLS = st.text("ab漢é e\u0301", max_size=20)


def test_a_table_that_fits() -> None:
    """Columns stand below each other, also with wide letters; one that is empty in all is left out."""
    assert table([("ann", "", "here"), ("李雷", "", "out"), ("x", "", "")]) == [
        "  ann   here",
        "  李雷  out",
        "  x",
    ]


def test_a_long_last_cell_goes_on_below_itself() -> None:
    """A text at the end is wrapped between words where it began."""
    assert table([("12", "events in the whole history"), ("3", "threads")], 24) == [
        "  12  events in the",
        "      whole history",
        "  3   threads",
    ]


def test_what_has_no_room_stands_below() -> None:
    """Cells that do not fit beside the first ones have a line of their own below; the others stay aligned."""
    rows = [("#general", "12 here", "you are in", "Homework is due"), ("#茶", "1 here", "", "")]
    assert table(rows, 33) == [
        "  #general  12 here  you are in",
        "      Homework is due",
        "  #茶       1 here",
    ]
    assert table(rows, 20) == [
        "  #general  12 here",
        "      you are in,",
        "      Homework is",
        "      due",
        "  #茶       1 here",
    ]


def test_a_row_in_words() -> None:
    """Whoever listens hears no blanks."""
    assert table([("#tea", "    1 here", "", "hot"), ("#茶", "2 here", "key", "")], None) == [
        "#tea, 1 here, hot",
        "#茶, 2 here, key",
    ]


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5), st.integers(10, 80))
def test_no_row_is_wider_than_the_screen(rows: list[tuple[str, str, str]], width: int) -> None:
    """Whatever the cells are, no line is wider, but for a first cell that is itself; and nothing is lost."""
    lines = table(rows, width)
    widest = max((columns(first) for first, *_ in rows), default=0)
    assert all(columns(line) <= max(width, widest + 2) for line in lines)
    letters = "".join("".join(lines).split()).replace(",", "")
    assert sorted(letters) == sorted("".join("".join(cells) for cells in rows).replace(" ", ""))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 9, [""]),
        ("one two", 9, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("abcdef", 4, ["abcd", "ef"]),
        ("ae\u0301b", 2, ["ae\u0301", "b"]),
        ("漢", 1, ["漢"]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    """Lines end between words if they can, and never part a mark from its letter."""
    assert wrapped(text, width) == lines


def test_clipping() -> None:
    """The beginning, and an ellipsis."""
    assert [clipped("漢字x", 5), clipped("漢字x", 4), clipped("漢字x", 0)] == ["漢字x", "漢…", "…"]


def test_a_long_word_costs_little() -> None:
    """A text of 64 KiB without a blank is parted in one pass."""
    assert len(wrapped("漢" * 22_000, 10)) == 4_400

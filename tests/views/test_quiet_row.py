"""Tests of the row above the prompt that is there for a key only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import MAX_TEXT
from tests.views.attacks import texts
from tests.views.screen import Screen, readable
from views.candidates import candidate_spans
from views.editor import LineEditor
from views.keys import Key, Text
from views.limits import NEAR_LIMIT
from views.quiet_row import quiet_row
from views.text import Span


def row(editor: LineEditor, columns: int = 60) -> str | None:
    found = quiet_row(editor, columns, "", "")
    return None if found is None else readable(found)


def completing(*found: str) -> LineEditor:
    editor = LineEditor(lambda _word, _first, _before: found)
    editor.insert("a")
    return editor


def test_tab_shows_what_it_goes_through() -> None:
    """The row shows the candidates as long as Tab is pressed; another key, or text, takes it away."""
    for key in (Key.LEFT, Key.ESCAPE, Key.ABORT, Text("x")):
        editor = completing("anna: ", "andy: ", "ada: ")
        assert row(editor) is None
        for tab in (Key.TAB, Key.TAB, Key.BACK_TAB):
            editor.apply(tab)
            assert row(editor) == "anna  andy  ada"
        if isinstance(key, Key):
            editor.apply(key)
        else:
            editor.take_in(key)
        assert row(editor) is None


def test_one_candidate_needs_no_row() -> None:
    """The word is complete, and the line shows it."""
    editor = completing("anna: ")
    editor.apply(Key.TAB)
    assert editor.text == "anna: " and row(editor) is None


def test_the_candidate_in_the_line_is_told_apart() -> None:
    """It has its own style; on the typed word none has."""
    spans = candidate_spans(["anna: ", "bob "], 1, 40, "q", "s")
    assert spans == [Span("anna", "q"), Span("  ", "q"), Span("bob", "s")]
    assert "s" not in {span.style for span in candidate_spans(["anna: ", "bob "], 2, 40, "q", "s")}


def test_many_candidates_are_pages() -> None:
    """The row shows the page with the candidate in the line, with an ellipsis on each side that has more."""
    editor = completing(*(f"name{number}: " for number in range(9)))
    editor.apply(Key.TAB)
    assert row(editor, 24) == "name0  name1  …"
    for _ in range(3):
        editor.apply(Key.TAB)
    assert row(editor, 24) == "…  name2  name3  …"
    for _ in range(5):
        editor.apply(Key.BACK_TAB)
    assert editor.text == "name8: "
    assert row(editor, 24) == "…  name8"


def test_the_search_is_told() -> None:
    """The row says what is looked for, what the keys do, and that nothing was found."""
    editor = LineEditor()
    editor.insert("hello")
    editor.take()
    editor.searches(Key.SEARCH)
    assert (row(editor, 99) or "").startswith("search: what you sent: type a part of it")
    editor.searches(Text("hel"))
    assert row(editor) == "search: hel  Ctrl-R older, Enter takes it, Esc leaves"
    editor.searches(Key.SEARCH)
    assert row(editor) == "search: hel  no older line"
    editor.searches(Text("zz"))
    editor.searches(Key.BACKSPACE)
    assert row(editor) == "search: helz  no line"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (MAX_TEXT - NEAR_LIMIT, None),
        (MAX_TEXT - 1200, "1,200 bytes left"),
        (MAX_TEXT - 1, "1 byte left"),
        (MAX_TEXT, "0 bytes left"),
    ],
)
def test_near_the_limit_the_bytes_are_counted(size: int, words: str | None) -> None:
    """From NEAR_LIMIT bytes on the row says how many are left."""
    editor = LineEditor()
    editor.insert("é" * (size // 2) + "x" * (size % 2))
    assert row(editor) == words


def test_a_line_that_is_too_long_says_so() -> None:
    """A line that came back before another one may be longer than one can send."""
    editor = LineEditor()
    editor.insert("x")
    editor.restore("y" * MAX_TEXT)
    assert row(editor) == "1 byte too long"


ENCODED = texts.map(lambda text: text.encode("utf-8", "replace").decode())


@given(st.lists(ENCODED, min_size=2, max_size=9), st.integers(0, 9), st.integers(4, 60))
def test_any_candidates_fit(found: list[str], at: int, columns: int) -> None:
    """Whatever a server calls its members, the row is one row, and controls nothing."""
    editor = completing(*found)
    for _ in range(at + 1):
        editor.apply(Key.TAB)
    shown, screen = quiet_row(editor, columns, "", ""), Screen(columns, 3)
    assert shown is not None and "\n" not in shown
    screen.feed(shown)
    assert screen.obeyed == [] and screen.cursor.y == 0 and screen.cursor.x < columns

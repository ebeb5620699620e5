"""Tests of the input line and of each key's effect on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import MAX_TEXT
from tests.views.attacks import texts
from views.completer import Completer
from views.editor import LineEditor
from views.keys import Key
from views.text import clusters


def editor(before: str = "", after: str = "") -> LineEditor:
    """An editor with the cursor between two texts."""
    line = LineEditor()
    line.insert(after)
    line.cursor = 0
    line.insert(before)
    return line


def shown(line: LineEditor) -> str:
    """The line with a bar at the cursor."""
    return "".join(line.clusters[: line.cursor]) + "|" + "".join(line.clusters[line.cursor :])


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("ab|cd", Key.LEFT, "a|bcd"),
        ("|cd", Key.LEFT, "|cd"),
        ("ab|cd", Key.RIGHT, "abc|d"),
        ("ab|", Key.RIGHT, "ab|"),
        ("ab|cd", Key.HOME, "|abcd"),
        ("ab|cd", Key.END, "abcd|"),
        ("ab|cd", Key.BACKSPACE, "a|cd"),
        ("|cd", Key.BACKSPACE, "|cd"),
        ("ab|cd", Key.DELETE, "ab|d"),
        ("ab|cd", Key.DELETE_OR_LEAVE, "ab|d"),
        ("ab|", Key.DELETE, "ab|"),
        ("ab|cd", Key.KILL_TO_END, "ab|"),
        ("ab|cd", Key.KILL_TO_START, "|cd"),
        ("one a.b|c", Key.KILL_WORD_LEFT, "one |c"),
        ("one a.b  |c", Key.KILL_WORD_LEFT, "one |c"),
        ("one a.b|c", Key.KILL_SUBWORD_LEFT, "one a.|c"),
        ("a| bc d", Key.KILL_WORD_RIGHT, "a| d"),
        ("one two.|three", Key.WORD_LEFT, "one |two.three"),
        ("one| two.three", Key.WORD_RIGHT, "one two|.three"),
        ("ab|cd", Key.TRANSPOSE, "acb|d"),
        ("ab|", Key.TRANSPOSE, "ba|"),
        ("a|", Key.TRANSPOSE, "a|"),
        ("ab|cd", Key.NEWLINE, "ab\n|cd"),
        ("x👩‍👩‍👧|y", Key.BACKSPACE, "x|y"),
        ("xe\u0301|y", Key.LEFT, "x|e\u0301y"),
        ("|🇩🇪y", Key.DELETE, "|y"),
    ],
)
def test_each_key(before: str, key: Key, after: str) -> None:
    """Each key edits the line as its name says, by grapheme clusters."""
    line = editor(*before.split("|"))
    assert line.apply(key)
    assert shown(line) == after


@pytest.mark.parametrize("key", [Key.ENTER, Key.CANCEL, Key.SUSPEND, Key.ESCAPE, Key.PAGE_UP])
def test_other_keys_do_not_edit(key: Key) -> None:
    """A key that does not edit changes nothing, and `apply` says so."""
    line = editor("ab")
    assert not line.apply(key)
    assert shown(line) == "ab|"


def test_marks_join_the_character_before() -> None:
    """An accent typed after its letter joins the letter's cluster."""
    line = editor("e", "x")
    line.insert("\u0301")
    assert line.clusters == ["e\u0301", "x"]
    assert line.cursor == 1


def test_kills_in_a_row_are_one_text() -> None:
    """Kills in a row are yanked as one text, in the order of the line; any other key ends the series."""
    line = editor("one two three")
    line.apply(Key.KILL_WORD_LEFT)
    line.apply(Key.KILL_WORD_LEFT)
    line.apply(Key.YANK)
    assert shown(line) == "one two three|"
    line.apply(Key.HOME)
    line.apply(Key.KILL_WORD_RIGHT)
    line.apply(Key.KILL_WORD_RIGHT)
    line.apply(Key.END)
    line.apply(Key.YANK)
    assert shown(line) == " threeone two|"
    line.apply(Key.YANK_OLDER)
    assert shown(line) == " threetwo three|"


def test_undo_removes_typed_text_in_one_step() -> None:
    """Undo removes text typed in a row in one step, and any other change in a step of its own."""
    line = LineEditor()
    for character in "abc":
        line.insert(character, typing=True)
    line.apply(Key.KILL_TO_START)
    line.apply(Key.UNDO)
    assert shown(line) == "abc|"
    line.apply(Key.UNDO)
    assert shown(line) == "|"
    line.apply(Key.UNDO)
    assert shown(line) == "|"


def test_arrows_recall_sent_lines() -> None:
    """Up recalls older sent lines, Down newer ones, and after the latest the half-typed line."""
    line = LineEditor()
    for text in ("one", "two", "two"):
        line.insert(text)
        assert line.take() == text
    line.insert("draft")
    for key, text in [
        (Key.UP, "two"),
        (Key.UP, "one"),
        (Key.UP, "one"),
        (Key.DOWN, "two"),
        (Key.DOWN, "draft"),
        (Key.DOWN, "draft"),
    ]:
        line.apply(key)
        assert shown(line) == f"{text}|"


def test_a_line_holds_at_most_max_text() -> None:
    """Insert takes no text beyond MAX_TEXT bytes, no part of a character either, and says so."""
    line = LineEditor()
    assert line.insert("x" * (MAX_TEXT - 2))
    assert not line.insert("漢")
    assert line.insert("é")
    assert not line.insert("y")
    assert len(line.text.encode()) == MAX_TEXT


def test_a_line_that_is_too_long_grows_no_more() -> None:
    """A line that could not be sent is put back whole; then nothing typed makes it longer."""
    line = editor("typed since")
    line.restore("x" * MAX_TEXT)
    size = len(line.text)
    assert not line.insert("y" * 1000)
    assert len(line.text) == size


def test_tab_completes_what_fits() -> None:
    """Completions that would make the line longer than MAX_TEXT are left out."""
    line = LineEditor(lambda _word, _first, _before: ["z" * 10, "zz"])
    line.insert("x" * (MAX_TEXT - 5) + " z")
    line.apply(Key.TAB)
    assert line.text.endswith("x zz")


def test_an_unsent_text_comes_before_newer_text() -> None:
    """A text that could not be sent comes back before the text that was typed since."""
    line = editor("next")
    line.restore("refused")
    assert shown(line) == "refused|next"


def test_a_line_cleared_by_accident_can_be_undone() -> None:
    """Undo restores a cleared line."""
    line = editor("precious")
    line.clear()
    assert shown(line) == "|"
    line.apply(Key.UNDO)
    assert shown(line) == "precious|"


@given(st.lists(st.one_of(texts, st.sampled_from(list(Key))), max_size=30))
def test_any_editing_leaves_a_sound_line(steps: list[str | Key]) -> None:
    """After any keys and texts the cursor is in the line, and the clusters are those of the text."""
    line = LineEditor(Completer(["/help", "/who"]))
    for step in steps:
        if isinstance(step, Key):
            line.apply(step)
        else:
            line.insert(step)
        assert 0 <= line.cursor <= len(line.clusters)
        assert line.clusters == clusters(line.text) or Key.TRANSPOSE in steps

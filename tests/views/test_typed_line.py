"""views/typed_line.py"""

from __future__ import annotations

import pytest

from chatroom.limits import MAX_TEXT
from views.keys import Key
from views.typed_line import TypedLine


def test_typing() -> None:
    """What is typed is shown, and taken once."""
    line = TypedLine(echoes=True)
    assert not line and line.insert("h\u0115") == "h\u0115" and line.insert("漢") == "漢"
    assert line and line.text == line.shown == "h\u0115漢"
    assert line.take() == "h\u0115漢" and not line and line.take() == ""


@pytest.mark.parametrize(
    ("text", "key", "left", "shown"),
    [
        ("ab", Key.BACKSPACE, "a", "\b \b"),
        ("漢", Key.BACKSPACE, "", "\b \b" * 2),
        ("e\u0301", Key.BACKSPACE, "", "\b \b"),
        ("", Key.BACKSPACE, "", ""),
        ("one two ", Key.KILL_WORD_LEFT, "one ", "\b \b" * 4),
        ("one two", Key.KILL_TO_START, "", "\b \b" * 7),
    ],
)
def test_deleting(text: str, key: Key, left: str, shown: str) -> None:
    """Only the end goes, column by column."""
    line = TypedLine(echoes=True)
    line.insert(text)
    assert line.erase(key) == shown and line.text == left


def test_a_console_that_shows_it_itself() -> None:
    """Nothing is printed for it."""
    line = TypedLine(echoes=False)
    assert line.insert("x") == "" and line.erase(Key.BACKSPACE) == "" and line.shown == ""


def test_a_full_line() -> None:
    """A message has at most MAX_TEXT bytes."""
    line = TypedLine(echoes=True)
    assert line.insert("x" * MAX_TEXT) is not None
    assert line.insert("x") is None and len(line.text) == MAX_TEXT


def test_controls_are_not_echoed() -> None:
    """A pasted control character is left out, and a line end is a sign."""
    line = TypedLine(echoes=True)
    assert line.insert("a\x1b[2J\nb") == "a[2J\u23ceb"

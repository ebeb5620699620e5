"""views/secret_input.py"""

from __future__ import annotations

import pytest

from chatroom.limits import MAX_TEXT
from views.keys import Key
from views.secret_input import SecretInput


def typed(*inputs: str | Key) -> str:
    asked = SecretInput("password")
    for each in inputs:
        if isinstance(each, Key):
            asked.apply(each)
        else:
            asked.insert(each)
    return asked.take()


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (("two words",), "two words"),
        (("pasted\r\n",), "pasted"),
        (("a\x00\x1b[2J\x9bb\x7f",), "a[2Jb"),
        (("gr\u00fcn \u200d\u6f22",), "gr\u00fcn \u200d\u6f22"),
        (("abc", Key.BACKSPACE), "ab"),
        (("ae\u0301", Key.BACKSPACE), "a"),
        ((Key.BACKSPACE, "a"), "a"),
        (("abc", Key.KILL_TO_START, "d"), "d"),
        (("two words", Key.KILL_WORD_LEFT), ""),
        (("abc", Key.LEFT, Key.UP, Key.UNDO, Key.YANK, Key.TAB, "d"), "abcd"),
    ],
)
def test_typing(inputs: tuple[str | Key, ...], text: str) -> None:
    """Text as it was typed, without controls; keys that delete work, others do nothing."""
    assert typed(*inputs) == text


def test_taking_forgets() -> None:
    """The text is given once."""
    asked = SecretInput("password")
    asked.insert("secret")
    assert asked.take() == "secret"
    assert asked.take() == ""


def test_a_repr_shows_no_secret() -> None:
    """Whoever prints it sees the question."""
    asked = SecretInput("password")
    asked.insert("secret")
    assert repr(asked) == "<SecretInput 'password'>"


def test_a_paste_without_end() -> None:
    """More than any line can have is not taken."""
    assert typed("x" * MAX_TEXT, "y", "z" * MAX_TEXT) == "x" * MAX_TEXT

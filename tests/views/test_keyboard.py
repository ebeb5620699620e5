"""What keys mean: for the input line, for a question, for the client."""

from __future__ import annotations

import pytest

from views.actions import Action, Cancelled, Leave, LookBack, Secret, StepFound, Submitted, Suspend
from views.editor import LineEditor
from views.keyboard import Keyboard
from views.keys import Input, Jump, Key, Paste, Text
from views.secret_input import SecretInput

SECRET = "/register secret"


def pressed(keyboard: Keyboard, *inputs: Input) -> list[Action]:
    actions = [keyboard.press(given) for given in inputs]
    return [action for action in actions if action is not None]


@pytest.fixture
def full() -> list[str]:
    """Filled when a text does not fit."""
    return []


@pytest.fixture
def keyboard(full: list[str]) -> Keyboard:
    return Keyboard(LineEditor(), lambda line: line == SECRET, lambda: full.append("full"))


@pytest.mark.parametrize(
    ("key", "on_empty", "on_text"),
    [
        (Key.ENTER, [], [Submitted("x")]),
        (Key.CANCEL, [Leave(sure=False)], []),
        (Key.DELETE_OR_LEAVE, [Leave()], []),
        (Key.SUSPEND, [Suspend()], [Suspend()]),
        (Key.PAGE_UP, [LookBack()], []),
        (Key.NEXT_FOUND, [StepFound(1)], [StepFound(1)]),
        (Key.LAST_FOUND, [StepFound(-1)], [StepFound(-1)]),
        (Jump(3), [Jump(3)], [Jump(3)]),
        (Key.LEFT, [], []),
        (Paste("y"), [], []),
    ],
)
def test_keys_on_the_line(
    keyboard: Keyboard, key: Input, on_empty: list[Action], on_text: list[Action]
) -> None:
    """Some need an empty line, some a text."""
    assert pressed(keyboard, key) == on_empty
    keyboard.editor.clear()
    assert pressed(keyboard, Text("x"), key) == on_text


@pytest.mark.parametrize(
    ("key", "actions"),
    [
        (Key.ENTER, [Secret("no one sees it")]),
        (Key.CANCEL, [Cancelled()]),
        (Key.DELETE_OR_LEAVE, [Cancelled()]),
        (Key.SUSPEND, [Suspend()]),
        (Key.PAGE_UP, []),
        (Key.NEXT_FOUND, []),
        (Jump(3), []),
        (Key.LEFT, []),
    ],
)
def test_keys_on_a_question(keyboard: Keyboard, key: Input, actions: list[Action]) -> None:
    """What is typed is the answer, and not in the line."""
    keyboard.editor.insert("half")
    assert keyboard.edits
    keyboard.question = SecretInput("password?")
    assert not keyboard.edits
    assert pressed(keyboard, Text("no one "), Paste("sees it"), key) == actions
    assert (keyboard.question is None) is (key in (Key.ENTER, Key.CANCEL, Key.DELETE_OR_LEAVE))
    assert keyboard.editor.text == "half"


def test_a_line_with_a_secret_comes_back_by_no_key(keyboard: Keyboard) -> None:
    """Others do."""
    assert pressed(keyboard, Text(SECRET), Key.ENTER) == [Submitted(SECRET)]
    pressed(keyboard, Key.UP, Key.UNDO, Key.YANK)
    assert keyboard.editor.text == ""


def test_a_text_that_does_not_fit(keyboard: Keyboard, full: list[str]) -> None:
    """Is told, once."""
    pressed(keyboard, Paste("x" * 70_000), Key.LEFT)
    assert full == ["full"]


def test_a_search_takes_the_keys(keyboard: Keyboard) -> None:
    """While it goes on, Ctrl-C ends only it."""
    pressed(keyboard, Text("said"), Key.ENTER, Key.SEARCH, Text("sa"))
    assert not keyboard.edits and keyboard.editor.text == "said"
    assert pressed(keyboard, Key.CANCEL) == [] and keyboard.edits and keyboard.editor.text == ""

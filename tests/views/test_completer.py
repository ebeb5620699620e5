"""Tests of the completion of names and commands."""

from __future__ import annotations

import pytest

from tests.views.test_editor import shown
from views.completer import Completer
from views.editor import LineEditor
from views.keys import Key
from views.limits import COMPLETED_NAMES


def completing(*names: str) -> LineEditor:
    completer = Completer(["/help", "/history", "/who"])
    for name in names:
        completer.saw(name)
    return LineEditor(completer)


def test_tab_goes_through_the_names_that_fit() -> None:
    """Tab goes through the matching names, latest speaker first, then the typed word; Shift-Tab goes back."""
    line = completing("anna", "bob", "Andy")
    line.insert("an")
    for key, text in [
        (Key.TAB, "Andy: |"),
        (Key.TAB, "anna: |"),
        (Key.TAB, "an|"),
        (Key.TAB, "Andy: |"),
        (Key.BACK_TAB, "an|"),
        (Key.BACK_TAB, "anna: |"),
    ]:
        line.apply(key)
        assert shown(line) == text


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("hi bo", "hi bob |"),
        ("hi @B", "hi @bob |"),
        ("/he", "/help |"),
        ("/HE", "/help |"),
        ("say /he", "say /he|"),
        ("", "|"),
        ("zzz", "zzz|"),
    ],
)
def test_tab_completes_a_word(typed: str, completed: str) -> None:
    """Names are completed anywhere, commands only at the start of the line, an empty word never."""
    line = completing("bob")
    line.insert(typed)
    line.apply(Key.TAB)
    assert shown(line) == completed


def test_departed_members_are_not_completed() -> None:
    """A member who has left is not completed, whatever the case of the name."""
    completer = Completer([])
    completer.saw("bob")
    completer.forget("BOB")
    assert completer("b", True) == []


def test_commands_are_learned() -> None:
    """Commands that the completer learns are completed from then on, each once."""
    completer = Completer(["/quit"])
    completer.learn(["/topic", "/quit"])
    assert completer("/", True) == ["/quit ", "/topic "]


def test_names_are_bounded() -> None:
    """Only the latest COMPLETED_NAMES names are kept."""
    completer = Completer([])
    for number in range(COMPLETED_NAMES + 1):
        completer.saw(f"n{number}")
    assert completer("n0", True) == []
    assert completer("n1000", True) == ["n1000: "]

"""What a Tab makes of a word."""

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
    """The latest speaker first; after the last one comes what was typed; Shift-Tab goes back."""
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
def test_what_tab_makes(typed: str, completed: str) -> None:
    """Names anywhere, commands only at the start, nothing of nothing."""
    line = completing("bob")
    line.insert(typed)
    line.apply(Key.TAB)
    assert shown(line) == completed


def test_who_left_is_not_offered() -> None:
    """Only who is here is completed."""
    completer = Completer([])
    completer.saw("bob")
    completer.forget("BOB")
    assert completer("b", True) == []


def test_commands_are_learned() -> None:
    """What /help has told is completed from then on."""
    completer = Completer(["/quit"])
    completer.learn(["/topic", "/quit"])
    assert completer("/", True) == ["/quit ", "/topic "]


def test_names_are_bounded() -> None:
    """Of all names ever seen the latest are kept."""
    completer = Completer([])
    for number in range(COMPLETED_NAMES + 1):
        completer.saw(f"n{number}")
    assert completer("n0", True) == []
    assert completer("n1000", True) == ["n1000: "]

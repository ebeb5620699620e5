"""views/told.py"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from views.text import text_width
from views.told import Told, told_text

NAMES = ("amir", "bea", "carla", "dmitri", "elif")
JOINED, LEFT = Told("12 joined", NAMES, 12), Told("2 left", ("x", "y"), 2)


def test_as_many_names_as_fit() -> None:
    """The others are a number; where there is room for no name, there is only how many they all are."""
    whole = "12 joined: amir, bea, carla, dmitri, elif and 7 more"
    assert told_text([JOINED], len(whole)) == whole
    assert told_text([JOINED], len(whole) - 1) == "12 joined: amir, bea, carla, dmitri and 8 more"
    assert told_text([JOINED], 26) == "12 joined"
    assert told_text([JOINED], 27) == "12 joined: amir and 11 more"
    assert told_text([LEFT], 80) == "2 left: x, y"


def test_several_sorts() -> None:
    """Each has as many names as the other; what has none to show is told all the same."""
    banned = Told("ann banned 4: spam")
    assert told_text([JOINED, LEFT], 50) == "12 joined: amir, bea and 10 more; 2 left: x, y"
    assert told_text([JOINED, banned], 50) == "12 joined: amir and 11 more; ann banned 4: spam"
    assert told_text([JOINED, LEFT, banned], 5) == "12 joined, 2 left, ann banned 4: spam"
    assert told_text([banned], 5) == "ann banned 4: spam"


@given(st.lists(st.text("ab漢", min_size=1), max_size=40), st.integers(1, 120))
def test_it_fits(names: list[str], columns: int) -> None:
    """Wide letters count for two; only where no name fits the words alone may be longer."""
    text = told_text([Told(f"{len(names)} joined", tuple(names), len(names))], columns)
    assert text_width(text) <= columns or ":" not in text

"""Tests of the history of the input line."""

from __future__ import annotations

from views.input_history import InputHistory
from views.limits import HELD_FIRST, INPUT_HISTORY
from views.pasted import Pieces


def test_history_is_bounded() -> None:
    """Only the latest INPUT_HISTORY sent lines are kept."""
    history = InputHistory()
    for number in range(INPUT_HISTORY + 10):
        history.add((str(number),))
    oldest: Pieces = ()
    while (line := history.older(())) is not None:
        oldest = line
    assert oldest == ("10",)


def test_a_held_line_stays_the_latest() -> None:
    """Until it is sent, or many others are; only once it stands there."""
    history = InputHistory()
    history.hold()
    history.add(("held",))
    history.hold()
    for number in range(HELD_FIRST):
        history.add((str(number),))
        assert history.latest()[0] == ("held",) and history.latest().count(("held",)) == 1
    history.add(("last",))
    assert history.latest()[:2] == [("last",), ("held",)]
    history.add(("held",))
    history.hold()
    history.add(("held",))
    history.add(("said",))
    assert history.latest()[0] == ("said",)

"""Tests of the history of the input line."""

from __future__ import annotations

from views.input_history import InputHistory
from views.limits import INPUT_HISTORY
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

"""The history of the input line."""

from __future__ import annotations

from views.input_history import InputHistory
from views.limits import INPUT_HISTORY


def test_history_is_bounded() -> None:
    """Of the sent lines the latest INPUT_HISTORY are kept."""
    history = InputHistory()
    for number in range(INPUT_HISTORY + 10):
        history.add(str(number))
    oldest = ""
    while (line := history.older("")) is not None:
        oldest = line
    assert oldest == "10"

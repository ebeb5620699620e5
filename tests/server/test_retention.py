"""How much history is retained: `--keep`."""

from __future__ import annotations

import pytest

from chatroom.errors import ConfigError
from server.retention import PROOF, ProvenClock, Retention


@pytest.mark.parametrize(
    ("text", "retention"),
    [
        ("all", Retention()),
        ("90d", Retention(days=90)),
        ("1000000events", Retention(events=1_000_000)),
        ("1events", Retention(events=1)),
    ],
)
def test_valid_values(text: str, retention: Retention) -> None:
    """A number of days, a number of events and `all` are valid."""
    assert Retention.parse(text) == retention
    assert str(retention) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0d",
        "-5",
        "90 d",
        "90D",
        "d",
        "1e6",
        "ALL",
        "٣d",
        "9" * 16,
        "9" * 400,
        "90d\n",
        "1event",
        "5h",
        "0events",
    ],
)
def test_invalid_values(text: str) -> None:
    """Any other value is refused with one line that shows valid ones."""
    with pytest.raises(ConfigError, match="90d") as refused:
        Retention.parse(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["90", "1000000", "1"])
def test_a_number_without_a_unit(text: str) -> None:
    """Who forgets the d of 90d is told of both units: 90 events would be next to nothing."""
    with pytest.raises(ConfigError, match=f"lacks a unit: {text}d .*{text}events"):
        Retention.parse(text)


DAY = 24 * PROOF
NOON = 20_000 * DAY


@pytest.mark.parametrize(
    ("latest", "readings", "proven"),
    [
        (0, [NOON], 0),  # the first reading of all proves nothing
        (0, [NOON, NOON + PROOF - 1], 0),
        (0, [NOON, NOON + PROOF], NOON),
        (NOON - DAY, [NOON], NOON - DAY),  # the latest event is a reading, too
        (NOON, [NOON + 400 * DAY], NOON),  # the clock jumps ahead: what it said before is proven, no more
        (NOON, [NOON + 400 * DAY, NOON + 400 * DAY + PROOF - 1], NOON),
        (NOON, [NOON + 400 * DAY, NOON + 1], NOON),
        (NOON, [NOON + 400 * DAY, NOON + 1, NOON + 1 + PROOF], NOON + 1),
        (NOON + 400 * DAY, [NOON, NOON + PROOF - 1], 0),  # it was ahead when the latest event was stored
        (NOON, [NOON + PROOF, NOON - DAY], NOON - DAY),  # it was ahead all the time
    ],
)
def test_the_clock_that_removes_needs_an_hour(latest: int, readings: list[int], proven: int) -> None:
    """A reading is believed when one an hour later confirms it, and no longer when the clock is set back."""
    clock = ProvenClock(latest)
    assert [clock.read(now) for now in readings][-1] == proven

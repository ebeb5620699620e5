"""How much history is retained: `--keep`."""

from __future__ import annotations

import pytest

from chatroom.errors import ConfigError
from server.retention import Retention


@pytest.mark.parametrize(
    ("text", "retention"),
    [
        ("all", Retention()),
        ("90d", Retention(days=90)),
        ("1000000", Retention(events=1_000_000)),
        ("1", Retention(events=1)),
    ],
)
def test_valid_values(text: str, retention: Retention) -> None:
    """A number of days, a number of events and `all` are valid."""
    assert Retention.parse(text) == retention


@pytest.mark.parametrize(
    "text", ["", "0", "0d", "-5", "90 d", "90D", "d", "1e6", "ALL", "٣d", "9" * 16, "9" * 400, "90d\n"]
)
def test_invalid_values(text: str) -> None:
    """Any other value is refused with one line that shows valid ones."""
    with pytest.raises(ConfigError, match="90d") as refused:
        Retention.parse(text)
    assert "\n" not in str(refused.value)

"""How much is kept: `--keep`."""

from __future__ import annotations

import pytest

from chatroom.errors import ConfigError
from server.keep import Keep


@pytest.mark.parametrize(
    ("text", "keep"),
    [("all", Keep()), ("90d", Keep(days=90)), ("1000000", Keep(events=1_000_000)), ("1", Keep(events=1))],
)
def test_what_can_be_asked_for(text: str, keep: Keep) -> None:
    """Days, events and all are understood."""
    assert Keep.parse(text) == keep


@pytest.mark.parametrize(
    "text", ["", "0", "0d", "-5", "90 d", "90D", "d", "1e6", "ALL", "٣d", "9" * 16, "9" * 400, "90d\n"]
)
def test_what_cannot_be_asked_for(text: str) -> None:
    """Anything else is refused with one line that says what can be asked for."""
    with pytest.raises(ConfigError, match="90d") as refused:
        Keep.parse(text)
    assert "\n" not in str(refused.value)

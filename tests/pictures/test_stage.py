"""The clock of the people in a scene."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pictures.stage import zone


@given(st.integers(0, 2**32), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_zone(now: int, hour: int, minute: int, second: int) -> None:
    """In this zone it is the wanted time of the day, whenever it is; the date is at most a day off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone(hour, minute, second, now))
        time.tzset()
        there = time.localtime(now)
    time.tzset()
    assert (there.tm_hour, there.tm_min, there.tm_sec) == (hour, minute, second)
    assert abs(there.tm_gmtoff) <= 12 * 3600

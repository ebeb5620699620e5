"""The clock of the people in a scene, and what they wait for."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pictures.stage import has_sent, is_in, squeezed, zone


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


@given(st.lists(st.text("ab 你"), max_size=5))
def test_blanks_do_not_count(words: list[str]) -> None:
    """However a text is wrapped and indented, it is found."""
    assert squeezed([" ".join(words)]) == squeezed(f"      {word}" for word in words)


@pytest.mark.parametrize(
    ("rows", "sent", "inside"),
    [
        (["#lab, 3 here · a topic", "ann>"], True, True),
        (["@bob", "李雷>"], True, False),
        (["#lab, 3 here", "ann> half"], False, False),
        (["--:--                 a line", "#lab, 3 here", "ann>"], False, False),
        ([], False, False),
    ],
)
def test_what_is_waited_for(rows: list[str], sent: bool, inside: bool) -> None:
    """A line is sent when the input is empty and nothing is on its way; who is in has a status, too."""
    assert (has_sent(rows), is_in(rows)) == (sent, inside)

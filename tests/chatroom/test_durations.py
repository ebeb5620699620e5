"""Durations as moderators type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.durations import Read, duration_text, read_duration
from chatroom.limits import MAX_BAN_SECONDS


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("30s", Read(30, "")),
        ("10m", Read(600, "")),
        ("10 m", Read(600, "")),
        ("10min", Read(600, "")),
        ("10 mins spam", Read(600, "spam")),
        (" 10 Minutes  too loud ", Read(600, "too loud")),
        ("1 minute", Read(60, "")),
        ("2h", Read(7200, "")),
        ("2 hours", Read(7200, "")),
        ("1hr", Read(3600, "")),
        ("7 days", Read(604_800, "")),
        ("45 sec", Read(45, "")),
        ("ten minutes", Read(0, "ten minutes")),
        ("", Read(0, "")),
        ("10", Read(None, "10")),
        ("10 times", Read(None, "10 times")),
        ("10mm", Read(None, "10mm")),
        ("10 ss", Read(None, "10 ss")),
        ("10m:", Read(None, "10m:")),
        ("-5m", Read(None, "-5m")),
        ("0s", Read(None, "")),
        ("999999999d", Read(None, "")),
        ("9" * 5000 + "d", Read(None, "9" * 5000 + "d")),
    ],
)
def test_what_is_a_duration(text: str, read: Read) -> None:
    assert read_duration(text) == read


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    seconds, rest = read_duration(text)
    assert seconds is None or 0 <= seconds <= MAX_BAN_SECONDS
    assert text.strip().endswith(rest)


@given(st.integers(1, MAX_BAN_SECONDS))
def test_what_is_written_is_read_again(seconds: int) -> None:
    assert read_duration(duration_text(seconds)) == Read(seconds, "")


def test_the_largest_unit_is_written() -> None:
    texts = {30: "30s", 90: "90s", 600: "10m", 5400: "90m", 7200: "2h", 86400: "1d"}
    assert {seconds: duration_text(seconds) for seconds in texts} == texts

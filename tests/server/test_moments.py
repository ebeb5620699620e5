"""Moments, as the native door writes them."""

from __future__ import annotations

from server.moments import when


def test_when() -> None:
    """To the minute, in UTC, wherever the server is."""
    assert when(1_769_863_496_789) == "2026-01-31 12:44 UTC"
    assert when(0) == "1970-01-01 00:00 UTC"

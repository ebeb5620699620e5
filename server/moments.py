"""Moments, as the native door writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def when(milliseconds: int) -> str:
    """Milliseconds since 1970 as `2026-01-31 12:34 UTC`."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")

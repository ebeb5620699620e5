"""A lesson with a small class; the server is killed in the middle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.classes.lesson import Lesson, Size


@pytest.mark.slow
def test_a_small_class(tmp_path: Path) -> None:
    """Nobody speaks while it is hushed but who is called; calls follow hands; each vote counts once."""
    told: list[str] = []
    lesson = Lesson(tmp_path, Size(people=12, terminals=1, hands=7, calls=4), told.append)
    assert lesson.run() == [], "\n".join(told)
    assert lesson.checked > 100

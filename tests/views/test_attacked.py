"""No text of others drives the terminal, wherever it stands: on a model of a terminal, and in tmux."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tmux import Tmux, tmux_or_skip
from tests.views.attacked import frames
from tests.views.attacks import DECEIVING, DRIVING, WIDE_AND_NARROW
from tests.views.screen import Screen, code_points
from views import Repaint

COLUMNS, LINES = 40, 12

DETECTED = 10
"""So many of the texts change something in tmux when they are printed raw: less, and the test is blind."""


@pytest.mark.parametrize("repaint", ["around", pytest.param("inline", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "text", [*DRIVING, pytest.param("".join(DRIVING), marks=pytest.mark.slow)], ids=ascii
)
def test_no_place_lets_a_text_drive_the_terminal(text: str, repaint: Repaint) -> None:
    """Names, channels, topics, reasons, polls, tables, answers, status, candidates, search, questions."""
    screen = Screen(COLUMNS, LINES)
    for out in frames(text, COLUMNS, LINES, repaint):
        screen.feed(out)
        assert screen.obeyed == []
        assert not screen.cursor.hidden


@pytest.mark.slow
@pytest.mark.parametrize("text", [*DECEIVING, *WIDE_AND_NARROW], ids=ascii)
def test_no_place_lets_a_text_move_the_cursor(text: str) -> None:
    """Texts of unusual widths leave the cursor where it belongs, on a terminal with other widths, too."""
    text = text.encode("utf-8", "replace").decode()
    right, wrong = Screen(COLUMNS, LINES), Screen(COLUMNS, LINES, code_points)
    for out in frames(text, COLUMNS, LINES):
        right.feed(out)
        wrong.feed(out)
        assert (right.cursor.x, right.cursor.y) == (wrong.cursor.x, wrong.cursor.y)
        assert len(right.scrollback) == len(wrong.scrollback)
        assert right.obeyed == wrong.obeyed == []


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    tmux_or_skip()
    with Tmux(tmp_path, COLUMNS, LINES) as started:
        yield started


@pytest.mark.slow
def test_no_text_drives_tmux(tmux: Tmux) -> None:
    """Title, modes, scroll region, clipboard, answers and cursor are as the view left them, for each text."""
    unchanged = tmux.print("harmless").facts
    for text in DRIVING:
        out = "".join(frames(text, COLUMNS, LINES))
        model = Screen(COLUMNS, LINES)
        model.feed(out)
        shown = tmux.print(out)
        assert shown.facts == unchanged, ascii(text)
        assert (shown.column, shown.row) == (model.cursor.x, model.cursor.y), ascii(text)


@pytest.mark.slow
def test_the_attacks_drive_tmux_when_they_are_raw(tmux: Tmux) -> None:
    """So the test above can fail."""
    unchanged = tmux.print("harmless").facts
    detected = [text for text in DRIVING if tmux.print(text).facts != unchanged]
    assert len(detected) >= DETECTED, detected

"""The real client in a real terminal, tmux, whose scrollback and reflow no model shows."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import Client
from tests.end_to_end.programs import ROOT, server
from tests.support.patience import PROGRAM_PATIENCE
from tests.support.tmux import Tmux, tmux_or_skip

pytestmark = pytest.mark.slow

LINES = 12
TYPED = "".join(f"Q{number:02d}" for number in range(57))
"""171 columns, without a blank at which a row could end."""


@contextmanager
def ann_in_tmux(folder: Path, columns: int, repaint: str) -> Iterator[tuple[Tmux, Client]]:
    """Ann's client in a window of tmux, and bob, whom the test lets speak."""
    tmux_or_skip()
    with server(folder) as running, Client(port=running.port, name="bob") as bob:
        address = f"127.0.0.1:{running.port}"
        script = f"cd {ROOT} && exec {sys.executable} -m client {address} --name ann --repaint {repaint}"
        with Tmux(folder, columns, LINES, ("sh", "-c", script)) as tmux:
            tmux.see(lambda rows: rows[-1].startswith("ann>"))
            yield tmux, bob


def say(tmux: Tmux, bob: Client, first: int, count: int) -> None:
    """Bob says lines with numbers, and ann sees them."""
    for number in range(first, first + count):
        line = bob.say(f"message-{number:03d}")
    assert line.wait(PROGRAM_PATIENCE)
    tmux.see(lambda rows: f"message-{first + count - 1:03d}" in "".join(rows))


def numbers(rows: list[str]) -> list[int]:
    """Of the messages in these rows, in order."""
    return [int(found) for found in re.findall(r"message-(\d{3})", "\n".join(rows))]


def input_rows(rows: list[str]) -> list[str]:
    """The rows in which a part of the input line stands."""
    return [row for row in rows if row.startswith("ann>") or re.search(r"Q\d", row)]


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_each_message_is_in_the_scrollback_once(tmp_path: Path, repaint: str) -> None:
    """Before, during and after a half-typed line of three rows, every message stands once, in order."""
    with ann_in_tmux(tmp_path, 80, repaint) as (tmux, bob):
        say(tmux, bob, 0, 20)
        tmux.type(TYPED)
        tmux.see(lambda rows: TYPED[-3:] in "".join(rows))
        say(tmux, bob, 20, 40)
        rows = tmux.rows(scrollback=True)
        found, typed = numbers(rows), input_rows(rows)
        assert "".join(typed) == f"ann> {TYPED}"
        assert found == sorted({*range(60)} - {*range(60)[-LINES:]} | {*found})
        assert 60 - len(found) < len(typed)  # the rows of a long line cover as many, which come back
        tmux.type("\x15")
        say(tmux, bob, 60, 20)
        rows = tmux.rows(scrollback=True)
        assert numbers(rows) == list(range(80))
        assert input_rows(rows) == ["ann>"]


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_resizes_leave_no_stray_row(tmp_path: Path, repaint: str) -> None:
    """60, 40, 25, 100, 60 columns while 171 are typed: one input line, whole; each message, few twice."""
    with ann_in_tmux(tmp_path, 60, repaint) as (tmux, bob):
        said = typed = 0
        for columns in (60, 40, 25, 100, 60):
            tmux.resize(columns, LINES)
            tmux.type(TYPED[typed : typed + 36])
            typed = min(typed + 36, len(TYPED))
            line = f"ann> {TYPED[:typed]}"
            tmux.see(lambda rows, line=line, room=columns - 1: is_whole(input_rows(rows), line, room))
            say(tmux, bob, said, 9)
            said += 9
            rows = input_rows(tmux.rows(scrollback=True))
            assert is_whole(rows, line, columns - 1), rows
        tmux.type("\x15")
        tmux.see(lambda rows: "ann>" in rows)
        counted = Counter(numbers(tmux.rows(scrollback=True)))
        assert sorted(counted) == list(range(said))
        assert sum(counted.values()) - said <= LINES


def is_whole(rows: list[str], line: str, room: int) -> bool:
    """Whether the rows are the line, each but the last as wide as there is room; or its visible window."""
    full = [line[at : at + room] for at in range(0, len(line), room)]
    return rows == full[-(LINES // 2) :]

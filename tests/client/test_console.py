"""client/console.py: a terminal without termios. Standard input is a text here, read in lines, too."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from client.console import Console
from tests.support.patience import PATIENCE


@contextmanager
def console(text: str, monkeypatch: pytest.MonkeyPatch, asks: bool = False) -> Iterator[Console]:
    """A console on which this is typed, and then its end."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with Console(lambda: asks) as opened:
        yield opened


def test_lines_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is read when the one before was taken; at the end the console is gone."""
    with console("one\n漢字\n", monkeypatch) as opened:
        for line in ("one\n", "漢字\n"):
            assert opened.wait(PATIENCE, for_room=False)[0]
            assert opened.read() == line.encode() and not opened.gone
        assert opened.wait(PATIENCE, for_room=False)[0]
        assert opened.read() == b"" and opened.gone


def test_waking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates end the wait; so does time."""
    with console("", monkeypatch) as opened:
        opened.wake()
        assert opened.wait(PATIENCE, for_room=True)[1:] == (True, True)


def test_writing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written is on standard output at once; a closed one is the end."""
    with console("", monkeypatch) as opened:
        opened.write("漢字\n")
        assert capsys.readouterr().out == "漢字\n"
        out = io.StringIO()
        out.close()
        monkeypatch.setattr(sys, "stdout", out)
        opened.write("x")
        assert opened.gone
        assert opened.has_room() and opened.signals() == set() and opened.size()[0] > 0
        opened.take()
        opened.suspend()


def test_a_password_is_read_by_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is not echoed: the system asks for it, or nothing is sent."""
    monkeypatch.setattr("client.console.ask_secretly", lambda prompt: "secret")
    with console("shown\n", monkeypatch, asks=True) as opened:
        opened.wait(PATIENCE, for_room=False)
        assert opened.read() == b"secret\n"
    monkeypatch.undo()
    with console("shown\n", monkeypatch, asks=True) as opened:  # no terminal
        opened.wait(PATIENCE, for_room=False)
        assert opened.read() == b"\x03"

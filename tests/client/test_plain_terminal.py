"""client/plain_terminal.py: what `tests/client/test_plain.py` cannot see from outside."""

from __future__ import annotations

import io
import os
import pty
import sys
import termios
from collections.abc import Iterator

import pytest

from client.plain_terminal import PlainTerminal


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal: the user's end, and the program's."""
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def test_the_modes(ends: tuple[int, int]) -> None:
    """Keys come one by one and without echo; the output is as before; nothing is written for it."""
    master, slave = ends
    before = termios.tcgetattr(slave)
    with PlainTerminal(slave, slave) as terminal:
        modes = termios.tcgetattr(slave)
        assert terminal.is_terminal and terminal.echoes
        assert not modes[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
        assert modes[1] == before[1]
        os.write(master, b"x\x03")
        assert terminal.wait(1.0, for_room=False)[0]
        assert terminal.read() == b"x\x03"
        terminal.write("end\n")
    assert termios.tcgetattr(slave) == before
    assert os.read(master, 100) == b"end\r\n"


def test_a_terminal_that_does_not_echo(ends: tuple[int, int]) -> None:
    """The client does not, either."""
    modes = termios.tcgetattr(ends[1])
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(ends[1], termios.TCSANOW, modes)
    with PlainTerminal(ends[1], ends[1]) as terminal:
        assert terminal.is_terminal and not terminal.echoes


def test_another_encoding(ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of a terminal in Latin 1 are read as such, and what it lacks is a question mark."""
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), "latin-1"))
    master, slave = ends
    with PlainTerminal(slave, slave) as terminal:
        os.write(master, b"\xe9")
        terminal.wait(1.0, for_room=False)
        assert terminal.read() == "é".encode()
        terminal.write("é漢\n")
        assert os.read(master, 100) == b"\xe9?\r\n"


def test_a_pipe() -> None:
    """It has no modes; its end sends what was half-typed, and leaves."""
    source, sink = os.pipe()
    with PlainTerminal(source, sink) as terminal:
        assert not terminal.is_terminal and not terminal.echoes
        os.write(sink, b"half")
        assert terminal.read() == b"half"
        os.close(sink)
        assert terminal.read() == b"\n\x04" and not terminal.gone
    os.close(source)

"""A program in a pseudo-terminal: what it is typed, what its screen shows, how it leaves the terminal."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.support.patience import PROGRAM_PATIENCE
from tests.views.screen import Screen

ROOT: Final = Path(__file__).resolve().parents[2]


class PseudoTerminal:
    """A session of its own with a terminal of its own, in which one command runs."""

    def __init__(
        self, command: Sequence[str], columns: int = 80, lines: int = 12, **environment: str
    ) -> None:
        self.screen = Screen(columns, lines)
        self.output = ""
        self._text = codecs.getincrementaldecoder("utf-8")()
        self._master, self.slave = pty.openpty()
        self.resize(columns, lines)
        self.modes_before = self.modes()
        slave = self.slave
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "", **environment},
            start_new_session=True,
            preexec_fn=lambda: _begin_session(slave),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()
        if self.slave >= 0:
            os.close(self.slave)

    def type(self, keys: str | bytes) -> None:
        """Press keys."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def type_blindly(self, keys: bytes) -> None:
        """Press keys while the output is read, so that neither side waits for the other for ever.

        The output is thrown away: a screen would take more time than the program, and is wrong afterwards.
        """
        end = time.monotonic() + PROGRAM_PATIENCE
        while keys:
            readable, writable, _ = select.select([self._master], [self._master], [], 0.1)
            if readable:  # a character may have begun in what was read before
                self._text.decode(os.read(self._master, 65536))
            if writable:
                keys = keys[os.write(self._master, keys[:64]) :]
            assert time.monotonic() < end, "it takes no keys"

    def see(self, wanted: Callable[[list[str]], bool] | str) -> list[str]:
        """Wait until the screen shows it: a text anywhere, in which several blanks count as one, or what a
        function says of the rows.
        """
        end = time.monotonic() + PROGRAM_PATIENCE
        while True:
            rows = self.screen.rows()
            if wanted in in_words(rows) if isinstance(wanted, str) else wanted(rows):
                return rows
            self._read(end, wanted if isinstance(wanted, str) else "the rows that were wanted")

    def wait(self) -> int:
        """Wait for the program's end; its exit code (negative: the signal). All it wrote is read."""
        end = time.monotonic() + PROGRAM_PATIENCE
        while self.process.poll() is None:
            if select.select([self._master], [], [], 0.02)[0]:
                self._read(end, "the end")
            assert time.monotonic() < end, f"it does not end: {self.screen.rows()}"
        while select.select([self._master], [], [], 0)[0]:
            self._read(end, "the end")
        return self.process.returncode

    def drain(self, seconds: float) -> str:
        """What is written within some time."""
        before, end = len(self.output), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                self._read(end + PROGRAM_PATIENCE, "more")
        return self.output[before:]

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size; the kernel tells the program."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def modes(self) -> list[Any]:
        """What `stty -g` would tell."""
        return termios.tcgetattr(self.slave)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the window."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self, end: float, wanted: str) -> None:
        ready = select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0]
        assert ready, f"{wanted!r} was not seen: {self.screen.rows()}"
        text = self._text.decode(os.read(self._master, 65536))
        self.output += text
        self.screen.feed(text)


def in_words(rows: Sequence[str]) -> str:
    """The rows as lines of words, with one blank between two words."""
    return "\n".join(" ".join(row.split()) for row in rows)


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def _begin_session(slave: int) -> None:
    """Give the new process its terminal, as a login does; a run in the background ignores SIGINT."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)

"""Chat programs in a pseudo-terminal: ours, one made with prompt_toolkit, WeeChat and irssi."""

from __future__ import annotations

import importlib.util
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.bench.terminal.texts import TYPED
from tests.end_to_end.programs import ROOT, processor_seconds
from tests.support.patience import PROGRAM_PATIENCE

COLUMNS, LINES = 80, 24
_QUIET: Final = 0.3
"""A program that writes nothing for so many seconds has nothing more to say."""

_KEYS: Final = "QVWXYZKJ"
"""Pressed one after the other, and rubbed out again. The lines that are played have no upper case."""

_SEQUENCE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_BEGUN: Final = re.compile(rb"\x1b[^\x1b]{0,40}\Z")


@dataclass(frozen=True)
class Program:
    """A chat program.

    name:     as in the table
    protocol: that its player speaks
    lacks:    why it cannot be measured here; empty if it can
    command:  makes its command for a port; it may keep files in a folder
    keys:     pressed first, to see the channel
    """

    name: str
    protocol: str
    lacks: str
    command: Callable[[int, Path], Sequence[str]]
    keys: bytes = b""


def _ours(repaint: str) -> Callable[[int, Path], Sequence[str]]:
    def command(port: int, folder: Path) -> Sequence[str]:
        options = ("--name", "ann", "--repaint", repaint, "--ground", "dark")
        return [sys.executable, "-m", "client", f"127.0.0.1:{port}", *options]

    return command


def _toolkit(port: int, folder: Path) -> Sequence[str]:
    return [sys.executable, "-m", "tests.bench.terminal.toolkit_chat", str(port)]


def _weechat(port: int, folder: Path) -> Sequence[str]:
    return [
        "weechat",
        "--dir",
        str(folder),
        "-r",
        "/plugin unload logger",
        f"irc://ann@127.0.0.1:{port}/#general",
    ]


_IRSSI: Final = """
servers = ( {{ address = "127.0.0.1"; chatnet = "bench"; port = "{port}"; autoconnect = "yes"; }} );
chatnets = {{ bench = {{ type = "IRC"; nick = "ann"; }}; }};
channels = ( {{ name = "#general"; chatnet = "bench"; autojoin = "yes"; }} );
"""


def _irssi(port: int, folder: Path) -> Sequence[str]:
    (folder / "config").write_text(_IRSSI.format(port=port))
    return ["irssi", f"--home={folder}"]


def _installed(program: str, package: str) -> str:
    return "" if shutil.which(program) else f"not installed: apt-get install {package}"


def toolkit_lacks() -> str:
    """Why prompt_toolkit cannot be measured; empty if it can."""
    found = importlib.util.find_spec("prompt_toolkit")
    return "" if found else "not installed: pip install prompt_toolkit, or ./setup.sh bench"


def programs() -> tuple[Program, ...]:
    """All that are compared, ours first."""
    return (
        Program("ours", "chatroom", "", _ours("around")),
        Program("ours, inline", "chatroom", "", _ours("inline")),
        Program("prompt_toolkit", "plain", toolkit_lacks(), _toolkit),
        Program("WeeChat", "irc", _installed("weechat", "weechat-curses"), _weechat),
        Program("irssi", "irc", _installed("irssi", "irssi"), _irssi, b"\x1b2"),
    )


class Player:
    """The process that plays lines to one program, see player.py."""

    def __init__(self, protocol: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.terminal.player", protocol],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self.port = int(self._out.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._in.close()
        self._out.close()

    def has_come(self) -> bool:
        """Whether the program has come in, or what was to be said is said."""
        if not select.select([self._out], [], [], 0)[0]:
            return False
        return self._out.readline() != ""

    def say(self, kind: str, count: int, rate: float) -> None:
        """Begin to say lines."""
        self._in.write(f"{kind} {count} {rate}\n")


class Session:
    """A program in a pseudo-terminal whose output is read at once.

    size: bytes that it has written; startup: seconds until it could be used
    """

    def __init__(self, program: Program, player: Player, folder: Path) -> None:
        begin = time.monotonic()
        self._player = player
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (LINES, COLUMNS))
        self.size = 0
        self._text = b""  # what was written lately, without escape sequences
        environment = os.environ | {
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "NO_COLOR": "",
            "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody here answers where the cursor is
        }
        self._process = subprocess.Popen(
            program.command(player.port, folder),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self._until(player.has_come, "it does not come in")
        self.startup = time.monotonic() - begin
        self._settle()
        os.write(self._master, program.keys)
        self._settle()
        os.write(self._master, TYPED.encode())
        self._settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def cpu(self) -> float:
        """Processor seconds used so far."""
        return processor_seconds(self._process.pid)

    def resident(self) -> float:
        """Memory in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    def hear(self, kind: str, count: int, rate: float) -> None:
        """Take lines until all are said and shown."""
        self._player.say(kind, count, rate)
        self._until(self._player.has_come, "not all was said")
        self._settle()

    def hear_and_type(self, kind: str, count: int, rate: float, pause: float) -> tuple[float, list[float]]:
        """The same, with keys meanwhile: the bytes a second, and the seconds until each key was echoed.

        pause: seconds between two keys
        """
        self._player.say(kind, count, rate)
        begin, size, echoes, n = time.monotonic(), self.size, list[float](), 0
        while not self._player.has_come():
            following = time.monotonic() + pause
            echoes.append(self._press(_KEYS[n % len(_KEYS)]))
            n += 1
            while (left := following - time.monotonic()) > 0:
                self._read(left)
        rate_of_output = (self.size - size) / (time.monotonic() - begin)
        self._settle()
        return rate_of_output, echoes

    def _press(self, key: str) -> float:
        self._text = b""
        begin = time.monotonic()
        os.write(self._master, key.encode())
        self._until(lambda: key.encode() in self._text, f"{key} is not echoed")
        seconds = time.monotonic() - begin
        os.write(self._master, b"\x7f")
        return seconds

    def _until(self, fact: Callable[[], bool], complaint: str) -> None:
        end = time.monotonic() + PROGRAM_PATIENCE
        while not fact():
            assert time.monotonic() < end, f"{complaint}: {self._text[-300:]!r}"
            self._read(0.01)

    def _settle(self) -> None:
        end = time.monotonic() + PROGRAM_PATIENCE
        while self._read(_QUIET) and time.monotonic() < end:
            pass

    def _read(self, seconds: float) -> bool:
        """Read what comes within some time; whether anything came."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        data = os.read(self._master, 1 << 16)
        self.size += len(data)
        self._text = _SEQUENCE.sub(b"", self._text[-200:] + data)
        return True

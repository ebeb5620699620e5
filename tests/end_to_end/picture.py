"""Draws the README's picture: a real session, in a real pseudo-terminal, as SVG.

python -m tests.end_to_end.picture    writes notes/session.svg
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from client import Client
from tests.views.screen import Screen

ROOT = Path(__file__).resolve().parents[2]
COLUMNS, LINES = 84, 11
SECONDS = 10.0

_CELL, _ROW, _EDGE = 8.4, 18, 14  # pixels: a column, a row, the frame around them
_COLOURS = {
    "default": "#d8dee9", "black": "#4c566a", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#eceff4",
}  # fmt: skip


class Terminal:
    """The client in a pseudo-terminal, and its screen."""

    def __init__(self, address: str, name: str) -> None:
        self.screen = Screen(COLUMNS, LINES)
        self._text = codecs.getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "TZ": "UTC", "LANG": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        command = [sys.executable, "-m", "client", address, "--name", name, "--ground", "dark"]
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def until(self, text: str) -> None:
        """Take what the client writes until `text` is on the screen."""
        end = time.monotonic() + SECONDS
        while text not in "\n".join(self.screen.rows()):
            ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"{text!r} did not come:\n" + "\n".join(self.screen.rows()))
            self.screen.feed(self._text.decode(os.read(self._master, 65536)))

    def close(self) -> None:
        """Leave the chat."""
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._master)


@contextmanager
def server() -> Iterator[str]:
    """`python -m server` on a free port; its address."""
    command = [sys.executable, "-m", "server", "--port", "0", "--data", ":memory:"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.terminate()
        process.wait(SECONDS)
        process.stdout.close()


def session() -> Screen:
    """Ann, Bob and Eve talk; Ann has half a line typed while the others go on."""
    with server() as address:
        port = int(address.rpartition(":")[2])
        with Client(port=port, name="bob") as bob, Client(port=port, name="李雷") as eve:
            ann = Terminal(address, "ann")
            try:
                ann.until("ann>")
                bob.say("morning! does anybody have the figures of last night's run?").wait(SECONDS)
                ann.until("figures")
                ann.type("yes, I put them into the notes\r")
                ann.until("into the notes")
                eve.say("你们好! The tunnel cut me off twice, and I missed nothing 🚆").wait(SECONDS)
                ann.until("missed nothing")
                ann.type("/who\r")
                ann.until("3 in #general")
                ann.type("and while I type this, the oth")
                ann.until("the oth")
                bob.say("thanks! Is it lunch at noon?").wait(SECONDS)
                eve.say("at the usual place").wait(SECONDS)
                ann.until("usual place")
            finally:
                ann.close()
    return ann.screen


def svg(screen: Screen) -> str:
    """The screen as a picture; runs of one colour are one text, pinned to their column."""
    rows = range(LINES)
    width, height = COLUMNS * _CELL + 2 * _EDGE, LINES * _ROW + 2 * _EDGE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        'font-family="Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">',
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#1e1e1e"/>',
    ]
    for row in rows:
        line = screen.buffer[row]
        column = 0
        while column < COLUMNS:
            start, cell = column, line[column]
            text = ""
            while column < COLUMNS and (line[column].fg, line[column].bold) == (cell.fg, cell.bold):
                text += line[column].data
                column += 1
            shown = text.rstrip()
            if shown:
                colour = _COLOURS.get(cell.fg.removeprefix("bright"), f"#{cell.fg}")
                bold = ' font-weight="bold"' if cell.bold else ""
                x, y, long = (
                    _EDGE + start * _CELL,
                    _EDGE + row * _ROW + 13,
                    (column - start - len(text) + len(shown)) * _CELL,
                )
                out.append(
                    f'<text x="{x:.1f}" y="{y}" fill="{colour}"{bold} xml:space="preserve" '
                    f'textLength="{long:.1f}">{escape(shown)}</text>'
                )
    x, y = _EDGE + screen.cursor.x * _CELL, _EDGE + screen.cursor.y * _ROW
    out.append(
        f'<rect x="{x:.1f}" y="{y}" width="{_CELL}" height="{_ROW - 2}" fill="#d8dee9" opacity="0.7"/>'
    )
    return "\n".join([*out, "</svg>", ""])


def main() -> None:
    """Write the picture."""
    screen = session()
    print("\n".join(screen.rows()))
    (ROOT / "notes" / "session.svg").write_text(svg(screen))


if __name__ == "__main__":
    main()

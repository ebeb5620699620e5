"""A real terminal for tests: tmux, with a server, a socket and a configuration of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

import pytest

from tests.support.patience import PROGRAM_PATIENCE

_FACTS: Final = (
    *("pane_title", "window_name", "alternate_on", "mouse_any_flag", "cursor_flag", "insert_flag"),
    *("scroll_region_upper", "scroll_region_lower", "origin_flag", "wrap_flag", "keypad_flag"),
    *("keypad_cursor_flag", "pane_path", "pane_tabs"),
)
_ANSWERED: Final = "\x1b[0n"
"""What a terminal says when it has understood all that was written before."""

_KEPT_ROWS: Final = 5000


class Shown(NamedTuple):
    """What is left of a text that was printed: facts that no text of others may change, and the cursor."""

    facts: tuple[str, ...]
    column: int
    row: int


def tmux_or_skip() -> None:
    """Skip the test where tmux is not installed."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")


class Tmux:
    """One session with one window."""

    def __init__(self, folder: Path, columns: int, lines: int, command: Sequence[str] = ("cat",)) -> None:
        """command: what runs in the window; folder: for what the session needs"""
        self._folder = folder
        self._columns, self._lines = columns, lines
        self._socket = folder / "tmux"
        configuration = folder / "tmux.conf"
        configuration.write_text(
            f"set -g status off\nset -g history-limit {_KEPT_ROWS}\n"
            "set -s set-clipboard on\nset -s escape-time 0\n"
            "set -g allow-rename on\nset -g remain-on-exit on\nset -g default-terminal screen-256color\n"
        )
        self._printed = 0
        self._call = ["tmux", "-S", str(self._socket), "-f", str(configuration)]
        size = ("-x", str(columns), "-y", str(lines))
        self.run("new-session", "-d", *size, shlex.join(command))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*self._call, "kill-server"], check=False, capture_output=True)

    def run(self, *command: str) -> str:
        """A command of tmux; what it prints."""
        environment = {**os.environ, "LANG": "C.UTF-8", "TERM": "xterm-256color", "NO_COLOR": ""}
        environment.pop("TMUX", None)
        done = subprocess.run(
            [*self._call, *command],
            check=True,
            capture_output=True,
            env=environment,
            timeout=PROGRAM_PATIENCE,
        )
        return done.stdout.decode()

    def type(self, text: str) -> None:
        """Press keys."""
        self.run("send-keys", "-l", "--", text)

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size."""
        self.run("resize-window", "-x", str(columns), "-y", str(lines))

    def rows(self, scrollback: bool = False) -> list[str]:
        """The rows of the screen, if wanted behind those of the scrollback; no empty ones at the end."""
        begin = ("-S", "-") if scrollback else ()
        return self.run("capture-pane", "-p", *begin).rstrip("\n").split("\n")

    def see(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        """Wait until a function says yes to the rows of the screen."""
        end = time.monotonic() + PROGRAM_PATIENCE
        while not wanted(rows := self.rows()):
            assert time.monotonic() < end, f"it was not seen: {rows}"
        return rows

    def print(self, text: str) -> Shown:
        """What a fresh terminal is like after this was written to it."""
        self._printed += 1
        output, answers = self._folder / f"output{self._printed}", self._folder / f"answers{self._printed}"
        # Behind the text: the end of any unfinished sequence, and the question whether it is understood.
        output.write_bytes(text.encode() + b"\x18\x1b\\\x1b[5n")
        self.run("select-pane", "-T", "title")
        self.run("rename-window", "name")
        script = f"stty raw -echo; exec 2>/dev/null; cat {output}; exec cat >{answers}"
        self.run("respawn-pane", "-k", shlex.join(["sh", "-c", script]))
        end = time.monotonic() + PROGRAM_PATIENCE
        while not (answers.exists() and _ANSWERED in answers.read_text()):
            assert time.monotonic() < end, "tmux does not answer"
        wanted = "\n".join(f"#{{{name}}}" for name in (*_FACTS, "cursor_x", "cursor_y"))
        *facts, column, row = self.run("display-message", "-p", wanted).removesuffix("\n").split("\n")
        copied = self.run("list-buffers")
        for name in [line.partition(":")[0] for line in copied.splitlines()]:
            self.run("delete-buffer", "-b", name)
        return Shown((*facts, answers.read_text(), copied), int(column), int(row))

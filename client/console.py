"""The terminal of plain mode on systems without termios, as Windows: it is read line by line, in a thread.

Nothing else can wait for a console there. The thread reads a line when the one before is dealt with: so it
knows whether the next one is a password, which the system then reads without echo.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from chatroom.errors import ConfigError
from client.plain import ask_secretly


class Console:
    """A context manager, for the main thread.

    asks: whether what is typed next must not be shown
    gone: nothing can be read or written any more
    """

    def __init__(self, asks: Callable[[], bool]) -> None:
        self._asks = asks
        self.gone = False
        # Guards _typed, _wanted, _reading, _ended and _woken; notified when one of them changes.
        self._changed = threading.Condition()
        self._typed = b""
        self._wanted: str | None = None  # "line" or "secret": the thread may read one
        self._reading = False  # a line was wanted, and has not come
        self._ended = False
        self._woken = False

    def __enter__(self) -> Self:
        # A daemon: nothing can end a read of the console when the user leaves.
        threading.Thread(target=self._read_lines, name="client-console", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        return shutil.get_terminal_size()

    def read(self) -> bytes:
        """The line that was typed; none at the end of the input: then the terminal is gone."""
        with self._changed:
            typed, self._typed = self._typed, b""
            self.gone = self.gone or (not typed and self._ended)
        return typed

    def write(self, text: str) -> None:
        """Write all of it."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (OSError, ValueError):
            self.gone = True

    def wait(self, timeout: float | None, *, for_room: bool) -> tuple[bool, bool, bool]:
        """Wait for a line or a wake-up; whether each has come, and room to write."""
        with self._changed:
            if not self._reading and not self._typed and not self._ended:
                self._wanted, self._reading = ("secret" if self._asks() else "line"), True
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._typed or self._ended or self._woken, timeout)
            woken, self._woken = self._woken, False
            return bool(self._typed) or self._ended, woken, True

    def has_room(self) -> bool:
        """Whether a write would not wait: nobody can tell."""
        return True

    def wake(self) -> None:
        """End `wait`, from any thread."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def signals(self) -> set[int]:
        """None: Ctrl-C raises KeyboardInterrupt."""
        return set()

    def take(self) -> None:
        """The console has no modes."""

    def suspend(self) -> None:
        """There is no shell to go to."""

    # --- the thread --------------------------------------------------------------------------------------

    def _read_lines(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._ended)
                wanted, self._wanted = self._wanted, None
                if self._ended:
                    return
            line = self._read_line(secret=wanted == "secret")
            with self._changed:
                self._typed += line.encode("utf-8", "replace")
                self._reading = False
                self._ended = self._ended or not line
                self._changed.notify_all()

    def _read_line(self, *, secret: bool) -> str:
        """A line with its end; "" at the end of the input."""
        with suppress(OSError, ValueError, EOFError):
            return self._read_secret() if secret else sys.stdin.readline()
        return ""

    def _read_secret(self) -> str:
        """Ctrl-C, as in the answer to a question, where the system would show what is typed."""
        try:
            return ask_secretly("") + "\n"
        except (ConfigError, KeyboardInterrupt):
            return "\x03"

"""The terminal of an interactive client: raw bytes in, text out; its modes are restored at the end.

POSIX only (termios). Elsewhere, and where input or output is not a terminal, client/interactive.py reads and
prints plain lines instead.
"""

from __future__ import annotations

import atexit
import os
import signal
import termios
from collections.abc import Callable
from threading import Lock
from types import FrameType, TracebackType
from typing import Any, Self

from chatroom.errors import ConfigError
from client.signals import terminate
from client.waiting import wait_for
from views.window_title import RESTORE_TITLE, SAVE_TITLE, titled

_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
_AS_USUAL = "\x1b[0m\x1b[?7h"  # resets colour and line wrap after a frame that was cut short
_READ = 4096
_FATAL = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_TOLD = (signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP)


class PosixTerminal:
    """The terminal in raw mode, for the main thread; a context manager.

    However the block ends (return, exception, SIGTERM, SIGHUP, exit), it restores the terminal's modes. It
    never makes the terminal non-blocking: that would also change it for the shell, which has it open, too.
    Another program may have done so, before or meanwhile; that changes nothing here.

    gone: the terminal was closed. Nothing is written any more.
    begins, ends: what is written when it is taken, and when it is given back
    """

    begins: str = _PASTE_ON
    ends: str = _AS_USUAL + _PASTE_OFF

    def __init__(self, source: int = 0, sink: int = 1, *, has_title: bool = False) -> None:
        """has_title: the title of its window may be set, too; it is given back with the modes"""
        self.source = source
        self._has_title = has_title
        self._title = ""  # that was set; empty: none yet
        self._title_saved = False  # on the terminal's stack
        self._sink = sink
        self.gone = False
        self._saved: list[Any] | None = None
        self._handlers: dict[signal.Signals, Any] = {}
        self._old_wakeup = -1
        # Guards _wake_in: wake() must not write to a descriptor number that the kernel has reused.
        self._lock = Lock()
        self.woken_by, self._wake_in = -1, -1

    def __enter__(self) -> Self:
        self._saved = self.look()
        self.woken_by, self._wake_in = os.pipe()
        os.set_blocking(self.woken_by, False)
        os.set_blocking(self._wake_in, False)
        atexit.register(self._restore_modes)
        self._old_wakeup = signal.set_wakeup_fd(self._wake_in, warn_on_full_buffer=False)
        for number in _FATAL:
            self._handle(number, terminate)
        for number in _TOLD:
            self._handle(number, _told)
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in _FATAL:  # no signal may interrupt the clean-up
            signal.signal(number, signal.SIG_IGN)
        self._restore_modes()
        atexit.unregister(self._restore_modes)
        signal.set_wakeup_fd(self._old_wakeup)
        with self._lock:
            os.close(self.woken_by)
            os.close(self._wake_in)
            self._wake_in = -1
        for known, handler in self._handlers.items():
            signal.signal(known, handler)

    # --- reading and writing -----------------------------------------------------------------------------

    def size(self) -> tuple[int, int]:
        """Columns and lines; 80 × 24 where the terminal does not say."""
        try:
            columns, lines = os.get_terminal_size(self._sink)
        except OSError:
            columns = lines = 0
        return columns or 80, lines or 24

    def read(self) -> bytes:
        """The bytes that were typed; none when another program has taken them, or the terminal is `gone`."""
        try:
            data = os.read(self.source, _READ)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        self.gone = self.gone or not data
        return data

    def write(self, text: str) -> None:
        """Write all of it; waits while the terminal is full."""
        data = self.encode(text)
        while data and not self.gone:
            try:
                data = data[os.write(self._sink, data) :]
            except BlockingIOError:  # full, and non-blocking
                wait_for([], [self._sink])
            except OSError:
                self.gone = True

    def title(self, text: str) -> None:
        """Set the title of the window to this text, unless it may not be, or there is no room now."""
        if self._has_title and text != self._title and self.has_room():
            self._title = text
            self.write(titled(text))

    def wait(self, timeout: float | None, *, for_room: bool) -> tuple[bool, bool, bool]:
        """Wait for keys, a wake-up or, if wanted, room to write; whether each of them has come."""
        sinks = [self._sink] if for_room else []
        readable, writable = wait_for([self.source, self.woken_by], sinks, timeout)
        return self.source in readable, self.woken_by in readable, bool(writable)

    def has_room(self) -> bool:
        """Whether a write would not wait, at least for its first bytes."""
        return bool(wait_for([], [self._sink], 0)[1])

    # --- waking up ---------------------------------------------------------------------------------------

    def wake(self) -> None:
        """End `wait`, from any thread."""
        with self._lock:
            if self._wake_in >= 0:
                try:
                    os.write(self._wake_in, b"\0")
                except BlockingIOError:
                    pass  # the pipe is full of wake-ups: wait() will end

    def signals(self) -> set[int]:
        """The signals that came since the last call. Also empties the wake-up pipe."""
        numbers: set[int] = set()
        while True:
            try:
                data = os.read(self.woken_by, _READ)
            except BlockingIOError:
                return numbers - {0}
            numbers.update(data)

    # --- modes -------------------------------------------------------------------------------------------

    def look(self) -> list[Any] | None:
        """The modes that the terminal has. Raises ConfigError."""
        try:
            return termios.tcgetattr(self.source)
        except termios.error as cause:
            raise ConfigError(f"the terminal cannot be used: {cause.args[-1]}") from None

    def modes(self, saved: list[Any]) -> list[Any]:
        """Those for this program. saved: what the terminal has had"""
        return _raw(saved)

    def encode(self, text: str) -> bytes:
        """The bytes of the output."""
        return text.encode("utf-8", "replace")

    def take(self) -> None:
        """Raw mode, pastes marked as such, and the title that was set."""
        if self._saved is None:
            return
        try:
            termios.tcsetattr(self.source, termios.TCSANOW, self.modes(self._saved))
        except termios.error:
            self.gone = True
        self.write(self.begins + self._begin_title())

    def suspend(self) -> None:
        """Give the terminal to the shell until the user comes back (`fg`).

        Stops the whole process group, as Ctrl-Z of a cooked terminal does. Without a shell (an orphaned
        process group) the system ignores the signal, and the client goes on at once.
        """
        self._restore_modes()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, _told)
        self.take()

    def _restore_modes(self) -> None:
        if self._saved is None:
            return
        self.write(self.ends + self._end_title())
        try:
            termios.tcsetattr(self.source, termios.TCSANOW, self._saved)
        except termios.error:
            pass

    def _begin_title(self) -> str:
        """Another program may have stopped this one: then the title of before is still on the stack."""
        if not self._has_title:
            return ""
        saved, self._title_saved = self._title_saved, True
        return ("" if saved else SAVE_TITLE) + (titled(self._title) if self._title else "")

    def _end_title(self) -> str:
        saved, self._title_saved = self._title_saved, False
        return RESTORE_TITLE if saved else ""

    def _handle(self, number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
        self._handlers[number] = signal.signal(number, handler)


def _told(_number: int, _frame: FrameType | None) -> None:
    """The signal's number is in the wake-up pipe."""


def _raw(saved: list[Any]) -> list[Any]:
    """Keys one by one, unchanged, without echo and without signals (see termios(3), cfmakeraw)."""
    raw = list(saved)
    raw[0] &= ~(
        termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP | termios.IXON
    )
    raw[1] &= ~termios.OPOST
    raw[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN | termios.ISIG)
    raw[6] = list(saved[6])
    raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
    return raw

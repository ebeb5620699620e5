"""The log: written by a thread of its own, so that no other thread waits for a terminal or a pipe."""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final, TextIO

from chatroom.deadline import Deadline
from chatroom.errors import ConfigError
from chatroom.network import network_of
from server.limits import LOG_BYTES, LOG_CLOSE_SECONDS, LOG_KINDS, LOG_LINES, LOG_SAME, LOG_SECONDS
from server.log_lines import JsonLines, Lines, TextLines

_LOOK_SECONDS = 0.1  # how often the thread looks whether it is to end, while nobody takes its lines
_Key = tuple[str, str, str]
"""A kind of warnings about one address: who logs it, the text without its arguments, the network."""

_OTHERS: Final[_Key] = ("", "", "")


@dataclass(slots=True)
class _Kind:
    """Warnings of one kind about one address. latest: the last of them; a record would keep frames alive"""

    until: float
    count: int
    latest: str


class LogWriter(logging.Handler):
    """Keeps lines in a bounded queue, and writes them in a thread.

    Warnings of one kind about one address are counted: LOG_SAME of them are written in LOG_SECONDS, then the
    number of the others. The kind is the text without its arguments, the address is the first argument.

    descriptor: where the lines go; it may block, or be closed at the other end
    lines:      makes them
    """

    def __init__(
        self, descriptor: int, clock: Callable[[], float] = monotonic, lines: Lines | None = None
    ) -> None:
        super().__init__()
        self._form: Lines = lines or TextLines()
        self._descriptor = descriptor
        self._clock = clock
        # The handler's own lock guards every field below; logging holds it when it calls emit().
        self._changed = threading.Condition(self.lock)
        self._lines: deque[bytes] = deque()
        self._dropped = 0  # lines for which the queue had no room
        self._kinds: dict[_Key, _Kind] = {}  # the oldest first
        self._end: Deadline | None = None  # set by close()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        """Start the thread. Raises RuntimeError: the system has no thread left."""
        self._thread.start()

    # --- any thread -----------------------------------------------------------------------------------------

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line. Never waits. Requires holding the lock."""
        try:
            line, key = self._form.format(record), _kind_of(record)
        except Exception as error:  # noqa: BLE001  a mistake in a log call; logging's way would block
            line, key = self._form.broken(record, error), _OTHERS
        if record.levelno < logging.WARNING or self._is_new(key, line[:LOG_BYTES]):
            self._put(line)

    def _is_new(self, key: _Key, line: str) -> bool:
        """Count a warning; whether it is one of the first of its kind."""
        self._write_numbers()
        if key not in self._kinds and len(self._kinds) >= LOG_KINDS:
            key = _OTHERS
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _Kind(self._clock() + LOG_SECONDS, 0, line)
            self._changed.notify()  # the thread knows when to write the number
        kind.count += 1
        kind.latest = line
        return kind.count <= LOG_SAME

    def _put(self, line: str) -> None:
        if len(self._lines) >= LOG_LINES:
            self._dropped += 1
            return
        self._lines.append(line.encode(errors="backslashreplace")[: LOG_BYTES - 1] + b"\n")
        self._changed.notify()

    # --- the thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (line := self._next()) is not None:
            while line and self._is_writable():
                try:
                    line = line[os.write(self._descriptor, line) :]
                except BlockingIOError:
                    continue
                except OSError:  # the terminal is gone, the disk is full
                    break

    def _next(self) -> bytes | None:
        """Wait for a line; None at the end."""
        with self._changed:
            while True:
                self._write_numbers()
                if self._lines:
                    return self._lines.popleft()
                if self._end is not None:
                    return None
                first = next(iter(self._kinds.values()), None)
                self._changed.wait(None if first is None else max(0.0, first.until - self._clock()))

    def _write_numbers(self) -> None:
        """Queue the numbers of what was not written. Requires holding the lock."""
        now = self._clock()
        while self._kinds:
            key, kind = next(iter(self._kinds.items()))
            if now < kind.until and self._end is None:
                break
            del self._kinds[key]
            if kind.count > LOG_SAME:
                self._put(self._form.more(kind.count - LOG_SAME, kind.latest))
        if self._dropped and len(self._lines) < LOG_LINES:
            dropped, self._dropped = self._dropped, 0
            self._put(self._form.dropped(dropped))

    def _is_writable(self) -> bool:
        """Wait until the descriptor takes LOG_BYTES; False when the time after close() is over."""
        if self._descriptor < 0:
            return False
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while not poll.poll(_LOOK_SECONDS * 1000):
            with self._changed:
                if self._end is not None and self._end.expired:
                    return False
        return True

    def close(self) -> None:
        """Write what waits, within LOG_CLOSE_SECONDS, and end the thread."""
        with self._changed:
            if self._end is None:
                self._end = Deadline(LOG_CLOSE_SECONDS)
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(LOG_CLOSE_SECONDS + 2 * _LOOK_SECONDS)
        super().close()


def _kind_of(record: logging.LogRecord) -> _Key:
    values = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
    about = str(next(iter(values), ""))[:LOG_BYTES]
    return record.name, str(record.msg)[:LOG_BYTES], network_of(about)


@contextmanager
def log_to(stream: TextIO | None, level: int, as_json: bool = False) -> Iterator[None]:
    """Let the log of the whole process go to `stream`, None: nowhere. Raises ConfigError.

    as_json: one JSON object for each line
    """
    writer = LogWriter(_descriptor_of(stream), lines=JsonLines() if as_json else TextLines())
    try:
        writer.start()
    except RuntimeError:
        raise ConfigError("the system has no thread left") from None
    root = logging.getLogger()
    root.addHandler(writer)
    root.setLevel(level)
    try:
        yield
    finally:
        root.removeHandler(writer)
        writer.close()


def say_on_stderr(text: str) -> None:
    """Print one line on stderr, unless nobody takes it: the end must not wait for a stopped terminal."""
    descriptor = _descriptor_of(sys.stderr)
    if descriptor >= 0:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if not poll.poll(LOG_CLOSE_SECONDS * 1000):
            return
    if sys.stderr is not None:
        print(text, file=sys.stderr)


def _descriptor_of(stream: TextIO | None) -> int:
    """-1 for a stream that has none."""
    try:
        return -1 if stream is None else stream.fileno()
    except (OSError, ValueError):
        return -1

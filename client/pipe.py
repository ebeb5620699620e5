"""Between pipes: say every input line, print every event as a line, and end with an exit code.

    stdin ──► input thread: say() ──► server ──► inbox ──► main thread: print ──► stdout

Without --follow the program ends when all lines are stored. It prints the events that happen while it is
connected, its own lines included; older lines only with --history.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Final

from chatroom.errors import ChatroomError, Closed
from chatroom.events import Event
from chatroom.limits import CLOSE_SECONDS, MAX_TEXT
from chatroom.outcomes import Code
from chatroom.packets import Answer, Info
from chatroom.printable import json_line
from client.asked import Asked
from client.client import Client
from client.lines import READ_BYTES, LineSplitter, Said, TooLong
from client.signals import ended_by
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    Retrying,
    Unanswered,
    Update,
)
from client.waiting import wait_for
from views import one_line, plain_line

PROGRAM: Final = "chatroom-client"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_CHUNK: Final = getattr(select, "PIPE_BUF", 512)
"""A pipe that poll() calls writable takes this many bytes without blocking (POSIX, write())."""


def complain(text: str) -> None:
    """One line for a person, on stderr."""
    try:
        sys.stderr.write(f"{PROGRAM}: {one_line(text)}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # stderr is closed, or there is none


class Pipe:
    """The run of a client that was connected or started, between two pipes.

    follow:      stay after the end of input
    as_json:     print events as JSON objects instead of text
    retries:     whether the client will try again when the connection is lost
    source, out: descriptors, None where there is none
    """

    def __init__(
        self,
        client: Client,
        *,
        follow: bool,
        as_json: bool,
        retries: bool,
        source: int | None,
        out: int | None,
    ) -> None:
        self._client = client
        self._asked = Asked(client)
        self._follow = follow
        self._print = as_json_line if as_json else partial(plain_line, under=len(client.asked) > 1)
        self._retries = retries
        self._source = source
        self._out = out
        self._wake, self.wake_ups = socket.socketpair()
        self._wake.setblocking(False)
        self._stop, self._stopped = socket.socketpair()
        self._input_ended = threading.Event()
        self._failed = threading.Event()  # a line was not said or printed: the exit code is 1
        # Confined to the main thread, in which the signal handler runs, too:
        self._signal = 0
        self._live = False
        self._lost = False
        self._ended: Ended | None = None

    def run(self) -> int:
        """Run to the end; the exit code. Closes the client."""
        self._client.on_update = self._wake_up
        reader = threading.Thread(target=self._read, name="client-input", daemon=os.name == "nt")
        try:
            with self._handled_signals():
                try:
                    reader.start()
                except RuntimeError as none_left:
                    raise ChatroomError(f"the input cannot be read: {none_left}") from None
                self._follow_client()
                return self._leave()
        finally:
            self._stop.close()  # wakes the input thread …
            self._client.close()  # … also when it waits in say()
            if reader.is_alive() and not reader.daemon:
                reader.join()
            for end in (self._wake, self.wake_ups, self._stopped):
                end.close()

    # --- the main thread -------------------------------------------------------------------------------

    def _follow_client(self) -> None:
        """Print updates until the client, the input or a signal ends it."""
        while not self._signal and self._ended is None:
            # Look before polling: the inbox has the event of each stored line.
            stored = self._input_ended.is_set() and not self._client.pending()
            updates = self._client.poll()
            self._show(updates)
            if stored and self._live and not self._follow:
                return
            if self._follow and self._out is None:
                return
            # Printing may have read the wake-ups: wait only when there was nothing to print.
            if not updates and not self._signal:
                wait_for([self.wake_ups.fileno()])
                self.wake_ups.recv(4096)

    def _show(self, updates: list[Update]) -> None:
        events: list[str] = []
        self._asked.look()
        for update in updates:
            if not self._asked.shows(update):
                continue
            if type(update) is Event:
                events.append(self._print(update) + "\n")
            else:
                self._note(update)
        if events:
            self._write("".join(events).encode("utf-8", "replace"))

    def _note(self, update: Update) -> None:
        """Updates that are not events go to stderr, for a person, or nowhere."""
        match update:
            case CaughtUp():
                self._live = True
            case Disconnected(reason):
                self._live, self._lost = False, True
                if self._retries:
                    complain(f"{reason}; trying to reconnect")
            case Retrying(_, reason) if not self._lost:  # at the start: the server is not there yet
                self._lost = True
                complain(f"{reason}; trying again")
            case Connected() if self._lost:
                self._lost = False
                complain("connected again" if update.resumed else "connected")
            case Interrupted(_, words) | Info(words):
                complain(words)
            case Answer(_, code, words) if code not in (Code.OK, Code.ALREADY):
                complain(words)
                self._failed.set()  # a line was refused: a pipe sends nothing else
            case Unanswered(_, text, words):
                complain(f"{words}: {text}")
                self._failed.set()
            case Ended():
                self._ended = update

    def _leave(self) -> int:
        """The exit code. Prints the reason of a failure."""
        if self._signal:
            if self._client.connected:
                self._client.flush(CLOSE_SECONDS)
            waiting = self._client.pending()
            if waiting or self._signal != signal.SIGINT:  # who pressed Ctrl-C knows
                self._complain_of(ended_by(self._signal))
            return 128 + self._signal if waiting else 0
        if self._ended is not None and self._ended.error is not None:
            self._complain_of(self._ended.reason)
            return 1
        if self._out is None and self._client.connected:
            self._client.flush(CLOSE_SECONDS)
        return 1 if self._failed.is_set() else 0

    def _complain_of(self, reason: str) -> None:
        """Print why the program ends, and how many lines are not stored."""
        waiting = len(self._client.pending())
        lines = "1 line is" if waiting == 1 else f"{waiting} lines are"
        complain(reason + (f"; {lines} not stored" if waiting else ""))

    def _write(self, data: bytes) -> None:
        """Print, in chunks that do not block: a reader that has stopped must not delay a signal."""
        left = memoryview(data)
        while left and self._out is not None and not self._signal:
            try:
                if os.name == "nt":  # only sockets can be waited for
                    left = left[os.write(self._out, left) :]
                    continue
                woken, ready = wait_for([self.wake_ups.fileno()], [self._out])
                if ready:
                    left = left[os.write(self._out, left[:_CHUNK]) :]
                elif woken:
                    self.wake_ups.recv(4096)  # else wait_for() would return at once for ever
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self._out = None  # the reader has left, as in `| head -1`: no error
            except OSError as cause:
                self._out = None
                self._failed.set()
                complain(f"cannot print: {(cause.strerror or str(cause)).lower()}")

    # --- the input thread ------------------------------------------------------------------------------

    def _read(self) -> None:
        """Say every line of the input."""
        try:
            splitter = LineSplitter()
            while data := self._read_some():
                self._say(splitter.feed(data))
            self._say(splitter.finish())
        except Closed:
            pass  # the main thread knows why
        finally:
            self._input_ended.set()
            self._wake_up()

    def _read_some(self) -> bytes:
        if self._source is None:
            return b""
        try:
            if os.name != "nt":
                stopped = self._stopped.fileno()
                if stopped in wait_for([self._source, stopped])[0]:
                    raise Closed("stopped")
            return os.read(self._source, READ_BYTES)
        except OSError as cause:
            complain(f"cannot read the input: {(cause.strerror or str(cause)).lower()}")
            self._failed.set()
            return b""

    def _say(self, lines: list[Said | TooLong]) -> None:
        for line in lines:
            if isinstance(line, TooLong):
                complain(f"line {line.number} is longer than {MAX_TEXT} bytes and was not sent")
                self._failed.set()
                continue
            if line.repaired:
                complain(f"line {line.number} is not UTF-8: wrong bytes were replaced")
            self._client.say(line.text)

    # --- wake-ups and signals --------------------------------------------------------------------------

    def _wake_up(self) -> None:
        """Wake the main thread. Any thread."""
        try:
            self._wake.send(b"\0")
        except OSError:
            pass  # full: the main thread is awake; closed: it has ended

    @contextmanager
    def _handled_signals(self) -> Iterator[None]:
        """The first SIGINT or SIGTERM ends the program in order, a second one at once."""
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        wakeup = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)


def as_json_line(event: Event) -> str:
    """An event as a JSON object on one line."""
    return json_line(event.as_json())

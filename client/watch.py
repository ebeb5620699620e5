"""`--watch`: the server's threads, live. On the whole screen of a terminal, or as text between pipes.

The client asks `/inspect` once a second and compares each picture with the one before. It is a member like
any other: the events that it gets are dropped.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Event as Flag
from typing import Any, Final, Protocol

from chatroom.errors import Closed, Refused
from chatroom.outcomes import Code
from chatroom.packets import Answer
from chatroom.picture import lately, picture_of
from chatroom.printable import json_line
from client.interactive import can_paint
from client.limits import ASK_SECONDS, WATCH_COLUMNS, WATCH_LATE, WATCH_SECONDS
from client.pipe import complain
from client.requests import Answered, rows_of
from client.terminals import Terminal
from client.updates import Connected, Disconnected, Ended, Retrying, Unanswered, Update
from views.palette import Depth, Ground, Palette, palette_of
from views.watch import Watched, block, rows

COMMAND: Final = "/inspect"

_QUIT: Final = frozenset(b"qQ\x03\x04")
"""q, Ctrl-C and Ctrl-D."""

_SUSPEND: Final = 0x1A
_REPAINT: Final = 0x0C
_CLEAR: Final = "\x1b[2J"


class Watching(Protocol):
    """What is needed of a `Client`."""

    on_update: Callable[[], None] | None

    @property
    def name(self) -> str: ...
    def ask(self, command: str, timeout: float = ..., channel: str | None = ...) -> Answered: ...
    def command(self, text: str, channel: str | None = ...) -> int: ...
    def poll(self) -> list[Update]: ...


class Looks:
    """Asks for pictures, and keeps what is to be shown. For one thread.

    server: its address, for the reader
    clock:  seconds that only rise
    """

    def __init__(self, client: Watching, server: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._asked: int | None = None  # the look that is not answered yet
        self._when = -WATCH_SECONDS  # that it was asked
        self.watched = Watched(server)
        self._is_lost = False  # the connection
        self.row: object = None  # the latest picture as it came
        self.ended: Ended | None = None

    def first(self) -> None:
        """Look once, and wait for it. Raises Refused, ConnectionLost, Closed, and TimeoutError."""
        self._when = self._clock()
        answered = self._client.ask(COMMAND, ASK_SECONDS)
        if answered.code != Code.OK or not self._note(answered.rows):
            raise Refused(self._why(answered.code, answered.words), answered.code)

    def ask(self) -> float:
        """Look when it is time; seconds until something is to be done."""
        now = self._clock()
        if self._asked is None:
            if now < self._when + WATCH_SECONDS:
                return self._when + WATCH_SECONDS - now
            self._when = now
            with suppress(Closed):  # then the updates tell why
                self._asked = self._client.command(COMMAND)
        return WATCH_SECONDS

    def take(self, updates: Iterable[Update]) -> bool:
        """Whether a new picture has come. Raises Refused: no other one will come."""
        is_new = False
        for update in updates:
            match update:
                case Answer(id=id, code=code, words=words, rows=found) if id == self._asked:
                    self._asked = None
                    if code in (Code.NEED_ROLE, Code.NEED_LOGIN, Code.NO_SUCH_COMMAND):
                        raise Refused(self._why(code, words), code)
                    is_new = self._note(rows_of(found)) or is_new
                case Unanswered(id=id) if id == self._asked:
                    self._asked = None
                case Disconnected(reason) | Retrying(_, reason):
                    self._is_lost = True
                    self.watched = self.watched._replace(trouble=f"{reason}; trying to reconnect")
                case Connected():
                    self._is_lost = False
                case Ended():
                    self.ended = update
        return is_new

    def note_delay(self) -> None:
        """Say so when an answer is late, unless it is known why."""
        seconds = self._clock() - self._when
        if self._asked is not None and seconds >= WATCH_LATE and not self._is_lost:
            self.watched = self.watched._replace(trouble=f"no answer for {seconds:.0f} s")

    def _note(self, found: tuple[object, ...]) -> bool:
        picture = picture_of(found[0]) if found else None
        if picture is None:
            return False
        before = self.watched.picture
        since = lately(before, picture) if before is not None else None
        self.watched = Watched(self.watched.server, picture, since)
        self.row = found[0]
        return True

    def _why(self, code: int, words: str) -> str:
        if code == Code.NEED_ROLE:
            return f"only operators of the chatroom may watch it, and {self._client.name} is none"
        return f"this server cannot be watched: {words or 'its answer is no picture'}"


class Screen:
    """The loop at a terminal, for the main thread. terminal: taken"""

    def __init__(self, client: Watching, looks: Looks, terminal: Terminal, palette: Palette) -> None:
        self._client = client
        self._looks = looks
        self._terminal = terminal
        self._palette = palette
        self._painted: list[str] | None = None  # the rows on the screen; None: nobody knows

    def run(self) -> Ended | None:
        """Until the user leaves (None), or the client has ended. Raises Refused."""
        self._client.on_update = self._terminal.wake
        try:
            while not self._terminal.gone:
                before, seconds = self._looks.watched, self._looks.ask()
                self._looks.take(self._client.poll())
                self._looks.note_delay()
                if self._looks.ended is not None:
                    return self._looks.ended
                if self._looks.watched is not before or self._painted is None:
                    self._paint()
                keys, woken, _ = self._terminal.wait(seconds, for_room=False)
                if woken:
                    self._obey(self._terminal.signals())
                if keys and self._leaves(self._terminal.read()):
                    break
            return None
        finally:
            self._client.on_update = None

    def _obey(self, signals: set[int]) -> None:
        if signal.SIGTSTP in signals:
            self._suspend()
        if signal.SIGCONT in signals:  # another program stopped us, and did not restore the terminal
            self._terminal.take()
        if {signal.SIGWINCH, signal.SIGCONT} & signals:
            self._painted = None

    def _leaves(self, keys: bytes) -> bool:
        for key in keys:
            if key in _QUIT:
                return True
            if key == _SUSPEND:
                self._suspend()
            elif key == _REPAINT:
                self._painted = None
        return False

    def _suspend(self) -> None:
        self._terminal.suspend()
        self._terminal.signals()  # drop SIGCONT: the terminal is taken already
        self._painted = None

    def _paint(self) -> None:
        """One write with the rows that have changed. What the terminal cannot take now is painted later."""
        if not self._terminal.has_room():
            return
        columns, lines = self._terminal.size()
        new = [str(row) for row in rows(self._looks.watched, columns, lines, self._palette)]
        out, old = ("", self._painted) if self._painted is not None else (_CLEAR, [])
        for number in range(max(len(old), len(new))):
            row = new[number] if number < len(new) else ""
            if number >= len(old) or old[number] != row:
                out += f"\x1b[{number + 1};1H{row}\x1b[K"
        self._painted = new
        if out:
            self._terminal.write(out)


def print_blocks(client: Watching, looks: Looks, out: int, as_json: bool) -> Ended | None:
    """Print each picture as lines, with an empty one behind it, until nobody reads them (None) or the client
    has ended. Raises Refused, and OSError: they cannot be printed.

    out:     descriptor
    as_json: one JSON object for each picture instead
    """
    updated = Flag()
    client.on_update = updated.set
    try:
        _print(looks, out, as_json)
        while looks.ended is None:
            updated.wait(looks.ask())
            updated.clear()
            if looks.take(client.poll()):
                _print(looks, out, as_json)
    except BrokenPipeError:
        return None  # as in `| head -1`: no error
    finally:
        client.on_update = None
    return looks.ended


def _print(looks: Looks, out: int, as_json: bool) -> None:
    row: Any = looks.row
    lines = [json_line(row), ""] if as_json else [*block(looks.watched, _columns(out)), "", ""]
    data = "\n".join(lines).encode("utf-8", "replace")
    while data:
        data = data[os.write(out, data) :]


def _columns(out: int) -> int:
    """Those of the terminal, if it is one."""
    try:
        return os.get_terminal_size(out).columns or WATCH_COLUMNS
    except OSError:
        return WATCH_COLUMNS


def watch(
    client: Watching, server: str, colours: tuple[Ground, Depth] | None, out: int, as_json: bool
) -> int:
    """Watch until the user leaves; the exit code. The caller closes the client.

    client:  connected
    server:  its address, for the reader
    colours: of the terminal; None: only text is to be printed
    out:     descriptor of the output
    as_json: print one JSON object for each picture
    Raises Refused: the user may not watch, or the server cannot be watched.
    """
    looks = Looks(client, server)
    looks.first()
    if colours is None or not can_paint():
        return _conclude(print_blocks(client, looks, out, as_json))
    from client.whole_screen import WholeScreen

    with WholeScreen() as terminal:
        ended = Screen(client, looks, terminal, palette_of(*colours)).run()
    return _conclude(ended)


def _conclude(ended: Ended | None) -> int:
    """Print why the client ended, if it failed; the exit code."""
    if ended is not None and ended.error is not None:
        complain(ended.reason)
        return 1
    return 0

"""A client that relies on the server's promises where the real client is careful.

It resends at once, and more than it needs to: everything that is unconfirmed, and lines that were confirmed
long ago. And it ignores seqs: an event that the server sends twice, in the replay and live, is shown twice.
So a run tests the server's promises alone, without the care of the real client.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock, Thread
from typing import Final, NamedTuple

from chatroom.errors import ChatroomError, ConnectionLost, NameRefused
from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    Admit,
    Answer,
    Bye,
    Info,
    Packet,
    Ping,
    Pong,
    Say,
    Username,
)
from tests.chaos.wire import Wire, come_in

_AGAIN: Final = 3  # confirmed lines that are resent at every reconnect
_RETRY_SECONDS: Final = 0.2
_LEAVE_SECONDS: Final = 2.0
_UNCONFIRMED: Final = 500  # lines; beyond them say() waits


class Connected(NamedTuple):
    """As the real client's update of that name."""

    resumed: bool


class Ended(NamedTuple):
    """As the real client's update of that name."""

    reason: str
    error: ChatroomError


@dataclass
class Line:
    """A line that was said."""

    id: int
    text: str
    stored: bool = False
    refused: str = ""


class BluntClient:
    """The part of the real Client's interface that a talker needs."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        name: str,
        channel: str,
        dead_after: float,
        on_update: Callable[[], None],
        credentials: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        self._lobby = (host, port)
        self._credentials = credentials  # for the first connection: a later one has the session's token
        self._name, self._channel, self._dead_after = name, channel, dead_after
        self._on_update = on_update
        self.token = NO_TOKEN
        self._person = 0
        self._since = self._time = 0
        self._identity = NO_IDENTITY
        self._id = secrets.randbits(62)
        self._closing = Flag()
        self._room = Flag()
        # Guards _updates, _lines and _wire, and that lines go out in order of their ids.
        self._lock = Lock()
        self._updates: list[object] = []
        self._lines: deque[Line] = deque()  # unconfirmed ones, and a few confirmed before them
        self._wire: Wire | None = None
        self._thread = Thread(target=self._run, name=f"blunt {name}")

    def connect(self) -> BluntClient:
        """Join. Raises the handshake's errors."""
        self._enter()
        self._thread.start()
        return self

    def __enter__(self) -> BluntClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def say(self, text: str) -> Line:
        """Say a line; waits while many are unconfirmed."""
        while not self._closing.is_set():
            with self._lock:
                self._room.clear()
                if len(self._lines) < _UNCONFIRMED:
                    self._id += 1
                    line = Line(self._id, text)
                    self._lines.append(line)
                    self._send((Say(line.id, self._channel, text),))
                    return line
            self._room.wait(0.5)
        raise ConnectionLost("closed")

    def poll(self) -> Sequence[object]:
        """The updates since the last call."""
        with self._lock:
            updates, self._updates = self._updates, []
            return updates

    def close(self) -> None:
        """Leave, and end the thread."""
        self._closing.set()
        with self._lock:
            self._send((Bye(False, Code.GOODBYE, ""),))
        if self._thread.ident is not None:
            self._thread.join(_LEAVE_SECONDS)  # until the server hangs up
            with self._lock:
                if self._wire is not None:
                    self._wire.wake()
            self._thread.join()
        if self._wire is not None:
            self._wire.close()

    def _send(self, packets: Sequence[Packet]) -> None:
        """Send when connected; a failure shows in the receiving thread. Requires holding the lock."""
        assert self._lock.locked()
        if self._wire is not None and packets:
            try:
                self._wire.send(*packets)
            except ConnectionLost:
                self._wire.wake()

    # --- the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._converse()
            except (ConnectionLost, TimeoutError):
                self._drop()
            while self._wire is None and not self._closing.wait(_RETRY_SECONDS):
                try:
                    self._enter()
                except NameRefused as refused:
                    if refused.code == Code.NEED_LOGIN:  # the session is no more
                        self._end(refused)
                except ConnectionLost:
                    pass  # down: again

    def _end(self, refused: NameRefused) -> None:
        """Nobody comes back without a login. And nobody resends what was said: a new session knows no ids."""
        with self._lock:
            self._updates.append(Ended(str(refused), refused))
        self._closing.set()
        self._room.set()
        self._on_update()

    def _drop(self) -> None:
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _converse(self) -> None:
        """Receive until the connection ends; a silence is answered by a ping, a long one is the end."""
        assert self._wire is not None
        heard = time.monotonic()
        while True:
            try:
                packet = self._wire.receive()
            except TimeoutError:
                if time.monotonic() - heard > self._dead_after:
                    raise
                with self._lock:
                    self._send((Ping(1),))
                continue
            heard = time.monotonic()
            self._take(packet)

    def _take(self, packet: Packet) -> None:
        with self._lock:
            match packet:
                case Event():
                    self._since, self._time = packet.seq, packet.time
                    if packet.person == self._person and packet.id:
                        self._settle(packet.id)
                    self._updates.append(packet)
                case Answer(id, code, words):
                    self._settle(id, "" if code == Code.ALREADY else f"{words} ({code})")
                case Info():
                    self._updates.append(packet)
                case Ping():
                    self._send((Pong(packet.id),))
                case Bye():
                    raise ConnectionLost(packet.reason)
        self._on_update()

    def _settle(self, id: int, refused: str = "") -> None:
        """The line is stored, or refused. Requires holding the lock."""
        for line in self._lines:
            if line.id == id:
                line.stored, line.refused = not refused, refused
        while len(self._lines) > _AGAIN and self._lines[0].stored and self._lines[_AGAIN].stored:
            self._lines.popleft()
        self._room.set()

    # --- the handshake ---------------------------------------------------------------------------------

    def _enter(self) -> None:
        """Go through the lobby and the admission, and resend at once, whatever WELCOME confirms."""
        credentials = self._credentials if self.token == NO_TOKEN else ()
        wanted = Username(self._name, self.token, credentials)
        admit = Admit(self._name, b"", (self._channel,), self._since, self._time, self._identity, 50)
        wire, welcome = come_in(*self._lobby, wanted, admit)
        wire.wait_at_most(self._dead_after / 3)
        self.token, self._person, self._identity = welcome.token, welcome.person, welcome.identity
        with self._lock:
            self._wire = wire
            self._updates.append(Connected(self._since > 0))
            self._send([Say(line.id, self._channel, line.text) for line in self._lines])
        self._on_update()

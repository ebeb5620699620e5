"""A client that relies on the server's promises where the real client is careful.

It resends at once, and more than it needs to: everything that is unconfirmed, and lines that were confirmed
long ago. And it ignores seqs: an event that the server sends twice, in the replay and live, is shown twice.
So a run tests the server's promises alone, without the care of the real client.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock, Thread
from typing import Final, NamedTuple

from chatroom.errors import ConnectionLost, NameRefused
from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Answer,
    Bye,
    Decoder,
    Hello,
    Info,
    Packet,
    Ping,
    Pong,
    Port,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)

_AGAIN: Final = 3  # confirmed lines that are resent at every reconnect
_RETRY_SECONDS: Final = 0.2
_LEAVE_SECONDS: Final = 2.0
_UNCONFIRMED: Final = 500  # lines; beyond them say() waits


class Connected(NamedTuple):
    """As the real client's update of that name."""

    resumed: bool


@dataclass
class Line:
    """A line that was said."""

    id: int
    text: str
    stored: bool = False
    refused: str = ""


class Wire:
    """One connection: packets in and out. Every error becomes ConnectionLost."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        try:
            self._socket = socket.create_connection((host, port), seconds)
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        self._decoder = Decoder()
        self._packets: deque[Packet] = deque()

    def send(self, *packets: Packet) -> None:
        try:
            self._socket.sendall(b"".join(map(encode, packets)))
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def receive(self) -> Packet:
        """The next packet. TimeoutError when nothing came for as long as the connection's time-out."""
        while not self._packets:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise
            except OSError as error:
                raise ConnectionLost(str(error)) from error
            if not data:
                raise ConnectionLost("the end")
            self._packets.extend(self._decoder.feed(data))
        return self._packets.popleft()

    def wake(self) -> None:
        """Let a blocked receive() return."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already

    def close(self) -> None:
        self._socket.close()


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
    ) -> None:
        self._lobby = (host, port)
        self._name, self._channel, self._dead_after = name, channel, dead_after
        self._on_update = on_update
        self._token = NO_TOKEN
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
                except (ConnectionLost, NameRefused):
                    pass  # down, or still holding our name: again

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
        wire = Wire(*self._lobby, self._dead_after / 3)
        try:
            wire = self._admitted(wire)
        except BaseException:
            wire.close()
            raise
        with self._lock:
            self._wire = wire
            self._updates.append(Connected(self._since > 0))
            self._send([Say(line.id, self._channel, line.text) for line in self._lines])
        self._on_update()

    def _admitted(self, lobby: Wire) -> Wire:
        lobby.send(Hello(VERSION, "blunt"), Username(self._name, self._token))
        _expect(lobby, Status)
        port = _expect(lobby, Port)
        assert isinstance(port, Port)
        lobby.send(Status(Verdict.PASS), Status(Verdict.END))
        _expect(lobby, Status)
        wire = lobby
        if port.number != SAME_CONNECTION:
            lobby.close()
            wire = Wire(self._lobby[0], port.number, self._dead_after / 3)
        try:
            since = self._since, self._time, self._identity
            wire.send(Admit(self._name, port.ticket, (self._channel,), *since, 50))
            welcome = _expect(wire, Welcome)
            assert isinstance(welcome, Welcome)
        except BaseException:
            wire.close()
            raise
        self._token, self._person, self._identity = welcome.token, welcome.person, welcome.identity
        return wire


def _expect(wire: Wire, kind: type[Packet]) -> Packet:
    """The next packet, which is to be of this kind; raises NameRefused for FAIL."""
    try:
        packet = wire.receive()
    except TimeoutError:
        raise ConnectionLost("silence in the handshake") from None
    if isinstance(packet, Status) and packet.verdict is Verdict.FAIL:
        raise NameRefused(packet.reason)
    if not isinstance(packet, kind):
        raise ConnectionLost(f"{packet} instead of {kind.__name__}")
    return packet

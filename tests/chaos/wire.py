"""A connection that speaks the protocol by itself, and its way into the chatroom."""

from __future__ import annotations

import socket
import struct
from collections import deque
from typing import Final, TypeVar

from chatroom.errors import ConnectionLost, NameRefused
from chatroom.outcomes import Code
from chatroom.packets import (
    SAME_CONNECTION,
    VERSION,
    Admit,
    Decoder,
    Hello,
    Packet,
    Port,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)

P = TypeVar("P")

_STEP_SECONDS: Final = 5.0  # of the handshake: a password is hashed, on a busy machine


class Wire:
    """One connection: packets in and out. Every error becomes ConnectionLost."""

    def __init__(self, host: str, port: int, seconds: float, source: str = "") -> None:
        try:
            self._socket = socket.create_connection((host, port), seconds, (source, 0) if source else None)
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

    def receive_ready(self) -> list[Packet]:
        """What has come, of a connection of which select() says that something has."""
        try:
            data = self._socket.recv(65536)
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        if not data:
            raise ConnectionLost("the end")
        self._packets.extend(self._decoder.feed(data))
        return self.drain()

    def drain(self) -> list[Packet]:
        """What has come already, and was not taken."""
        packets = [*self._packets]
        self._packets.clear()
        return packets

    def fileno(self) -> int:
        """The descriptor, so that select() takes a Wire."""
        return self._socket.fileno()

    def reset(self) -> None:
        """Close with RST instead of FIN: as when a machine is switched off and on again."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass  # it has ended already
        self._socket.close()

    def wait_at_most(self, seconds: float) -> None:
        """For a packet, from now on."""
        self._socket.settimeout(seconds)

    def wake(self) -> None:
        """Let a blocked receive() return."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already

    def close(self) -> None:
        self._socket.close()


def come_in(host: str, port: int, wanted: Username, admit: Admit, source: str = "") -> tuple[Wire, Welcome]:
    """Go through the lobby and the admission. Raises NameRefused, ConnectionLost.

    admit:  without its ticket
    source: the address to come from; "": the system chooses
    """
    wire = Wire(host, port, _STEP_SECONDS, source)
    try:
        wire.send(Hello(VERSION, "chaos"), wanted)
        expect(wire, Status)
        offered = expect(wire, Port)
        wire.send(Status(Verdict.PASS), Status(Verdict.END))
        expect(wire, Status)
        if offered.number != SAME_CONNECTION:
            wire.close()
            wire = Wire(host, offered.number, _STEP_SECONDS, source)
        wire.send(admit._replace(ticket=offered.ticket))
        return wire, expect(wire, Welcome)
    except BaseException:
        wire.close()
        raise


def expect(wire: Wire, kind: type[P]) -> P:
    """The next packet, which is to be of this kind; raises NameRefused for FAIL."""
    try:
        packet = wire.receive()
    except TimeoutError:
        raise ConnectionLost("silence in the handshake") from None
    if isinstance(packet, Status) and packet.verdict is Verdict.FAIL:
        raise NameRefused(packet.reason, Code(packet.code))
    if not isinstance(packet, kind):
        raise ConnectionLost(f"{packet} instead of {kind.__name__}")
    return packet

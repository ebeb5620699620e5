"""What tests of the server share: small sockets, a watcher that the test plays, a peer with packets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chatroom.events import Event
from chatroom.packets import (
    NO_TOKEN,
    Admit,
    Bye,
    Decoder,
    Hello,
    Live,
    Packet,
    Port,
    Status,
    Username,
    encode,
)
from chatroom.packets.kinds import Code
from server.outbox import Outbox
from tests.chatroom.fakes import PATIENCE

__all__ = ["PATIENCE", "FakeWatcher", "Peer", "pair", "read_all"]


@contextmanager
def pair(small: bool = True) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets; `small`: the first one's buffer takes only some kilobytes."""
    ours, theirs = socket.socketpair()
    if small:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    theirs.settimeout(PATIENCE)
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def read_all(sock: socket.socket) -> bytes:
    """Everything until the end of the stream."""
    found = []
    while data := sock.recv(65536):
        found.append(data)
    return b"".join(found)


class FakeWatcher:
    """The drainer, played by the test."""

    def __init__(self) -> None:
        self.watched: list[Outbox] = []

    def watch(self, outbox: Outbox) -> None:
        self.watched.append(outbox)

    def drain(self, outbox: Outbox, theirs: socket.socket) -> bytes:
        """Flush until nothing is kept, reading at the other end; what was read."""
        theirs.setblocking(False)
        found = []
        more = True
        while more:
            more = outbox.flush()
            try:
                while data := theirs.recv(65536):
                    found.append(data)
            except BlockingIOError:
                pass
        theirs.settimeout(PATIENCE)
        return b"".join(found)


class Peer:
    """A client of the tests: a socket, and the packets that come on it."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self.socket = sock
        self.packets: list[Packet] = []
        self._waiting: list[Packet] = []
        self._decoder = Decoder()

    @classmethod
    def connect(cls, address: str, port: int | None = None) -> Peer:
        host, _, lobby = address.rpartition(":")
        return cls(socket.create_connection((host.strip("[]"), port or int(lobby)), PATIENCE))

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *packets: Packet) -> None:
        self.socket.sendall(b"".join(map(encode, packets)))

    def receive(self) -> Packet | None:
        """The next packet, None at the end of the stream."""
        while not self._waiting:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self._waiting = self._decoder.feed(data)
        packet = self._waiting.pop(0)
        self.packets.append(packet)
        return packet

    def receive_until(self, wanted: Callable[[Packet], bool]) -> Any:
        """The first packet that is `wanted`, those before it skipped."""
        while (packet := self.receive()) is not None:
            if wanted(packet):
                return packet
        raise AssertionError(f"the stream ended after {self.packets[-3:]}")

    def rest(self) -> list[Packet]:
        """All packets until the end of the stream."""
        found = []
        while (packet := self.receive()) is not None:
            found.append(packet)
        return found

    def is_over(self) -> bool:
        """The server has closed without another packet."""
        return self.rest() == []

    # --- the handshake, step by step --------------------------------------------------------------------

    def ask(self, name: str, token: bytes = NO_TOKEN, hello: bool = True) -> Status:
        """HELLO and USERNAME; the STATUS that comes back."""
        self.send(*([Hello(1, "test")] if hello else []), Username(name, token))
        status = self.receive()
        assert isinstance(status, Status), status
        return status

    def take_port(self) -> Port:
        """PORT, STATUS PASS, STATUS END; the port."""
        port = self.receive()
        assert isinstance(port, Port), port
        self.send(Status(Code.PASS), Status(Code.END))
        assert self.receive() == Status(Code.END)
        return port

    @classmethod
    def enter(
        cls, address: str, name: str, token: bytes = NO_TOKEN, since: int = 0, channel: str = "#general"
    ) -> Peer:
        """A member that has seen itself join (or, coming back, is live)."""
        lobby = cls.connect(address)
        assert lobby.ask(name, token).code is Code.PASS
        port = lobby.take_port()
        peer = lobby
        if port.number:
            lobby.socket.close()
            peer = cls.connect(address, port.number)
        peer.send(Admit(name, port.ticket, channel, since, 50))
        peer.receive_until(lambda packet: isinstance(packet, Live))
        if token == NO_TOKEN:
            peer.receive_until(lambda packet: isinstance(packet, Event) and packet.author == name)
        return peer

    def bye(self) -> Bye:
        """The goodbye with which the server ended this connection."""
        packets = self.rest()
        assert packets and isinstance(packets[-1], Bye), packets[-3:]
        return packets[-1]

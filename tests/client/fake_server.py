"""A server made of packets and nothing else, which the test plays line by line."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from chatroom.errors import ConnectionLost
from chatroom.events import Event, EventKind
from chatroom.packets import (
    SAME_CONNECTION,
    Admit,
    Code,
    Decoder,
    Hello,
    Packet,
    Ping,
    Pong,
    Port,
    Say,
    Status,
    Username,
    Welcome,
    encode,
)
from client import Client

PATIENCE = 5.0
"""Seconds after which a test that waits for its client has failed."""

TICKET = bytes(range(16))
TOKEN = b"T" * 16
Result = TypeVar("Result")


class Background(Generic[Result]):
    """Runs a function in a thread; `result` waits for it and raises what it raised."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._outcome: list[Result] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="background")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append(self._function())
        except BaseException as error:  # noqa: BLE001  raised again in the test's thread
            self._error = error

    def result(self) -> Result:
        """What the function returned."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "still running"
        if self._error is not None:
            raise self._error
        return self._outcome[0]


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.settimeout(PATIENCE)
        self._decoder = Decoder()
        self._waiting: deque[Packet] = deque()

    def send(self, *packets: Packet) -> None:
        """Send packets in one piece."""
        self.socket.sendall(b"".join(map(encode, packets)))

    def receive(self, skip: tuple[type, ...] = (Ping,)) -> Packet:
        """The next packet that is not a sign of life. Raises ConnectionLost at the end."""
        while True:
            while not self._waiting:
                data = self.socket.recv(65536)
                if not data:
                    raise ConnectionLost("the client closed the connection")
                self._waiting.extend(self._decoder.feed(data))
            packet = self._waiting.popleft()
            if not isinstance(packet, skip):
                return packet

    def expect(self, kind: type[Any]) -> Any:
        """The next packet, which must be of this kind."""
        packet = self.receive(skip=() if kind in (Ping, Pong) else (Ping, Pong))
        assert type(packet) is kind, packet
        return packet

    def says(self, count: int) -> list[str]:
        """The texts of the next lines."""
        return [self.expect(Say).text for _ in range(count)]

    def expect_end(self) -> None:
        """Nothing but signs of life may come before the end."""
        try:
            packet = self.receive()
        except (ConnectionLost, ConnectionResetError):
            return
        raise AssertionError(f"{packet} instead of the end")

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class FakeServer:
    """A lobby on a free port of the loopback; every step is the test's."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._peers: list[Peer] = []
        self._listener = listen(host)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> FakeServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for peer in self._peers:
            peer.close()

    def stop(self) -> None:
        """Listen no more; `again` is possible."""
        self._listener.close()

    def again(self) -> None:
        """Listen again on the same port."""
        self._listener = listen(port=self.port)

    def dismiss(self, client: Client) -> None:
        """Close a client, and hang up on it as a server does when a member leaves."""
        closing = Background(client.close)
        for peer in self._peers:
            peer.close()
        closing.result()

    def accept(self) -> Peer:
        """The next client in the lobby."""
        return self._accept(self._listener)

    def _accept(self, listener: socket.socket) -> Peer:
        listener.settimeout(PATIENCE)
        peer = Peer(listener.accept()[0])
        self._peers.append(peer)
        return peer

    def named(self) -> tuple[Peer, Username]:
        """A client that has asked for a name."""
        lobby = self.accept()
        lobby.expect(Hello)
        return lobby, lobby.expect(Username)

    def offer(self, lobby: Peer, same: bool = False) -> tuple[Peer, Admit]:
        """Give the name and lead the client to a new port; the connection there, and what it asks for."""
        if same:
            lobby.send(Status(Code.PASS), Port(SAME_CONNECTION, TICKET))
            assert lobby.expect(Status).code is Code.PASS
            assert lobby.expect(Status).code is Code.END
            lobby.send(Status(Code.END))
            return lobby, lobby.expect(Admit)
        with listen(lobby.socket.getsockname()[0]) as listener:
            lobby.send(Status(Code.PASS), Port(listener.getsockname()[1], TICKET))
            assert lobby.expect(Status).code is Code.PASS
            assert lobby.expect(Status).code is Code.END
            lobby.send(Status(Code.END))
            member = self._accept(listener)
        lobby.expect_end()
        return member, member.expect(Admit)

    def admit(
        self, *then: Packet, confirmed: int = 0, head: int = 0, token: bytes = TOKEN, same: bool = True
    ) -> tuple[Peer, Admit]:
        """Lead a client through everything; `then` goes out right behind WELCOME."""
        lobby, wanted = self.named()
        member, admit = self.offer(lobby, same)
        assert admit.ticket == TICKET
        assert admit.name == wanted.name
        member.send(Welcome(admit.name, admit.channel, token, confirmed, head), *then)
        return member, admit


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(16)
    return listener


def said(seq: int, text: str, author: str = "bob", id: int = 0) -> Event:
    """A line in the history."""
    return Event(seq, 1_700_000_000_000 + seq, EventKind.SAID, "#general", author, text, id)

"""A server in this process, and a peer that speaks the protocol by hand: every step of it can be seen."""

from __future__ import annotations

import gc
import itertools
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar

from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.limits import DEAD_AFTER
from chatroom.packets import (
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Code,
    Decoder,
    Hello,
    Live,
    Packet,
    Ping,
    Port,
    Say,
    Status,
    Username,
    Welcome,
    encode,
)
from server.app import App, Config
from server.ports import Ports
from server.retention import Retention

SECONDS = 5.0
"""How long anything that should happen may take before a test fails."""

P = TypeVar("P")


@contextmanager
def running(ports: str = "any", data: str = ":memory:", dead_after: float = DEAD_AFTER) -> Iterator[App]:
    """A whole server on a free port; closed at the end, and the process's thread settings with it."""
    stack, interval, threshold = threading.stack_size(), sys.getswitchinterval(), gc.get_threshold()
    try:
        app = App(Config("127.0.0.1", 0, Ports.parse(ports), data, dead_after, "normal", Retention()))
        app.start()
        try:
            yield app
        finally:
            app.close()
    finally:
        threading.stack_size(stack)
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)


def port_of(app: App) -> int:
    """Where the lobby is."""
    return int(app.address.rpartition(":")[2])


def eventually(fact: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Wait until `fact` is true; fail with `what` when it does not become so."""
    end, pause = monotonic() + seconds, threading.Event()
    while not fact():
        assert monotonic() < end, what
        pause.wait(0.005)


class Peer:
    """One connection and its decoder."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._decoder = Decoder()
        self._waiting: deque[Packet] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, *packets: Packet) -> None:
        """All in one segment, if the kernel likes."""
        self.socket.sendall(b"".join(map(encode, packets)))

    def receive(self) -> Packet | None:
        """The next packet, None at the end of the stream."""
        while not self._waiting:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._waiting += self._decoder.feed(data)
        return self._waiting.popleft()

    def expect(self, kind: type[P]) -> P:
        """The next packet that is no PING; it must be of that kind."""
        packet: object = Ping(0)
        while isinstance(packet, Ping):
            packet = self.receive()
        assert isinstance(packet, kind), f"{packet} instead of {kind.__name__}"
        return packet

    def said(self, count: int) -> list[Event]:
        """The next `count` lines, whoever joins or leaves between them."""
        events = (self.expect(Event) for _ in itertools.count())
        return list(itertools.islice((event for event in events if event.kind is EventKind.SAID), count))

    # --- the steps of the handshake, one by one ---------------------------------------------------------

    def ask(self, name: str, token: bytes = NO_TOKEN) -> Status:
        """Ask for a name; the answer."""
        self.send(Username(name, token))
        return self.expect(Status)

    def take_port(self) -> Port:
        """Take the port that was offered; the server's END is waited for."""
        port = self.expect(Port)
        self.send(Status(Code.PASS), Status(Code.END))
        assert self.expect(Status).code is Code.END
        return port

    def admit(self, name: str, ticket: bytes, since: int = 0, lines: int = 0) -> Welcome:
        """Show the ticket; come back when everything is replayed."""
        self.send(Admit(name, ticket, "#general", since, lines))
        return self.expect(Welcome)


def come_in(
    port: int, name: str, since: int = 0, replay: int = 0, replayed: list[Packet] | None = None
) -> Peer:
    """The whole way of a newcomer; live when this returns.

    since, replay: what it wants of the history
    replayed:      what comes up to LIVE is added here
    """
    peer = Peer(port)
    try:
        peer.send(Hello(VERSION, "test"))
        answer = peer.ask(name)
        assert answer.code is Code.PASS, answer
        offer = peer.take_port()
        if offer.number != SAME_CONNECTION:
            peer.socket.close()
            peer = Peer(offer.number)
        peer.admit(name, offer.ticket, since, replay)
        packet = None
        while not isinstance(packet, Live):
            packet = peer.receive()
            assert packet is not None, "the server hung up"
            if replayed is not None and not isinstance(packet, Ping):
                replayed.append(packet)
    except BaseException:
        peer.socket.close()
        raise
    return peer


def lines(count: int, start: int = 1, text: str = "line") -> list[Say]:
    """Lines with rising ids, numbered in their text."""
    return [Say(number, "#general", f"{text} {number}") for number in range(start, start + count)]


@contextmanager
def reading(peer: Peer) -> Iterator[list[Packet]]:
    """Reads all that a peer gets, to the end of the stream, which is waited for at the end of the block."""
    packets: list[Packet] = []

    def read() -> None:
        try:
            while (packet := peer.receive()) is not None:
                if not isinstance(packet, Ping):
                    packets.append(packet)
        except (OSError, ProtocolError):
            pass  # the end all the same; what came before it is judged

    peer.socket.settimeout(4 * SECONDS)
    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield packets
    finally:
        thread.join()

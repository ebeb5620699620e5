"""Peers that speak the protocol by hand, step by step: one end of a connection, and a client's handshake."""

from __future__ import annotations

import itertools
import select
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Bye,
    Channel,
    Decoder,
    Hello,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Replay,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

P = TypeVar("P")


class PacketSocket:
    """One end of a connection: sends packets, and decodes the packets that arrive.

    packets: every packet that was received so far
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self.socket = sock
        self.packets: list[Packet] = []
        self._decoder = Decoder()
        self._waiting: deque[Packet] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def has_more(self) -> bool:
        """Whether a packet, or the beginning of one, has come that was not taken."""
        return bool(self._waiting or select.select([self.socket], [], [], 0)[0])

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def send(self, *packets: Packet) -> None:
        """Send packets in one piece."""
        self.socket.sendall(b"".join(map(encode, packets)))

    def receive(self) -> Packet | None:
        """The next packet, None at the end of the stream."""
        while not self._waiting:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._waiting += self._decoder.feed(data)
        self.packets.append(self._waiting.popleft())
        return self.packets[-1]

    def expect(self, kind: type[P]) -> P:
        """The next packet, which must be of this kind; PING and PONG are skipped unless they are wanted."""
        skipped = () if kind in (Ping, Pong) else (Ping, Pong)
        packet: object = self.receive()
        while isinstance(packet, skipped):
            packet = self.receive()
        assert isinstance(packet, kind) and packet is not None, f"{packet} instead of {kind.__name__}"
        return packet

    def receive_until(self, wanted: Callable[[Packet], bool]) -> Any:
        """The first packet that is `wanted`; those before it are dropped."""
        while (packet := self.receive()) is not None:
            if wanted(packet):
                return packet
        raise AssertionError(f"the stream ended after {self.packets[-3:]}")

    def rest(self) -> list[Packet]:
        """All packets until the end of the stream, or until the connection is reset."""
        found: list[Packet] = []
        with suppress(ConnectionError):
            found.extend(iter(self.receive, None))
        return found

    def expect_end(self) -> None:
        """Only PING and PONG may come before the end."""
        packets = [packet for packet in self.rest() if not isinstance(packet, Ping | Pong)]
        assert not packets, f"{packets[:3]} instead of the end"


class Peer(PacketSocket):
    """A client played by the test.

    welcome:  the WELCOME that it got
    channels: the CHANNEL packets of its greeting
    """

    welcome: Welcome

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.channels: list[Channel] = []

    @classmethod
    def connect(
        cls,
        address: str | int,
        port: int | None = None,
        source: str = "",
        receive_buffer: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Connect to `host:port` or a port of this machine; `port` replaces the one in the address.

        source:         the address to come from; "": the system chooses
        receive_buffer: bytes of the socket's receive buffer; 0: as the system has it
        tls:            None: without encryption
        """
        host, _, own = str(address).rpartition(":")
        there = (host.strip("[]") or "127.0.0.1", port or int(own))
        if not receive_buffer:
            sock = socket.create_connection(there, PATIENCE, (source, 0) if source else None)
        else:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.bind((source, 0))
            sock.connect(there)
        if tls is not None:
            sock = tls.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False)
        return cls(sock)

    # --- the handshake, step by step --------------------------------------------------------------------

    def ask(self, name: str, token: bytes = NO_TOKEN, hello: bool = True) -> Status:
        """Send HELLO (unless it was sent before) and USERNAME; the STATUS that comes back."""
        self.send(*([Hello(VERSION, "test")] if hello else []), Username(name, token))
        return self.expect(Status)

    def take_port(self) -> Port:
        """Take the offered port: PORT, STATUS PASS, STATUS END from both sides."""
        port = self.expect(Port)
        self.send(Status(Verdict.PASS), Status(Verdict.END))
        assert self.expect(Status).verdict is Verdict.END
        return port

    def admit(
        self,
        name: str,
        ticket: bytes,
        since: int = 0,
        lines: int = 0,
        channel: str = "#general",
        time: int = 0,
        identity: bytes = NO_IDENTITY,
    ) -> Welcome:
        """Show the ticket; the WELCOME that comes back."""
        self.send(Admit(name, ticket, (channel,), since, time, identity, lines))
        self.welcome = self.expect(Welcome)
        return self.welcome

    @classmethod
    def come_in(
        cls,
        address: str | int,
        name: str,
        since: int = 0,
        lines: int = 0,
        replayed: list[Packet] | None = None,
        token: bytes = NO_TOKEN,
        channel: str = "#general",
        time: int = 0,
        identity: bytes = NO_IDENTITY,
        source: str = "",
        receive_buffer: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """A member that is live: the whole handshake, up to LIVE.

        since, lines: the part of the history that it asks for; with it time and identity, as LIVE (or an
                      event) and WELCOME gave them
        replayed:     every event between REPLAY and LIVE, and LIVE, are added here
        """
        peer = cls.connect(address, None, source, receive_buffer, tls)
        try:
            answer = peer.ask(name, token)
            assert answer.verdict is Verdict.PASS, answer
            offer = peer.take_port()
            if offer.number != SAME_CONNECTION:
                peer.close()
                peer = cls.connect(address, offer.number, source, receive_buffer, tls)
            peer.admit(name, offer.ticket, since, lines, channel, time, identity)
            packet: Packet | None = None
            while not isinstance(packet, Live):
                packet = peer.receive()
                assert packet is not None, "the server hung up"
                if isinstance(packet, Channel):
                    peer.channels.append(packet)
                elif replayed is not None and not isinstance(packet, Ping | Replay):
                    replayed.append(packet)
        except BaseException:
            peer.close()
            raise
        return peer

    @classmethod
    def enter(
        cls,
        address: str | int,
        name: str,
        token: bytes = NO_TOKEN,
        since: int = 0,
        channel: str = "#general",
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """A member that is live and has seen itself join (a member that comes back does not join again)."""
        peer = cls.come_in(address, name, since, token=token, channel=channel, tls=tls)
        if token == NO_TOKEN:
            peer.receive_until(lambda packet: isinstance(packet, Event) and packet.author == name)
        return peer

    # --- the conversation -------------------------------------------------------------------------------

    def said(self, count: int) -> list[Event]:
        """The next `count` lines; joins and leaves between them are skipped."""
        events = (self.expect(Event) for _ in itertools.count())
        return list(itertools.islice((event for event in events if event.kind is EventKind.SAID), count))

    def bye(self) -> Bye:
        """The BYE with which the server ended this connection."""
        packets = self.rest()
        assert packets and isinstance(packets[-1], Bye), packets[-3:]
        return packets[-1]


def lines(count: int, start: int = 1, text: str = "line") -> list[Say]:
    """Lines with rising ids, numbered in their text."""
    return [Say(number, "#general", f"{text} {number}") for number in range(start, start + count)]


@contextmanager
def reading(peer: PacketSocket) -> Iterator[list[Packet]]:
    """Collect all packets of a peer but PING, in a thread; the block's end waits for the stream's end."""
    packets: list[Packet] = []

    def read() -> None:
        # However the stream ends, the test judges the packets before its end.
        with suppress(OSError, ProtocolError):
            while (packet := peer.receive()) is not None:
                if not isinstance(packet, Ping):
                    packets.append(packet)

    peer.socket.settimeout(2 * PATIENCE)
    thread = Task(read)
    try:
        yield packets
    finally:
        thread.join()

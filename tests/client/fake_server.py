"""A server made of packets and nothing else, which the test plays line by line."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType

from chatroom.events import Event
from chatroom.packets import (
    SAME_CONNECTION,
    Admit,
    Channel,
    Hello,
    Live,
    Packet,
    Port,
    Present,
    Replay,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
)
from client import Client
from tests.support.events import BOB, GENERAL, NOON, said
from tests.support.patience import PATIENCE
from tests.support.peer import PacketSocket
from tests.support.tasks import Task

TICKET = bytes(range(16))
TOKEN = b"T" * 16
IDENTITY = b"I" * 16
ME = 7
"""The person of every client."""


def welcome(
    name: str = "ann",
    token: bytes = TOKEN,
    identity: bytes = IDENTITY,
    person: int = ME,
    confirmed: int = 0,
    head: int = 0,
    resumed: Resumed = Resumed.EXACT,
) -> Welcome:
    """A WELCOME; without arguments, to somebody who said nothing yet."""
    return Welcome(name, token, identity, person, confirmed, head, resumed)


def channel(name: str = "#general", place: int = GENERAL) -> Channel:
    """A channel that bob and the client are in."""
    return Channel(place, name, "", 0, 0, 2, (Present(BOB, 0, "bob"), Present(ME, 0, "ann")))


def live(seq: int = 0) -> Live:
    """The end of the replay, of the same time as every event."""
    return Live(seq, NOON if seq else 0)


def own(seq: int, say: Say, author: str = "ann", person: int = ME) -> Event:
    """The event of a line that the client said."""
    return said(seq, say.text, author, say.id, person=person)


class FakeServer:
    """A lobby on a free port of the loopback; every step is the test's.

    tls:      speak TLS; may be changed before each connection
    patience: seconds to wait for a client to connect
    """

    def __init__(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, patience: float = PATIENCE
    ) -> None:
        self.tls = tls
        self._patience = patience
        self._peers: list[PacketSocket] = []
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
        closing = Task(client.close)
        for peer in self._peers:
            peer.close()
        closing.result()

    def accept(self) -> PacketSocket:
        """The next client in the lobby."""
        return self._accept(self._listener)

    def _accept(self, listener: socket.socket) -> PacketSocket:
        listener.settimeout(self._patience)
        sock = listener.accept()[0]
        if self.tls is not None:
            sock.settimeout(PATIENCE)
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                raise
        peer = PacketSocket(sock)
        self._peers.append(peer)
        return peer

    def named(self) -> tuple[PacketSocket, Username]:
        """A client that has asked for a name."""
        lobby = self.accept()
        lobby.expect(Hello)
        return lobby, lobby.expect(Username)

    def offer(self, lobby: PacketSocket, same: bool = False) -> tuple[PacketSocket, Admit]:
        """Give the name and lead the client to a new port; the connection there, and what it asks for."""
        if same:
            lobby.send(Status(Verdict.PASS), Port(SAME_CONNECTION, TICKET))
            assert lobby.expect(Status).verdict is Verdict.PASS
            assert lobby.expect(Status).verdict is Verdict.END
            lobby.send(Status(Verdict.END))
            return lobby, lobby.expect(Admit)
        with listen(lobby.socket.getsockname()[0]) as listener:
            lobby.send(Status(Verdict.PASS), Port(listener.getsockname()[1], TICKET))
            assert lobby.expect(Status).verdict is Verdict.PASS
            assert lobby.expect(Status).verdict is Verdict.END
            lobby.send(Status(Verdict.END))
            member = self._accept(listener)
        lobby.expect_end()
        return member, member.expect(Admit)

    def admit(
        self,
        *then: Packet,
        confirmed: int = 0,
        head: int = 0,
        token: bytes = TOKEN,
        same: bool = True,
        person: int = ME,
        resumed: Resumed | None = None,
        identity: bytes = IDENTITY,
    ) -> tuple[PacketSocket, Admit]:
        """Lead a client through everything; `then` goes out right behind WELCOME, CHANNEL and REPLAY.

        resumed: None: as for a history that keeps everything
        """
        lobby, wanted = self.named()
        member, admit = self.offer(lobby, same)
        assert admit.ticket == TICKET
        assert admit.name == wanted.name
        if resumed is None:
            resumed = Resumed.EXACT if admit.since else Resumed.FRESH
        greeting = welcome(admit.name, token, identity, person, confirmed, head, resumed)
        channels = [channel(name, place) for place, name in enumerate(admit.channels, GENERAL)]
        member.send(greeting, *channels, Replay(0), *then)
        return member, admit


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(16)
    return listener

"""Lab 09: the one with the ticket is let in, whoever else comes."""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Callable
from typing import Any

from notes.labs.stage import Actor
from notes.labs.subject import NotYet, Subject

RESET = struct.pack("ii", 1, 0)


class Port:
    """The new port, and admit() that waits there."""

    def __init__(self, subject: Subject) -> None:
        module = subject.load("admit")
        self.ticket = secrets.token_bytes(module.TICKET_BYTES)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.strangers: list[socket.socket] = []
        self._admit = Actor("admit()", lambda: module.admit(self.listener, self.ticket), subject)
        self._admit.start()

    def connect(self, *pieces: bytes) -> socket.socket:
        """Come, and send these, one after the other has been read."""
        peer = socket.create_connection(self.listener.getsockname())
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.settimeout(5)
        for piece in pieces:
            self.rest()
            peer.sendall(piece)
        return peer

    def stranger(self, *pieces: bytes) -> None:
        """Somebody else comes, and stays."""
        self.strangers.append(self.connect(*pieces))

    def rest(self) -> None:
        """Wait until admit() has seen what has come so far."""
        self._admit.rest()

    def expect(self, ann: socket.socket, more: bytes = b"") -> None:
        """Ann, and nobody else, must be let in; what she has said behind her ticket is still to be read."""
        client: Any = self._admit.end()
        if not isinstance(client, socket.socket):
            raise NotYet(f"admit() returns {client!r}, not a connection")
        if client.fileno() < 0:
            raise NotYet("the connection that admit() returns is closed")
        if client.getpeername() != ann.getsockname():
            raise NotYet("a stranger is let in")
        client.sendall(b"welcome")
        if ann.recv(100) != b"welcome":
            raise NotYet("what is sent to the connection does not reach ann")
        client.settimeout(0.5)
        if more and client.recv(100) != more:
            raise NotYet("what ann has said right behind her ticket is lost")
        client.close()
        ann.close()
        self.listener.close()
        for peer in self.strangers:
            _is_cut(peer)


def _is_cut(peer: socket.socket) -> None:
    try:
        with peer:
            if peer.recv(100):
                raise NotYet("a stranger is told something")
    except TimeoutError:
        raise NotYet("ann was let in, and a stranger is still connected") from None
    except ConnectionError:
        pass  # cut, too


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    for what, come in CASES:
        port = Port(subject)
        try:
            ann, more = come(port)
            port.expect(ann, more)
        except NotYet as problem:
            raise NotYet(f"{what}: {problem}") from None
        except OSError as error:  # from our side: the reader's file has closed what it should not
            raise NotYet(f"{what}: ann's connection is broken ({error})") from None


def _alone(port: Port) -> tuple[socket.socket, bytes]:
    return port.connect(port.ticket), b""


def _wrong(port: Port) -> tuple[socket.socket, bytes]:
    port.stranger(bytes(len(port.ticket)))
    return port.connect(port.ticket), b""


def _silent(port: Port) -> tuple[socket.socket, bytes]:
    port.stranger()
    port.rest()
    return port.connect(port.ticket), b""


def _pieces(port: Port) -> tuple[socket.socket, bytes]:
    port.stranger(port.ticket[:-1])
    return port.connect(port.ticket[:5], port.ticket[5:]), b""


def _gone(port: Port) -> tuple[socket.socket, bytes]:
    port.connect().close()
    cut = port.connect()
    cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    cut.close()
    port.connect(port.ticket[:-1]).close()
    return port.connect(port.ticket), b""


def _first(port: Port) -> tuple[socket.socket, bytes]:
    ann = port.connect()
    port.rest()
    port.stranger(bytes(len(port.ticket)))
    port.stranger()
    port.rest()
    ann.sendall(port.ticket)
    return ann, b""


def _more(port: Port) -> tuple[socket.socket, bytes]:
    return port.connect(port.ticket + b"hello\n"), b"hello\n"


CASES: list[tuple[str, Callable[[Port], tuple[socket.socket, bytes]]]] = [
    ("ann comes alone", _alone),
    ("a stranger with a wrong ticket comes before ann", _wrong),
    ("a stranger comes before ann and says nothing", _silent),
    ("a stranger has shown a part of the ticket, and ann's comes in two pieces", _pieces),
    ("strangers come and go before ann comes", _gone),
    ("ann comes first and shows her ticket last", _first),
    ("ann says hello right behind her ticket", _more),
]

"""Lab 02: the handler ends when its client has left, and only then."""

from __future__ import annotations

import socket
import struct
from typing import Any

from notes.labs.stage import Actor, eventually
from notes.labs.subject import NotYet, Subject

ENOUGH = 3
"""A handler that has been told the end so often, and still asks, asks for ever."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close() sends a reset."""


class Counted(socket.socket):
    """A socket that counts how often recv() has told the end.

    time_passes: the next recv() that has a time limit comes to it at once
    """

    ends = 0
    time_passes = False

    def _pass_time(self) -> None:
        if self.time_passes and self.gettimeout():
            self.time_passes = False
            raise TimeoutError("timed out")

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As of a socket."""
        self._pass_time()
        data = super().recv(size, flags)
        self.ends += not data
        return data

    def recv_into(self, buffer: bytearray, size: int = 0, flags: int = 0) -> int:  # type: ignore[override]
        """As of a socket; makefile() uses it."""
        self._pass_time()
        count = super().recv_into(buffer, size, flags)
        self.ends += not count
        return count


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    _leave(subject, [b"hello\n"], "has said hello and left")
    _leave(subject, [], "has left without a word")
    _leave(subject, [b"hel"], "has left in the middle of a line")
    _leave(subject, [b"hello\n"], "was cut off (ConnectionResetError)", reset=True)
    _empty_line(subject)
    _silent(subject)


def _connect(subject: Subject, module: Any) -> tuple[socket.socket, Counted, Actor]:
    """A client, the server's end of its connection, and its handler."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ann = socket.create_connection(listener.getsockname())
        client = Counted(fileno=listener.accept()[0].detach())
    ann.settimeout(5)
    return ann, client, Actor("the handler", lambda: module.handle(client), subject)


def _leave(subject: Subject, said: list[bytes], how: str, reset: bool = False) -> None:
    module = subject.load("handle")
    ann, client, handler = _connect(subject, module)
    handler.thread.start()
    eventually(lambda: client in module.clients, "handle() does not put the client into clients")
    for piece in said:
        ann.sendall(piece)
        if piece.endswith(b"\n") and ann.recv(100) != piece:
            raise NotYet(f"ann says {piece!r} and does not hear it")
    if reset:
        ann.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    ann.close()
    eventually(
        lambda: not handler.thread.is_alive() or client.ends >= ENOUGH, f"ann {how}; her handler waits"
    )
    if client.ends >= ENOUGH:
        raise NotYet(f"ann {how}; recv() has told her handler so {ENOUGH} times, and it asks again")
    try:
        handler.end()
    except NotYet as problem:
        raise NotYet(f"ann {how}: {problem}") from None
    if client in module.clients:
        raise NotYet(f"ann {how}; she is still in the list of clients")
    if client.fileno() >= 0:
        raise NotYet(f"ann {how}; her socket is still open")


def _empty_line(subject: Subject) -> None:
    module = subject.load("handle")
    ann, _, handler = _connect(subject, module)
    handler.thread.start()
    with ann:
        for line in (b"\n", b"hello\n"):
            try:
                ann.sendall(line)
                heard = ann.recv(100)
            except OSError:
                heard = b""
            if heard != line:
                raise NotYet(f"ann says {line!r}, behind or as an empty line, and hears {heard!r}")
    handler.end()


def _silent(subject: Subject) -> None:
    """Ann says nothing for longer than any time limit: that is not the end."""
    module = subject.load("handle")
    ann, client, handler = _connect(subject, module)
    client.time_passes = True
    handler.start()
    with ann:
        if not handler.waits:
            handler.end()
            raise NotYet("ann is there and says nothing for a while: her handler ends")
        ann.sendall(b"hello\n")
        if ann.recv(100) != b"hello\n":
            raise NotYet("ann says nothing for a while, then hello, and does not hear it")
    handler.end()

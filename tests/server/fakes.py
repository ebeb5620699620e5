"""What tests of the server's connections share: small sockets, and a stream whose flusher is the test."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from chatroom.flow import Flow
from chatroom.outcomes import RETURNING, Code
from server.backlogs import Backlogs
from server.certificate import server_context
from server.stream import Stream
from server.tls import TlsTransport
from server.tls_files import TlsFiles
from server.transport import Bytes, TcpTransport, Transport
from tests.support.certificates import client_context
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

T = TypeVar("T")


@contextmanager
def pair(small: bool = True) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected TCP sockets, the server's end first; small: they buffer some ten kilobytes only."""
    with socket.socket() as listener, socket.socket() as theirs:
        if small:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        theirs.connect(listener.getsockname())
        theirs.settimeout(PATIENCE)
        with listener.accept()[0] as ours:
            yield ours, theirs


class TlsPeer:
    """A client's end with TLS, used like a socket.

    pump: called before each recv() on the socket: the server's end may have more to send
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.raw = sock
        self.pump: Callable[[], object] = lambda: None
        self._came, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._came, self._going)
        self._until(self.tls.do_handshake)

    def recv(self, size: int) -> bytes:
        """Raises SSLEOFError when the end comes without a goodbye."""
        return self._until(lambda: self.tls.read(size))

    def sendall(self, data: bytes) -> None:
        self._until(lambda: self.tls.write(data))  # a few bytes, as a rule: one record

    send = sendall

    def goodbye(self) -> None:
        """End this direction: close_notify, and the end of the stream."""
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.raw.sendall(self._going.read())
        self.raw.shutdown(socket.SHUT_WR)

    def _until(self, act: Callable[[], T]) -> T:
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                pass
            finally:
                self.raw.sendall(self._going.read())
            self.pump()
            data = self.raw.recv(65536)
            if data:
                self._came.write(data)
            else:
                self._came.write_eof()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


@contextmanager
def tls_pair(
    files: TlsFiles, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, small: bool = True
) -> Iterator[tuple[TlsTransport, TlsPeer]]:
    """The same with TLS, whose handshake is over."""
    with pair(small) as (ours, theirs):
        transport = TlsTransport(TcpTransport(ours, "peer"), server_context(files))
        beginning = Task(lambda: transport.begin(PATIENCE))
        peer = TlsPeer(theirs, client_context(version))
        beginning.result()
        yield transport, peer


def read_all(sock: socket.socket | TlsPeer) -> bytes:
    """Everything until the end of the stream."""
    found = []
    while data := sock.recv(65536):
        found.append(data)
    return b"".join(found)


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class PlainWords:
    """The words of a door with a very simple protocol. reasons: code and detail of each goodbye."""

    ping = b"ping"

    def __init__(self) -> None:
        self.reasons: list[tuple[Code, str]] = []

    def goodbye(self, code: Code, detail: str) -> bytes:
        self.reasons.append((code, detail))
        return b"goodbye" if code in RETURNING else b"farewell"


class FullTransport:
    """A transport that takes only as many bytes as the test gives it room for. sent: what it has taken."""

    peer = "peer"
    encrypted = False
    pending = 0

    def __init__(self) -> None:
        self.room = 0
        self.sent = b""

    def send(self, data: Bytes) -> int:
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        return b""

    def finish(self) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...
    def fileno(self) -> int:
        return -1


class Desk:
    """A stream with everything around it in the test's hands."""

    def __init__(self, ours: socket.socket | Transport, theirs: socket.socket | TlsPeer) -> None:
        self.transport = TcpTransport(ours, "peer") if isinstance(ours, socket.socket) else ours
        self.theirs = theirs
        self.clock, self.flow = Clock(), Flow()
        self.backlogs: Backlogs[Stream] = Backlogs()
        self.watched: list[Stream] = []
        self.words = PlainWords()
        self.stream = Stream(
            self.transport,
            self.words,
            self.watched.append,
            self.flow,
            self.backlogs,
            self.clock,
        )
        if isinstance(theirs, TlsPeer):
            theirs.pump = self.stream.flush

    def read_some(self, size: int = 65536) -> bytes:
        """What has arrived at the peer by now, at most `size` bytes."""
        self.theirs.setblocking(False)
        try:
            return self.theirs.recv(size)
        except BlockingIOError:
            return b""
        finally:
            self.theirs.settimeout(PATIENCE)

    def read(self, count: int) -> bytes:
        """Flush, and read at the other end, until `count` bytes have arrived."""
        found = b""
        while len(found) < count:
            self.stream.flush()
            found += self.theirs.recv(65536)
        return found

    def reset(self) -> None:
        """The peer's machine resets the connection: what was not read is lost."""
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.theirs.close()

    def fill(self) -> bytes:
        """Send more at once than any socket here takes, so that many bytes wait; everything that was sent."""
        sent = b""
        while not self.stream.buffered:
            sent += 5 * LARGE
            self.stream.send(5 * LARGE)
        return sent


class FullDesk:
    """A stream over a transport that takes nothing until the test gives it room."""

    def __init__(
        self, backlogs: Backlogs[Stream] | None = None, transport: FullTransport | None = None
    ) -> None:
        self.clock, self.flow, self.transport = Clock(), Flow(), transport or FullTransport()
        self.backlogs = backlogs or Backlogs()
        self.words = PlainWords()
        self.stream = Stream(
            self.transport, self.words, lambda _stream: None, self.flow, self.backlogs, self.clock
        )


LARGE = bytes(range(250)) * 400

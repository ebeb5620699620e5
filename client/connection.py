"""One connection to a server: the only module of the client that touches a socket.

The system's errors become ours in one place (`_ours`); nobody above it handles an OSError.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from chatroom.limits import RECEIVE_LARGE
from client.address import write_address


class Connection:
    """A TCP connection. One thread receives, one sends; any thread may `shutdown()` to wake both.

    Only the owner calls `close()`, after both have stopped: a descriptor given back earlier could be
    another connection's by the time that the sender uses it.
    """

    def __init__(self) -> None:
        # Guards _socket and _ended: which socket a shutdown() has to wake, and that one was asked for.
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._ended = False
        self._name = "not connected"

    def __repr__(self) -> str:
        return f"<Connection {self._name}>"

    def open(self, host: str, port: int, deadline: Deadline) -> None:
        """Connect to the first address of `host` that answers. Raises ConnectionLost; is closed then."""
        self._name = write_address(host, port)
        try:
            with _ours(f"cannot connect to {self._name}"):
                addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._open_first(addresses, deadline)
        except BaseException:  # Ctrl-C while connecting, too
            self.close()
            raise

    def _open_first(self, addresses: list[Any], deadline: Deadline) -> None:
        for family, kind, protocol, _, address in addresses:
            try:
                with _ours(f"cannot connect to {self._name}"):
                    self._try(socket.socket(family, kind, protocol), address, deadline)
                return
            except ConnectionLost as failure:
                last = failure
        raise last  # getaddrinfo() gives at least one address or raises

    def _try(self, sock: socket.socket, address: Any, deadline: Deadline) -> None:
        with self._lock:
            previous, self._socket = self._socket, sock
            ended = self._ended
        if previous is not None:
            previous.close()
        if ended or deadline.expired:
            raise TimeoutError
        sock.settimeout(deadline.left() or 0.001)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def peer(self) -> str:
        """The numeric address that answered, where the admission port is, too."""
        with _ours("the connection broke"):
            return str(self._sock.getpeername()[0])

    def patience(self, seconds: float) -> None:
        """How long `receive` waits. Called by the receiver; `send` goes on trying whatever is set here."""
        with _ours("the connection broke"):
            self._sock.settimeout(max(seconds, 0.001))

    def receive(self) -> bytes | None:
        """The bytes that came; None when nothing came in time. Raises ConnectionLost at the end."""
        with _ours("the connection broke"):
            try:
                data = self._sock.recv(RECEIVE_LARGE)
            except TimeoutError as late:
                if late.errno is not None:  # the kernel's own verdict (ETIMEDOUT), not our patience
                    raise
                return None
        if not data:
            raise ConnectionLost("the server closed the connection")
        return data

    def send(self, data: bytes) -> None:
        """Send all of it, however long the server takes: whether it is dead is the receiver's judgement."""
        left = memoryview(data)
        with _ours("the connection broke"):
            while left:
                try:
                    left = left[self._sock.send(left) :]
                except TimeoutError as late:
                    if late.errno is not None:
                        raise

    def finish(self) -> None:
        """Nothing more will be sent; the server's end is waited for by the receiver."""
        self._shut(socket.SHUT_WR)

    def shutdown(self) -> None:
        """End the connection and wake whoever waits in it. Any thread, any number of times."""
        with self._lock:
            self._ended = True
        self._shut(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back. By the owner, when no thread uses it any more."""
        with self._lock:
            sock, self._socket, self._ended = self._socket, None, True
        if sock is not None:
            sock.close()

    def _shut(self, how: int) -> None:
        with self._lock:
            sock = self._socket
        if sock is not None:
            try:
                sock.shutdown(how)
            except OSError:  # ended already, or not connected yet: both are what was wanted
                pass

    @property
    def _sock(self) -> socket.socket:
        with self._lock:
            if self._socket is None:
                raise ConnectionLost("the connection is closed")
            return self._socket


@contextmanager
def _ours(what: str) -> Iterator[None]:
    """The one place where the system's errors become ours."""
    try:
        yield
    except TimeoutError:
        raise ConnectionLost(f"{what}: no answer in time") from None
    except (socket.gaierror, UnicodeError):  # UnicodeError: no host name by the rules of IDNA
        raise ConnectionLost(f"{what}: the host is not known") from None
    except OSError as cause:
        raise ConnectionLost(f"{what}: {(cause.strerror or str(cause)).lower()}") from None

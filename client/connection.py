"""One connection to a server: the only module of the client that touches the socket to the server.

The system's errors become ConnectionLost in one place (`_translate_errors`).
"""

from __future__ import annotations

import math
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

    Only the owner calls `close()`, after both threads have stopped: the kernel reuses descriptor numbers, and
    a late send would reach another connection.
    """

    def __init__(self) -> None:
        # Guards _socket (the one that shutdown() has to wake) and _ended (shutdown() was called).
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
            with _translate_errors(f"cannot connect to {self._name}"):
                addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._open_first(addresses, deadline)
        except BaseException:  # Ctrl-C while connecting, too
            self.close()
            raise

    def _open_first(self, addresses: list[Any], deadline: Deadline) -> None:
        for family, kind, protocol, _, address in addresses:
            try:
                with _translate_errors(f"cannot connect to {self._name}"):
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
        """The numeric address of the server. The admission port is at the same address."""
        with _translate_errors("the connection broke"):
            return str(self.sock.getpeername()[0])

    def receive(self, seconds: float) -> bytes:
        """The bytes that came; b"" when none came for `seconds`. Raises ConnectionLost at the end."""
        with _translate_errors("the connection broke"):
            try:
                sock = self.sock
                sock.settimeout(max(seconds, 0.001))
                data = sock.recv(RECEIVE_LARGE)
            except TimeoutError as late:
                _raise_if_from_kernel(late)
                return b""
        if not data:
            raise ConnectionLost("the server closed the connection")
        return data

    def send(self, data: bytes, seconds: float = math.inf) -> None:
        """Send all of it within `seconds`. Raises ConnectionLost.

        The receiver sets the socket's time-out, so one may run out here, too: then send() tries again.
        """
        left, deadline = memoryview(data), Deadline(seconds)
        with _translate_errors("the connection broke"):
            while left:
                try:
                    left = left[self.sock.send(left) :]
                except TimeoutError as late:
                    _raise_if_from_kernel(late)
                    if deadline.expired:
                        raise

    def finish(self) -> None:
        """Send nothing more; the receiver still gets everything up to the server's own end."""
        self._shut(socket.SHUT_WR)

    def shutdown(self) -> None:
        """End the connection and wake the threads that wait in it. Any thread, any number of times."""
        with self._lock:
            self._ended = True
        self._shut(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket. Only for the owner, when no other thread uses it any more."""
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
            except OSError:  # the connection has ended already, or was never made
                pass

    @property
    def sock(self) -> socket.socket:
        """The connected socket. Raises ConnectionLost after close()."""
        with self._lock:
            if self._socket is None:
                raise ConnectionLost("the connection is closed")
            return self._socket


def _raise_if_from_kernel(late: TimeoutError) -> None:
    """The kernel's own ETIMEDOUT has an errno and means a dead connection; the socket's time-out has none."""
    if late.errno is not None:
        raise late


@contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    """Raise the system's errors again as ConnectionLost, with a text for a person."""
    try:
        yield
    except TimeoutError:
        raise ConnectionLost(f"{what}: no answer in time") from None
    except (socket.gaierror, UnicodeError):  # UnicodeError: the host name breaks the rules of IDNA
        raise ConnectionLost(f"{what}: the host is not known") from None
    except OSError as cause:
        raise ConnectionLost(f"{what}: {(cause.strerror or str(cause)).lower()}") from None

"""One connection to a server: with `client/tls_socket.py`, all that touches the socket to the server.

The system's errors become ConnectionLost in one place (`_translate_errors`).
"""

from __future__ import annotations

import errno
import math
import os
import socket
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import Lock
from typing import TYPE_CHECKING, Any

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from chatroom.limits import RECEIVE_LARGE
from client.address import Address, numeric_host, write_address
from client.limits import CONNECT_STAGGER
from client.resolver import RESOLVER, look_up
from client.waiting import wait_for

if TYPE_CHECKING:  # ssl costs much of the start-up, and is not always needed
    from client.server_trust import ServerIdentity
    from client.tls_socket import TlsSocket


class Connection:
    """A TCP connection. One thread receives, one sends; any thread may `shutdown()` to wake both.

    Only the owner calls `close()`, after both threads have stopped: the kernel reuses descriptor numbers, and
    a late send would reach another connection.

    identity: with TLS, and to which server; None: without encryption
    """

    def __init__(self, identity: ServerIdentity | None = None) -> None:
        self._identity = identity
        self._tls: TlsSocket | None = None  # set by open(), and never changed afterwards
        # Guards _sockets (those that connect, or the one that has: shutdown() has to wake them), _socket (the
        # one that has), and _ended (shutdown() was called).
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._socket: socket.socket | None = None
        self._ended = False
        self._awake = Flag()  # wakes the owner that waits for the addresses of a host
        self._name = "not connected"

    def __repr__(self) -> str:
        return f"<Connection {self._name}>"

    def open(self, host: str, port: int, deadline: Deadline) -> None:
        """Connect to the first address of `host` that answers.

        Raises ConnectionLost, and with TLS CertificateRefused, and Refused by a server without it. Then it is
        closed.
        """
        self._name = write_address(host, port)
        try:
            with _translate_errors(f"cannot connect to {self._name}"):
                self._race(self._resolve(host, port, deadline), deadline)
                if self._identity is not None:
                    from client.tls_socket import TlsSocket

                    self._tls = TlsSocket(self.sock, self._identity)
                    self._tls.begin(deadline)
        except BaseException:  # Ctrl-C while connecting, too
            self.close()
            raise

    def _resolve(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """The addresses of the host. Raises TimeoutError: shutdown() was called, or it is too late."""
        try:
            return look_up(host, port, socket.AI_NUMERICHOST)
        except socket.gaierror:
            pass  # it is a name: the system may have to ask others
        answer = RESOLVER.ask(host, port)
        answer.add_done_callback(lambda _answer: self._awake.set())
        self._awake.wait(deadline.left())
        if not answer.done():
            raise TimeoutError
        return answer.result()

    # --- happy eyeballs (RFC 8305, section 5): an address that is silent must not hide one that answers ---

    def _race(self, addresses: list[Address], deadline: Deadline) -> None:
        """Begin a try each CONNECT_STAGGER, or as soon as one has failed; the first that connects wins."""
        untried = deque(addresses)
        failure: OSError = TimeoutError()
        stagger = Deadline(0.0)
        while not self._connected(deadline):
            if untried and (stagger.expired or not self._sockets):
                stagger = Deadline(CONNECT_STAGGER)
                failure = self._try(*untried.popleft()) or failure
            elif self._sockets:
                seconds = min(deadline.left(), stagger.left() if untried else math.inf)
                failure = self._hear(seconds) or failure
            else:
                raise failure

    def _connected(self, deadline: Deadline) -> bool:
        """Whether a try has won; the others are given up then. Raises TimeoutError when it is too late."""
        with self._lock:
            if self._ended or deadline.expired:
                raise TimeoutError
            if self._socket is None:
                return False
            others, self._sockets = self._sockets, [self._socket]
        for sock in others:
            if sock is not self._socket:
                sock.close()
        self.sock.settimeout(max(deadline.left(), 0.001))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return True

    def _try(self, family: int, address: Any) -> OSError | None:
        """Begin to connect; the error if that failed at once."""
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as failure:  # the system has no such addresses, or no descriptor
            return failure
        with self._lock:
            self._sockets.append(sock)
        sock.setblocking(False)
        error = sock.connect_ex(address)
        return None if error in _UNDER_WAY else self._drop(sock, error)

    def _hear(self, seconds: float) -> OSError | None:
        """Wait for the first answers; the error of the last try that failed, if none has won."""
        by_number = {sock.fileno(): sock for sock in self._sockets}
        failure = None
        for number in wait_for([], list(by_number), seconds)[1]:
            sock = by_number[number]
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or _check(sock)
            if error:
                failure = self._drop(sock, error)
            else:
                with self._lock:
                    self._socket = sock
                return None
        return failure

    def _drop(self, sock: socket.socket, error: int) -> OSError:
        """Give up a try that has failed; its error."""
        with self._lock:
            self._sockets.remove(sock)
        sock.close()
        return OSError(error, os.strerror(error))

    # --- connected ---------------------------------------------------------------------------------------

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read or change the bytes."""
        return self._tls is not None

    @property
    def peer(self) -> str:
        """The numeric address of the server. The admission port is at the same address."""
        with _translate_errors("the connection broke"):
            return numeric_host(self.sock.getpeername())

    def receive(self, seconds: float) -> bytes:
        """The bytes that came; b"" when none came for `seconds`. Raises ConnectionLost at the end."""
        with _translate_errors("the connection broke"):
            if self._tls is not None:
                return self._tls.receive(seconds)
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
            if self._tls is not None:
                self._tls.send(data, seconds)
                return
            while left:
                try:
                    left = left[self.sock.send(left) :]
                except TimeoutError as late:
                    _raise_if_from_kernel(late)
                    if deadline.expired:
                        raise

    def finish(self) -> None:
        """Send nothing more; the receiver still gets everything up to the server's own end."""
        if self._tls is not None:
            self._tls.finish()
        self._shut(socket.SHUT_WR)

    def shutdown(self) -> None:
        """End the connection and wake the threads that wait in it. Any thread, any number of times."""
        with self._lock:
            self._ended = True
        self._awake.set()
        self._shut(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every socket. Only for the owner, when no other thread uses it any more."""
        with self._lock:
            sockets, self._sockets, self._socket, self._ended = self._sockets, [], None, True
        for sock in sockets:
            sock.close()

    def _shut(self, how: int) -> None:
        with self._lock:
            sockets = list(self._sockets)
        for sock in sockets:
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


_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


def _check(sock: socket.socket) -> int:
    """The errno of a socket that is not connected to a server after all; 0 for one that is.

    While nobody listens, the kernel may choose the port that it connects to as the port it connects from.
    Then the socket is connected to itself (RFC 9293, section 3.5: a simultaneous open), and keeps the server
    from listening there again.
    """
    try:
        itself = sock.getsockname() == sock.getpeername()
    except OSError as gone:
        return gone.errno or errno.ECONNRESET
    if itself:  # reset it: else its port would be in use for another minute
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    return errno.ECONNREFUSED if itself else 0


_RESET = struct.pack("ii", 1, 0) if os.name != "nt" else struct.pack("hh", 1, 0)
"""SO_LINGER, on, for 0 seconds: close() resets the connection."""


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

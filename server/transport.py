"""A connected stream of bytes, as the server uses it: TCP here, TLS over it in `server/tls.py`.

No other module of the server receives from a peer's socket or sends to it.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol

from chatroom.errors import ConnectionLost

Bytes = bytes | memoryview

CLOSED_BEFORE_TLS: Final = "closed before TLS began"
RESET: Final = os.strerror(errno.ECONNRESET)
"""Why a connection is lost whose peer has closed it with a reset, as a program does that does not read."""


class Transport(Protocol):
    """One connection. One thread receives; any thread may send; sends must not overlap."""

    @property
    def peer(self) -> str:
        """The peer's address, for the log."""

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read or change the bytes."""

    @property
    def pending(self) -> int:
        """Bytes that send() has taken and the socket has not. The next send() begins with them."""

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, at most `size`; b"" at the end of the stream.

        timeout: seconds to wait at most, None: without end
        Raises ConnectionLost when the connection breaks or the time is over.
        """

    def send(self, data: Bytes) -> int:
        """Send what goes without waiting; how many bytes that was. Raises ConnectionLost.

        Some of these bytes may be `pending`: call send() again, with nothing or with more, until none are.
        """

    def finish(self) -> None:
        """Nothing more will be sent: the peer sees the end of the stream, once nothing is pending.

        It may go on sending.
        """

    def abort(self) -> None:
        """End both directions, and wake the thread in receive(). The descriptor stays open."""

    def fileno(self) -> int:
        """The descriptor, for selectors; -1 once it is closed."""

    def close(self) -> None:
        """Close the descriptor. No thread may use the connection any more: the kernel reuses the number."""


class GuestTransport(Transport, Protocol):
    """A Transport as the handshake of a newcomer needs it."""

    @property
    def host(self) -> tuple[int, tuple[Any, ...]]:
        """Address family and socket address of our end: where the peer has found this server."""

    def begin(self, timeout: float) -> None:
        """Do what comes before the first byte of the chat: with TLS its handshake, otherwise nothing.

        timeout: seconds to wait at most
        Raises ConnectionLost, and Refused when the peer speaks without encryption and must not.
        """

    def receive_now(self, size: int) -> bytes | None:
        """As receive(), and as begin() before it, but without waiting: None while no bytes can be had."""

    def refuse(self, last: bytes) -> None:
        """Send the last bytes to a peer that is refused: in clear if TLS has not begun.

        Raises ConnectionLost.
        """

    def hush(self) -> None:
        """Receive nothing more: wakes the thread in receive() with its end. Sending goes on."""

    def sibling(self, sock: socket.socket, peer: str) -> GuestTransport:
        """The transport of another connection of this newcomer, see `Opener`: with the same certificate."""


Opener = Callable[[socket.socket, str], GuestTransport]
"""Makes the transport of an accepted socket and the peer's address. Raises OSError when the peer is gone."""


class TcpTransport:
    """A Transport over a TCP socket, which it owns from here on. peer: the address as text."""

    encrypted = False
    pending = 0

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self.peer = peer
        self._socket = sock
        sock.setblocking(True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def host(self) -> tuple[int, tuple[Any, ...]]:
        return self._socket.family, self._socket.getsockname()

    def begin(self, timeout: float) -> None:
        pass

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        try:
            if timeout is not None and not self._readable(timeout):
                raise ConnectionLost("too slow")
            return self._socket.recv(size)
        except OSError as error:
            raise _lost(error) from None

    def receive_now(self, size: int) -> bytes | None:
        try:
            return self._socket.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            raise _lost(error) from None

    def _readable(self, timeout: float) -> bool:
        # Not settimeout(): it would hold for the sends of other threads, too.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def send(self, data: Bytes) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise _lost(error) from None

    def refuse(self, last: bytes) -> None:
        self.send(last)

    def finish(self) -> None:
        self._shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        self._shutdown(socket.SHUT_RDWR)

    def hush(self) -> None:
        self._shutdown(socket.SHUT_RD)

    def _shutdown(self, how: int) -> None:
        try:
            self._socket.shutdown(how)
        except OSError:
            pass  # the peer was faster

    def sibling(self, sock: socket.socket, peer: str) -> TcpTransport:
        return TcpTransport(sock, peer)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


def _lost(error: OSError) -> ConnectionLost:
    reason = _PLAIN.get(error.errno or 0, "connection lost")
    return ConnectionLost(error.strerror or reason, reason)


_PLAIN = {
    errno.ETIMEDOUT: "no answer any more",
    errno.EHOSTUNREACH: "the network was cut",
    errno.ENETUNREACH: "the network was cut",
    errno.ENETDOWN: "the network was cut",
}
"""Errors of sockets in words for people; all others mean the same to them: the connection is lost."""

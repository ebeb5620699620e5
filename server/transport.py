"""A connected stream of bytes, as the server uses it. TCP is one; TLS can be another.

No other module of the server receives from a peer's socket or sends to it.
"""

from __future__ import annotations

import select
import socket
from typing import Any, Protocol

from chatroom.errors import ConnectionLost

Bytes = bytes | memoryview


class Transport(Protocol):
    """One connection. One thread receives; any thread may send; sends must not overlap."""

    @property
    def peer(self) -> str:
        """The peer's address, for the log."""

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, at most `size`; b"" at the end of the stream.

        timeout: seconds to wait at most, None: without end
        Raises ConnectionLost when the connection breaks or the time is over.
        """

    def send(self, data: Bytes) -> int:
        """Send what goes without waiting; how many bytes that was. Raises ConnectionLost."""

    def finish(self) -> None:
        """Nothing more will be sent: the peer sees the end of the stream. It may go on sending."""

    def abort(self) -> None:
        """End both directions, and wake the thread in receive(). The descriptor stays open."""

    def fileno(self) -> int:
        """The descriptor, for selectors; -1 once it is closed."""

    def close(self) -> None:
        """Close the descriptor. No thread may use the connection any more: the kernel reuses the number."""


class TcpTransport:
    """A Transport over a TCP socket, which it owns from here on. peer: the address as text."""

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self.peer = peer
        self._socket = sock
        sock.setblocking(True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def host(self) -> tuple[int, tuple[Any, ...]]:
        """Address family and socket address of our end: where the peer has found this server."""
        return self._socket.family, self._socket.getsockname()

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        try:
            if timeout is not None and not self._readable(timeout):
                raise ConnectionLost("too slow")
            return self._socket.recv(size)
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

    def finish(self) -> None:
        self._shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        self._shutdown(socket.SHUT_RDWR)

    def hush(self) -> None:
        """Receive nothing more: wakes the thread in receive() with b"". Sending goes on."""
        self._shutdown(socket.SHUT_RD)

    def _shutdown(self, how: int) -> None:
        try:
            self._socket.shutdown(how)
        except OSError:
            pass  # the peer was faster

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


def _lost(error: OSError) -> ConnectionLost:
    return ConnectionLost(error.strerror or "connection lost")

"""Connections that the server has refused: they stay open until the peer has read why."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from time import monotonic

from chatroom.errors import ConnectionLost
from server.limits import GOODBYE_SECONDS, RECEIVE_SMALL
from server.transport import TcpTransport


class Refusals:
    """Says why, waits until the peer has closed or GOODBYE_SECONDS have passed, and closes.

    A socket that is closed with unread bytes sends a reset, and the peer may lose the reason. Confined to the
    thread that accepts, which waits for newcomers here.

    most:  connections that stay open at the same time
    """

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._clock = clock
        self._selector: selectors.BaseSelector | None = None
        self._open: dict[TcpTransport, float] = {}  # until when; the oldest first

    def __len__(self) -> int:
        return len(self._open)

    def refuse(self, transport: TcpTransport, status: bytes, linger: bool = True) -> None:
        """Send `status`, the last that the peer gets. Owns the connection from here on.

        linger: whether the peer has time to read it; without, any thread may call
        """
        try:
            transport.send(status)
            transport.finish()
        except ConnectionLost:
            transport.close()  # the peer is gone
            return
        if not linger or self._selector is None:
            transport.close()
            return
        if len(self._open) >= self._most:
            self._close(next(iter(self._open)))
        self._open[transport] = self._clock() + GOODBYE_SECONDS
        self._selector.register(transport, selectors.EVENT_READ, transport)

    def start(self, listener: socket.socket) -> None:
        """Let wait() return for the connections that come to `listener`."""
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)

    def wait(self) -> bool:
        """Wait until something happens; whether a newcomer is there."""
        assert self._selector is not None
        newcomer = False
        first = next(iter(self._open.values()), None)
        timeout = None if first is None else max(0.0, first - self._clock())
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                newcomer = True
            else:
                self._drop(key.data)
        now = self._clock()
        for transport in [transport for transport, until in self._open.items() if until <= now]:
            self._close(transport)
        return newcomer

    def _drop(self, transport: TcpTransport) -> None:
        """Drop what the peer has sent; close when it has closed."""
        try:
            ended = not transport.receive(RECEIVE_SMALL)
        except ConnectionLost:
            ended = True
        if ended:
            self._close(transport)

    def _close(self, transport: TcpTransport) -> None:
        assert self._selector is not None
        self._selector.unregister(transport)
        del self._open[transport]
        transport.close()

    def close(self) -> None:
        """Close all that are still open. The end of the thread that accepts."""
        for transport in list(self._open):
            self._close(transport)
        if self._selector is not None:
            self._selector.close()
            self._selector = None

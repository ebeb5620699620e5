"""Makes the transports of encrypted connections, with the certificate that the server has at the moment."""

from __future__ import annotations

import socket
import ssl
import threading

from server.tls import TlsTransport
from server.transport import TcpTransport


class TlsOpener:
    """See `server.transport.Opener`. Any thread may use it. context: with the server's certificate"""

    def __init__(self, context: ssl.SSLContext) -> None:
        # Guards _context.
        self._lock = threading.Lock()
        self._context = context

    def renew(self, context: ssl.SSLContext) -> None:
        """Use another certificate for the connections that come from now on. The others keep theirs."""
        with self._lock:
            self._context = context

    def __call__(self, sock: socket.socket, peer: str) -> TlsTransport:
        with self._lock:
            context = self._context
        return TlsTransport(TcpTransport(sock, peer), context)

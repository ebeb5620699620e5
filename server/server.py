"""The Server: listens, accepts, and hands sockets to the Chatroom. It owns no conversation."""

from __future__ import annotations

import logging
import socket
import threading

from chatroom.arrivals import Join
from chatroom.chatroom import Chatroom
from chatroom.errors import Closed, ConfigError
from server.address import format_address
from server.limits import EXHAUSTED_SECONDS, LISTEN_BACKLOG, MAX_HANDSHAKES
from server.lobby import Lobby
from server.transport import TcpTransport

log = logging.getLogger(__name__)


class Server:
    """The listening socket, and the thread that accepts. The Chatroom starts every thread.

    host, port: where the lobby is; port 0: any
    Raises ConfigError when it cannot listen there.
    """

    def __init__(self, host: str, port: int, chatroom: Chatroom, lobby: Lobby) -> None:
        self._chatroom = chatroom
        self._lobby = lobby
        self._listener = _listen(host, port)
        # Guards _newcomers, and that none is added once _closing is set.
        self._lock = threading.Lock()
        self._newcomers: set[TcpTransport] = set()  # in the middle of the handshake
        self._closing = threading.Event()

    @property
    def address(self) -> str:
        """The address that it listens on: HOST:PORT, [HOST]:PORT for IPv6."""
        return format_address(self._listener.getsockname())

    @property
    def newcomers(self) -> int:
        """How many connections are in the middle of the handshake."""
        with self._lock:
            return len(self._newcomers)

    def start(self) -> None:
        """Begin to accept."""
        self._chatroom.spawn(self._accept, "accept")

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, address = self._listener.accept()
            except OSError as error:
                if not self._closing.is_set():
                    log.error("accept: %s", error)
                    self._closing.wait(EXHAUSTED_SECONDS)
                continue
            self.hand_over(sock, format_address(address))
        self._listener.close()

    def hand_over(self, sock: socket.socket, peer: str) -> None:
        """Let the chatroom start a thread for this connection, so that a silent newcomer delays no other."""
        try:
            transport = TcpTransport(sock, peer)
        except OSError:
            sock.close()
            return  # the peer is gone already
        with self._lock:
            closing = self._closing.is_set()  # close() may have run already, and has not seen this connection
            full = len(self._newcomers) >= MAX_HANDSHAKES
            if not full and not closing:
                self._newcomers.add(transport)
        if full or closing:
            log.warning("= %s: refused, %s", peer, "closing" if closing else "too many handshakes at once")
            transport.close()
            return
        try:
            self._chatroom.accept(lambda: self._lead(transport), f"connection {peer}")
        except (Closed, RuntimeError) as error:  # RuntimeError: the system has no thread left
            log.warning("= %s: refused, %s", peer, error)
            self._forget(transport)
            transport.close()

    def _lead(self, transport: TcpTransport) -> Join | None:
        """The first part of a connection's thread: the handshake."""
        try:
            return self._lobby.lead(transport)
        finally:
            self._forget(transport)

    def _forget(self, transport: TcpTransport) -> None:
        with self._lock:
            self._newcomers.discard(transport)

    def close(self) -> None:
        """Accept nobody any more, and end the handshakes that are under way."""
        with self._lock:
            self._closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass  # not every system lets a listening socket be shut down; there the next newcomer wakes it
        self._lobby.close()
        with self._lock:
            for transport in self._newcomers:
                transport.abort()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except UnicodeError:  # no host name by the rules of IDNA
        raise ConfigError(f"cannot listen on {host}: the host is not known") from None
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}: {error.strerror or error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(LISTEN_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on {format_address(address)}: {error.strerror}") from None
    return listener

"""The Server: listens, does the handshake, hands sockets over. It owns no conversation."""

from __future__ import annotations

import logging
import socket
import threading

from chatroom.chatroom import Chatroom
from chatroom.errors import Closed, ConfigError
from server.limits import EXHAUSTED_SECONDS, LISTEN_BACKLOG, MAX_HANDSHAKES
from server.lobby import Lobby

log = logging.getLogger(__name__)


class Server:
    """The listening socket, one thread that accepts, and one short thread for each handshake.

    host, port: where the lobby is; port 0: any
    Raises ConfigError when it cannot listen there.
    """

    def __init__(self, host: str, port: int, chatroom: Chatroom, lobby: Lobby) -> None:
        self._chatroom = chatroom
        self._lobby = lobby
        self._listener = _listen(host, port)
        # Guards _guests, and that none is added once _closing is set.
        self._lock = threading.Lock()
        self._guests: set[socket.socket] = set()  # in the middle of the handshake, in the lobby
        self._closing = threading.Event()

    @property
    def address(self) -> str:
        """Where it listens: HOST:PORT, [HOST]:PORT for IPv6."""
        return format_address(self._listener.getsockname())

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
            self._begin_handshake(sock, format_address(address))
        self._listener.close()

    def _begin_handshake(self, sock: socket.socket, peer: str) -> None:
        """In a thread of its own: a silent newcomer keeps nobody else out."""
        with self._lock:
            closing = self._closing.is_set()  # close() has woken the guests, and would not know this one
            full = len(self._guests) >= MAX_HANDSHAKES
            if not full and not closing:
                self._guests.add(sock)
        if full or closing:
            log.warning("= %s: refused, %s", peer, "closing" if closing else "too many handshakes at once")
            sock.close()
            return
        try:
            self._chatroom.spawn(lambda: self._shake_hands(sock, peer), f"handshake {peer}")
        except (Closed, RuntimeError) as error:
            log.warning("= %s: refused, %s", peer, error)
            self._dismiss(sock)
            sock.close()

    def _shake_hands(self, sock: socket.socket, peer: str) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._lobby.receive(sock, peer)
        finally:
            self._dismiss(sock)

    def _dismiss(self, sock: socket.socket) -> None:
        with self._lock:
            self._guests.discard(sock)

    def close(self) -> None:
        """Accept nobody any more; handshakes that are under way end."""
        with self._lock:
            self._closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass  # not every system lets a listening socket be shut down; there the next newcomer wakes it
        self._lobby.close()
        with self._lock:
            for sock in self._guests:
                try:
                    sock.shutdown(socket.SHUT_RDWR)  # wakes its recv()
                except OSError:
                    pass  # on the way out already


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


def format_address(address: tuple[object, ...]) -> str:
    """A socket address as HOST:PORT, with brackets around IPv6 (RFC 3986, section 3.2.2)."""
    host, port = str(address[0]), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

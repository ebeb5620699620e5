"""The Server: listens, accepts, and hands sockets to the Chatroom. It owns no conversation."""

from __future__ import annotations

import logging
import socket
import threading
from functools import partial

from chatroom.chatroom import Chatroom
from chatroom.errors import ChatroomError, ConfigError, Refused
from chatroom.outcomes import Code
from server.address import format_address, share_of
from server.crowd import Crowd, Visit
from server.guest import code_of, refusal
from server.limits import EXHAUSTED_SECONDS, LISTEN_BACKLOG
from server.lobby import Lobby
from server.refusals import Refusals
from server.transport import TcpTransport

log = logging.getLogger(__name__)


class Server:
    """The listening socket, and the thread that accepts. The Chatroom starts every thread.

    host, port: where the lobby is; port 0: any
    crowd:      says who may come in
    refused:    how many connections that were refused stay open until the peer has read why
    Raises ConfigError when it cannot listen there.
    """

    def __init__(
        self, host: str, port: int, chatroom: Chatroom, lobby: Lobby, crowd: Crowd, refused: int
    ) -> None:
        self._chatroom = chatroom
        self._lobby = lobby
        self._crowd = crowd
        self._listener = _listen(host, port)
        self._closing = threading.Event()
        self._accepting = False  # the thread that accepts has been started, and closes the listener
        self._refusals = Refusals(refused)  # confined to the thread that accepts

    @property
    def address(self) -> str:
        """The address that it listens on: HOST:PORT, [HOST]:PORT for IPv6."""
        return format_address(self._listener.getsockname())

    @property
    def newcomers(self) -> int:
        """How many connections are in the middle of the handshake."""
        return self._crowd.guests

    def start(self) -> None:
        """Begin to accept."""
        self._chatroom.spawn(self._accept, "accept")
        self._accepting = True

    def _accept(self) -> None:
        while not self._closing.is_set():
            self._listener.settimeout(self._refusals.tick())
            try:
                sock, address = self._listener.accept()
            except TimeoutError:
                continue  # one that was refused has had its time
            except OSError as error:
                if not self._closing.wait(EXHAUSTED_SECONDS):
                    log.error("accept: %s", error)
                continue
            self.hand_over(sock, format_address(address))
        self._refusals.close()
        self._listener.close()

    def hand_over(self, sock: socket.socket, peer: str) -> None:
        """Let the chatroom start a thread for this connection, so that a silent newcomer delays no other."""
        try:
            transport = TcpTransport(sock, peer)
        except OSError:
            sock.close()
            return  # the peer is gone already
        visit = Visit(share_of(peer), transport.hush)
        try:
            self._crowd.enter(visit)
            lead, leave = partial(self._lobby.lead, transport, visit), partial(self._crowd.leave, visit)
            self._chatroom.accept(lead, f"connection {peer}", leave)
        except (ChatroomError, RuntimeError) as error:  # RuntimeError: the system has no thread left
            self._crowd.leave(visit)
            log.warning("= %s: refused, %s", peer, error)
            code = code_of(error) if isinstance(error, Refused) else Code.UNAVAILABLE
            self._refusals.refuse(transport, refusal(code, str(error)))

    def close(self) -> None:
        """Accept nobody any more, and end the handshakes that are under way."""
        self._closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass  # not every system lets a listening socket be shut down; there the next newcomer wakes it
        if not self._accepting:
            self._listener.close()
        self._crowd.close()
        self._lobby.close()


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

"""The Server: listens, accepts, and hands sockets to the Chatroom. It owns no conversation."""

from __future__ import annotations

import errno
import socket
import threading
from contextlib import closing
from functools import partial
from typing import Any

from chatroom.chatroom import Chatroom
from chatroom.errors import ChatroomError, ConfigError, Refused
from chatroom.event_log import EventLog
from chatroom.network import network_of
from chatroom.outcomes import Code
from server.address import format_address
from server.crowd import Crowd, Visit
from server.guest import code_of, refusal
from server.limits import EXHAUSTED_SECONDS, LISTEN_BACKLOG, LISTEN_TRIES
from server.lobby import Lobby
from server.refusals import Refusals
from server.transport import Opener, TcpTransport

log = EventLog(__name__)


class Server:
    """The listening sockets, and a thread for each that accepts. The Chatroom starts every thread.

    host, port: where the lobby is; port 0: any
    crowd:      says who may come in
    refused:    how many connections that were refused stay open until the peer has read why
    opener:     makes the transports of accepted connections; must not wait
    Raises ConfigError when it cannot listen there.
    """

    def __init__(
        self,
        host: str,
        port: int,
        chatroom: Chatroom,
        lobby: Lobby,
        crowd: Crowd,
        refused: int,
        opener: Opener = TcpTransport,
    ) -> None:
        self._chatroom = chatroom
        self._lobby = lobby
        self._crowd = crowd
        self._refused = refused
        self._opener = opener
        self._listeners = _listen(host, port)
        # Noted now: a thread that fails closes its listener, and somebody may ask afterwards.
        self._addresses = [format_address(listener.getsockname()) for listener in self._listeners]
        self._closing = threading.Event()
        self._accepting: list[socket.socket] = []  # their threads have been started, and close them

    @property
    def addresses(self) -> list[str]:
        """The addresses that it listens on, with one port: HOST:PORT, [HOST]:PORT for IPv6."""
        return self._addresses

    @property
    def newcomers(self) -> int:
        """How many connections are in the middle of the handshake."""
        return self._crowd.guests

    def start(self) -> None:
        """Begin to accept."""
        for listener in self._listeners:
            self._chatroom.spawn_vital(partial(self._accept, listener), "accept", last=listener.close)
            self._accepting.append(listener)

    def _accept(self, listener: socket.socket) -> None:
        with closing(Refusals(max(1, self._refused // len(self._listeners)))) as refusals:
            while not self._closing.is_set():
                if (seconds := refusals.tick()) != listener.gettimeout():  # mostly None, as before
                    listener.settimeout(seconds)
                try:
                    sock, address = listener.accept()
                except TimeoutError:
                    continue  # one that was refused has had its time
                except OSError as error:
                    if not self._closing.wait(EXHAUSTED_SECONDS):
                        log.error("cannot_accept", "accept: %(error)s", error=error)
                    continue
                try:
                    self.hand_over(sock, format_address(address), refusals)
                except Exception:  # a bug, which ends the server
                    sock.close()
                    raise

    def hand_over(self, sock: socket.socket, peer: str, refusals: Refusals) -> None:
        """Let the chatroom start a thread for this connection, so that a silent newcomer delays no other."""
        try:
            transport = self._opener(sock, peer)
        except OSError:
            sock.close()
            return  # the peer is gone already
        visit = Visit(network_of(peer), transport.hush)
        try:
            self._crowd.enter(visit)
            lead, leave = partial(self._lobby.lead, transport, visit), partial(self._crowd.leave, visit)
            self._chatroom.accept(lead, f"connection {peer}", leave)
        except (ChatroomError, RuntimeError) as error:  # RuntimeError: the system has no thread left
            self._crowd.leave(visit)
            log.warning("refused", "= %(peer)s: refused, %(error)s", peer=peer, error=error)
            code = code_of(error) if isinstance(error, Refused) else Code.UNAVAILABLE
            self._chatroom.figures.refuse(code.name.lower())
            refusals.refuse(transport, refusal(code, str(error)))

    def close(self) -> None:
        """Accept nobody any more, and end the handshakes that are under way."""
        self._closing.set()
        for listener in self._listeners:
            try:
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            except OSError:
                pass  # not every system lets a listening socket be shut down: the next newcomer wakes it
            if listener not in self._accepting:
                listener.close()
        self._crowd.close()
        self._lobby.close()


def _listen(host: str, port: int) -> list[socket.socket]:
    """Listen at every address that `host` has (localhost: 127.0.0.1 and ::1), on one port.

    Else it would depend on the client's way of writing the host whether it finds the server.
    Raises ConfigError.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError:  # no host name by the rules of IDNA
        raise ConfigError(f"cannot listen on {host}: the host is not known") from None
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}: {error.strerror or error}") from None
    addresses: list[tuple[int, Any]] = [(family, address) for family, _, _, _, address in found]
    for tries_left in reversed(range(LISTEN_TRIES)):
        try:
            return _listen_on(list(dict.fromkeys(addresses)))
        except OSError as error:
            # With port 0 the system chose one for the first address; at another address it may be in use.
            if port or error.errno != errno.EADDRINUSE or not tries_left:
                raise ConfigError(error.strerror) from None
    raise AssertionError("the last try returns or raises")


def _listen_on(addresses: list[tuple[int, Any]]) -> list[socket.socket]:
    """A listening socket at each address that this machine has. Raises OSError, with a text for a person."""
    listeners: list[socket.socket] = []
    missing: list[OSError] = []
    for family, (host, port, *scope) in addresses:
        if listeners:
            port = listeners[0].getsockname()[1]
        try:
            listeners.append(_listener(family, (host, port, *scope)))
        except OSError as error:
            where = format_address((host, port, *scope))
            reason = error.strerror
            if host.startswith("fe80:") and not any(scope):
                reason = f"say on which interface, as in {host}%eth0"
            failure = OSError(error.errno, f"cannot listen on {where}: {reason}")
            if error.errno not in _NOT_HERE:
                for listener in listeners:
                    listener.close()
                raise failure from None
            missing.append(failure)
    if not listeners:
        raise missing[0]
    for failure in missing:
        log.warning("not_listening", "%(error)s", error=failure.strerror)
    return listeners


_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""A name may have an address that this machine lacks: ::1 in a container without IPv6."""


def _listener(family: int, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(LISTEN_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener

"""The handshake of one newcomer, from HELLO in the lobby to ADMIT on the new port; a short thread each."""

from __future__ import annotations

import errno
import hmac
import logging
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chatroom.chatroom import Chatroom
from chatroom.deadline import Deadline
from chatroom.errors import Closed, ConnectionLost, NameRefused, ProtocolError, Refused
from chatroom.handshake import SERVER, Handshake, Step
from chatroom.limits import HANDSHAKE_SECONDS, MAX_REASON, NAME_TRIES, TICKET_BYTES
from chatroom.names import check_channel
from chatroom.packets import SAME_CONNECTION, Admit, Code, Hello, Packet, Port, Status, Username, encode
from chatroom.requests import Join, Reservation
from server.connection import NativeConnection
from server.limits import ADMISSION_GUESTS, EXHAUSTED_SECONDS
from server.ports import Ports
from server.wire import Wire

log = logging.getLogger(__name__)

Serve = Callable[[Wire, str], NativeConnection]
"""Makes a member's connection of a socket that has gone through the handshake; str: the peer."""


class Lobby:
    """Leads newcomers to their admission: one object for all handshakes."""

    def __init__(self, chatroom: Chatroom, ports: Ports, serve: Serve) -> None:
        self._chatroom = chatroom
        self._ports = ports
        self._serve = serve
        # Guards _listeners and _closed.
        self._lock = threading.Lock()
        self._listeners: set[socket.socket] = set()  # admission ports whose owner has not come yet
        self._closed = False

    def close(self) -> None:
        """Nobody is waited for any more on an admission port."""
        with self._lock:
            self._closed = True
            for listener in self._listeners:
                listener.shutdown(socket.SHUT_RDWR)  # wakes its select()

    @contextmanager
    def _listening(self, lobby: socket.socket) -> Iterator[socket.socket]:
        """An admission port that close() can wake."""
        with self._ports.listen(lobby) as listener:
            with self._lock:
                if self._closed:
                    raise Closed("the server is shutting down")
                self._listeners.add(listener)
            try:
                yield listener
            finally:
                with self._lock:
                    self._listeners.discard(listener)

    def receive(self, sock: socket.socket, peer: str) -> None:
        """Lead the newcomer on `sock` through the handshake; the socket is closed or handed over."""
        deadline = Deadline(HANDSHAKE_SECONDS)
        wire = Wire(sock, deadline)
        try:
            self._lead(wire, peer, deadline)
        except (ProtocolError, Refused, ConnectionLost) as error:
            log.warning("< %s: %s", peer, error)
            _refuse(wire, str(error))
        except (Closed, OSError, RuntimeError) as error:  # shutting down, no port, no thread left
            log.warning("= %s: cannot be admitted: %s", peer, error)
            _refuse(wire, f"the server cannot admit anybody now: {error}")

    def _lead(self, wire: Wire, peer: str, deadline: Deadline) -> None:
        handshake = Handshake(SERVER)
        reservation = self._find_name(wire, handshake, deadline)
        ticket = secrets.token_bytes(TICKET_BYTES)
        try:
            if self._ports.same:
                self._offer(wire, handshake, SAME_CONNECTION, ticket)
                admit = _admission(wire.receive(), handshake, ticket)
            else:
                with self._listening(wire.socket) as listener:
                    self._offer(wire, handshake, listener.getsockname()[1], ticket)
                    wire.socket.close()
                    wire, admit = _await_owner(listener, handshake, ticket, peer, deadline)
            self._admit(wire, peer, reservation, admit)
        except BaseException as error:
            self._chatroom.release(reservation)  # before the newcomer is told: it may come again at once
            if isinstance(error, Refused):
                _refuse(wire, str(error))  # where it is now, which may not be the lobby's connection
            raise

    def _find_name(self, wire: Wire, handshake: Handshake, deadline: Deadline) -> Reservation:
        """Take HELLO, then names until one can be given."""
        hello = wire.receive()
        handshake.receive(hello)
        assert isinstance(hello, Hello)
        for _ in range(NAME_TRIES):
            wanted = wire.receive()
            handshake.receive(wanted)
            assert isinstance(wanted, Username)
            try:
                reservation = self._chatroom.reserve(wanted.name, wanted.token, deadline.left())
            except NameRefused as refused:
                wire.send(Status(Code.FAIL, str(refused)))
            else:
                handshake.enter(Step.OFFERED)
                return reservation
        raise Refused("too many names were tried")

    def _offer(self, wire: Wire, handshake: Handshake, port: int, ticket: bytes) -> None:
        """Say PASS to the name, tell the port, and hear that it is taken."""
        wire.send(Status(Code.PASS), Port(port, ticket))
        if handshake.receive(wire.receive()) is Step.REFUSED:
            raise Refused("the newcomer cannot use the port")
        handshake.receive(wire.receive())
        wire.send(Status(Code.END))

    def _admit(self, wire: Wire, peer: str, reservation: Reservation, admit: Admit) -> None:
        """Hand the connection over to the chatroom."""
        try:
            channel = check_channel(admit.channel)
        except NameRefused as refused:
            raise Refused(str(refused)) from None
        wire.socket.settimeout(None)
        connection = self._serve(wire, peer)
        try:
            self._chatroom.admit(Join(reservation, connection, channel, admit.since, admit.lines))
        except BaseException as error:
            self._chatroom.release(reservation)  # before it is told: it may come again at once
            connection.end(str(error), again=True)
            connection.close()
            raise


def _admission(packet: Packet, handshake: Handshake, ticket: bytes) -> Admit:
    """The ADMIT in `packet`. Raises ProtocolError, or Refused when its ticket is wrong."""
    if isinstance(packet, Admit) and not hmac.compare_digest(packet.ticket, ticket):
        raise Refused("wrong ticket")
    handshake.receive(packet)
    assert isinstance(packet, Admit)
    return packet


def _await_owner(
    listener: socket.socket, handshake: Handshake, ticket: bytes, peer: str, deadline: Deadline
) -> tuple[Wire, Admit]:
    """Accept on the admission port until somebody shows the ticket; strangers cannot shut its owner out.

    Raises ConnectionLost when nobody has by the deadline.
    """
    guests: list[Wire] = []
    listener.setblocking(False)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        try:
            while not deadline.expired:
                for key, _ in selector.select(deadline.left()):
                    if key.fileobj is listener:
                        _let_in(listener, selector, guests, deadline)
                        continue
                    guest: Wire = key.data
                    if guest not in guests:  # just made room for another one
                        continue
                    try:
                        packet = guest.receive_some()
                        if packet is None:
                            continue
                        admit = _admission(packet, handshake, ticket)
                    except (ProtocolError, Refused, ConnectionLost) as error:
                        log.warning("< %s: on the admission port of %s: %s", _name(guest), peer, error)
                        selector.unregister(guest.socket)
                        guests.remove(guest)
                        _refuse(guest, str(error))
                    else:
                        guests.remove(guest)
                        return guest, admit
        finally:
            for guest in guests:
                guest.socket.close()
    raise ConnectionLost("nobody came to the admission port in time")


def _let_in(
    listener: socket.socket, selector: selectors.BaseSelector, guests: list[Wire], deadline: Deadline
) -> None:
    try:
        sock, _ = listener.accept()
    except OSError as error:
        if error.errno == errno.EINVAL:  # it was shut down
            raise Closed("the server is shutting down") from None
        if error.errno in (errno.EMFILE, errno.ENFILE):
            time.sleep(EXHAUSTED_SECONDS)  # it stays readable: without a pause this would spin
        return  # otherwise: gone again
    if len(guests) >= ADMISSION_GUESTS:
        selector.unregister(guests[0].socket)
        guests.pop(0).socket.close()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    guest = Wire(sock, deadline)
    guests.append(guest)
    selector.register(sock, selectors.EVENT_READ, guest)


def _name(wire: Wire) -> str:
    try:
        return str(wire.socket.getpeername()[0])
    except OSError:
        return "?"


def _refuse(wire: Wire, reason: str) -> None:
    """Say why, as far as the other side still listens, and close."""
    try:
        wire.socket.settimeout(0)
        wire.socket.send(encode(Status(Code.FAIL, reason[: MAX_REASON // 4])))
    except OSError:
        pass  # it has gone; the log has the reason
    wire.socket.close()

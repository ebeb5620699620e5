"""The handshake of one newcomer: from HELLO in the lobby to ADMIT on the new port."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from chatroom.arrivals import Join, Reservation
from chatroom.chatroom import Chatroom
from chatroom.deadline import Deadline
from chatroom.errors import Closed, ConnectionLost, NameRefused, OldVersion, ProtocolError, Refused
from chatroom.handshake import SERVER, Handshake, Step
from chatroom.limits import HANDSHAKE_SECONDS, NAME_TRIES, TICKET_BYTES
from chatroom.names import check_channel
from chatroom.outcomes import Code
from chatroom.packets import SAME_CONNECTION, VERSION, Hello, Port, Status, Username, Verdict
from server.admission import AdmissionPort, check_admit
from server.connection import NativeDoor
from server.guest import Guest, code_of
from server.ports import Ports
from server.transport import TcpTransport

log = logging.getLogger(__name__)


class Lobby:
    """Leads newcomers through the handshake, each in the thread of its connection."""

    def __init__(self, chatroom: Chatroom, ports: Ports, door: NativeDoor) -> None:
        self._chatroom = chatroom
        self._ports = ports
        self._door = door
        # Guards _awaiting and _closed.
        self._lock = threading.Lock()
        self._awaiting: set[AdmissionPort] = set()
        self._closed = False

    def close(self) -> None:
        """Wake the threads that wait at an admission port; they end."""
        with self._lock:
            self._closed = True
            for port in self._awaiting:
                port.wake()

    def lead(self, transport: TcpTransport) -> Join | None:
        """Lead the newcomer on `transport` through the handshake.

        Returns what the chatroom is to admit, or None when the newcomer was refused and disconnected.
        """
        deadline = Deadline(HANDSHAKE_SECONDS)
        guest = Guest(transport, deadline)
        try:
            return self._lead(guest, deadline)
        except OldVersion as error:
            log.warning("< %s: %s", transport.peer, error)
            guest.refuse_old(str(error))
        except (ProtocolError, Refused, NameRefused, ConnectionLost) as error:
            log.warning("< %s: %s", transport.peer, error)
            guest.refuse(code_of(error), str(error))
        except (Closed, OSError) as error:  # the server is shutting down, or no port is free
            log.warning("= %s: cannot be admitted: %s", transport.peer, error)
            guest.refuse(Code.UNAVAILABLE, f"the server cannot admit anybody now: {error}")
        return None

    def _lead(self, guest: Guest, deadline: Deadline) -> Join:
        handshake, ticket = Handshake(SERVER), secrets.token_bytes(TICKET_BYTES)
        reservation = self._find_name(guest, handshake, deadline)
        with ExitStack() as undo:
            # Before the newcomer is told: it may ask for the name again at once.
            undo.callback(self._chatroom.release, reservation)
            if self._ports.same:
                self._offer(guest, handshake, SAME_CONNECTION, ticket)
                admit = check_admit(guest.exchange.receive(), handshake, ticket)
            else:
                with self._admission_port(guest, handshake, ticket, deadline) as port:
                    self._offer(guest, handshake, port.number, ticket)
                    guest.transport.close()
                    owner, admit = port.wait_for_owner()
                    guest.continue_at(owner)
            channels = tuple(check_channel(channel) for channel in admit.channels)
            undo.pop_all()
        connection = self._door.open(guest.transport, guest.exchange)
        return Join(reservation, connection, channels, admit.since, admit.time, admit.identity, admit.lines)

    def _find_name(self, guest: Guest, handshake: Handshake, deadline: Deadline) -> Reservation:
        """Take HELLO, then names until one can be reserved."""
        hello = guest.exchange.receive()
        handshake.receive(hello)
        assert isinstance(hello, Hello)
        if hello.version != VERSION:
            raise Refused(f"this server speaks version {VERSION} of the protocol", Code.BAD_VERSION)
        for _ in range(NAME_TRIES):
            wanted = guest.exchange.receive()
            handshake.receive(wanted)
            assert isinstance(wanted, Username)
            try:
                reservation = self._reserve(guest, wanted, deadline)
            except NameRefused as refused:
                guest.exchange.send(Status(Verdict.FAIL, refused.code, str(refused)))
            else:
                handshake.enter(Step.OFFERED)
                return reservation
        raise Refused("too many names were tried", Code.TOO_MANY)

    def _reserve(self, guest: Guest, wanted: Username, deadline: Deadline) -> Reservation:
        return self._chatroom.reserve(wanted.name, wanted.token, guest.transport.peer, deadline.left())

    def _offer(self, guest: Guest, handshake: Handshake, port: int, ticket: bytes) -> None:
        """Say PASS to the name, tell the port, and wait until the newcomer accepts it."""
        guest.exchange.send(Status(Verdict.PASS), Port(port, ticket))
        if handshake.receive(guest.exchange.receive()) is Step.REFUSED:
            raise Refused("the newcomer cannot use the port")
        handshake.receive(guest.exchange.receive())
        guest.exchange.send(Status(Verdict.END))

    @contextmanager
    def _admission_port(
        self, guest: Guest, handshake: Handshake, ticket: bytes, deadline: Deadline
    ) -> Iterator[AdmissionPort]:
        """An admission port at the address where the newcomer found the lobby; close() can wake it."""
        port = AdmissionPort(self._ports.listen(*guest.transport.host), handshake, ticket, deadline)
        try:
            with self._lock:
                if self._closed:
                    raise Closed("the server is shutting down")
                self._awaiting.add(port)
            yield port
        finally:
            with self._lock:
                self._awaiting.discard(port)
            port.close()

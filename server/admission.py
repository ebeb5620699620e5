"""The admission port: a newcomer with a reserved name comes here and shows its ticket."""

from __future__ import annotations

import errno
import hmac
import selectors
import socket
import time
from collections import Counter

from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, Closed, ConnectionLost, ProtocolError, Refused
from chatroom.event_log import EventLog
from chatroom.handshake import Handshake
from chatroom.network import network_of
from chatroom.outcomes import Code
from chatroom.packets import Admit, Packet
from server.address import format_address
from server.crowd import Crowd, Visit
from server.guest import Guest, code_of
from server.limits import ADMISSION_GUESTS, EXHAUSTED_SECONDS
from server.transport import Opener, TcpTransport

log = EventLog(__name__)


class AdmissionPort:
    """Waits for the one newcomer who has the ticket. Strangers cannot keep it out.

    listener: listens already, so that the newcomer cannot be too early; owned from here on
    network:    the address that the newcomer counts for; most probably it comes from there again
    crowd:    counts the strangers
    opener:   makes the transports
    """

    def __init__(
        self,
        listener: socket.socket,
        handshake: Handshake,
        ticket: bytes,
        network: str,
        crowd: Crowd,
        opener: Opener = TcpTransport,
    ) -> None:
        self.number: int = listener.getsockname()[1]
        self._listener = listener
        self._handshake = handshake
        self._ticket = ticket
        self._network = network
        self._crowd = crowd
        self._opener = opener
        # Confined to the thread in wait_for_owner():
        self._expected = True  # the newcomer's second connection; the crowd counts its handshake already
        self._selector = selectors.PollSelector()  # for a few sockets and seconds: it needs no descriptor
        self._guests: dict[Guest, Visit] = {}  # connected, no ticket shown yet; the oldest first

    def wake(self) -> None:
        """Let wait_for_owner() raise Closed. Any thread, before close()."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # not every system lets a listening socket be shut down; there the deadline ends the wait

    def close(self) -> None:
        """Listen no more, and disconnect the strangers."""
        for guest in list(self._guests):
            self._refuse(guest, Refused("the port is closed", Code.EXPIRED))
        self._selector.close()
        self._listener.close()

    def wait_for_owner(self, deadline: Deadline) -> tuple[Guest, Admit]:
        """Accept guests until one shows the ticket.

        Raises ConnectionLost at the deadline, Closed, and Refused: the owner has come, and had to make room.
        """
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not deadline.expired:
            for key, _ in self._selector.select(deadline.left()):
                if key.data is None:
                    self._accept(deadline)
                elif key.data in self._guests:  # else it has just made room for another one
                    admit = self._hear(key.data)
                    if admit is not None:
                        self._keep(key.data)
                        return key.data, admit
        raise ConnectionLost("nobody came to the admission port in time")

    def _accept(self, deadline: Deadline) -> None:
        try:
            sock, address = self._listener.accept()
            guest = Guest(self._opener(sock, format_address(address)), deadline)
        except OSError as error:
            if error.errno == errno.EINVAL:  # the listener was shut down
                raise Closed("the server is shutting down") from None
            if error.errno in (errno.EMFILE, errno.ENFILE):
                time.sleep(EXHAUSTED_SECONDS)  # the listener stays readable: without a pause this would spin
            return  # otherwise the peer is gone again
        visit = Visit(network_of(guest.transport.peer), guest.transport.hush)
        try:
            if self._expected and visit.network == self._network:
                self._expected = False
            else:
                self._crowd.enter(visit)
        except (Refused, Closed) as error:
            guest.refuse(code_of(error), str(error), linger=False)
            return
        if len(self._guests) >= ADMISSION_GUESTS:
            self._refuse(self._unlikely(), Refused("too many connections to this port", Code.SLOW_DOWN))
        self._guests[guest] = visit
        self._selector.register(guest.transport, selectors.EVENT_READ, guest)

    def _unlikely(self) -> Guest:
        """The guest that makes room: the oldest of the busiest address that is not the newcomer's.

        When all are from the newcomer's address, too, the first half stays: the newcomer may have been early,
        and silent until now. The others push out each other, the oldest first: the newcomer may come late.
        """
        networks = Counter(visit.network for visit in self._guests.values() if visit.network != self._network)
        if networks:
            ((busiest, _),) = networks.most_common(1)
            return next(guest for guest, visit in self._guests.items() if visit.network == busiest)
        return list(self._guests)[len(self._guests) // 2]

    def _hear(self, guest: Guest) -> Admit | None:
        """The guest's ADMIT, once it is complete; refuses a guest that sends anything else. Never waits."""
        try:
            packet = guest.receive_now()
            return None if packet is None else check_admit(packet, self._handshake, self._ticket)
        except (ProtocolError, Refused, ConnectionLost) as error:
            self._refuse(guest, error)
            return None

    def _keep(self, owner: Guest) -> None:
        """Let the owner go to its seat. Raises Refused when the crowd has shut its socket a moment ago."""
        refused = self._forget(owner)
        if refused is not None:
            owner.refuse(code_of(refused), str(refused), linger=False)
            raise Refused(str(refused), refused.code, refused.rows)  # see `Visit.dismissed`

    def _refuse(self, guest: Guest, error: ChatroomError) -> None:
        error = self._forget(guest) or error
        log.warning(
            "turned_away_at_port",
            "< %(peer)s: on the admission port %(port)d: %(error)s",
            peer=guest.transport.peer,
            port=self.number,
            error=error,
        )
        guest.refuse(code_of(error), str(error), linger=False)

    def _forget(self, guest: Guest) -> Refused | None:
        """Let the guest go; why it must leave already."""
        self._selector.unregister(guest.transport)
        return self._crowd.settle(self._guests.pop(guest))


def check_admit(packet: Packet, handshake: Handshake, ticket: bytes) -> Admit:
    """The packet, if it is an ADMIT with this ticket. Raises ProtocolError, or Refused: wrong ticket."""
    if isinstance(packet, Admit) and not hmac.compare_digest(packet.ticket, ticket):
        raise Refused("wrong ticket", Code.EXPIRED)
    handshake.receive(packet)
    assert isinstance(packet, Admit)
    return packet

"""The handshake of one newcomer: from HELLO in the lobby to ADMIT on the new port."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from chatroom.arrivals import Join, Reservation
from chatroom.chatroom import Chatroom
from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, Closed, ConnectionLost, NameRefused, OldVersion, Refused
from chatroom.event_log import EventLog
from chatroom.handshake import SERVER, Handshake, Step
from chatroom.limits import HANDSHAKE_SECONDS, NAME_TRIES, STEP_SECONDS, TICKET_BYTES
from chatroom.names import check_channel, name_key
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Hello,
    Packet,
    Port,
    Status,
    Username,
    Verdict,
)
from chatroom.session import session_key
from server import words
from server.admission import AdmissionPort, check_admit
from server.connection import NativeDoor
from server.crowd import Crowd, Visit
from server.guest import Guest, code_of, is_gone, software_of
from server.lapses import Lapses
from server.left_early import LeftEarly
from server.limits import LAPSE_PATIENCE, LEFT_EARLY_SECONDS
from server.ports import Ports
from server.transport import GuestTransport
from server.waiting import WaitingPorts

log = EventLog(__name__)

_LEFT = "left"
"""In the figures: the peer has closed, or was silent for too long, in the middle of the handshake."""

_MANY_LEFT = "< %(number)s newcomers have closed in the middle of the handshake within %(seconds).0f s"


class Lobby:
    """Leads newcomers through the handshake, each in the thread of its connection."""

    def __init__(
        self,
        chatroom: Chatroom,
        ports: Ports,
        door: NativeDoor,
        crowd: Crowd,
    ) -> None:
        self._chatroom = chatroom
        self._ports = WaitingPorts(ports, crowd)
        self._door = door
        self._crowd = crowd
        self._lapses = Lapses()
        self._left_early = LeftEarly()

    def close(self) -> None:
        """Wake the threads that wait at an admission port or for one; they end."""
        self._ports.close()

    def lead(self, transport: GuestTransport, visit: Visit) -> Join | None:
        """Lead the newcomer on `transport` through the handshake.

        Returns what the chatroom is to admit, or None when the newcomer was refused and disconnected.
        """
        deadline = Deadline(HANDSHAKE_SECONDS)
        guest = Guest(transport, deadline)
        try:
            return self._lead(guest, visit, deadline)
        except (ChatroomError, OSError) as error:  # OSError: no port is free
            self._refuse(guest, self._crowd.settle(visit) or error)
        return None

    def _refuse(self, guest: Guest, error: ChatroomError | OSError) -> None:
        """Tell the newcomer why it is not admitted, and close."""
        code = Code.UNAVAILABLE if isinstance(error, Closed | OSError) else code_of(error)
        self._chatroom.figures.refuse(_LEFT if isinstance(error, ConnectionLost) else code.name.lower())
        if isinstance(error, Closed | OSError):
            peer = guest.transport.peer
            log.warning("not_admitted", "= %(peer)s: cannot be admitted: %(error)s", peer=peer, error=error)
            guest.refuse(code, f"the server cannot admit anybody now: {error}")
            return
        if is_gone(error):
            self._note_left_early(guest.transport.peer, error)
        else:
            log.warning("turned_away", "< %(peer)s: %(error)s", peer=guest.transport.peer, error=error)
        if isinstance(error, OldVersion):
            guest.refuse_old(str(error))
        else:
            guest.refuse(code, words.refused(error, int(time.time() * 1000)))

    def _note_left_early(self, peer: str, error: ChatroomError) -> None:
        log.info("left_early", "< %(peer)s: %(error)s", peer=peer, error=error)
        if number := self._left_early.note():
            log.warning("many_left_early", _MANY_LEFT, number=number, seconds=LEFT_EARLY_SECONDS)

    def _lead(self, guest: Guest, visit: Visit, deadline: Deadline) -> Join:
        handshake, ticket = Handshake(SERVER), secrets.token_bytes(TICKET_BYTES)
        reservation = self._find_name(guest, visit, handshake, deadline)
        with ExitStack() as undo:
            # Before the newcomer is told: it may ask for the name again at once.
            undo.callback(self._let_lapse, visit, reservation, time.monotonic())
            if self._ports.same:
                self._offer(guest, visit, handshake, SAME_CONNECTION, ticket)
                admit = check_admit(guest.exchange.receive(), handshake, ticket)
            else:
                with self._admission_port(guest, visit, handshake, ticket, deadline) as port:
                    self._offer(guest, visit, handshake, port.number, ticket)
                    if refused := self._crowd.reach(visit, port.wake):
                        raise Refused(str(refused), refused.code, refused.rows)  # see `Visit.dismissed`
                    guest.transport.close()
                    owner, admit = port.wait_for_owner(Deadline(min(STEP_SECONDS, deadline.left())))
                    guest.continue_at(owner)
            channels = tuple(check_channel(channel) for channel in admit.channels)
            if refused := self._crowd.settle(visit):
                raise Refused(str(refused), refused.code, refused.rows)  # see `Visit.dismissed`
            undo.pop_all()
        connection = self._door.open(guest.transport, guest.exchange)
        return Join(reservation, connection, channels, admit.since, admit.time, admit.identity, admit.lines)

    def _let_lapse(self, visit: Visit, reservation: Reservation, since: float) -> None:
        """Give up the name of a newcomer that did not come, and remember how long it was held in vain."""
        self._lapses.note(visit.network, name_key(reservation.name), time.monotonic() - since)
        self._chatroom.release(reservation)

    def _find_name(self, guest: Guest, visit: Visit, handshake: Handshake, deadline: Deadline) -> Reservation:
        """Take HELLO, then names until one can be reserved."""
        guest.hurry(Deadline(STEP_SECONDS))
        guest.begin()
        if guest.transport.encrypted:  # else the peer has said nothing yet
            self._crowd.hear(visit)
        hello = self._next(guest, visit)
        handshake.receive(hello)
        assert isinstance(hello, Hello)
        if hello.version != VERSION:
            raise Refused(f"this server speaks version {VERSION} of the protocol", Code.BAD_VERSION)
        for _ in range(NAME_TRIES):
            wanted = self._next(guest, visit)
            handshake.receive(wanted)
            assert isinstance(wanted, Username)
            guest.hurry(deadline)
            self._crowd.sit(visit, session_key(wanted.token) if wanted.token != NO_TOKEN else "")
            try:
                reservation = self._reserve(guest, visit, wanted, hello, deadline)
            except NameRefused as refused:
                if refused.code == Code.BAD_PASSWORD or (refused.code == Code.BAD_KEY and wanted.shows_key):
                    # Without the name: it may be a password, mistyped.
                    peer = guest.transport.peer
                    log.warning("wrong_password", "< %(peer)s: %(error)s", peer=peer, error=refused)
                guest.exchange.send(Status(Verdict.FAIL, refused.code, str(refused)))
            else:
                self._keep_seat(visit, reservation)
                handshake.enter(Step.OFFERED)
                return reservation
        raise Refused("too many names were tried", Code.TOO_MANY)

    def _keep_seat(self, visit: Visit, reservation: Reservation) -> None:
        """The seat is that of the session from now on. Raises Refused: its token was another session's."""
        try:
            self._crowd.sit(visit, reservation.session)
        except Refused:
            self._chatroom.release(reservation)
            raise

    def _next(self, guest: Guest, visit: Visit) -> Packet:
        packet = guest.exchange.receive()
        self._crowd.hear(visit)
        return packet

    def _reserve(
        self, guest: Guest, visit: Visit, wanted: Username, hello: Hello, deadline: Deadline
    ) -> Reservation:
        """Reserve the name, unless this address has just let it lapse. Its owner may always.

        Raises NameRefused, Refused (too many wrong passwords), Closed.
        """
        if wanted.logs_in:  # nobody else gets the name of an account, so its owner keeps it from nobody
            return self._ask(guest, wanted, hello, deadline)
        wait = self._lapses.wait(visit.network, name_key(wanted.name))
        text = f"{wanted.name} was given to your address and not taken up; wait {math.ceil(wait)} s"
        lapsed = NameRefused(text, Code.NAME_HELD)
        if wait > LAPSE_PATIENCE:
            if wanted.token == NO_TOKEN:
                raise lapsed
        elif wait:
            time.sleep(wait)
            wait = 0.0
        reservation = self._ask(guest, wanted, hello, deadline)
        if wait and reservation.token != wanted.token:
            self._chatroom.release(reservation)
            raise lapsed
        return reservation

    def _ask(self, guest: Guest, wanted: Username, hello: Hello, deadline: Deadline) -> Reservation:
        transport, software = guest.transport, software_of(hello)
        return self._chatroom.reserve(
            wanted.name,
            wanted.token,
            transport.peer,
            deadline.left(),
            wanted.credentials,
            transport.encrypted,
            software,
        )

    def _offer(self, guest: Guest, visit: Visit, handshake: Handshake, port: int, ticket: bytes) -> None:
        """Say PASS to the name, tell the port, and wait until the newcomer accepts it."""
        guest.hurry(Deadline(STEP_SECONDS))
        guest.exchange.send(Status(Verdict.PASS), Port(port, ticket))
        if handshake.receive(self._next(guest, visit)) is Step.REFUSED:
            raise Refused("the newcomer cannot use the port")
        handshake.receive(self._next(guest, visit))
        guest.exchange.send(Status(Verdict.END))
        guest.hurry(Deadline(STEP_SECONDS))

    @contextmanager
    def _admission_port(
        self, guest: Guest, visit: Visit, handshake: Handshake, ticket: bytes, deadline: Deadline
    ) -> Iterator[AdmissionPort]:
        """An admission port at the address where the newcomer found the lobby; close() can wake it."""
        with self._ports.listen(guest.transport.host, visit, deadline) as listener:
            # Not with a certificate that has been renewed meanwhile: the newcomer knows the one before.
            opener = guest.transport.sibling
            port = AdmissionPort(listener, handshake, ticket, visit.network, self._crowd, opener)
            try:
                yield port
            finally:
                self._crowd.reach(visit, None)
                port.close()

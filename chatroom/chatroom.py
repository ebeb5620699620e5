"""The Chatroom: owns the members, the queue, the threads of all connections, and the conversation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Event as Flag
from typing import NamedTuple

from chatroom.amendments import KINDS, SIZES
from chatroom.arrivals import Join, Reservation
from chatroom.blame import blame
from chatroom.catch_up import CatchUp
from chatroom.commands import Permitted, name_of
from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, Closed, ConnectionLost, HistoryError, ProtocolError
from chatroom.event_log import EventLog
from chatroom.events import Extra
from chatroom.fetching import Fetching
from chatroom.figures import Figures
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.handler_desk import HandlerDesk
from chatroom.handlers import Handlers
from chatroom.history import History
from chatroom.lines import checked_extra
from chatroom.logins import Logins
from chatroom.lookalikes import skeletons
from chatroom.lookups import message_at, missed
from chatroom.names import check_name, name_key
from chatroom.network import is_loopback, network_of
from chatroom.order import Order
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst, Bye, Command
from chatroom.passwords import code_secret
from chatroom.picture import Picture
from chatroom.presence import Presence
from chatroom.proposals import Amend, Body, Enter, Leave, Limit, Own, Proposal, ProposalKind
from chatroom.queue import WaitingQueue
from chatroom.reaper import Reaper
from chatroom.reception import Reception
from chatroom.tracing import Tracing

log = EventLog(__name__)

_LEFT = "= %(peer)s (%(name)s) has left: %(why)s"


class _Ending(NamedTuple):
    """How a connection ended.

    clean, reason: see `Leave`
    code, detail:  what the peer is told; None: the connection is gone already
    logged:        for the log, which has nothing that a member wrote
    """

    clean: bool
    reason: str
    code: Code | None
    detail: str = ""
    logged: str = ""

    @property
    def why(self) -> str:
        """For the log."""
        return self.logged or (self.code.words if self.code is not None else "")


class Chatroom:
    """A running conversation. The server hands new connections over; the chatroom does the rest.

    history:  the log that the conversation continues
    on_ended: called when the conversation has ended or cannot go on, and the chatroom is to be closed. Any
              thread may call it, several times; it must not wait
    order:    makes one order of what everybody wants; without one, a waiting queue
    """

    def __init__(
        self,
        history: History,
        on_ended: Callable[[], None] = lambda: None,
        order: Order | None = None,
    ) -> None:
        self._history = history
        self._on_ended = on_ended
        self._order = order if order is not None else WaitingQueue()
        self._presence = Presence()
        self._identity = b""  # of the history; set by start(), before any other thread reads it
        self.reaper = Reaper("server", self._fail)
        self._failures: SimpleQueue[ChatroomError] = SimpleQueue()  # of vital threads
        self.flow = Flow()
        self.figures = Figures()
        self.handlers = Handlers()
        self.inspector: Callable[[], Picture] | None = None
        """Makes the picture for `/inspect`. Whoever puts the server together sets it, before start()."""
        self._catch_up = CatchUp(
            history, lambda seat, seq: self._forwarder.go_live(seat, seq), lambda: self._order.idle
        )
        self._forwarder = Forwarder(
            self._order,
            history,
            self._presence,
            self.flow,
            self._catch_up,
            time.monotonic,
            figures=self.figures,
        )
        self._logins = Logins(self._secrets)
        self._fetching = Fetching(self._forwarder, history)
        self._tracing = Tracing(self._forwarder, self._order, self.flow)
        self._reception = Reception(
            self._order, self._presence, self._logins, self.reaper.spawn, self._server_key
        )
        self._forwarded = Flag()  # set when the forwarder has ended
        self._stop_tending = Flag()
        self._stops: list[Callable[[], None]] = []

    # --- threads ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Recover the state from history; start the reaper, maintenance, catching up and the forwarder.

        Raises HistoryError.
        """
        self._identity = self._forwarder.recover()
        self.reaper.start()
        self.spawn_vital(lambda: self._history.tend(self._stop_tending), "history", self._stop_tending.set)
        self.spawn_vital(self._catch_up.run, "catch-up")
        self.spawn_vital(self._forward, "forwarder")

    def spawn_vital(
        self,
        run: Callable[[], None],
        name: str,
        stop: Callable[[], None] = lambda: None,
        last: Callable[[], None] = lambda: None,
    ) -> None:
        """Run `run` in a thread that the reaper joins. When it fails, the chatroom ends: close() raises why.

        stop: called by close(), when all members have been told goodbye
        last: what the thread does in the end, also when `run` has failed
        Raises Closed, RuntimeError (no thread left).
        """
        self._stops.append(stop)
        self.reaper.spawn(run, name, vital=True, last=last)

    def _fail(self, thread: str, error: Exception) -> None:
        """A thread has failed that the chatroom cannot do without. Without it, the server would only limp."""
        self._failures.put(ChatroomError(f"a bug ended the thread {thread}: {blame(error)}"))
        self._on_ended()

    def accept(
        self, arrive: Callable[[], Join | None], name: str, left: Callable[[], None] = lambda: None
    ) -> None:
        """Start the thread of a new connection: it runs `arrive`, and then is the handler of the member.

        arrive: the handshake; returns the request to join, or None when it has refused the newcomer
        left:   called in the end, when the thread does not use the connection any more
        Raises Closed, RuntimeError (no thread left).
        """

        self.reaper.spawn(partial(self._run_connection, arrive), name, last=left)

    def _forward(self) -> None:
        try:
            self._forwarder.run()
        finally:
            try:
                self._order.close()
                for seat in self._presence.seats:
                    seat.connection.part(Code.STOPPING)
            finally:
                self._forwarded.set()
                self._on_ended()

    @property
    def waiting(self) -> int:
        """How many lines and other proposals wait in the queue."""
        return len(self._order)

    def alert(self, text: str, lasts: bool) -> None:
        """Tell the operators of the whole chatroom something. Any thread; never waits.

        lasts: who comes in later is told, too, until the next call without it
        """
        try:
            self._forwarder.alert(text, lasts)
        except Closed:
            pass  # nobody is in any more

    # --- admission --------------------------------------------------------------------------------------

    def reserve(
        self,
        name: str,
        token: bytes,
        address: str,
        timeout: float,
        credentials: Sequence[tuple[int, bytes]] = (),
        encrypted: bool = False,
        software: str = "",
    ) -> Reservation:
        """Take a name for a newcomer, first come, first served; that of an account for its owner only.

        token:       of an earlier session, or NO_TOKEN
        address:     of the peer
        timeout:     seconds to wait for the answer
        credentials: of USERNAME; a password is hashed in this thread, when it is its turn
        encrypted:   whether the connection is. Over one that is not, only a peer on this machine may log in
        software:    of the client, printable, at most MAX_SOFTWARE bytes
        Raises NameRefused (bad, taken, wrong password, no answer in time), Refused (too many tries), Closed.
        """
        return self._reception.reserve(name, token, address, timeout, credentials, encrypted, software)

    def release(self, reservation: Reservation) -> None:
        """Give up the name of a newcomer that did not come."""
        self._reception.release(reservation)

    def own(self, name: str, code: str, until: int, timeout: float) -> bool:
        """Say who owns the chatroom; called by whoever runs it, between start() and the first newcomer.

        name:  of the account that becomes owner by the code, and of a new one if there is none; "": any
               account, unless there is an owner
        code:  a new one-time code; "" for none
        until: when it expires, in milliseconds since 1970
        Returns whether the code is of use: for any account it is not, when there is an owner already.
        Raises NameRefused, Closed, and TimeoutError: the history cannot be written at the moment.
        """
        deadline, name = Deadline(timeout), check_name(name) if name else ""
        if not name and self._forwarder.look(lambda state: state.has_owner).result(deadline.left()):
            return False
        key = name_key(name) if name else ""
        looks = skeletons(name, key) if name else ()
        body = Own(name, key, looks, code_secret(code) if code else "", until)
        self._order.put(Proposal(0, 0, ProposalKind.OWN, body), deadline.left())
        self._forwarder.look(lambda _: None).result(deadline.left())  # it is stored now
        return True

    def limit(self, values: Mapping[str, int], timeout: float) -> bool:
        """Set limits by which the state decides; called by whoever runs it, after start().

        values:  by name, see `chatroom.bounds.SETTABLE`
        timeout: seconds to wait until they are stored
        Returns whether they are stored; if not, they are set as soon as the history can be written again.
        Raises Closed, and TimeoutError: the queue has no room, and nothing is set.
        """
        deadline = Deadline(timeout)
        # Whether they are set already is not asked first: while the disk is full there is no answer.
        body = Limit(tuple(sorted(values.items())))
        self._order.put(Proposal(0, 0, ProposalKind.LIMIT, body), deadline.left())
        try:
            self._forwarder.look(lambda _: None).result(deadline.left())
        except TimeoutError:
            return False
        return True

    def set_motd(self, text: str) -> None:
        """Let everybody who comes in from now on be shown this message of the day. "": none

        text: printable, at most MOTD_BYTES; it is of this server, so it needs no entry
        Raises Closed.
        """
        self._forwarder.set_motd(text)

    @property
    def pulse(self) -> float:
        """For how many seconds the forwarder has not ended a round. Any thread."""
        return self._forwarder.pulse.age

    def _secrets(self, name_key: str, timeout: float) -> tuple[list[str], list[str]]:
        return self._forwarder.look(lambda state: state.secrets(name_key)).result(timeout)

    def _server_key(self, timeout: float) -> str:
        return self._forwarder.look(lambda state: state.server_key).result(timeout)

    def _put_unless_closed(self, origin: int, kind: ProposalKind, body: Body) -> None:
        """Propose what a closed chatroom does not need."""
        try:
            self._order.put(Proposal(origin, 0, kind, body))
        except Closed:
            pass  # no name is given any more, and the next start finds every member gone

    # --- the thread of a connection ---------------------------------------------------------------------

    def _run_connection(self, arrive: Callable[[], Join | None]) -> None:
        join = arrive()
        if join is not None:
            threading.current_thread().name = f"handler {join.reservation.name}"
            with self.handlers.noted(join.reservation.name, join.connection):
                self._handle(join)

    def _handle(self, join: Join) -> None:
        """The whole life of a member's connection; then let its member leave, and say goodbye."""
        connection, ending = join.connection, _Ending(False, "an error in the server", Code.UNAVAILABLE)
        try:
            ending = self._converse(join)
        finally:
            log.info("left", _LEFT, peer=connection.peer, name=join.reservation.name, why=ending.why)
            # Leave first: who has read the goodbye may ask for the name at once.
            leave = Leave(ending.clean, ending.reason)
            self._put_unless_closed(join.reservation.origin, ProposalKind.LEAVE, leave)
            if ending.code is not None:
                connection.part(ending.code, ending.detail)
            connection.release()

    def _converse(self, join: Join) -> _Ending:
        """Submit the join, then all that the connection receives, until the connection ends."""
        try:
            self._presence.come(join, missed(self._history, self._identity, join))
            self._put(join, ProposalKind.ENTER, Enter(join.reservation.session, join.channels))
            return _Ending(True, self._read(join), Code.GOODBYE)
        except ProtocolError as error:
            log.warning("bad_packet", "< %(peer)s: %(error)s", peer=join.connection.peer, error=error)
            return _Ending(True, "an error in its program", Code.PROTOCOL_ERROR, str(error))
        except ConnectionLost as lost:
            return _Ending(False, lost.plain, None, logged=lost.logged)
        except HistoryError as error:
            name = join.reservation.name
            log.error("history_unreadable", "admitting %(name)s: %(error)s", name=name, error=error)
            self.release(join.reservation)
            return _Ending(False, "", Code.UNAVAILABLE, "the server cannot read its history")
        except Closed:
            self._forwarded.wait()  # the goodbye comes after every accepted line
            return _Ending(False, "the server is shutting down", Code.STOPPING)

    def _read(self, join: Join) -> str:
        """Submit burst after burst, until the peer leaves. Returns its reason for leaving.

        Raises ConnectionLost when the peer closes without BYE.
        """
        while packets := join.connection.receive():
            for packet in packets:
                if isinstance(packet, Burst):
                    self._submit(join, packet)
                elif isinstance(packet, Bye):
                    return packet.reason
                else:
                    self._ask(join, packet)
        raise ConnectionLost("connection closed")

    def _submit(self, join: Join, burst: Burst) -> None:
        """Queue a burst of lines. While most readers are behind, wait first."""
        join.connection.submitting(True)
        self.flow.wait_for_readers()
        message = checked_extra(burst.extra, SIZES) if burst.form in KINDS else None
        if message and Extra.MESSAGE in message:
            self._amend(join, burst, message[Extra.MESSAGE])
        else:
            self._order.put(Proposal(join.reservation.origin, 0, ProposalKind.LINES, burst))
        join.connection.submitting(False)

    def _amend(self, join: Join, burst: Burst, seq: int) -> None:
        """Look the message up, and propose what is to become of it: the state reads no history."""
        try:
            message, edit = message_at(self._history, seq)
        except HistoryError as error:
            name = join.reservation.name
            log.error(
                "history_unreadable", "looking up a message for %(name)s: %(error)s", name=name, error=error
            )
            for id in burst.ids:
                join.connection.answer(id, Outcome(Code.UNAVAILABLE))
            return
        for id, text in zip(burst.ids, burst.texts, strict=True):
            body = Amend(id, burst.channel, burst.form, message, text, edit)
            self._order.put(Proposal(join.reservation.origin, 0, ProposalKind.AMEND, body))

    def _ask(self, join: Join, command: Command) -> None:
        """Carry out a command, or refuse it. Its answer is one ANSWER.

        The forwarder looks whether the member may give it, and runs it when it only looks: this thread waits,
        since many commands in a round would delay all members. What changes something is prepared here.
        """
        connection, origin, read = join.connection, join.reservation.origin, join.connection.heard
        connection.submitting(True)
        outcome = self._forwarder.ask(origin, command).result()
        if isinstance(outcome, Permitted) and outcome.command.follow is not None:
            outcome = self._tracing.run(origin, command, outcome, read)
        elif isinstance(outcome, Permitted):
            outcome = self._prepare(join, command, outcome)
        connection.submitting(False)
        if outcome is not None:
            connection.answer(command.id, outcome, name_of(command.text))

    def _prepare(self, join: Join, command: Command, task: Permitted) -> Outcome | None:
        """Prepare a command and propose its act, which the forwarder answers; or fetch. Else: why not."""
        connection, origin = join.connection, join.reservation.origin
        if task.command.is_secret(task.rest) and not (connection.encrypted or is_loopback(connection.peer)):
            return Outcome(Code.NEED_ENCRYPTION, (task.command.name,))
        if task.command.fetch is not None:
            return self._fetching.run(connection, command.id, task)
        assert task.command.prepare is not None
        network = network_of(connection.peer)
        desk = HandlerDesk(self._forwarder, self._logins, network, self.inspector)
        prepared = task.command.prepare(desk, task.asker, task.rest)
        if isinstance(prepared, Outcome):
            return prepared
        if prepared.told:
            self._presence.tell(origin, command.id, prepared.told)
        self._order.put(Proposal(origin, command.id, ProposalKind.ACT, prepared.act))
        return None

    def _put(self, join: Join, kind: ProposalKind, body: Body) -> None:
        join.connection.submitting(True)
        self._order.put(Proposal(join.reservation.origin, 0, kind, body))
        join.connection.submitting(False)

    # --- the end ----------------------------------------------------------------------------------------

    def close(self, seconds: float) -> list[str]:
        """Store the accepted requests, say goodbye to every member, join every thread within `seconds`.

        Returns the names of the threads that did not end. Raises the error that ended the conversation:
        HistoryError when accepted lines could not be stored, ChatroomError after a bug in a vital thread.
        """
        deadline = Deadline(seconds)
        self._forwarder.stop_waiting()
        self._order.close()
        self._logins.close()
        self._fetching.close()
        self._tracing.close()
        self._forwarded.wait(deadline.left())
        for stop in self._stops:
            stop()
        left = self.reaper.close(deadline.left())
        self._history.close()
        if self._forwarder.failure is not None:
            raise self._forwarder.failure
        if not self._failures.empty():
            raise self._failures.get()
        return left

"""The Chatroom: owns the members, the queue, the threads of all connections, and the conversation."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from functools import partial
from queue import SimpleQueue
from threading import Event as Flag
from typing import NamedTuple

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.catch_up import CatchUp
from chatroom.commands import name_of
from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, Closed, ConnectionLost, HistoryError, NameRefused, ProtocolError
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.history import History
from chatroom.limits import TICKET_BYTES
from chatroom.lookalikes import skeletons
from chatroom.names import check_name, name_key
from chatroom.network import network_of
from chatroom.order import Order
from chatroom.outcomes import Code, Outcome
from chatroom.packets import NO_TOKEN, Burst, Bye, Command, Resumed
from chatroom.presence import Presence
from chatroom.proposals import Arrive, Body, Enter, Leave, Proposal, ProposalKind, Withdraw
from chatroom.queue import WaitingQueue
from chatroom.reaper import Reaper
from chatroom.session import session_key

log = logging.getLogger(__name__)

BUSY = "the server is too busy, try again later"


class _Ending(NamedTuple):
    """How a connection ended.

    clean, reason: see `Leave`
    code, detail:  what the peer is told; None: the connection is gone already
    """

    clean: bool
    reason: str
    code: Code | None
    detail: str = ""


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
        self._catch_up = CatchUp(history, lambda seat, seq: self._forwarder.go_live(seat, seq))
        self._forwarder = Forwarder(
            self._order, history, self._presence, self.flow, self._catch_up, time.monotonic
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
        self._failures.put(ChatroomError(f"a bug ended the thread {thread}: {error!r}"))
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

    # --- admission --------------------------------------------------------------------------------------

    def reserve(self, name: str, token: bytes, address: str, timeout: float) -> Reservation:
        """Take a name for a newcomer, first come, first served. timeout: seconds to wait for the answer.

        token:   of an earlier session, or NO_TOKEN
        address: of the peer
        Raises NameRefused (bad, taken, no answer in time), Closed.
        """
        deadline, name = Deadline(timeout), check_name(name)
        fresh = secrets.token_bytes(TICKET_BYTES)  # here, because the state may not use random numbers
        known = session_key(token) if token != NO_TOKEN else ""
        key = name_key(name)
        looks, network = skeletons(name, key), network_of(address)
        wanted = Arrive(name, key, known, session_key(fresh), address, looks, network)
        origin, answer = self._presence.ask()
        try:
            self._order.put(Proposal(origin, 0, ProposalKind.ARRIVE, wanted), deadline.left())
        except (TimeoutError, Closed) as error:
            self._presence.stop_asking(origin)
            if isinstance(error, Closed):
                raise
            raise NameRefused(BUSY, Code.UNAVAILABLE) from None
        try:
            outcome = answer.result(deadline.left())
        except NoAnswer:
            answer.add_done_callback(partial(self._release_late, origin, wanted))
            raise NameRefused(BUSY, Code.UNAVAILABLE) from None
        return _reservation(origin, wanted, token, fresh, outcome)

    def _release_late(self, origin: int, wanted: Arrive, answer: Future[Outcome]) -> None:
        """Release a name that was given after its newcomer had timed out.

        Mostly runs in the forwarder's thread, which must not wait at the queue: another thread releases it.
        """
        if answer.exception() is None and answer.result().code is Code.OK:
            reservation = _reservation(origin, wanted, b"", b"", answer.result())
            try:
                self.reaper.spawn(lambda: self.release(reservation), "release")
            except (Closed, RuntimeError):
                pass  # the reservation expires by itself

    def release(self, reservation: Reservation) -> None:
        """Give up the name of a newcomer that did not come."""
        withdraw = Withdraw(reservation.session)
        self._put_unless_closed(reservation.origin, ProposalKind.WITHDRAW, withdraw)

    def _put_unless_closed(self, origin: int, kind: ProposalKind, body: Body) -> None:
        """Propose what a closed chatroom does not need."""
        try:
            self._order.put(Proposal(origin, 0, kind, body))
        except Closed:
            pass  # no name is given any more, and the next start finds every member gone

    def _missed(self, join: Join) -> Missed:
        """What the newcomer is to get. The forwarder must not read the history. Raises HistoryError."""
        fresh = partial(Missed, 0, join.lines)
        if not join.since:
            return fresh(Resumed.FRESH)
        if join.identity != self._identity:
            return fresh(Resumed.OTHER_HISTORY)
        located = self._history.locate(join.since)
        if located.time and located.time == join.time:
            return Missed(join.since, 0, Resumed.EXACT)
        if parted := self._history.parted(join.since, join.time):  # a copy, with which a server went on
            return Missed(parted - 1, 0, Resumed.RESTORED)
        if located.time or join.since >= located.oldest:  # another event, or one that is not there yet
            return fresh(Resumed.RESTORED)
        return Missed(join.since, 0, Resumed.EXACT if join.since + 1 >= located.oldest else Resumed.GAP)

    # --- the thread of a connection ---------------------------------------------------------------------

    def _run_connection(self, arrive: Callable[[], Join | None]) -> None:
        join = arrive()
        if join is not None:
            threading.current_thread().name = f"handler {join.reservation.name}"
            self._handle(join)

    def _handle(self, join: Join) -> None:
        """The whole life of a member's connection; then let its member leave, and say goodbye."""
        connection, ending = join.connection, _Ending(False, "an error in the server", Code.UNAVAILABLE)
        try:
            ending = self._converse(join)
        finally:
            log.info("= %s (%s) has left: %s", connection.peer, join.reservation.name, ending.reason)
            # Leave first: who has read the goodbye may ask for the name at once.
            leave = Leave(ending.clean, ending.reason)
            self._put_unless_closed(join.reservation.origin, ProposalKind.LEAVE, leave)
            if ending.code is not None:
                connection.part(ending.code, ending.detail)
            connection.release()

    def _converse(self, join: Join) -> _Ending:
        """Submit the join, then all that the connection receives, until the connection ends."""
        try:
            self._presence.come(join, self._missed(join))
            self._put(join, ProposalKind.ENTER, Enter(join.reservation.session, join.channels))
            return _Ending(True, self._read(join), Code.GOODBYE)
        except ProtocolError as error:
            log.warning("< %s: %s", join.connection.peer, error)
            return _Ending(True, "protocol error", Code.PROTOCOL_ERROR, str(error))
        except ConnectionLost as lost:
            return _Ending(False, str(lost), None)
        except HistoryError as error:
            log.error("admitting %s: %s", join.reservation.name, error)
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
        self._order.put(Proposal(join.reservation.origin, 0, ProposalKind.LINES, burst))
        join.connection.submitting(False)

    def _ask(self, join: Join, command: Command) -> None:
        """Let the forwarder look, and wait: many commands in a round would delay all members. Then answer."""
        join.connection.submitting(True)
        outcome = self._forwarder.ask(join.reservation.origin, command).result()
        join.connection.submitting(False)
        if outcome is not None:
            join.connection.answer(command.id, outcome, name_of(command.text))

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


def _reservation(origin: int, wanted: Arrive, token: bytes, fresh: bytes, outcome: Outcome) -> Reservation:
    """What the state's answer to ARRIVE means. Raises NameRefused."""
    if outcome.code is Code.UNAVAILABLE:
        raise NameRefused(BUSY, outcome.code)
    if outcome.code is not Code.OK:
        name, seconds = outcome.rows
        alike = "" if name_key(str(name)) == wanted.name_key else f"{wanted.name} looks like {name}: "
        if outcome.code is Code.NAME_HELD:
            text = f"{name} has lost the connection; the name is kept for another {seconds} s"
        else:
            text = f"{name if alike else wanted.name} is in use"
        raise NameRefused(alike + text, outcome.code)
    (known,) = outcome.rows
    if known:
        return Reservation(origin, wanted.name, token, wanted.known)
    return Reservation(origin, wanted.name, fresh, wanted.fresh)

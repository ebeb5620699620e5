"""The Chatroom: owns the members, the queue, the threads of all connections, and the conversation."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from threading import Event as Flag

from chatroom.catch_up import CatchUp
from chatroom.deadline import Deadline
from chatroom.door import Connection
from chatroom.errors import Closed, ConnectionLost, NameRefused, ProtocolError
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.history import History
from chatroom.packets import Bye, Command, Say
from chatroom.queue import WaitingQueue
from chatroom.reaper import Reaper
from chatroom.requests import Ask, Join, Leave, Lines, Release, Request, Reservation, Reserve

log = logging.getLogger(__name__)

GOODBYE = "the server is shutting down"
BUSY = "the server is too busy, try again later"


class Chatroom:
    """A running conversation. The server hands new connections over; the chatroom does the rest.

    history:  the log that the conversation continues
    on_ended: called once, in the forwarder's thread, when the forwarder ends for any reason
    """

    def __init__(self, history: History, on_ended: Callable[[], None] = lambda: None) -> None:
        self._history = history
        self._on_ended = on_ended
        self._queue = WaitingQueue()
        self.reaper = Reaper("server")
        self.flow = Flow()
        catch_up = CatchUp(history, self._queue.put, self.reaper.spawn)
        self._forwarder = Forwarder(self._queue, history, self.flow, catch_up, time.monotonic)
        self._forwarded = Flag()  # set when the forwarder has ended
        self._stop_tending = Flag()
        self._stops: list[Callable[[], None]] = [self._stop_tending.set]

    # --- threads ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Recover the state from history; start the reaper, the history's maintenance and the forwarder.

        Raises HistoryError.
        """
        self._forwarder.recover()
        self.reaper.start()
        self.spawn(lambda: self._history.tend(self._stop_tending), "history")
        self.spawn(self._forward, "forwarder")

    def spawn(self, target: Callable[[], None], name: str) -> None:
        """Run `target` in a thread that the reaper joins. Raises Closed, RuntimeError (no thread left)."""
        self.reaper.spawn(target, name)

    def spawn_until_close(self, run: Callable[[], None], stop: Callable[[], None], name: str) -> None:
        """As spawn(), for a thread that runs until close(), which calls `stop`."""
        self._stops.append(stop)
        self.spawn(run, name)

    def accept(self, arrive: Callable[[], Join | None], name: str) -> None:
        """Start the thread of a new connection: it runs `arrive`, and then is the handler of the member.

        arrive: the handshake; returns the request to join, or None when it has refused the newcomer
        Raises Closed, RuntimeError (no thread left).
        """
        self.spawn(lambda: self._run_connection(arrive), name)

    def _forward(self) -> None:
        try:
            self._forwarder.run()
        finally:
            self._queue.close()
            for member in self._forwarder.members.values():
                member.connection.part(GOODBYE, again=True)
            self._forwarded.set()
            self._on_ended()

    # --- admission --------------------------------------------------------------------------------------

    def reserve(self, name: str, token: bytes, timeout: float) -> Reservation:
        """Reserve a name for a newcomer, first come, first served. timeout: seconds to wait for the answer.

        Raises NameRefused (bad, taken, no answer in time), Closed.
        """
        deadline = Deadline(timeout)
        answer: Future[Reservation] = Future()
        try:
            self._queue.put(Reserve(name, token, answer), deadline.left())
        except TimeoutError:
            raise NameRefused(BUSY) from None
        try:
            return answer.result(deadline.left())
        except NoAnswer:
            answer.add_done_callback(self._release_late)
            raise NameRefused(BUSY) from None

    def _release_late(self, answer: Future[Reservation]) -> None:
        """Release a reservation that came after its requester had timed out.

        Mostly runs in the forwarder's thread, which must not wait at the queue: another thread releases it.
        """
        if answer.exception() is None:
            try:
                self.spawn(lambda: self.release(answer.result()), "release")
            except (Closed, RuntimeError):
                pass  # the reservation expires by itself

    def release(self, reservation: Reservation) -> None:
        """End a reservation whose newcomer did not join."""
        self._put_unless_closed(Release(reservation))

    def _put_unless_closed(self, request: Release | Leave) -> None:
        """Queue a request that a closed chatroom does not need."""
        try:
            self._queue.put(request)
        except Closed:
            pass  # no name is given any more, and Forwarder.recover() adds the LEFT event at the next start

    # --- the thread of a connection ---------------------------------------------------------------------

    def _run_connection(self, arrive: Callable[[], Join | None]) -> None:
        join = arrive()
        if join is not None:
            threading.current_thread().name = f"handler {join.reservation.name}"
            self._handle(join)

    def _handle(self, join: Join) -> None:
        """Submit the join, then all that the connection receives, until the connection ends."""
        connection, reason = join.connection, "an error in the server"
        try:
            self._put(connection, join)
            reason = self._read(connection)
            connection.part("goodbye", again=False)
        except ProtocolError as error:
            log.warning("< %s: %s", connection.peer, error)
            reason = "protocol error"
            connection.part(str(error), again=False)
        except ConnectionLost as lost:
            reason = str(lost)
        except Closed:
            self._forwarded.wait()  # the goodbye comes after every accepted line
            connection.part(GOODBYE, again=True)
        finally:
            # Leave first: release() waits until the peer has closed, and the name must be free before.
            self._put_unless_closed(Leave(connection, reason))
            connection.release()

    def _read(self, connection: Connection) -> str:
        """Submit burst after burst, until the peer leaves. Returns the reason for leaving."""
        while burst := connection.receive():
            says: list[Say] = []
            for packet in burst:
                if isinstance(packet, Say):
                    says.append(packet)
                    continue
                self._submit(connection, says)
                says = []
                if isinstance(packet, Bye):
                    return packet.reason
                self._ask(connection, packet)
            self._submit(connection, says)
        return "connection closed"

    def _submit(self, connection: Connection, says: list[Say]) -> None:
        """Queue a burst of lines. While most readers are behind, wait first."""
        if says:
            connection.submitting(True)
            self.flow.wait_for_readers()
            self._queue.put(Lines(connection, says))
            connection.submitting(False)

    def _ask(self, connection: Connection, command: Command) -> None:
        """Queue a command and wait for its answer: a batch full of commands would delay all members."""
        ask = Ask(connection, command)
        connection.submitting(True)
        self._queue.put(ask)
        ask.answered.wait()
        connection.submitting(False)

    def _put(self, connection: Connection, request: Request) -> None:
        connection.submitting(True)
        self._queue.put(request)
        connection.submitting(False)

    # --- the end ----------------------------------------------------------------------------------------

    def close(self, seconds: float) -> list[str]:
        """Store the accepted requests, say goodbye to every member, join every thread within `seconds`.

        Returns the names of the threads that did not end. Raises the error that ended the forwarder:
        HistoryError when accepted lines could not be stored, ChatroomError after a bug.
        """
        deadline = Deadline(seconds)
        self._forwarder.stop_waiting()
        self._queue.close()
        self._forwarded.wait(deadline.left())
        for stop in self._stops:
            stop()
        left = self.reaper.close(deadline.left())
        self._history.close()
        if self._forwarder.failure is not None:
            raise self._forwarder.failure
        return left

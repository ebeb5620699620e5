"""The Chatroom: owns the members, the queue, all threads of connections, and the conversation."""

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
    """A running conversation. The server brings connections; everything after that happens here.

    history:   the log to go on with
    on_ended:  called once, in the forwarder's thread, when it ends, for whatever reason
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
        """Take up the history and start the forwarder, the reaper and the history's caretaker.

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
        """As spawn, for a thread that lasts as long as the chatroom: close() calls `stop`."""
        self._stops.append(stop)
        self.spawn(run, name)

    def accept(self, arrive: Callable[[], Join | None], name: str) -> None:
        """Start the thread of a new connection: it runs `arrive`, and then is the handler of the member.

        arrive: the handshake; it returns what is to be admitted, or None when it has refused the newcomer
        Raises Closed, RuntimeError (no thread left).
        """
        self.spawn(lambda: self._run_connection(arrive), name)

    def _forward(self) -> None:
        try:
            self._forwarder.run()
        finally:
            self._queue.close()
            for connection in self._forwarder.connections():
                connection.end(GOODBYE, again=True)
            self._forwarded.set()
            self._on_ended()

    # --- admission --------------------------------------------------------------------------------------

    def reserve(self, name: str, token: bytes, timeout: float) -> Reservation:
        """Keep a name for a newcomer, first come first served. timeout: seconds to wait for the answer.

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
        """An answer that nobody waits for any more: free the name, from a thread that may wait."""
        if answer.exception() is None:
            try:
                self.spawn(lambda: self.release(answer.result()), "release")
            except (Closed, RuntimeError):
                pass  # it will expire

    def release(self, reservation: Reservation) -> None:
        """The newcomer did not come: its name is free again."""
        try:
            self._queue.put(Release(reservation))
        except Closed:
            pass  # nobody can want the name any more

    # --- the thread of a connection ---------------------------------------------------------------------

    def _run_connection(self, arrive: Callable[[], Join | None]) -> None:
        join = arrive()
        if join is not None:
            threading.current_thread().name = f"handler {join.reservation.name}"
            self._handle(join)

    def _handle(self, join: Join) -> None:
        """Make a member of the newcomer; read from its connection and submit, until it ends."""
        connection, reason = join.connection, "an error in the server"
        try:
            self._put(connection, join)
            reason = self._read(connection)
            connection.end("goodbye", again=False)
        except ProtocolError as error:
            log.warning("< %s: %s", connection.peer, error)
            reason = "protocol error"
            connection.end(str(error), again=False)
        except ConnectionLost as lost:
            reason = str(lost)
        except Closed:
            self._forwarded.wait()  # what was accepted is shown before the goodbye
            connection.end(GOODBYE, again=True)
        finally:
            self._leave(connection, reason)  # first: the name is free, however long the goodbye takes
            connection.close()

    def _leave(self, connection: Connection, reason: str) -> None:
        try:
            self._queue.put(Leave(connection, reason))
        except Closed:
            pass  # the next start tells that the member has left

    def _read(self, connection: Connection) -> str:
        """Submit burst after burst; the reason that the peer gave for leaving."""
        while burst := connection.receive():
            says: list[Say] = []
            for packet in burst:
                if type(packet) is Say:
                    says.append(packet)
                    continue
                self._submit(connection, says)
                says = []
                if isinstance(packet, Bye):
                    return packet.reason
                self._ask(connection, packet)  # type: ignore[arg-type]
            self._submit(connection, says)
        return "connection closed"

    def _submit(self, connection: Connection, says: list[Say]) -> None:
        """Queue a burst of lines, after a pause when most readers are behind."""
        if says:
            connection.submitting(True)
            self.flow.wait_for_readers()
            self._queue.put(Lines(connection, says))
            connection.submitting(False)

    def _ask(self, connection: Connection, command: Command) -> None:
        """One command at a time: a batch full of them would keep everybody waiting."""
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
        """Store what was accepted, say goodbye to every member, join every thread within `seconds`.

        Returns the names of threads that did not end. Raises HistoryError when something that was accepted
        could not be stored.
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

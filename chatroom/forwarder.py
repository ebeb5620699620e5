"""The forwarder: the one thread that takes entries from the order, applies, stores, and delivers.

All state of the conversation is confined to this thread, so lines, joins and names have one order: the order
of the entries. The forwarder never waits for a member.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from chatroom import commands
from chatroom.batch import Batch
from chatroom.catch_up import CatchUp
from chatroom.effects import Admit, Answer, Effect, End, Gone, NameAnswer, Signal
from chatroom.errors import ChatroomError, HistoryError, HistoryFull
from chatroom.events import Event, Talk
from chatroom.flow import Flow
from chatroom.history import History
from chatroom.limits import DISK_RETRY_SECONDS
from chatroom.newcomers import Newcomers
from chatroom.order import Entry, Order, Taken
from chatroom.outcomes import Outcome
from chatroom.packets import Command
from chatroom.presence import Presence, Seat
from chatroom.proposals import Proposal, ProposalKind
from chatroom.records import Record
from chatroom.state import Applied, Limits, State
from chatroom.tail import Tail

log = logging.getLogger(__name__)


class Forwarder:
    """Takes entries; applies them to the state, stores and delivers the events, carries the effects out.

    order:    gives the entries
    history:  stores each event before any member gets it
    presence: the connections of this server
    flow:     needs the number of connections
    catch_up: sends members the missed events that the tail does not hold
    clock:    seconds that only rise
    limits:   of the state

    failure:  the error that ended it; None after a normal end
    """

    def __init__(
        self,
        order: Order,
        history: History,
        presence: Presence,
        flow: Flow,
        catch_up: CatchUp,
        clock: Callable[[], float],
        limits: Limits | None = None,
    ) -> None:
        self._order = order
        self._history = history
        self._presence = presence
        self._flow = flow
        self._catch_up = catch_up
        self._clock = clock
        self._started = clock()
        self._closing = threading.Event()
        self.failure: ChatroomError | None = None
        self.state = State(limits)
        self._tail = Tail()
        self._newcomers = Newcomers(self.state, presence, self._tail, catch_up)
        self._life = ("", 0)
        self._batches = 0

    # --- start ----------------------------------------------------------------------------------------------

    def recover(self) -> bytes:
        """Restore the state, and begin a new life of the server with UP; the history's identity.

        Raises HistoryError.
        """
        restored = self._history.restore()
        self.state.restore(restored.head, restored.records, restored.talkers)
        self._tail.begin(restored.head, restored.time)
        self._catch_up.stored(restored.head)
        self._newcomers.begin(restored.identity)
        epoch = self._order.begin(restored.identity, restored.position, self.state.epoch + 1)
        self._life = ("", epoch)
        self._order.put(Proposal(0, 0, ProposalKind.UP, None))
        return restored.identity

    # --- one round ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Forward until the order is closed and empty, or history fails for good; then close the order."""
        taken: Taken | None = None
        try:
            while (taken := self._order.take()) is not None:
                self.forward(taken)
        except HistoryError as error:
            log.error("history: %s", error)
            self.failure = error
        except Exception as bug:  # Reaper logs it; Chatroom.close() raises the failure
            self.failure = ChatroomError(f"a bug ended the conversation: {bug!r}")
            raise
        finally:
            self._order.close()
            self._turn_away([taken, self._order.take()])

    def _turn_away(self, takens: list[Taken | None]) -> None:
        """Let no thread wait for an answer. Tasks only read: they run although the conversation has ended."""
        self._presence.turn_away()
        for task in [task for taken in takens if taken is not None for task in taken.tasks]:
            try:
                task()
            except Exception:
                log.exception("a task after the end failed")

    def forward(self, taken: Taken) -> None:
        """One round: apply, store, deliver, carry out the effects, run the tasks."""
        began, worked = self._clock(), time.thread_time()
        happened, records, effects = self._apply(taken.entries)
        batch = Batch(happened)
        if happened or records:
            self._store(batch, records, taken.entries[-1].position)
        if happened:
            self._tail.extend(batch)
            self._presence.deliver(batch)
        sent = self._clock() - began
        self._newcomers.new_round()
        for effect in effects:
            if isinstance(effect, Signal):
                self._presence.deliver(Batch([effect.event]))
            elif effect.origin[:2] == self._life:  # else another server carries it out
                self._carry_out(effect)
        if happened:  # else the round says nothing of what a round with lines costs
            self._order.done(sent, time.thread_time() - worked)
        for task in taken.tasks:
            task()
        self._flow.count_members(len(self._presence))

    def _apply(self, entries: Sequence[Entry]) -> Applied:
        """What follows from all entries of a round."""
        if len(entries) == 1:  # the usual case
            return self.state.apply(entries[0])
        happened: list[Event | Talk] = []
        records: list[Record] = []
        effects: list[Effect] = []
        for entry in entries:
            applied = self.state.apply(entry)
            happened += applied.happened
            records += applied.records
            effects += applied.effects
        return Applied(happened, records, effects)

    def _store(self, batch: Batch, records: list[Record], position: bytes) -> None:
        """Commit the round. While the disk is full, hold the round, tell the members, and try again.

        Raises HistoryError when history fails for good, or is still full when the chatroom closes. Then no
        member has got anything of the round.
        """
        trouble, blocks = "", batch.blocks()
        while True:
            try:
                self._history.append(blocks, records, position, self.state.noted)
                break
            except HistoryFull as full:
                if self._closing.is_set():  # this was the last try
                    lost = self.state.head - self._tail.head
                    raise HistoryError(f"{lost} events could not be stored: {full}") from None
                if not trouble:
                    trouble = str(full)
                    log.error("history: %s; waiting", trouble)
                    self._tell_all(f"the server cannot store lines ({trouble}); it goes on trying")
                self._closing.wait(DISK_RETRY_SECONDS)
        if trouble:
            log.warning("history: can be written again")
            self._tell_all("the server can store lines again")
        self._catch_up.stored(self.state.head)
        self._batches += 1

    def _carry_out(self, effect: NameAnswer | Answer | Admit | End | Gone) -> None:
        number = effect.origin[2]
        match effect:
            case NameAnswer(outcome=outcome):
                self._presence.answer(number, outcome)
            case Answer(request=request, outcome=outcome):
                seat = self._presence.seat(number)
                if seat is not None:
                    seat.connection.answer(request, outcome)
            case Admit():
                self._newcomers.welcome(effect)
            case End(code=code):
                connection = self._presence.remove(number)
                if connection is not None:
                    connection.part(code)
            case Gone():
                self._presence.remove(number)

    # --- tasks ----------------------------------------------------------------------------------------------

    def go_live(self, seat: Seat, seq: int) -> None:
        """Let a member go live that has caught up to `seq`. Any thread. Raises Closed."""
        self._order.post(partial(self._newcomers.go_live, seat, seq))

    def ask(self, origin: int, command: Command) -> Future[Outcome | None]:
        """What becomes of a command that only reads; None: it is not answered any more. Any thread.

        The thread that asks finds the words and sends them: that would take the forwarder too long.
        Raises Closed.
        """
        answer: Future[Outcome | None] = Future()
        self._order.post(partial(self._run, origin, command, answer))
        return answer

    def _run(self, origin: int, command: Command, answer: Future[Outcome | None]) -> None:
        seat, outcome = self._presence.seat(origin), None
        try:
            if seat is not None and self.failure is None:  # else the state is ahead of what is stored
                room = commands.Room(self.state, self.numbers())
                outcome = commands.run(room, commands.Asker(seat.person, command.channel), command.text)
        finally:
            answer.set_result(outcome)

    # --- end, numbers ---------------------------------------------------------------------------------------

    def stop_waiting(self) -> None:
        """Stop waiting for readers and for the disk: the chatroom closes. Any thread may call it."""
        self._closing.set()
        self._flow.open()
        self._catch_up.close()

    def numbers(self) -> dict[str, object]:
        """Present values of the counters and gauges. Only in the forwarder's thread."""
        return {
            "up": f"{self._clock() - self._started:.0f} s",
            "members": len(self.state.members),
            "events": self.state.head,
            "batches": self._batches,
            "waiting": len(self._order),
            "behind": self._flow.behind,
            "pauses": self._flow.pauses,
            "threads": threading.active_count(),
        }

    def _tell_all(self, text: str) -> None:
        """Inform the live members only: for the other members, WELCOME and replay come first."""
        for seat in self._presence.live:
            seat.connection.inform(text)

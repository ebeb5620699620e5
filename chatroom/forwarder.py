"""The forwarder: the one thread that takes entries from the order, applies, stores, and delivers.

All state of the conversation is confined to this thread, so lines, joins and names have one order: the order
of the entries. The forwarder never waits for a member.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from chatroom import commands
from chatroom.alert import Alert
from chatroom.batch import Batch
from chatroom.blame import blame
from chatroom.blanking import Erased
from chatroom.bounds import Limits
from chatroom.catch_up import CatchUp
from chatroom.commands import Permitted
from chatroom.desk import Asker, Room
from chatroom.effects import Admit, Answer, Effect, End, Gone, Joined, Left, NameAnswer, OwnSignal, Signal
from chatroom.errors import ChatroomError, HistoryDamaged, HistoryError, HistoryFull
from chatroom.event_log import EventLog
from chatroom.events import Event, Talk
from chatroom.figures import Figures, Round
from chatroom.flow import Flow
from chatroom.following import Following, Stages
from chatroom.history import History
from chatroom.ledger import Applied
from chatroom.limits import DISK_RETRY_SECONDS
from chatroom.newcomers import Newcomers
from chatroom.order import Entry, Order, Taken
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Command, encode_event
from chatroom.presence import Presence, Seat
from chatroom.proposals import Proposal, ProposalKind
from chatroom.pulse import Pulse
from chatroom.records import Record
from chatroom.state import State
from chatroom.tail import Tail
from chatroom.trace import Trace

log = EventLog(__name__)

T = TypeVar("T")

Happened = list[Event | Talk]
Deliver = Callable[[Batch], None]

Turn = Joined | Left | End
"""Effects that change who gets the events after a seq."""

_NO_RECORD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What is raised by a record that no server has written."""

_EXPELLED = "another program of yours has ended this one"


class Forwarder:
    """Takes entries; applies them to the state, stores and delivers the events, carries the effects out.

    order:    gives the entries
    history:  stores each event before any member gets it
    presence: the connections of this server
    flow:     needs the number of connections
    catch_up: sends members the missed events that the tail does not hold
    clock:    seconds that only rise
    limits:   of the state
    figures:  counts what happens

    failure:  the error that ended it; None after a normal end
    pulse:    beats with each round, at least once a second: any thread can see that it works
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
        figures: Figures | None = None,
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
        self._figures = figures or Figures()
        self._alert = Alert(self.state, presence)
        self._newcomers = Newcomers(self.state, presence, self._tail, catch_up, self._alert, self._figures)
        stages = Stages(self._apply, Batch, self._store, presence.deliver)
        self._following = Following(self.state, presence, stages, clock)
        self._life = ("", 0)
        self._batches = 0
        self._noted = 0  # up to this seq, the figures have counted
        self.pulse = Pulse(clock)

    # --- start ----------------------------------------------------------------------------------------------

    def recover(self) -> bytes:
        """Restore the state, and begin a new life of the server with UP; the history's identity.

        Raises HistoryError.
        """
        restored = self._history.restore()
        try:
            self.state.restore(restored.head, restored.records, restored.talkers)
        except _NO_RECORD as cause:
            raise HistoryDamaged(f"the history is damaged: a record cannot be read: {cause!r}") from None
        self._tail.begin(restored.head, restored.time)
        self._catch_up.stored(restored.head)
        self._newcomers.begin(restored.identity)
        self._noted = restored.head
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
                self.pulse.beat()
        except HistoryError as error:
            log.error("history_failed", "history: %(error)s", error=error)
            self.failure = error
        except Exception as bug:  # Reaper logs it; Chatroom.close() raises the failure
            self.failure = ChatroomError(f"a bug ended the conversation: {blame(bug)}")
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
                log.exception("failed", "a task after the end failed")

    def forward(self, taken: Taken) -> None:
        """One round: apply, store, deliver, carry out the effects, run the tasks."""
        began, worked = self._clock(), time.thread_time()
        apply, encode, store, deliver = self._following.stages
        happened, records, effects, amended, erased = apply(taken.entries)
        batch, packets = encode(happened), {event.seq: encode_event(event) for event in amended}
        stored = store(batch, records, taken, packets, erased)
        self._newcomers.new_round()
        self._tail.extend(batch)
        self._deliver(deliver, batch, happened, effects)
        self._catch_up.stored(self.state.head)  # not before: see there
        self._tail.amend(packets)  # not before: who is live sees each event as it was made
        self._tail.erase(erased)
        sent = self._clock() - began
        for effect in effects:
            if isinstance(effect, Signal):
                self._presence.deliver(Batch([effect.event]))
            elif effect.origin[:2] == self._life:  # else another server carries it out
                self._carry_out(effect)
        if happened:  # else the round says nothing of what a round with lines costs
            self._order.done(sent, time.thread_time() - worked)
        self._note(taken, batch, stored, sent)
        for task in taken.tasks:
            task()
        self._flow.count_members(len(self._presence))

    def _note(self, taken: Taken, batch: Batch, stored: float, sent: float) -> None:
        """Count the round in the figures."""
        state, presence, pieces = self.state, self._presence, batch.pieces
        self._figures.note(
            Round(  # without names: with them it would take three times as long
                taken.entries[-1].time if taken.entries else 0,
                taken.waited,
                state.head - self._noted,
                sum([piece.lines for piece in pieces]),
                sum([len(piece.packets) for piece in pieces]),
                stored,
                sent,
                len(state.members),
                len(presence),
                len(state.channels),
                state.accounts,
                state.head,
                presence.deliveries,
                presence.delivered,
            )
        )
        self._noted = state.head

    def _deliver(self, deliver: Deliver, batch: Batch, happened: Happened, effects: list[Effect]) -> None:
        """Deliver what happened: as one batch, unless connections got or lost a place, or ended meanwhile."""
        turns = [one for one in effects if isinstance(one, Turn) and one.origin[:2] == self._life]
        if turns:
            self._deliver_in_turns(deliver, happened, turns)
        elif happened:
            deliver(batch)

    def _deliver_in_turns(self, deliver: Deliver, happened: Happened, turns: list[Turn]) -> None:
        """Deliver a round in which connections got or lost a place, or ended: each change at its seq.

        They came in the order of the seqs, between two proposals: never in the middle of a Talk.
        """
        rest = deque(happened)
        for turn in turns:
            until = turn.after if isinstance(turn, Joined) else turn.until
            piece = []
            while rest and _seq(rest[0]) <= until:
                piece.append(rest.popleft())
            if piece:
                deliver(Batch(piece))
            match turn:
                case Joined():
                    self._newcomers.widen(turn)
                case Left():
                    self._newcomers.narrow(turn)
                case End():
                    self._silence(turn)
        if rest:
            deliver(Batch(rest))

    def _silence(self, end: End) -> None:
        """The connection gets no more events. It is told why later, behind the answers that it still gets.

        One that still catches up is ended now: else it would read the events of this round in the history.
        """
        seat = self._presence.seat(end.origin[2])
        if seat is not None and seat.places:
            self._presence.go_silent(seat)
        elif seat is not None:  # else it comes in this round, or never has
            self._carry_out(end)

    def _apply(self, entries: Sequence[Entry]) -> Applied:
        """What follows from all entries of a round."""
        if len(entries) == 1:  # the usual case
            return self.state.apply(entries[0])
        happened: Happened = []
        records: list[Record] = []
        effects: list[Effect] = []
        amended: list[Event] = []
        erased: dict[int, int] = {}
        for entry in entries:
            applied = self.state.apply(entry)
            happened += applied.happened
            records += applied.records
            effects += applied.effects
            amended += applied.amended
            erased |= applied.erased
        return Applied(happened, records, effects, amended, erased)

    def _store(
        self,
        batch: Batch,
        records: list[Record],
        taken: Taken,
        amended: Mapping[int, bytes],
        erased: Erased,
    ) -> float:
        """Commit the round, if anything follows from it; how many seconds it took.

        While the disk is full, hold the round, tell the members, and try again.

        Raises HistoryError when history fails for good, or is still full when the chatroom closes. Then no
        member has got anything of the round.
        """
        if not (batch.pieces or records):
            return 0.0
        position = taken.entries[-1].position
        trouble, blocks, began = "", batch.blocks(self.state.noted), self._clock()
        while True:
            try:
                self._history.append(blocks, records, position, self.state.noted, amended, erased)
                break
            except HistoryFull as full:
                if self._closing.is_set():  # this was the last try
                    lost = self.state.head - self._tail.head
                    raise HistoryError(f"{lost} events could not be stored: {full}") from None
                if not trouble:
                    trouble = str(full)
                    self._figures.hold(True)
                    log.error("history_full", "history: %(error)s; waiting", error=trouble)
                    self._tell_all(f"the server cannot store lines ({trouble}); it goes on trying")
                self._rest()
        if trouble:
            self._figures.hold(False)
            log.warning("history_writable", "history: can be written again")
            self._tell_all("the server can store lines again")
        self._batches += 1
        return self._clock() - began

    def _rest(self) -> None:
        """Let the disk get some room. That is work, too: a start would make none."""
        self._closing.wait(DISK_RETRY_SECONDS)
        self.pulse.beat()

    def _carry_out(
        self, effect: NameAnswer | Answer | Admit | Joined | Left | End | Gone | OwnSignal
    ) -> None:
        number = effect.origin[2]
        match effect:
            case NameAnswer(outcome=outcome):
                self._presence.answer(number, outcome)
            case Answer(request=request, outcome=outcome, command=command):
                self._answer(number, request, outcome, command)
            case OwnSignal(event=event):
                seat = self._presence.seat(number)
                if seat is not None:  # it is told also while it catches up: its greeting had the old one
                    seat.connection.send(seat.connection.door.translate(encode_event(event)))
            case Admit():
                self._newcomers.welcome(effect)
            case End(code=code, detail=detail):
                member = self._presence.seat(number) is not None
                connection = self._presence.remove(number)
                if connection is not None and not member:
                    self._figures.refuse(code.name.lower())
                if connection is not None:
                    connection.part(code, _EXPELLED if member and code is Code.EXPIRED else detail)
            case Gone():
                self._presence.remove(number)
                self._presence.forget_told(number)  # not before: commands that came earlier are answered now

    def _answer(self, number: int, request: int, outcome: Outcome, command: str) -> None:
        """Answer a line, or a command that was proposed. The handler may have left a row to tell."""
        told = self._presence.take_told(number, request) if command else None
        if told and outcome.code is Code.OK:
            outcome = Outcome(Code.OK, (told,))
        seat = self._presence.seat(number)
        if seat is not None:
            seat.connection.answer(request, outcome, command)

    # --- tasks ----------------------------------------------------------------------------------------------

    def go_live(self, seat: Seat, seq: int) -> None:
        """Let a member go live that has caught up to `seq`. Any thread. Raises Closed."""
        self._order.post(partial(self._newcomers.go_live, seat, seq))

    def alert(self, text: str, lasts: bool) -> None:
        """Tell operators something, see `Alert`. Any thread. Raises Closed.

        lasts: also those who come later
        """
        self._order.post(partial(self._alert.begin if lasts else self._alert.end, text))

    def set_motd(self, text: str) -> None:
        """Let newcomers be shown this after their replay, "": nothing. Any thread. Raises Closed."""
        self._order.post(partial(self._newcomers.set_motd, text))

    def follow(self, trace: Trace) -> Future[None]:
        """Follow the line of the trace, which may be put when this is done. Any thread. Raises Closed."""
        answer: Future[None] = Future()

        def task() -> None:
            self._following.add(trace)
            answer.set_result(None)

        self._order.post(task)
        return answer

    def forget(self, trace: Trace) -> None:
        """Nobody waits for the line of the trace any more. Any thread. Raises Closed."""
        self._order.post(partial(self._following.drop, trace))

    def look(self, look: Callable[[State], T]) -> Future[T]:
        """What `look` finds in the state between two rounds: plain copies. Any thread. Raises Closed."""
        answer: Future[T] = Future()
        self._order.post(partial(self._look, look, answer))
        return answer

    def _look(self, look: Callable[[State], T], answer: Future[T]) -> None:
        try:
            answer.set_result(look(self.state))
        except Exception as bug:  # noqa: BLE001  the thread that asks raises it
            answer.set_exception(bug)

    def ask(self, origin: int, command: Command) -> Future[Outcome | Permitted | None]:
        """What becomes of a command that only reads; None: it is not answered any more. Any thread.

        Another command is returned, if who asks may give it: the thread that asks prepares it.

        The thread that asks finds the words and sends them: that would take the forwarder too long.
        Raises Closed.
        """
        answer: Future[Outcome | Permitted | None] = Future()
        self._order.post(partial(self._run, origin, command, answer))
        return answer

    def _run(self, origin: int, command: Command, answer: Future[Outcome | Permitted | None]) -> None:
        seat = self._presence.seat(origin)
        outcome: Outcome | Permitted | None = None
        try:
            if seat is not None and self.failure is None:  # else the state is ahead of what is stored
                room = Room(self.state, self.numbers())
                asker = Asker(seat.person, command.channel, (*self._life, origin))
                outcome = commands.run(room, asker, command.text)
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


def _seq(one: Event | Talk) -> int:
    """The first seq."""
    return one.first if isinstance(one, Talk) else one.seq

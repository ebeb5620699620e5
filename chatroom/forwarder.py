"""The forwarder: the one thread that takes requests from the queue, decides, stores, and delivers events.

All state of the conversation is confined to this thread, so lines, joins and names have one order: the order
of the queue. The forwarder never waits for a member.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from time import time as wall_time
from typing import Any

from chatroom import commands
from chatroom.batch import Batch
from chatroom.catch_up import CatchUp
from chatroom.door import Connection
from chatroom.errors import ChatroomError, Closed, HistoryError, HistoryFull, NameRefused
from chatroom.events import Event, EventKind
from chatroom.flow import Flow
from chatroom.history import History
from chatroom.limits import DISK_RETRY_SECONDS
from chatroom.member import Member
from chatroom.newcomers import Newcomers
from chatroom.queue import WaitingQueue
from chatroom.requests import Ask, GoLive, Join, Leave, Lines, Release, Request, Reserve
from chatroom.roster import Roster
from chatroom.tail import Tail

log = logging.getLogger(__name__)


class Forwarder:
    """Takes requests; makes, stores and delivers events.

    queue:    the waiting requests
    history:  stores each event before any member gets it
    flow:     needs the number of members
    catch_up: sends members the missed events that the tail does not hold
    clock:    seconds that only rise

    failure:  the error that ended it; None after a normal end
    """

    def __init__(
        self, queue: WaitingQueue, history: History, flow: Flow, catch_up: CatchUp, clock: Callable[[], float]
    ) -> None:
        self._queue = queue
        self._history = history
        self._flow = flow
        self._catch_up = catch_up
        self._clock = clock
        self._started = clock()
        self._closing = threading.Event()
        self.failure: ChatroomError | None = None
        self._roster = Roster()
        self._head = 0  # seq of the latest event
        self._time = 0  # time of the latest batch: it never goes back, even if the system's clock does
        self._tail = Tail(0)
        self._newcomers = Newcomers(self._roster, self._tail, catch_up)
        self._batches = 0
        self._handlers: dict[type, Callable[[Batch, Any], None]] = {
            Lines: self._lines,
            Reserve: self._reserve,
            Release: self._release,
            Join: self._join,
            GoLive: self._go_live,
            Ask: self._ask,
            Leave: self._leave,
        }

    # --- one round ------------------------------------------------------------------------------------

    def run(self) -> None:
        """Forward until the queue is closed and empty, or history fails for good; then close the queue."""
        requests: list[Request] | None = None
        try:
            while (requests := self._queue.take_all()) is not None:
                self.forward(requests)
        except HistoryError as error:
            log.error("history: %s", error)
            self.failure = error
        except Exception as bug:  # Reaper logs it; Chatroom.close() raises the failure
            self.failure = ChatroomError(f"a bug ended the conversation: {bug!r}")
            raise
        finally:
            self._queue.close()
            self._turn_away([*(requests or ()), *(self._queue.take_all() or ())])

    def _turn_away(self, requests: list[Request]) -> None:
        """Answer the requests that will not be handled, so that no thread waits for them."""
        for request in requests:
            if isinstance(request, Reserve) and not request.answer.done():
                request.answer.set_exception(Closed("the chatroom has ended"))
            elif isinstance(request, Ask):
                request.answered.set()
            elif isinstance(request, Join):
                request.connection.part("the chatroom has ended", again=True)

    def forward(self, requests: list[Request]) -> None:
        """One round: decide and apply, store, set the answers, deliver, do the rest."""
        batch = self._new_batch()
        for request in requests:
            self._handlers[type(request)](batch, request)
        self._store(batch)
        for act in batch.answers:
            act()
        self._deliver(batch)
        for act in batch.afterwards:
            act()
        self._flow.count_members(len(self._roster.members))

    def _new_batch(self) -> Batch:
        self._time = max(self._time, int(wall_time() * 1000))
        return Batch(self._time)

    def _add_event(self, batch: Batch, kind: EventKind, channel: str, author: str, text: str) -> Event:
        """Make the event with the next seq. Every event gets its seq here, except lines: see _lines()."""
        self._head += 1
        event = Event(self._head, batch.time, kind, channel, author, text)
        batch.events.append(event)
        return event

    def _store(self, batch: Batch) -> None:
        """Commit the batch. While the disk is full, hold the batch, tell the members, and try again.

        Raises HistoryError when history fails for good, or is still full when the chatroom closes. Then no
        member has got anything of the batch.
        """
        records, forgotten = self._roster.take_changes()
        if not batch.events and not records and not forgotten:
            return
        trouble = ""
        while True:
            try:
                self._history.append(batch.events, records, forgotten)
                break
            except HistoryFull as full:
                if self._closing.is_set():  # this was the last try
                    raise HistoryError(f"{len(batch.events)} events could not be stored: {full}") from None
                if not trouble:
                    trouble = str(full)
                    log.error("history: %s; waiting", trouble)
                    self._tell_all(f"the server cannot store lines ({trouble}); it waits for space")
                self._closing.wait(DISK_RETRY_SECONDS)
        if trouble:
            log.warning("history: can be written again")
            self._tell_all("the server can store lines again")
        self._tail.extend(batch.events)
        self._catch_up.stored(self._head)
        self._batches += 1

    def _deliver(self, batch: Batch) -> None:
        """Send the batch to every live member. Members of one audience share the same bytes object."""
        if not batch.events:
            return
        for audience, members in self._roster.audiences.items():
            data, echoes = batch.bytes_for(audience), audience.door.echoes
            if not data:
                continue
            for member in members:
                own = data if echoes else batch.bytes_for(audience, without_lines_of=member.name)
                if own:
                    member.deliver(own)

    # --- one method for each kind of request ------------------------------------------------------------

    def _lines(self, batch: Batch, request: Lines) -> None:
        connection = request.connection
        member = self._roster.member_of(connection)
        if member is None:  # the member has left, or another connection has taken it over
            return
        name, channels, confirmed = member.name, member.channels, member.session.confirmed
        said, time, seq = EventKind.SAID, batch.time, self._head
        events: list[Event] = []
        new = tuple.__new__  # makes the same tuple as Event(), without a call of a Python function
        for id, channel, text in request.says:  # the hot loop: it runs once for each line of all members
            if id > confirmed and channel in channels:
                confirmed, seq = id, seq + 1
                events.append(new(Event, (seq, time, said, channel, name, text, id)))
            else:
                self._not_said(batch, connection, id, channel, confirmed)
        if events:
            self._head = seq
            self._roster.apply(events[-1])  # ids rise, so the last event of a burst stands for all of them
            batch.events += events

    def _not_said(self, batch: Batch, connection: Connection, id: int, channel: str, confirmed: int) -> None:
        """Answer a line that is a repeat, or is for a channel that its author is not in."""
        if id <= confirmed:
            batch.afterwards.append(lambda: connection.confirm(id))
        else:
            batch.afterwards.append(lambda: connection.notice(f"not said: you are not in {channel}", id))

    def _reserve(self, batch: Batch, request: Reserve) -> None:
        try:
            reservation = self._roster.reserve(request.name, request.token, self._clock())
            batch.answers.append(partial(request.answer.set_result, reservation))
        except NameRefused as refused:
            batch.answers.append(partial(request.answer.set_exception, refused))

    def _release(self, _batch: Batch, request: Release) -> None:
        self._roster.release(request.reservation)

    def _join(self, batch: Batch, request: Join) -> None:
        name, connection = request.reservation.name, request.connection
        if not self._roster.release(request.reservation):
            batch.afterwards.append(lambda: connection.part("the reservation has expired", again=True))
            return
        member = self._roster.holder(name)
        if member is not None:  # the same session, as reserve() has checked
            old = member.connection
            batch.afterwards.append(lambda: old.part("taken over by a new connection", again=False))
            if request.channel not in member.channels:
                self._all_left(batch, member, "")
                member = None
        first_live = self._head + 1
        if member is None:
            self._roster.expect(request)
            self._roster.apply(self._add_event(batch, EventKind.JOINED, request.channel, name, ""))
            member = self._roster.members[name]
        else:
            self._roster.take_over(member, connection)
        log.info("= %s is %s", connection.peer, member.name)
        batch.afterwards.append(partial(self._newcomers.welcome, member, request, first_live))

    def _go_live(self, batch: Batch, request: GoLive) -> None:
        batch.afterwards.append(partial(self._newcomers.go_live, request))

    def _ask(self, batch: Batch, request: Ask) -> None:
        member = self._roster.member_of(request.connection)
        if member is not None:
            text = commands.answer(self, member, request.command.text)
            id, connection = request.command.id, request.connection
            batch.afterwards.append(lambda: connection.notice(text, id))
        batch.afterwards.append(request.answered.set)

    def _leave(self, batch: Batch, request: Leave) -> None:
        member = self._roster.member_of(request.connection)
        if member is not None:
            log.info("= %s has left: %s", member.name, request.reason)
            self._all_left(batch, member, request.reason)

    def _all_left(self, batch: Batch, member: Member, reason: str) -> None:
        for channel in sorted(member.channels):
            self._roster.apply(self._add_event(batch, EventKind.LEFT, channel, member.name, reason))

    # --- start, end, numbers ----------------------------------------------------------------------------

    def recover(self) -> None:
        """Restore the sessions; add a LEFT event for each member present at the stop. Raises HistoryError."""
        restored = self._history.restore()
        self._head, self._time = restored.head, restored.time
        self._tail.begin(restored.head)
        batch = self._new_batch()
        absent = []
        for record in sorted(restored.sessions, key=lambda record: record.seen):
            self._roster.restore(record)
            if record.present:
                absent.append(record._replace(present=False, seen=batch.time))
                self._add_event(batch, EventKind.LEFT, record.channel, record.name, "the server was stopped")
        if absent:
            self._history.append(batch.events, absent, ())
            self._tail.extend(batch.events)
        self._catch_up.stored(self._head)

    def stop_waiting(self) -> None:
        """Stop waiting for readers and for space on the disk: the chatroom closes. Any thread may call it."""
        self._closing.set()
        self._flow.open()
        self._catch_up.close()

    @property
    def members(self) -> dict[str, Member]:
        """All members by name. Only in the forwarder's thread."""
        return self._roster.members

    def numbers(self) -> dict[str, object]:
        """See `commands.Room`. Only in the forwarder's thread."""
        return {
            "up": f"{self._clock() - self._started:.0f} s",
            "members": len(self._roster.members),
            "events": self._head,
            "batches": self._batches,
            "waiting": len(self._queue),
            "behind": self._flow.behind,
            "pauses": self._flow.pauses,
            "threads": threading.active_count(),
        }

    def _tell_all(self, text: str) -> None:
        """Send a notice to the live members only: for the other members, WELCOME and replay come first."""
        for members in self._roster.audiences.values():
            for member in members:
                member.connection.notice(text)

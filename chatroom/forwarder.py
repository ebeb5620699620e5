"""The forwarder: the one thread that takes what waits, decides, stores, and shows it to everybody.

All state of the conversation is confined to this thread, so the order of the queue is the order of
everything: lines, joins, names. Nothing here waits for a member.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from time import time as wall_time

from chatroom import commands
from chatroom.batch import Batch
from chatroom.catch_up import CatchUp
from chatroom.door import Connection
from chatroom.errors import ChatroomError, Closed, HistoryError, HistoryFull, NameRefused
from chatroom.events import Event, EventKind
from chatroom.flow import Flow
from chatroom.history import History
from chatroom.limits import DISK_RETRY_SECONDS
from chatroom.member import Audience, Member
from chatroom.newcomers import Newcomers
from chatroom.queue import WaitingQueue
from chatroom.requests import Ask, GoLive, Join, Leave, Lines, Release, Request, Reserve
from chatroom.roster import Roster
from chatroom.tail import Tail

log = logging.getLogger(__name__)


class Forwarder:
    """Requests in, events stored and delivered out.

    queue:     what waits
    history:   where it is stored before anybody sees it
    flow:      is told how many members there are
    catch_up:  brings those up to date who have missed more than the tail holds
    clock:     seconds that only rise
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
        self.failure: ChatroomError | None = None  # why it ended, when it was not told to
        self._roster = Roster()
        self._head = 0  # seq of the latest event
        self._time = 0  # of the latest event: time does not go back, whatever the system's clock does
        self._tail = Tail(0)
        self._newcomers = Newcomers(self._roster, self._tail, catch_up)
        self._batches = 0
        self._handlers: dict[type, Callable[[Batch, Request], None]] = {
            Lines: self._lines,  # type: ignore[dict-item]  # each handler takes its own kind of request
            Reserve: self._reserve,  # type: ignore[dict-item]
            Release: self._release,  # type: ignore[dict-item]
            Join: self._join,  # type: ignore[dict-item]
            GoLive: self._go_live,  # type: ignore[dict-item]
            Ask: self._ask,  # type: ignore[dict-item]
            Leave: self._leave,  # type: ignore[dict-item]
        }

    # --- the straight line ------------------------------------------------------------------------------

    def run(self) -> None:
        """Forward until the queue is closed and empty, or history fails for good; then close the queue."""
        requests: list[Request] | None = []
        try:
            while requests is not None:
                requests = self._queue.take_all()
                if requests is not None:
                    self.forward(requests)
        except HistoryError as error:
            log.error("history: %s", error)
            self.failure = error
        except Exception as bug:  # the top of the thread logs it; whoever started the server is told, too
            self.failure = ChatroomError(f"the conversation was ended by a bug: {bug!r}")
            raise
        finally:
            self._queue.close()
            self._turn_away([*(requests or ()), *(self._queue.take_all() or ())])

    def _turn_away(self, requests: list[Request]) -> None:
        """Nothing more will be done: whoever waits for an answer to one of these waits no longer."""
        for request in requests:
            if isinstance(request, Reserve) and not request.answer.done():
                request.answer.set_exception(Closed("the chatroom has ended"))
            elif isinstance(request, Ask):
                request.answered.set()
            elif isinstance(request, Join):
                request.connection.end("the chatroom has ended", again=True)

    def forward(self, requests: list[Request]) -> None:
        """One round: decide and apply, store, deliver, answer."""
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

    def _happen(
        self, batch: Batch, kind: EventKind, channel: str, author: str, text: str = "", id: int = 0
    ) -> Event:
        """Make the next event and apply it: the one place where the state changes and seq is given."""
        self._head += 1
        event = Event(self._head, batch.time, kind, channel, author, text, id)
        self._roster.apply(event)
        batch.events.append(event)
        return event

    def _store(self, batch: Batch) -> None:
        """Commit the batch; while the disk is full, hold it, tell the members, and try again.

        Raises HistoryError when history fails for good or the end comes first; nobody was shown the batch.
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
                if self._closing.is_set():  # there may have been space since the last try, but not now
                    raise HistoryError(f"{len(batch.events)} events could not be stored: {full}") from None
                if not trouble:
                    trouble = str(full)
                    log.error("history: %s; waiting", trouble)
                    self._tell_all(f"the server cannot store what is said ({trouble}); it waits for space")
                self._closing.wait(DISK_RETRY_SECONDS)
        if trouble:
            log.warning("history: can be written again")
            self._tell_all("the server can store again")
        self._tail.extend(batch.events)
        self._catch_up.stored(self._head)
        self._batches += 1

    def _deliver(self, batch: Batch) -> None:
        """Every live member gets the batch, in bytes that it shares with all of its audience."""
        if not batch.events:
            return
        for audience, members in self._roster.audiences.items():
            data = batch.bytes_for(audience)
            if not audience.door.echoes:
                self._deliver_without_echo(batch, audience, members)
            elif data:
                for member in members:
                    member.deliver(data)

    def _deliver_without_echo(self, batch: Batch, audience: Audience, members: Iterable[Member]) -> None:
        """As _deliver(), for a door through which authors do not get their own lines back."""
        for member in members:
            data = batch.bytes_for(audience, without_lines_of=member.name)
            if data:
                member.deliver(data)

    # --- one method for each kind of request ------------------------------------------------------------

    def _lines(self, batch: Batch, request: Lines) -> None:
        connection = request.connection
        member = self._roster.member_of(connection)
        if member is None:  # has left, or another connection has taken over
            return
        name, channels, confirmed = member.name, member.channels, member.session.confirmed
        said, time, seq = EventKind.SAID, batch.time, self._head
        events: list[Event] = []
        new = tuple.__new__  # what Event() comes down to, without a function in Python between
        for id, channel, text in request.says:  # once for each line of everybody: the shortest way
            if id > confirmed and channel in channels:
                confirmed, seq = id, seq + 1
                events.append(new(Event, (seq, time, said, channel, name, text, id)))
            else:
                self._not_said(batch, connection, id, channel, confirmed)
        if events:
            self._head = seq
            self._roster.apply(events[-1])  # ids rise: to apply the last of a burst is to apply them all
            batch.events += events

    def _not_said(self, batch: Batch, connection: Connection, id: int, channel: str, confirmed: int) -> None:
        """Answer a line that is a repeat, or for a channel that its author is not in."""
        if id <= confirmed:
            batch.afterwards.append(lambda: connection.confirm(id))
        else:
            batch.afterwards.append(lambda: connection.notice(f"not said: you are not in {channel}", id))

    def _reserve(self, batch: Batch, request: Reserve) -> None:
        answer = request.answer
        try:
            reservation = self._roster.reserve(request.name, request.token, self._clock())
        except NameRefused as refused:
            error = refused
            batch.answers.append(lambda: answer.set_exception(error))
        else:
            batch.answers.append(lambda: answer.set_result(reservation))

    def _release(self, _batch: Batch, request: Release) -> None:
        self._roster.release(request.reservation)

    def _join(self, batch: Batch, request: Join) -> None:
        reservation, connection = request.reservation, request.connection
        if not self._roster.release(reservation):
            batch.afterwards.append(lambda: connection.end("the reservation has expired", again=True))
            return
        holder = self._roster.holder(reservation.name)
        if holder is not None and request.channel in holder.channels:  # reserve() has checked the session
            old = self._roster.take_over(holder, connection)
            batch.afterwards.append(lambda: old.end("taken over by a new connection", again=False))
            member, first_live = holder, self._head + 1
        else:
            if holder is not None:
                old = holder.connection
                self._all_left(batch, holder, "")
                batch.afterwards.append(lambda: old.end("taken over by a new connection", again=False))
            self._roster.arrive(request)
            first_live = self._happen(batch, EventKind.JOINED, request.channel, reservation.name).seq
            member = self._roster.members[reservation.name]
        log.info("= %s is %s", connection.peer, member.name)
        batch.afterwards.append(lambda: self._newcomers.welcome(member, request, first_live))

    def _go_live(self, batch: Batch, request: GoLive) -> None:
        batch.afterwards.append(
            lambda: self._newcomers.finish(request.member, request.connection, request.seq)
        )

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
            self._happen(batch, EventKind.LEFT, channel, member.name, reason)

    # --- beginning, end, numbers ------------------------------------------------------------------------

    def recover(self) -> None:
        """Take up the history: sessions are known again; who was here when the server stopped has left."""
        restored = self._history.restore()
        self._head = restored.head
        self._tail.begin(restored.head)
        self._time = restored.time
        batch = self._new_batch()
        here = []
        for record in sorted(restored.sessions, key=lambda record: record.seen):
            self._roster.restore(record)
            if record.present:
                here.append(record._replace(present=False, seen=batch.time))
                self._head += 1
                left = (EventKind.LEFT, record.channel, record.name, "the server was stopped")
                batch.events.append(Event(self._head, batch.time, *left))
        if here:
            self._history.append(batch.events, here, ())
            self._tail.extend(batch.events)
        self._catch_up.stored(self._head)

    def stop_waiting(self) -> None:
        """The end is near: do not wait for readers or for the disk any more. Called by another thread."""
        self._closing.set()
        self._flow.open()
        self._catch_up.close()

    def connections(self) -> list[Connection]:
        """Of all members. Only in the forwarder's thread."""
        return [member.connection for member in self._roster.members.values()]

    @property
    def members(self) -> dict[str, Member]:
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
        """Tell those who are live; to the others, something else must come first."""
        for members in self._roster.audiences.values():
            for member in members:
                member.connection.notice(text)

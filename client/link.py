"""One connection's life: receive, process bursts in order, send, and notice when the server is dead."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import groupby
from threading import Event as Flag
from threading import Lock
from typing import Final, NamedTuple

from chatroom.errors import ChatroomError, Closed, ConnectionLost, ProtocolError
from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import (
    Answer,
    Bye,
    Channel,
    Info,
    Live,
    Packet,
    Ping,
    Pong,
    Replay,
    Resumed,
    Skipped,
    encode,
)
from chatroom.reaper import Reaper
from client.answers import COMMAND_UNKNOWN, Answers, Lasting, size_of
from client.handshaking import Admission, check_given_name
from client.limits import UPDATE_BYTES
from client.refusals import why_removed
from client.resume import ANEW
from client.rooms import Changes
from client.sequencer import Sequencer
from client.updates import CaughtUp, Missed, Unanswered, Update

log = logging.getLogger(__name__)

THIRDS: Final = 3
"""A PING goes to a silent server after each third of the time after which it counts as dead."""

READ_LATE: Final = "events were read too late; fetching the rest"
"""Why a link ends whose events did not all fit into the inbox, as soon as there is room again."""


NOT_STORED: Final = "not stored"
LINE_UNKNOWN: Final = "it is not known whether the server has stored this"
"""What the user is told about a line whose answer was lost with the connection."""

_CLOSED_TO_ONE: Final = (Code.BAD_KEY, Code.INVITE_ONLY, Code.BANNED)
"""With these a channel may be closed to the client, and others not."""

_SERVER: Final = 0
"""The person of events that nobody caused."""


class Ending(NamedTuple):
    """How a connection ended. `again`: the client may come back; `code`: of the server's BYE."""

    reason: str
    again: bool
    code: int = Code.UNAVAILABLE


Piece = list[Event] | Packet
"""A burst is sifted into runs of events, and the packets between them."""


class Link:
    """An admitted connection, from WELCOME to its end.

    changed: it takes the place of another one, after a login: nothing was missed in between
    placed:  set as soon as the places of the client's person are known, and at the end
    """

    def __init__(
        self,
        admission: Admission,
        lasting: Lasting,
        reaper: Reaper,
        dead_after: float,
        placed: Flag,
        changed: bool = False,
    ) -> None:
        self._connection = admission.connection
        self._admission = admission
        self._resume, self._pending, self._inbox, self._rooms, self._account = lasting
        self._reaper = reaper
        self._dead_after = dead_after
        self._third = dead_after / THIRDS
        self._placed = placed
        self._sequencer = Sequencer()
        self._over = Flag()  # run() is done with the connection
        self._number = 0  # of the connection; set by run(), before a login can begin
        # Guards _ending: the first reason to end the link, or the server's BYE, which counts more.
        self._lock = Lock()
        self._ending: Ending | None = None
        # Confined to the thread whose turn it is:
        self._resumed = self._resume.live
        # Nothing of others has come since the reconnect. What comes of another history was not missed.
        self._divider_due = self._resumed and not changed and admission.welcome.resumed not in ANEW
        self._answers = Answers(lasting, admission.secure)
        self._greeted = False  # LIVE has come
        self._incomplete = False  # an event did not reach the inbox: no later one may
        self._failed = False  # a burst could not be processed: no later packet counts
        self._replaced = False  # another link goes on: nothing more is told

    def run(self) -> Ending:
        """Receive until the connection ends; how it did. In the connection thread."""
        self._number = self._pending.attach(self._admission.secure)
        if self._admission.attempt.by_password:
            self._answers.ask_for_token()
        sender = None
        try:
            sender = self._reaper.spawn(self._send, "client-sender")
            self._receive()
        except (ChatroomError, RuntimeError) as failure:  # RuntimeError: the system gives no more threads
            self.lose(str(failure), failure)
        finally:
            self._connection.shutdown()
            self._pending.detach()
            self._sequencer.drain()
            if sender is not None:
                sender.join()
            self._connection.close()
            for command in self._pending.forget_asked():
                if command.request is not None:
                    command.request.lose(ConnectionLost(COMMAND_UNKNOWN))
                elif not command.quiet:
                    self._inbox.tell(Unanswered(command.id, command.text, COMMAND_UNKNOWN), surely=True)
            self._over.set()
        with self._lock:
            return self._ending or Ending("the connection ended", again=True)

    def lose(self, reason: str, cause: Exception | None = None) -> None:
        """End the link, for this reason if it is the first. Any thread."""
        log.debug("= %r: %s", self._connection, reason, exc_info=cause)
        with self._lock:
            self._ending = self._ending or Ending(reason, again=True)
        self._connection.shutdown()

    # --- a login: its thread --------------------------------------------------------------------------

    def give_way(self, enter: Callable[[], Admission]) -> Admission:
        """Between two bursts: call `enter`, and if that succeeds tell nothing more. Raises what it raises.

        So the cursor stands still in `enter`, and the next link gets exactly what follows it.
        """
        turn = self._sequencer.take()
        with self._sequencer.passing(turn):
            self._sequencer.wait(turn)
            admission = enter()
            self._replaced = True
        return admission

    def part(self, seconds: float) -> None:
        """Say BYE, and cut the connection if it has not ended after so many seconds."""
        self._pending.part(self._number)
        if not self._over.wait(seconds):
            self.lose("the server does not hang up")

    # --- receiving: the connection thread -------------------------------------------------------------

    def _receive(self) -> None:
        """Turn bytes into bursts. Raises ChatroomError at the end."""
        decoder, silent = self._admission.decoder, 0
        behind = self._admission.packets  # what came right behind WELCOME
        self._hand_over(behind, sum(map(size_of, behind)))
        decoder.check()
        while True:
            data = self._connection.receive(self._third)
            if data:
                silent = 0
                self._hand_over(decoder.feed(data), len(data))
                decoder.check()
                continue
            silent += 1
            if silent == THIRDS:
                raise ConnectionLost(f"the server was silent for {self._dead_after:g} seconds")
            self._pending.ping()

    def _hand_over(self, packets: list[Packet], size: int) -> None:
        """Process a burst in a thread of its own; waits while MAX_PROCESSING threads are at work."""
        if not packets:
            return
        turn = self._sequencer.take()
        try:
            self._reaper.spawn(lambda: self._process(turn, packets, size), f"client-burst-{turn}")
        except (Closed, RuntimeError):  # no new thread, but the turn must be passed
            self._process(turn, packets, size)

    # --- processing: a thread for each burst ----------------------------------------------------------

    def _process(self, turn: int, packets: list[Packet], size: int) -> None:
        """Sift a burst, while other threads sift others, and deliver it when its turn has come."""
        with self._sequencer.passing(turn):
            try:
                pieces = sift(packets)
                self._sequencer.wait(turn)
                for piece in pieces if not self._failed else []:
                    if not self._replaced or isinstance(piece, Bye):
                        self._deliver(piece, size)
            except Exception as failure:
                self._sequencer.wait(turn)
                # The next connection fetches the rest of this burst and all later ones again.
                self._failed = True
                if isinstance(failure, ProtocolError):
                    self.lose(str(failure), failure)
                else:
                    self.lose(f"processing failed: {failure!r}", failure)
                    raise
        self._inbox.updated()

    def _deliver(self, piece: Piece, size: int) -> None:
        """Act on one piece of a burst. Requires the turn, as all methods below."""
        if isinstance(piece, list | Replay | Live):  # the greeting names all places first
            self._placed.set()
        match piece:
            case list():
                self._deliver_events(piece, size)
            case Answer():
                self._answers.deliver(piece)
            case Info(words):
                self._inbox.tell(piece, UPDATE_BYTES + len(words.encode()))
            case Channel(name=name, members=members):
                self._follow(self._rooms.enter(piece))
                self._resume.enter(name)
                self._inbox.tell(piece, UPDATE_BYTES * (1 + len(members)))
            case Event():
                self._deliver_signal(piece)
            case Skipped(seq, time):
                self._move(seq, time)
            case Replay(id):
                self._answers.begin(id)
            case Live():
                self._deliver_live(piece)
            case Ping(id):
                self._pending.pong(id)
            case Pong():
                pass
            case Bye():
                self._deliver_bye(piece)
            case _:
                raise ProtocolError(f"{type(piece).__name__.upper()} cannot come now")

    def _deliver_signal(self, signal: Event) -> None:
        if signal.kind is EventKind.RENAMED and self._resume.is_own(signal.person):
            check_given_name(signal.text)
            self._resume.rename(signal.text)
        self._follow(self._rooms.signal(signal, self._resume.is_own))

    def _deliver_bye(self, bye: Bye) -> None:
        again, code, reason = bye
        again = again and code not in (Code.KICKED, Code.BANNED)
        if code in _CLOSED_TO_ONE and not self._greeted and self._resume.only_asked():
            again = True  # without the channels that were joined later, one of which is closed now
        with self._lock:
            self._ending = Ending(why_removed(code, reason), again, code)
        self._connection.shutdown()

    def _follow(self, changes: Changes) -> None:
        """Places have other names, or the client's person is not in them any more."""
        for before, after in changes:
            self._resume.moved(before, after)

    def _deliver_events(self, events: list[Event], size: int) -> None:
        if self._answers.bracket:
            self._answers.keep(events)
            return
        if events[0].seq <= self._resume.seen:  # seqs rise: else no event of the run is a repeat
            events = [event for event in events if event.seq > self._resume.seen]
            if not events:
                return
        own = self._note_own(events)
        self._follow(self._rooms.happened(events, self._resume.live, self._resume.is_own))
        shown = self._with_divider(self._rooms.as_seen(events))
        self._put(shown, size, events[-1].seq, events[-1].time)
        # Last, so that the inbox has the event of each line that counts as stored.
        if own:
            self._pending.confirm(own)

    def _note_own(self, events: list[Event]) -> list[int]:
        """The message ids of the client's own lines. Takes a new name and a new account of the client.

        A new name from before WELCOME is no news: WELCOME tells the present one.
        """
        ids = []
        for event in events:
            if self._resume.is_own(event.person):
                if event.id:
                    ids.append(event.id)
                if event.kind is EventKind.RENAMED and event.seq > self._admission.welcome.head:
                    check_given_name(event.text)
                    self._resume.rename(event.text)
                elif event.kind in (EventKind.JOINED, EventKind.ACCOUNT):
                    self._answers.note_account(event, event.seq > self._admission.welcome.head)
        return ids

    def _with_divider(self, events: list[Event]) -> list[Update]:
        """The events; after a reconnect, with Missed before the first burst with one of somebody else."""
        if not self._divider_due or all(
            event.person == _SERVER or self._resume.is_own(event.person) for event in events
        ):
            return list(events)
        self._divider_due = False
        return [Missed(self._admission.welcome.resumed is Resumed.GAP), *events]

    def _deliver_live(self, live: Live) -> None:
        """The replay is complete: settle the lines that it has not settled; from now on lines may be sent."""
        self._divider_due, self._greeted = False, True
        self._follow(self._rooms.caught_up())
        self._put([CaughtUp(live.seq, self._resumed)], UPDATE_BYTES, live.seq, live.time)
        words = NOT_STORED if self._resume.exact else LINE_UNKNOWN
        for line in self._pending.pending():
            if line.id <= self._admission.welcome.confirmed:
                self._inbox.tell(Unanswered(line.id, line.text, words), surely=True)
                self._pending.refuse(line.id, words)
        self._resume.caught_up()
        self._pending.open()

    def _put(self, updates: list[Update], size: int, seq: int, time: int) -> None:
        """Give updates to the user, and note that all events up to `seq` are in the inbox."""
        if not self._incomplete:
            self._incomplete = not self._inbox.put(updates, size, lambda: self.lose(READ_LATE))
        self._move(seq, time)

    def _move(self, seq: int, time: int) -> None:
        """Move the cursor, unless events before it are missing or come from a request."""
        if not self._incomplete and not self._answers.bracket:
            self._resume.move(seq, time)

    # --- sending: the sender thread -------------------------------------------------------------------

    def _send(self) -> None:
        """Send all that waits; a PING when nothing did for a while."""
        ping = encode(Ping(0))
        try:
            while (data := self._pending.take(self._third)) is not None:
                self._connection.send(data or ping)
            self._connection.finish()
        except ConnectionLost as lost:
            self.lose(str(lost))


def sift(packets: list[Packet]) -> list[Piece]:
    """A burst as runs of events and, between them, the other packets, in order. A signal is in no run."""
    pieces: list[Piece] = []
    for are_events, run in groupby(packets, _is_event):
        if are_events:
            pieces.append(list(run))  # type: ignore[arg-type]
        else:
            pieces.extend(run)
    return pieces


def _is_event(packet: Packet) -> bool:
    return type(packet) is Event and packet.seq > 0

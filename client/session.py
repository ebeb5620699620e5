"""One session on one connection: receive, process in order, send, and notice when the server is dead."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import groupby
from threading import Lock
from typing import Final, NamedTuple

from chatroom.errors import ChatroomError, Closed, ConnectionLost, ProtocolError
from chatroom.events import Event, EventKind
from chatroom.packets import NO_TOKEN, Bye, Confirm, Live, Notice, Packet, Ping, Pong, encode
from chatroom.reaper import Reaper
from client.handshaking import Admission
from client.inbox import Inbox
from client.limits import MISSED_HELD
from client.outbox import Outbox
from client.processing import Turnstile
from client.updates import CaughtUp, Missed, Update

log = logging.getLogger(__name__)

THIRDS: Final = 3
"""A silent server is asked after each third of the time after which it counts as dead."""


class Standing:
    """What outlives a connection: who we are to the server and how far we have read."""

    def __init__(self, name: str, channel: str) -> None:
        # Guards _name, _channel and _token.
        self._lock = Lock()
        self._name = name
        self._channel = channel
        self._token = NO_TOKEN
        # Confined to the connection thread and, while it lives, to the turn in the turnstile:
        self.seen = 0  # seq up to which everything is in the inbox
        self.heard = 0  # seq up to which everything was received
        self.live = False  # whether the history was complete once

    @property
    def name(self) -> str:
        with self._lock:
            return self._name

    @property
    def channel(self) -> str:
        with self._lock:
            return self._channel

    @property
    def token(self) -> bytes:
        with self._lock:
            return self._token

    def become(self, name: str, channel: str, token: bytes) -> None:
        """Take what WELCOME gave."""
        with self._lock:
            self._name, self._channel, self._token = name, channel, token

    def rename(self, name: str) -> None:
        """Take another name."""
        with self._lock:
            self._name = name


class Ending(NamedTuple):
    """How a session ended. `again`: the server would have us back."""

    reason: str
    again: bool


Piece = list[Event] | Packet
"""What a burst is sifted into: runs of events, and the packets between them."""


class Session:
    """A connection that was admitted, until it ends.

    skipping: the inbox was behind when the history was asked for; its events are not the next ones
    """

    def __init__(
        self,
        admission: Admission,
        standing: Standing,
        outbox: Outbox,
        inbox: Inbox,
        reaper: Reaper,
        dead_after: float,
        updated: Callable[[], None],
        skipping: bool,
    ) -> None:
        self.connection = admission.connection
        self._admission = admission
        self._standing = standing
        self._outbox = outbox
        self._inbox = inbox
        self._reaper = reaper
        self._third = dead_after / THIRDS
        self._dead_after = dead_after
        self._updated = updated
        self._turnstile = Turnstile()
        # Guards _why (the first reason to end the session) and _goodbye (the server's, which counts more).
        self._lock = Lock()
        self._why: Ending | None = None
        self._goodbye: Ending | None = None
        # Confined to the turn in the turnstile:
        self._skipping = skipping
        self._last = 0  # the last seq received here
        self._resumed = standing.live
        self._held: list[Update] | None = [] if standing.live else None  # until their number is known
        self._held_size = 0
        self._missed = 0

    def run(self) -> Ending:
        """Live until the connection ends; how it did. In the connection thread."""
        welcome = self._admission.welcome
        if welcome.head < max(self._standing.seen, self._standing.heard):
            # Another history, shorter than what we have seen of the old one: go on at its end.
            self._standing.seen = self._standing.heard = welcome.head
        self._last = self._standing.heard if self._skipping else self._standing.seen
        self._outbox.attach(welcome.confirmed)
        sender = None
        try:
            sender = self._reaper.spawn(self._send, "client-sender")
            self._receive()
        except (ChatroomError, RuntimeError) as failure:  # RuntimeError: no thread to be had
            self.lose(str(failure), failure)
        finally:
            self.connection.shutdown()
            self._outbox.detach()
            self._turnstile.drain()
            if sender is not None:
                sender.join()
            self.connection.close()
        with self._lock:
            return self._goodbye or self._why or Ending("the connection ended", again=True)

    def lose(self, reason: str, cause: Exception | None = None) -> None:
        """End the session, for this reason if it is the first. Any thread."""
        log.debug("= %r: %s", self.connection, reason, exc_info=None if cause is None else cause)
        with self._lock:
            if self._why is None:
                self._why = Ending(reason, again=True)
        self.connection.shutdown()

    # --- receiving: the connection thread -------------------------------------------------------------

    def _receive(self) -> None:
        """Turn bytes into bursts until ChatroomError tells of the end."""
        decoder, silent = self._admission.decoder, 0
        self._hand_over(self._admission.packets, 0)
        decoder.check()
        while True:
            data = self.connection.receive(self._third)
            if not data:
                silent += 1
                if silent == THIRDS:
                    raise ConnectionLost(f"the server was silent for {self._dead_after:g} seconds")
                self._outbox.ping()
                continue
            silent = 0
            self._hand_over(decoder.feed(data), len(data))
            decoder.check()

    def _hand_over(self, packets: list[Packet], size: int) -> None:
        """Have a burst processed in a thread of its own; waits while as many as allowed are at work."""
        if not packets:
            return
        turn = self._turnstile.take()
        try:
            self._reaper.spawn(lambda: self._process(turn, packets, size), f"client-burst-{turn}")
        except (Closed, RuntimeError):  # closing, or no thread left; the turn must be passed all the same
            self._process(turn, packets, size)

    # --- processing: a thread for each burst ----------------------------------------------------------

    def _process(self, turn: int, packets: list[Packet], size: int) -> None:
        """Sift a burst, at the same time as others are sifted, and hand it on when it is its turn."""
        pieces: list[Piece] = []
        failure: Exception | None = None
        try:
            pieces = sift(packets)
        except Exception as bug:  # noqa: BLE001  raised again below: the turn has to be passed first
            failure = bug
        with self._turnstile.passing(turn):
            try:
                if failure is not None:
                    raise failure
                for piece in pieces:
                    self._deliver(piece, size)
            except ProtocolError as broken:
                self._give_up(broken)
            except Exception as bug:
                self._give_up(bug)
                raise
        self._updated()

    def _give_up(self, failure: Exception) -> None:
        """Nothing later may be shown without the rest of this burst: it is fetched again. Needs the turn."""
        self._skipping = True
        known = isinstance(failure, ChatroomError)
        self.lose(str(failure) if known else f"processing failed: {failure!r}", failure)

    def _deliver(self, piece: Piece, size: int) -> None:
        """Act on one piece of a burst. Requires the turn, like everything below."""
        match piece:
            case list():
                self._events(piece, size)
            case Confirm(id):
                self._outbox.confirm(id)
            case Notice(id, text):
                self._outbox.refuse(id, text)
                self._inbox.tell(piece)
            case Ping(id):
                self._outbox.pong(id)
            case Pong():
                pass
            case Live(seq):
                self._live(seq)
            case Bye(again, reason):
                self._goodbye_from_server(reason or "the server said goodbye", again)
            case _:
                raise ProtocolError(f"{type(piece).__name__.upper()} cannot come now")

    def _goodbye_from_server(self, reason: str, again: bool) -> None:
        with self._lock:
            self._goodbye = Ending(reason, again)
        self.connection.shutdown()

    def _events(self, events: list[Event], size: int) -> None:
        if events[0].seq <= self._last:  # a server that repeats itself; seqs rise, so one look is enough
            events = [event for event in events if event.seq > self._last]
            if not events:
                return
        self._last = events[-1].seq
        self._standing.heard = max(self._standing.heard, self._last)
        own = self._own(events)
        if self._held is None:
            self._put(list(events), size, self._last)
        else:
            self._hold(events, size)
        # Only now, so that whoever sees a line confirmed finds its event in the inbox.
        if own:
            self._outbox.confirm(own)

    def _own(self, events: list[Event]) -> int:
        """The highest message id of our own lines among `events`, 0 for none; notes a new name of ours."""
        name, highest = self._standing.name, 0
        for event in events:
            if event.author == name:
                if event.id > highest and self._outbox.gave(event.id):
                    highest = event.id
                if event.kind is EventKind.RENAMED:
                    name = event.text
                    self._standing.rename(name)
        return highest

    def _put(self, updates: list[Update], size: int, seq: int) -> None:
        """Give updates to the user and note that everything up to `seq` was given."""
        if not self._skipping:
            self._skipping = not self._inbox.put(updates, size)
            if not self._skipping:
                self._standing.seen = max(self._standing.seen, seq)

    def _hold(self, events: list[Event], size: int) -> None:
        """Keep events after a reconnect back until it is known how many they are, or too many."""
        assert self._held is not None
        self._held.extend(events)
        self._held_size += size
        name = self._standing.name
        self._missed += sum(event.kind is EventKind.SAID and event.author != name for event in events)
        if len(self._held) > MISSED_HELD:
            self._let_go(more=True)

    def _let_go(self, more: bool) -> None:
        """Give what was held back, with its number before it."""
        held, self._held = self._held, None
        if held:
            divider: list[Update] = [Missed(self._missed, more)] if self._missed else []
            self._put(divider + held, self._held_size, self._last)

    def _live(self, seq: int) -> None:
        """The replay is complete: everything up to `seq` was given, and lines may be sent."""
        if self._held is not None:
            self._let_go(more=False)
        self._put([CaughtUp(seq, self._missed, self._resumed)], 0, seq)
        self._last = max(self._last, seq)
        self._standing.heard = max(self._standing.heard, seq)
        self._standing.live = True
        self._outbox.open()

    # --- sending: the sender thread -------------------------------------------------------------------

    def _send(self) -> None:
        """Send what the outbox gives; when it has nothing for a while, say that we are there."""
        ping = encode(Ping(0))
        try:
            while (data := self._outbox.take(self._third)) is not None:
                self.connection.send(data or ping)
            self.connection.finish()
        except ConnectionLost as lost:
            self.lose(str(lost))


def sift(packets: list[Packet]) -> list[Piece]:
    """A burst as runs of events and, between them, the other packets, in order."""
    pieces: list[Piece] = []
    for are_events, run in groupby(packets, _is_event):
        if are_events:
            pieces.append(list(run))  # type: ignore[arg-type]
        else:
            pieces.extend(run)
    return pieces


def _is_event(packet: Packet) -> bool:
    return type(packet) is Event

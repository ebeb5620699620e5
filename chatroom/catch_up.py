"""Catching up: sends missed events from history, in slices, when the tail does not hold all of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.blocks import merged
from chatroom.errors import Closed, HistoryError
from chatroom.event_log import EventLog
from chatroom.history import History
from chatroom.limits import CATCH_UP_BREATH, CATCH_UP_BYTES, CATCH_UP_REST
from chatroom.outcomes import Code
from chatroom.places import WHOLE_CHATROOM, Reach
from chatroom.presence import Seat

log = EventLog(__name__)


@dataclass(slots=True, eq=False)
class _Replay:
    """What one member still has to get.

    reach:   what it may get
    seq:     everything up to here was sent; while `lines` are looked for, the last seq that counts
    lines:   how many of the latest lines of each place it wants; 0: everything after `seq`
    exact:   the member was told that no event is missing
    left:    how many events that may still be, at most
    unknown: places whose lines are still to be found
    starts:  for each other place, the seq after which its lines begin
    """

    seat: Seat
    reach: Reach
    seq: int
    lines: int
    exact: bool
    left: int
    unknown: list[int] = field(default_factory=list)
    starts: dict[int, int] = field(default_factory=dict)


class CatchUp:
    """One thread sends all replays, in slices. After a slice a member waits until it has taken all of it,
    then it is the last in the line. So who does not read costs one slice of memory, and no time.

    Every second slice goes to the first in the line: nobody waits for ever, whoever comes. The others go to
    the one that has the least left to get: who has missed little does not wait for the many who want all.

    history: read here, while the forwarder writes to it
    arrive:  lets the seat go live, which has every event up to a seq; may raise Closed
    idle:    whether the forwarder has nothing to do: then there is no need to rest
    """

    def __init__(
        self,
        history: History,
        arrive: Callable[[Seat, int], None],
        idle: Callable[[], bool] = lambda: False,
    ) -> None:
        self._history = history
        self._arrive = arrive
        self._idle = idle
        self._closing = threading.Event()  # ends the rests between slices
        # Guards _head, _line and _turns.
        self._lock = threading.Lock()
        self._called = threading.Condition(self._lock)
        self._head = 0
        self._line: deque[_Replay] = deque()  # the first at index 0
        self._turns = 0

    def stored(self, head: int) -> None:
        """Note that history holds every event up to seq `head`, and that all who got or lost a place up to
        there know it. Called by the forwarder."""
        with self._lock:
            self._head = head

    def close(self) -> None:
        """End run(): the chatroom closes, and says goodbye to the members itself."""
        self._closing.set()
        with self._lock:
            self._called.notify()

    def begin(self, seat: Seat, reach: Reach, seq: int, lines: int = 0, exact: bool = False) -> None:
        """Send the events after `seq` within reach, then let the seat go live. Returns at once.

        lines: send the latest lines of each place up to `seq` instead, and what came after them
        exact: the member was told that no event is missing: when retention removes events before they are
               sent, the connection ends, and the next WELCOME tells the member of the gap
        """
        with self._lock:
            replay = _Replay(seat, reach, seq, lines, exact, self._head - seq)
        if lines:  # events of the whole chatroom begin with the first line of the others
            replay.unknown = [place for place in reach.places if place != WHOLE_CHATROOM]
            replay.starts = {WHOLE_CHATROOM: seq}
            replay.left = lines * len(replay.unknown)
        self._enqueue(replay)

    def _enqueue(self, replay: _Replay) -> None:
        with self._lock:
            self._line.append(replay)
            self._called.notify()

    @property
    def waiting(self) -> int:
        """How many members are in the line."""
        with self._lock:
            return len(self._line)

    def run(self) -> None:
        """The thread: slice after slice, until close()."""
        while self._wait_for_one():
            began = time.thread_time()
            self.serve()
            worked = time.thread_time() - began
            self._closing.wait(CATCH_UP_BREATH)
            if not self._idle():
                self._closing.wait(worked * CATCH_UP_REST)

    def _wait_for_one(self) -> bool:
        """Wait until somebody is in the line; False when the chatroom closes."""
        with self._lock:
            while not (self._line or self._closing.is_set()):
                self._called.wait()
            return not self._closing.is_set()

    def serve(self) -> None:
        """Send one slice. Requires that somebody is in the line."""
        with self._lock:
            self._turns += 1
            replay = self._line[0] if self._turns % 2 else min(self._line, key=lambda replay: replay.left)
            self._line.remove(replay)
        self._serve(replay)

    def _serve(self, replay: _Replay) -> None:
        """One slice. Whatever goes wrong ends this member's connection only."""
        connection = replay.seat.connection
        try:
            if replay.lines:
                self._look_back(replay)
            else:
                self._send_slice(replay)
        except HistoryError as error:
            name = replay.seat.name
            log.error("history_unreadable", "catching up of %(name)s: %(error)s", name=name, error=error)
            connection.part(Code.UNAVAILABLE, "the server cannot read its history")
        except Closed:
            pass  # the chatroom closes
        except Exception:  # a bug; without an end, the member would wait for ever
            log.exception("failed", "catching up of %(name)s", name=replay.seat.name)
            connection.part(Code.UNAVAILABLE, "an error in the server")

    def _send_slice(self, replay: _Replay) -> None:
        """Read and send the next events; the rest when the member has taken them, or let it go live."""
        with self._lock:
            head = self._head
        connection, reach = replay.seat.connection, replay.reach
        blocks, until, after = self._history.read(replay.seq, reach.places, CATCH_UP_BYTES)
        # History may be ahead of what the forwarder has carried out. Who gets or loses a place there comes
        # back, and must not have been sent anything of a later seq by what it had in reach before.
        is_last, until = until >= head, min(until, head)
        if replay.exact and after > replay.seq:
            name = replay.seat.name
            log.info("overtaken", "= %(name)s catches up more slowly than retention removes", name=name)
            connection.part(Code.UNAVAILABLE, "some of what you missed was removed before you had it")
            return
        if packets := b"".join(merged(blocks, reach, replay.seq, until)):
            connection.send(connection.door.translate(packets))
        replay.seq, replay.left = until, head - until
        if is_last:  # up to there, these places have no other event
            self._arrive(replay.seat, replay.seq)
        else:
            connection.when_taken(lambda is_open: self._enqueue(replay) if is_open else None)

    def _look_back(self, replay: _Replay) -> None:
        """Look for the latest lines of one place; when they are found in all places, events can be sent."""
        if replay.unknown:
            place = replay.unknown.pop()
            replay.starts[place] = self._history.start_of(replay.lines, place, replay.seq)
        if not replay.unknown:
            replay.seq = replay.starts[WHOLE_CHATROOM] = min(replay.starts.values())
            replay.reach, replay.lines = replay.reach.later(replay.starts), 0
        # A connection that has ended meanwhile is not looked for any more.
        replay.seat.connection.when_taken(lambda is_open: self._enqueue(replay) if is_open else None)

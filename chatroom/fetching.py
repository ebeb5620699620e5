"""Commands that read the history run in their handlers' threads, in turns that are fair between networks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Event as Flag
from time import monotonic, sleep, thread_time
from typing import TypeVar

from chatroom.blocks import Block, events_of
from chatroom.commands import Permitted
from chatroom.deadline import Deadline
from chatroom.desk import Latest
from chatroom.door import Connection
from chatroom.errors import HistoryError, ProtocolError, Refused
from chatroom.event_log import EventLog
from chatroom.events import Event
from chatroom.finding import Line, Page, Wanted, gather_following
from chatroom.forwarder import Forwarder
from chatroom.handler_desk import now
from chatroom.hash_pool import HashPool
from chatroom.history import History
from chatroom.limits import (
    CATCH_UP_BYTES,
    LOG_SPAN,
    MAX_NUMBER,
    NETWORK_SEARCHES,
    SEARCH_BREATH,
    SEARCH_BREATH_AFTER,
    SEARCH_REST,
    SEARCH_SECONDS,
    SEARCH_WAIT,
    SEARCHES_AT_ONCE,
)
from chatroom.network import network_of
from chatroom.outcomes import Code, Outcome
from chatroom.state import State

log = EventLog(__name__)

T = TypeVar("T")


class HandlerLibrary:
    """See `chatroom.desk.Library`: for one command, which has SEARCH_SECONDS for all that it finds."""

    def __init__(self, forwarder: Forwarder, history: History) -> None:
        self._forwarder = forwarder
        self._history = history
        self._deadline = Deadline(SEARCH_SECONDS)
        self._breathed = thread_time()

    def read(self, look: Callable[[State], T]) -> T:
        return self._forwarder.look(look).result()

    def now(self) -> int:
        return now()

    def find(self, wanted: Wanted, most: int, size: int) -> Page:
        return self._history.find(wanted, most, size, self._is_over)

    def following(self, wanted: Wanted, most: int, size: int) -> tuple[list[Line], bool]:
        return gather_following(self._slices(wanted), wanted, most, size)

    def _slices(self, wanted: Wanted) -> Iterator[Sequence[Block]]:
        after = wanted.after
        while after < wanted.until and not self._is_over():
            blocks, until, _ = self._history.read(after, wanted.reach.places, CATCH_UP_BYTES)
            yield blocks
            after = until if blocks else MAX_NUMBER

    def latest(self, place: int, until: int, most: int, is_wanted: Callable[[Event], bool]) -> Latest:
        found, span = list[Event](), LOG_SPAN
        while until > 0 and len(found) <= most:
            after = max(0, until - span)
            earlier = deque(filter(is_wanted, self._events(place, after, until)), most + 1)
            if self._is_over():  # the latest of these may be missing
                break
            found[:0] = earlier
            until, span = after, 4 * span
        if len(found) > most:
            found = found[-most:]
            until = found[0].seq - 1
        return Latest(found, until > 0, until + 1)

    def _events(self, place: int, after: int, until: int) -> Iterator[Event]:
        """The events of a place after one seq, up to and with another one, in order."""
        while after < until and not self._is_over():
            blocks, seen, _ = self._history.read(after, (place,), CATCH_UP_BYTES)
            events = (event for block in blocks for event in events_of(block))
            yield from sorted(event for event in events if after < event.seq <= min(until, seen))
            after = seen if blocks else MAX_NUMBER

    def _is_over(self) -> bool:
        """Whether the time is over. Lets other threads go on now and then."""
        if thread_time() - self._breathed > SEARCH_BREATH_AFTER:
            sleep(SEARCH_BREATH)
            self._breathed = thread_time()
        return self._deadline.expired


class Fetching:
    """Lets SEARCHES_AT_ONCE threads search at the same time, and as many fetch a page. Any thread may ask.

    After each one its turn rests, so that all who fetch leave half of the interpreter to the conversation. A
    page takes milliseconds and a search may take SEARCH_SECONDS: so pages do not wait for searches.
    """

    def __init__(self, forwarder: Forwarder, history: History) -> None:
        self._forwarder = forwarder
        self._history = history
        self._searches, self._pages = (HashPool(SEARCHES_AT_ONCE, NETWORK_SEARCHES) for _ in range(2))
        self._closing = Flag()

    def run(self, connection: Connection, request: int, task: Permitted) -> Outcome | None:
        """Run the command and answer it; why not, when that is still to be answered. Raises Closed."""
        turns = self._searches if task.command.is_search else self._pages
        try:
            return turns.run(
                network_of(connection.peer),
                False,
                partial(self._fetch, connection, request, task),
                SEARCH_WAIT,
            )
        except Refused:
            return Outcome(Code.SLOW_DOWN, (int(SEARCH_WAIT),))
        except (HistoryError, ProtocolError) as error:  # the latter of a damaged block
            log.error(
                "history_unreadable",
                "%(command)s for %(peer)s: %(error)s",
                command=task.command.name,
                peer=connection.peer,
                error=error,
            )
            return Outcome(Code.UNAVAILABLE)

    def close(self) -> None:
        """Let no thread wait any more."""
        self._closing.set()
        self._searches.close()
        self._pages.close()

    def _fetch(self, connection: Connection, request: int, task: Permitted) -> Outcome | None:
        began = monotonic()
        assert task.command.fetch is not None
        fetched = task.command.fetch(HandlerLibrary(self._forwarder, self._history), task.asker, task.rest)
        if isinstance(fetched, Outcome):
            return fetched
        connection.answer_with(request, fetched.packets, fetched.outcome, task.command.name)
        self._closing.wait(SEARCH_REST * (monotonic() - began))
        return None

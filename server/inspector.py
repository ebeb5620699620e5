"""The inspector: makes a picture of the server's inside when somebody asks, in the thread of whoever asks.

Nothing is collected for it: it looks at the frames of the threads, and at figures that are there anyway, each
under its own lock for a moment. It asks the forwarder nothing.
"""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import nlargest, nsmallest
from random import random
from time import monotonic, sleep
from typing import Final

from chatroom.chatroom import Chatroom
from chatroom.handlers import Handler
from chatroom.limits import PICTURE_GROUPS, PICTURE_MEMBERS
from chatroom.names import name_key
from chatroom.picture import UNKNOWN, Backlog, Group, Numbers, Picture
from server.backlogs import Backlogs
from server.crowd import Crowd
from server.limits import INSPECT_EVERY, INSPECT_SECONDS
from server.stream import Stream
from server.waits import KINDS, OTHER, WAITS, Wait, kind_of, wait_of

_ORDER: Final = {kind: number for number, kind in enumerate((*KINDS, OTHER))}

_NOT_LOOKED_AT: Final = Wait("", "not looked at: no GIL")
_JUST_BEGUN: Final = Wait("", "")
"""Of a thread that has begun after the others were looked at."""

_ROOM: Final = WAITS["chatroom.queue", "WaitingQueue._wait_in_line"]

_FORWARDER: Final = "forwarder"

_LOOKS: Final = Wait("runs", "this look at the threads")


class Inspector:
    """Any thread may look. Who looks within INSPECT_EVERY of another one gets the same picture.

    clock: seconds that only rise
    rest:  waits so many seconds
    """

    def __init__(
        self,
        chatroom: Chatroom,
        crowd: Crowd,
        backlogs: Backlogs[Stream],
        clock: Callable[[], float] = monotonic,
        rest: Callable[[float], None] = sleep,
    ) -> None:
        self._chatroom = chatroom
        self._crowd = crowd
        self._backlogs = backlogs
        self._clock = clock
        self._rest = rest
        self._began = clock()
        # Guards the fields below. `_changed` wakes who waits for the picture that another thread makes.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._latest: Picture | None = None
        self._when = 0.0  # it was made
        self._is_looking = False  # a thread makes the next one

    def look(self) -> Picture:
        """The picture of a moment in the next INSPECT_SECONDS, by chance; or that of somebody else who looks
        now, or did so just before.

        The forwarder has just answered whoever asks, so at once it would nearly always be seen at rest.
        """
        with self._lock:
            while self._is_looking:
                self._changed.wait()
            if self._latest is not None and self._clock() - self._when < INSPECT_EVERY:
                return self._latest
            self._is_looking = True
        picture = None
        try:
            self._rest(random() * INSPECT_SECONDS)
            picture = self._look()
            return picture
        finally:
            with self._lock:
                self._is_looking = False
                if picture is not None:
                    self._latest, self._when = picture, self._clock()
                self._changed.notify_all()

    def _look(self) -> Picture:
        waits = _waits()
        waits[threading.get_ident()] = _LOOKS
        now = self._clock()
        members = {
            thread: _member(handler, waits.get(thread, _JUST_BEGUN), now)
            for thread, handler in self._chatroom.handlers.all().items()
        }
        numbers, sizes = self._numbers(sum(wait == _ROOM for wait in waits.values()))
        since = {thread: member.since for thread, member in members.items()}
        groups = _groups(waits, since, self._chatroom.pulse)
        return Picture(numbers, groups, _shown(members.values()), sizes)

    def _numbers(self, blocked: int) -> tuple[Numbers, tuple[int, ...]]:
        figures, reaped = self._chatroom.figures.read(), self._chatroom.reaper.read()
        latest, flow = figures.latest, self._chatroom.flow
        numbers = Numbers(
            up=self._clock() - self._began,
            members=latest.members,
            connections=latest.connections,
            newcomers=self._crowd.guests,
            waiting=self._chatroom.waiting,
            blocked=blocked,
            behind=flow.behind,
            shared=self._backlogs.shared,
            own=self._backlogs.own,
            holding=int(figures.holding),
            owned=reaped.threads,
            ended=reaped.ended,
            joined=reaped.joined,
            reaped=reaped.ago,
            lines=figures.lines,
            deliveries=latest.deliveries,
            delivered=latest.delivered,
            rounds=sum(figures.batches.counts),
            events=int(figures.batches.total),
            waited=figures.waits.total,
            stored=figures.stores.total,
            sent=figures.sends.total,
            pauses=flow.pauses,
            given_up=self._backlogs.given_up,
        )
        return numbers, figures.batches.counts


def _waits() -> dict[int, Wait]:
    """What each thread does, by its number.

    The frames of other threads are read while these run. With the GIL that is safe, and right up to the
    moment at which the interpreter switches. Without it a frame may be gone while it is read: so nothing is
    read there.
    """
    if not getattr(sys, "_is_gil_enabled", lambda: True)():  # since Python 3.13
        return dict.fromkeys((thread.ident or 0 for thread in threading.enumerate()), _NOT_LOOKED_AT)
    return {thread: wait_of(frame) for thread, frame in sys._current_frames().items()}


def _member(handler: Handler, wait: Wait, now: float) -> Backlog:
    connection = handler.connection
    return Backlog(handler.name, wait.how, wait.what, max(0.0, now - connection.heard), connection.backlog)


def _groups(waits: dict[int, Wait], since: dict[int, float], round: float) -> tuple[Group, ...]:
    """The threads, by kind, and then the largest groups first.

    waits, since: of each thread, by its number
    round:        seconds since the forwarder ended a round
    """
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    longest: dict[tuple[str, str, str], float] = {}
    for thread in threading.enumerate():
        number, kind = thread.ident or 0, kind_of(thread)
        key = (kind, *waits.get(number, _JUST_BEGUN))
        counts[key] += 1
        known = round if kind == _FORWARDER else since.get(number, UNKNOWN)
        longest[key] = max(longest.get(key, UNKNOWN), known)
    groups = [Group(*key, count, longest[key]) for key, count in counts.items()]
    groups.sort(key=lambda group: (_ORDER[group.kind], -group.number, group.how, group.what))
    return tuple(_fewer(groups))


def _fewer(groups: list[Group]) -> list[Group]:
    """The groups, or the largest of them, and one for all others."""
    if len(groups) <= PICTURE_GROUPS:
        return groups
    largest = set(nlargest(PICTURE_GROUPS, groups, key=lambda group: (group.kind != "handler", group.number)))
    left = sum(group.number for group in groups if group not in largest)
    return [group for group in groups if group in largest] + [Group(OTHER, "", "", left)]


def _shown(members: Iterable[Backlog]) -> tuple[Backlog, ...]:
    """Those that are shown, as `Picture` says."""
    return tuple(nsmallest(PICTURE_MEMBERS, members, key=lambda one: (-one.size, name_key(one.name))))

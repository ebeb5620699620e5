"""Who is in which channel, at the point of the conversation that a terminal shows."""

from __future__ import annotations

from typing import Final

from chatroom.events import SET_COUNTED, Event, EventKind, Extra, Setting, extra_number
from chatroom.limits import MAX_LISTED
from chatroom.packets import Channel
from client.limits import MAX_ROOMS

SHARED: Final = (EventKind.QUIT, EventKind.RENAMED, EventKind.AWAY)
"""Events of no place: they go to all who share a channel with their author."""


class Presence:
    """The persons of each channel whose list the server tells. A counted channel has none.

    `Rooms` knows who is there now; events wait in the inbox, and here the lists change when they are shown.
    In the main thread.
    """

    def __init__(self) -> None:
        self._persons: dict[int, set[int]] = {}  # by place
        self._live = False  # else events may be older than the lists

    def enter(self, channel: Channel) -> None:
        """CHANNEL has come. It may know what events that follow tell: nobody leaves the list by it."""
        if channel.settings & Setting.DIRECT:
            return
        if len(channel.members) != channel.size:
            self._persons.pop(channel.place, None)
        elif channel.place in self._persons or len(self._persons) < MAX_ROOMS:
            persons = self._persons.setdefault(channel.place, set())
            persons.update(member.person for member in channel.members)

    def of(self, event: Event) -> frozenset[int]:
        """The channels in which the author of a shared event is (of a QUIT: was)."""
        found = frozenset(place for place, persons in self._persons.items() if event.person in persons)
        if not found and not self._live and len(self._persons) == 1:
            return frozenset(self._persons)  # they come only for channels with a list: it was this one
        return found

    def happened(self, event: Event) -> None:
        """Take an event, after it was shown."""
        persons = self._persons.get(event.place)
        if event.kind is EventKind.QUIT:
            for each in self._persons.values():
                each.discard(event.person)
        elif persons is None:
            return
        elif event.kind is EventKind.CLOSED or (event.kind is EventKind.SET and event.extra == SET_COUNTED):
            del self._persons[event.place]
        elif event.kind is EventKind.LEFT:
            persons.discard(event.person)
        elif event.kind is EventKind.KICKED:
            persons.discard(extra_number(event.extra, Extra.TARGET))
        elif event.kind is EventKind.JOINED or (event.kind is EventKind.SAID and not self._live):
            persons.add(event.person)  # who spoke before the list was made may have gone before it, too
            if len(persons) > MAX_LISTED:  # as in `People`
                del self._persons[event.place]

    def begin(self) -> None:
        """A connection begins: what comes happened before."""
        self._live = False

    def caught_up(self, places: set[int]) -> None:
        """What comes now happens now. places: those that the user is in"""
        self._live = True
        for place in self._persons.keys() - places:
            del self._persons[place]

    def forget(self) -> None:
        """What happened meanwhile does not come: the lists that come next are all that is known."""
        self._persons.clear()

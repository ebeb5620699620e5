"""How many people are in the client's channel, as far as the server tells."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from chatroom.events import SET_COUNTED, Event, EventKind
from chatroom.limits import MAX_LISTED
from chatroom.packets import Channel

_NOWHERE = -1  # no CHANNEL has come yet
_DIGITS = 10  # of the largest number that a channel's size can be


class People:
    """Counts who is in one channel: the list of CHANNEL, changed by events; without one, what COUNTED says.

    All but `number` is for the thread whose turn it is.
    """

    def __init__(self) -> None:
        # Guards _number.
        self._lock = Lock()
        self._number: int | None = None
        self._place = _NOWHERE
        self._head = 0  # the list knows the events up to this seq
        self._persons: set[int] | None = None

    @property
    def number(self) -> int | None:
        """How many there are; None while that is not known. Any thread."""
        with self._lock:
            return self._number

    def begin(self, head: int) -> None:
        """A connection begins; `head` is that of WELCOME."""
        self._head, self._place, self._persons = head, _NOWHERE, None

    def enter(self, channel: Channel) -> None:
        """Take the channel as the server describes it."""
        self._place = channel.place
        listed = len(channel.members) == channel.size
        self._persons = {member.person for member in channel.members} if listed else None
        self._set(channel.size)

    def happened(self, events: Iterable[Event]) -> None:
        """Take events that have come, in order. Other channels, and what the list knows, change nothing."""
        persons = self._persons
        if persons is None:
            return
        for event in events:
            if event.kind is EventKind.SAID or event.seq <= self._head:
                continue
            if event.kind is EventKind.QUIT:
                persons.discard(event.person)
            elif event.place != self._place:
                continue
            elif event.kind is EventKind.JOINED:
                persons.add(event.person)
            elif event.kind is EventKind.LEFT:
                persons.discard(event.person)
            elif event.kind is EventKind.SET and event.extra == SET_COUNTED:
                self._persons = None
                break
        self._set(len(persons))
        if len(persons) > MAX_LISTED:  # no server lists so many: a list without an end is not kept
            self._persons = None

    def counted(self, signal: Event) -> None:
        """COUNTED has come."""
        text = signal.text
        if signal.place == self._place and text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
            self._persons = None
            self._set(int(text))

    def _set(self, number: int) -> None:
        with self._lock:
            self._number = number

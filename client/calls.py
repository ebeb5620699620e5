"""Which lines call the user: those with its name or a keyword as a word of its own, and direct ones."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from chatroom.events import Event, EventKind
from client.limits import BELL_SECONDS, KEPT_CALLS
from client.preferences import Bell, Preferences
from client.rooms import Room
from client.talker import Talker
from views.mentions import calls
from views.sanitize import sanitize

BEL = "\a"


class Call(NamedTuple):
    """Where a line is that called the user."""

    place: int
    seq: int


class Calls:
    """Remembers the latest of them, and rings. In the main thread; times are passed in.

    preferences: the keywords, and when to ring
    due:         `ring` has something to do
    """

    def __init__(self, client: Talker, preferences: Preferences) -> None:
        self.preferences = preferences
        self._client = client
        self._latest: deque[Call] = deque(maxlen=KEPT_CALLS)
        self.due = False
        self._quiet_until = float("-inf")

    @property
    def latest(self) -> list[Call]:
        """The latest calls, the earliest first."""
        return list(self._latest)

    def take(self, event: Event, live: bool) -> None:
        """An event has come that the user may see. live: it happens now"""
        if event.kind is not EventKind.SAID or event.person == self._client.person:
            return
        called = self.is_call(event)
        if called:
            self._latest.append(Call(event.place, event.seq))
        wanted = self.preferences.bell
        if live and (wanted is Bell.ALL or (called and wanted is Bell.MENTION)):
            self.due = True

    def is_call(self, event: Event) -> bool:
        """Whether a line of somebody else calls the user."""
        if event.channel.startswith("@"):
            return True
        return calls(sanitize(event.text), (self._client.name, *self.preferences.keywords))

    def unread(self, room: Room) -> int:
        """How many of the unread lines of a place called the user."""
        if not room.unread:
            return 0
        found = sum(call.place == room.place and call.seq > room.read for call in self._latest)
        return min(found, room.unread)

    def ring(self, now: float) -> str:
        """What makes the terminal ring, if it is to; it must be written between two frames."""
        if not self.due:
            return ""
        self.due = False
        if now < self._quiet_until:
            return ""
        self._quiet_until = now + BELL_SECONDS
        return BEL

    def forget(self) -> None:
        """The places have other numbers now."""
        self._latest.clear()

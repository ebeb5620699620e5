"""Which events a program shows that prints only the channels it was made for, or has joined itself."""

from __future__ import annotations

from typing import Protocol

from chatroom.events import Event
from client.resume import ANEW
from client.rooms import Room
from client.updates import Interrupted, Update


class Knowing(Protocol):
    """The part of a client that knows its places."""

    @property
    def asked(self) -> tuple[str, ...]: ...
    @property
    def rooms(self) -> list[Room]: ...


class Asked:
    """Tells events of the channels that a client was made for, or has joined by a command, from all others.

    Another program of the same person may have joined those others, or somebody may write to it directly.
    """

    def __init__(self, client: Knowing) -> None:
        self._client = client
        self.several = len(client.asked) > 1  # lines of several channels are shown: each names its own
        self._others: set[int] = set()  # they stay here when the person leaves them: events may still wait

    def look(self) -> None:
        """Take the places as they are known now: before updates are shown."""
        rooms = self._client.rooms
        wanted = {room.place for room in rooms if room.asked}
        self._others = (self._others | {room.place for room in rooms}) - wanted
        self.several = self.several or len(wanted) > 1

    def shows_now(self, update: Update) -> bool:
        """`shows`, with the places as they are known now: for updates that come one by one."""
        self.look()
        return self.shows(update)

    def shows(self, update: Update) -> bool:
        """Whether to show an update: all that are no events, and events of no place, too."""
        if type(update) is Event:
            return update.place not in self._others
        if isinstance(update, Interrupted) and update.how in ANEW:  # its places have other numbers
            self._others.clear()
            self.look()
        return True

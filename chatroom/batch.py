"""A batch: the events of one round of the forwarder, and their bytes for each audience."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from chatroom.door import Door
from chatroom.events import Event, EventKind

Scope = int | tuple[int, ...]
"""For whom an event is: who is in a place, or who is in at least one of several."""


class Batch:
    """Events in order of seq, grouped by scope. Each event is turned to bytes once for each door.

    groups: the indices of the events of each scope
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.groups: dict[Scope, list[int]] = {}
        for index, event in enumerate(events):
            self.groups.setdefault(event.places or event.place, []).append(index)
        self._encoded: dict[Door, list[bytes]] = {}

    def bytes_of_each(self, door: Door) -> list[bytes]:
        """The bytes of each event. Everybody gets the same objects, live or in a replay."""
        encoded = self._encoded.get(door)
        if encoded is None:
            encoded = self._encoded[door] = list(map(door.encode, self.events))
        return encoded

    def bytes_for(self, door: Door, scopes: tuple[Scope, ...]) -> bytes:
        """The events of some groups, in order of seq, put together anew: the batch keeps no copy."""
        encoded = self.bytes_of_each(door)
        if len(scopes) == len(self.groups):
            return b"".join(encoded)
        return b"".join([encoded[index] for index in self._merged(scopes)])

    def bytes_without(self, door: Door, scopes: tuple[Scope, ...], author: int) -> bytes:
        """As bytes_for(), without the lines of one author: for doors that do not echo."""
        encoded, events = self.bytes_of_each(door), self.events
        return b"".join(
            encoded[index]
            for index in self._merged(scopes)
            if events[index].person != author or events[index].kind is not EventKind.SAID
        )

    def authors(self) -> frozenset[int]:
        """The persons who said something."""
        return frozenset(event.person for event in self.events if event.kind is EventKind.SAID)

    def _merged(self, scopes: tuple[Scope, ...]) -> list[int]:
        """Indices of the events of several groups. Sorting merges lists that are sorted already."""
        if len(scopes) == 1:
            return self.groups[scopes[0]]
        return sorted(chain.from_iterable(self.groups[scope] for scope in scopes))

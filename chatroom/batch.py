"""A batch: the events of one round of the forwarder, and their bytes for each audience."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from chatroom.door import Door
from chatroom.events import Event, EventKind
from chatroom.limits import BATCH_PIECE

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

    def bytes_for(self, door: Door, scopes: tuple[Scope, ...]) -> list[bytes]:
        """The events of some groups, in order of seq, put together anew: the batch keeps no copy.

        Mostly one piece. A large batch is cut between events, so that a connection can end between pieces.
        """
        encoded = self.bytes_of_each(door)
        if len(scopes) < len(self.groups):
            encoded = [encoded[index] for index in self._merged(scopes)]
        return _joined(encoded)

    def bytes_without(self, door: Door, scopes: tuple[Scope, ...], author: int) -> list[bytes]:
        """As bytes_for(), without the lines of one author: for doors that do not echo."""
        encoded, events = self.bytes_of_each(door), self.events
        return _joined(
            [
                encoded[index]
                for index in self._merged(scopes)
                if events[index].person != author or events[index].kind is not EventKind.SAID
            ]
        )

    def authors(self) -> frozenset[int]:
        """The persons who said something."""
        return frozenset(event.person for event in self.events if event.kind is EventKind.SAID)

    def _merged(self, scopes: tuple[Scope, ...]) -> list[int]:
        """Indices of the events of several groups. Sorting merges lists that are sorted already."""
        if len(scopes) == 1:
            return self.groups[scopes[0]]
        return sorted(chain.from_iterable(self.groups[scope] for scope in scopes))


def _joined(encoded: list[bytes]) -> list[bytes]:
    """The same bytes in pieces of about BATCH_PIECE."""
    data = b"".join(encoded)
    if len(data) <= BATCH_PIECE:
        return [data] if data else []
    pieces, part, size = [], list[bytes](), 0
    for one in encoded:
        part.append(one)
        size += len(one)
        if size > BATCH_PIECE:
            pieces.append(b"".join(part))
            part, size = [], 0
    return [*pieces, b"".join(part)] if part else pieces

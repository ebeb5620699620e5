"""The ledger: what follows from the entry that is being applied. The parts of the state write it together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from chatroom.effects import Effect
from chatroom.events import Event, EventKind, Talk
from chatroom.records import Record


class Applied(NamedTuple):
    """What followed from an entry: events and changed records to store, then effects to carry out.

    amended: earlier events as they are from now on, to be stored with the others
    erased:  persons of whom everything up to a seq is blanked from now on, see `History.append`
    """

    happened: list[Event | Talk]
    records: list[Record]
    effects: list[Effect]
    amended: list[Event]
    erased: dict[int, int]


class Ledger:
    """What an entry changes, and the numbers that are given once.

    head:     seq of the latest event
    noted:    the records know all that was said up to this seq, see `Sessions.note_talkers`
    epoch:    the latest life of the server
    persons, places: how many numbers were given
    time:     of the entry that is being applied, or of the one before; after a restore perhaps of an earlier
              one, but of none before the latest `seen` of a session
    life:     the server that made the entry, and which life of it
    happened, effects, amended, erased: of this entry, so far
    """

    def __init__(self) -> None:
        self.head = self.noted = 0
        self.epoch = self.persons = self.places = 0
        self.time = 0
        self.life = ("", 0)
        self.happened: list[Event | Talk] = []
        self.effects: list[Effect] = []
        self.amended: list[Event] = []
        self.erased: dict[int, int] = {}
        self._changed: dict[tuple[str, str], Callable[[], Record] | None] = {}  # None: gone

    def event(
        self,
        kind: EventKind,
        person: int = 0,
        author: str = "",
        place: int = 0,
        channel: str = "",
        text: str = "",
        places: tuple[int, ...] = (),
        extra: bytes = b"",
        id: int = 0,
    ) -> None:
        """Make the event with the next seq. Only plain lines get theirs elsewhere: see `Lines.say`."""
        self.head += 1
        event = Event(self.head, self.time, kind, channel, author, text, id, person, place, extra, places)
        self.happened.append(event)

    def tell(self, effect: Effect) -> None:
        """Let the effect be carried out when the events of the entry are stored."""
        self.effects.append(effect)

    def change(self, kind: str, key: str, make: Callable[[], Record] | None) -> None:
        """Store the record as it is at the end of the entry. make: makes it; None: it is gone"""
        self._changed[kind, key] = make

    def new_person(self) -> int:
        """A number that no person had before."""
        self.persons += 1
        self.change("history", "", self.numbers)
        return self.persons

    def new_place(self) -> int:
        """A number that no channel had before."""
        self.places += 1
        self.change("history", "", self.numbers)
        return self.places

    def new_epoch(self) -> None:
        """The entry begins a new life of its server."""
        self.epoch = self.life[1]
        self.change("history", "", self.numbers)

    def numbers(self) -> Record:
        """The record of the numbers that were given."""
        value = {"persons": self.persons, "places": self.places, "epoch": self.epoch}
        return Record("history", "", json.dumps(value))

    def restore(self, record: Record) -> None:
        """Take the numbers of a record."""
        numbers = json.loads(record.value or "{}")
        self.persons, self.places, self.epoch = numbers["persons"], numbers["places"], numbers["epoch"]

    def take(self) -> Applied:
        """All that followed from the entry; the next one begins with nothing."""
        changed, self._changed = self._changed, {}
        records = [
            Record(kind, key, None) if make is None else make() for (kind, key), make in changed.items()
        ]
        applied = Applied(self.happened, records, self.effects, self.amended, self.erased)
        self.happened, self.effects, self.amended, self.erased = [], [], [], {}
        return applied

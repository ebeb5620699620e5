"""Read markers: up to which event a person has read a place. A part of the state."""

from __future__ import annotations

import json

from chatroom.bounds import Limits
from chatroom.events import Event, EventKind
from chatroom.ledger import Ledger
from chatroom.records import Record


class Reading:
    """The markers. Each only moves forward."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._read: dict[int, dict[int, int]] = {}  # by person, by place: a seq

    def of(self, person: int, place: int) -> int:
        """Up to which seq the person has read the place, 0: it never said."""
        return self._read.get(person, {}).get(place, 0)

    def move(self, person: int, place: int, seq: int) -> bool:
        """The person has read up to `seq`; False: it had read so far already."""
        if seq <= self.of(person, place):
            return False
        of_person = self._read.setdefault(person, {})
        of_person[place] = seq
        if len(of_person) > self._limits.markers:
            self.end(person, min((at, each) for each, at in of_person.items() if each != place)[1])
        self._ledger.change("reading", f"{person} {place}", lambda: _record(person, place, seq))
        return True

    def end(self, person: int, place: int) -> None:
        """The person does not have the place any more."""
        of_person = self._read.get(person, {})
        if of_person.pop(place, 0):
            self._ledger.change("reading", f"{person} {place}", None)
        if not of_person:
            self._read.pop(person, None)

    def forget(self, person: int) -> None:
        """The person is forgotten."""
        for place in list(self._read.get(person, ())):
            self.end(person, place)

    def records(self) -> list[Record]:
        """All markers."""
        return [_record(person, place, seq) for person, of in self._read.items() for place, seq in of.items()]

    def restore(self, record: Record) -> None:
        """Take what was stored."""
        person, place = map(int, record.key.split())
        self._read.setdefault(person, {})[place] = json.loads(record.value or "{}")["read"]


def _record(person: int, place: int, seq: int) -> Record:
    return Record("reading", f"{person} {place}", json.dumps({"read": seq}, separators=(",", ":")))


def marker(time: int, person: int, name: str, place: int, channel: str, seq: int) -> Event:
    """The signal that tells a person's programs how far it has read. channel: as CHANNEL names the place"""
    return Event(0, time, EventKind.READ, channel, name, str(seq), person=person, place=place)

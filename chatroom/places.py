"""Places and members, as the state keeps them; and which seqs of a place somebody may get."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from chatroom.events import Event, EventKind
from chatroom.limits import MAX_NUMBER
from chatroom.records import Record
from chatroom.session import Session

WHOLE_CHATROOM = 0
"""The place of events that concern all."""

Interval = tuple[int, int]
"""The events after the first seq, up to and with the second one."""


class Reach:
    """Which events one connection gets: for each place the intervals of seqs. One rule for all deliveries."""

    def __init__(self, intervals: Mapping[int, Iterable[Interval]]) -> None:
        self._intervals = {place: tuple(pairs) for place, pairs in intervals.items()}

    def __repr__(self) -> str:
        return f"<Reach {self._intervals}>"

    @property
    def places(self) -> Collection[int]:
        """The places with an interval."""
        return self._intervals.keys()

    def within(self, places: Iterable[int], after: int, until: int) -> list[Interval]:
        """The parts of (after, until] in which it has the events of these places, in order and disjoint."""
        found: list[Interval] = []
        for begin, end in sorted(pair for place in places for pair in self._intervals.get(place, ())):
            begin, end = max(begin, after), min(end, until)
            if found and begin <= found[-1][1]:
                found[-1] = found[-1][0], max(end, found[-1][1])
            elif begin < end:
                found.append((begin, end))
        return found

    def later(self, starts: Mapping[int, int]) -> Reach:
        """The part after the given seq of each place."""
        return Reach(
            {
                place: [(max(after, starts[place]), until) for after, until in pairs]
                for place, pairs in self._intervals.items()
                if place in starts
            }
        )


@dataclass(slots=True)
class Channel:
    """A channel.

    place:   its number
    name:    with its '#', as check_channel() returns it
    founded: when, in milliseconds since 1970
    by:      the person who founded it, 0: unknown
    network: from which it was founded, "": unknown
    counted: whether joining and leaving make no event, because there are too many members
    told:    how many members a signal has told of last, in a counted channel
    members: persons who are in, in the order in which they came
    """

    place: int
    name: str
    founded: int
    by: int
    network: str = ""
    counted: bool = False
    told: int = 0
    members: dict[int, None] = field(default_factory=dict)

    def number_told(self, time: int) -> Event:
        """The signal that tells how many members were told of last. time: of it, in ms since 1970"""
        return Event(0, time, EventKind.COUNTED, self.name, "", str(self.told), place=self.place)

    def record(self) -> Record:
        value = {name: getattr(self, name) for name in _CHANNEL_FIELDS}
        return Record("channel", str(self.place), json.dumps(value, separators=(",", ":")))


_CHANNEL_FIELDS = ("name", "founded", "by", "network", "counted", "told")


@dataclass(slots=True)
class Membership:
    """A person's being in a channel: the intervals of seqs from each joining to each leaving.

    A leaving that has not come yet is MAX_NUMBER. The events of joining and of leaving are both inside; in a
    counted channel there are none.
    """

    person: int
    place: int
    intervals: list[Interval] = field(default_factory=list)

    @property
    def present(self) -> bool:
        """Whether the person is in now."""
        return bool(self.intervals) and self.intervals[-1][1] == MAX_NUMBER

    def join(self, after: int, most: int) -> None:
        """Begin an interval after the event `after`. Only the latest `most` intervals are kept."""
        self.intervals.append((after, MAX_NUMBER))
        del self.intervals[:-most]

    def leave(self, seq: int) -> None:
        """End the last interval with the event `seq`."""
        self.intervals[-1] = (self.intervals[-1][0], seq)

    def since(self, seq: int) -> list[Interval]:
        """What a connection gets that has seen everything up to `seq`.

        Who is in may read the channel from its beginning, also what was said while they were out. Who is out
        gets what was said until they left.
        """
        if self.present:
            return [(seq, MAX_NUMBER)]
        return [(max(seq, after), until) for after, until in self.intervals if until > seq]

    def record(self) -> Record:
        """A leaving that has not come yet is null."""
        pairs = [(after, None if until == MAX_NUMBER else until) for after, until in self.intervals]
        value = json.dumps({"intervals": pairs}, separators=(",", ":"))
        return Record("membership", f"{self.person} {self.place}", value)


def restore_channel(record: Record) -> Channel:
    """The channel of a record, without its members. A record of an older file may lack fields."""
    value = json.loads(record.value or "{}")
    return Channel(int(record.key), **{name: value[name] for name in _CHANNEL_FIELDS if name in value})


def restore_membership(record: Record) -> Membership:
    """The membership of a record."""
    person, place = map(int, record.key.split())
    pairs = json.loads(record.value or "{}")["intervals"]
    intervals = [(after, MAX_NUMBER if until is None else until) for after, until in pairs]
    return Membership(person, place, intervals)


@dataclass(slots=True)
class Member:
    """A person who is in the chatroom.

    person:  its number
    name:    as written
    session: with which it is here, or may come back
    places:  the channels that it is in, by name
    """

    person: int
    name: str
    session: Session
    places: dict[str, int] = field(default_factory=dict)

    def record(self) -> Record:
        return Record("member", str(self.person), json.dumps({"name": self.name}))

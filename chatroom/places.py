"""Places and members, as the state keeps them; and which seqs of a place somebody may get."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Final

from chatroom.events import Event, EventKind, Setting
from chatroom.limits import MAX_NUMBER
from chatroom.records import Record
from chatroom.session import Phase, Session

WHOLE_CHATROOM = 0
"""The place of events that concern all."""

FOUNDED: Final = "new"
"""The third row of OK of /join: the channel was not there, and who joins owns it."""

POLLED: Final = "poll"
"""The third row of OK of /join: a poll is open there. The fourth one is its question."""

EVERYWHERE = "*"
"""How commands write the whole chatroom where they write the name of a channel otherwise."""

AUDIT_PLACE = 2**31 - 1
"""The place of AUDITED. No connection gets its events; operators ask for them."""

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

    def also(self, places: Iterable[int], since: int) -> Reach:
        """With all events of some other places after `since`."""
        return Reach({**self._intervals, **{place: [(since, MAX_NUMBER)] for place in places}})

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
    topic, topic_by, topic_when: the topic, who set it (the name), and when, in milliseconds since 1970
    topic_of: the person who set it, 0: nobody, or unknown
    key:     what is stored of the key, "": none is needed
    invite_only, moderated, from_joining, kept: see `Setting`
    slow:    seconds in which each member says one line, 0: as many as it wants
    members: persons who are in and in the chatroom, in the order in which they came
    absent:  persons with an account who are in, but not in the chatroom at present
    """

    place: int
    name: str
    founded: int
    by: int
    network: str = ""
    counted: bool = False
    told: int = 0
    topic: str = ""
    topic_by: str = ""
    topic_when: int = 0
    topic_of: int = 0
    key: str = field(default="", repr=False)
    invite_only: bool = False
    moderated: bool = False
    from_joining: bool = False
    kept: bool = False
    slow: int = 0
    members: dict[int, None] = field(default_factory=dict)
    absent: dict[int, None] = field(default_factory=dict)

    @property
    def settings(self) -> Setting:
        """The settings, as CHANNEL tells them."""
        return _settings(
            self.counted,
            bool(self.key),
            self.invite_only,
            self.moderated,
            self.from_joining,
            self.kept,
            bool(self.slow),
        )

    def number_told(self, time: int) -> Event:
        """The signal that tells how many members were told of last. time: of it, in ms since 1970"""
        return Event(0, time, EventKind.COUNTED, self.name, "", str(self.told), place=self.place)

    def record(self) -> Record:
        value = {name: getattr(self, name) for name in _CHANNEL_FIELDS}
        return Record("channel", str(self.place), json.dumps(value, separators=(",", ":")))


_SETTINGS: Final = (
    *(Setting.COUNTED, Setting.KEYED, Setting.INVITE_ONLY, Setting.MODERATED),
    *(Setting.FROM_JOINING, Setting.KEPT, Setting.SLOW),
)


@cache  # a list of channels asks for a thousand
def _settings(*are_set: bool) -> Setting:
    """Those of _SETTINGS that are set."""
    return Setting(sum(setting for setting, is_set in zip(_SETTINGS, are_set, strict=True) if is_set))


_CHANNEL_FIELDS = (
    *("name", "founded", "by", "network", "counted", "told", "topic", "topic_by", "topic_when"),
    *("topic_of", "key", "invite_only", "moderated", "from_joining", "kept", "slow"),
)


@dataclass(slots=True)
class Membership:
    """A person's being in a channel: the intervals of seqs from each joining to each leaving.

    A leaving that has not come yet is MAX_NUMBER. The events of joining and of leaving are both inside; in a
    counted channel there are none.

    kicked: whether it was put out: a program that comes back does not bring it in again by itself
    """

    person: int
    place: int
    intervals: list[Interval] = field(default_factory=list)
    kicked: bool = False

    @property
    def present(self) -> bool:
        """Whether the person is in now."""
        return bool(self.intervals) and self.intervals[-1][1] == MAX_NUMBER

    def join(self, after: int, most: int) -> None:
        """Begin an interval after the event `after`. Only the latest `most` intervals are kept."""
        self.kicked = False
        self.intervals.append((after, MAX_NUMBER))
        del self.intervals[:-most]

    def leave(self, seq: int) -> None:
        """End the last interval with the event `seq`."""
        self.intervals[-1] = (self.intervals[-1][0], seq)

    def since(self, seq: int, from_joining: bool = False) -> list[Interval]:
        """What a connection gets that has seen everything up to `seq`.

        Who is in may read the channel from its beginning, also what was said while they were out. Who is out
        gets what was said until they left.

        from_joining: the channel's setting: nobody reads what was said while they were out
        """
        if self.present and not from_joining:
            return [(seq, MAX_NUMBER)]
        return [(max(seq, after), until) for after, until in self.intervals if until > seq]

    def record(self) -> Record:
        """A leaving that has not come yet is null."""
        pairs = [(after, None if until == MAX_NUMBER else until) for after, until in self.intervals]
        value = {"intervals": pairs} | ({"kicked": True} if self.kicked else {})
        text = json.dumps(value, separators=(",", ":"))
        return Record("membership", f"{self.person} {self.place}", text)


def restore_channel(record: Record) -> Channel:
    """The channel of a record, without its members. A record of an older file may lack fields.

    When it was written, no channel ended: those are kept.
    """
    value = {"kept": True} | json.loads(record.value or "{}")
    return Channel(int(record.key), **{name: value[name] for name in _CHANNEL_FIELDS if name in value})


def restore_membership(record: Record) -> Membership:
    """The membership of a record."""
    person, place = map(int, record.key.split())
    value = json.loads(record.value or "{}")
    pairs = value["intervals"]
    intervals = [(after, MAX_NUMBER if until is None else until) for after, until in pairs]
    return Membership(person, place, intervals, value.get("kicked", False))


@dataclass(slots=True)
class Member:
    """A person who is in the chatroom.

    person:   its number
    name:     as written
    name_key: as name_key() returns it
    since:    when it came, in milliseconds since 1970
    sessions: with which it is here, or may come back, by key: those that are HERE or LOST
    places:   the channels that it is in, by name
    away:     why it does not answer at the moment, in its own words; empty: it does
    """

    person: int
    name: str
    name_key: str
    since: int
    sessions: dict[str, Session] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    away: str = ""

    @property
    def here(self) -> list[Session]:
        """The sessions that are HERE, in order of their keys."""
        return sorted(
            (session for session in self.sessions.values() if session.phase is Phase.HERE), key=_key
        )

    @property
    def phase(self) -> Phase:
        """LOST while all its sessions are, else HERE."""
        is_here = any(session.phase is Phase.HERE for session in self.sessions.values())
        return Phase.HERE if is_here else Phase.LOST

    def record(self) -> Record:
        value = {"name": self.name, "since": self.since, "away": self.away}
        return Record("member", str(self.person), json.dumps(value))


_key = attrgetter("key")

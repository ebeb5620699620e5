"""Who was where, and when: the judge's own account of channels and direct conversations, from history alone.

A person is in a channel from its JOINED to its LEFT, both included. A guest's QUIT ends all its stays; those
of somebody with an account last. A direct conversation is open to its two persons from its first event on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.chaos.records import Entry
from tests.chaos.wrongs import Violation, Wrong, found

SHARED = ("quit", "renamed", "away", "account")
"""Events for all who share a channel with their author."""

_CARE = ("topic", "listed", "set", "moved", "closed", "kicked")
"""What operators of a channel, and those of the chatroom, may do in it without being in."""

_OPERATORS = (3, 2)
"""The lists of those who may act without being in, as notes/protocol.md has them."""


class Stay(NamedTuple):
    """From one seq to another, both included; begun: the time of the first event, ms since 1970."""

    first: int
    last: float
    begun: int


class Whereabouts:
    """The stays of all persons, and which event was for whom.

    pairs: the two persons of each direct conversation, by place
    stored: the events by seq
    operators: place and person of those with a role; the whole chatroom is place 0: they may act everywhere
    sealed: the SET since which nobody reads what was said while they were out, by place of a channel. The
           rovers never take it back
    wrong: what cannot be, found on the way
    """

    def __init__(self, history: Sequence[Entry]) -> None:
        self.pairs: dict[int, frozenset[int]] = {}
        self.founders: dict[int, int] = {}  # by place of a channel: who joined it first
        self.operators = set[tuple[int, int]]()
        self.sealed: dict[int, Entry] = {}
        self.wrong: list[Violation] = []
        self.history = history
        self.stored = {line.seq: line for line in history}
        self._stays: dict[int, dict[int, list[Stay]]] = {}  # by person, by place
        self._places: dict[int, tuple[int, ...]] = {}  # of each event, by seq; empty: it is for all
        self._open: dict[int, dict[int, Entry]] = {}  # by person, by channel: the JOINED
        self._accounts: set[int] = set()
        self._channels: dict[int, str] = {}  # the names, by place
        self._names: dict[int, str] = {}  # of those who are in a channel
        foreign, misnamed = list[str](), list[str]()
        for line in history:
            if line.receiver:
                foreign += self._direct(line)
            elif line.kind in SHARED:
                self._places[line.seq] = tuple(self._open.get(line.person, ()))
            elif line.kind == "audited":
                self._places[line.seq] = (line.place,)
            elif not line.place:
                self._places[line.seq] = ()
            else:
                self._places[line.seq] = (line.place,)
                foreign += self._absent(line)
            misnamed += self._named(line)
            self._follow(line)
        for person, joined in self._open.items():
            for place, line in joined.items():
                self._end(person, place, line, math.inf)
        self.wrong += found(Wrong.INTRUDED, "history", foreign)
        self.wrong += found(Wrong.MISNAMED, "history", misnamed)

    def stays(self, person: int, place: int) -> list[Stay]:
        """When the person was in the place, in order."""
        return self._stays.get(person, {}).get(place, [])

    def name_of(self, place: int) -> str:
        """The name of a channel."""
        return self._channels.get(place, "")

    def places_of(self, line: Entry) -> tuple[int, ...]:
        """Of an event; empty: it is for all."""
        return self._places[line.seq]

    def is_due(self, person: int, line: Entry) -> bool:
        """Whether somebody who is connected gets the event."""
        places = self._places[line.seq]
        return (not places and line.kind not in SHARED) or any(
            self.is_in(person, one, line.seq) for one in places
        )

    def is_in(self, person: int, place: int, seq: int) -> bool:
        return any(stay.first <= seq <= stay.last for stay in self.stays(person, place))

    def may_see(self, person: int, line: Entry, at: int) -> bool:
        """Whether somebody may be sent the event at this time (ms since 1970): who is in may read what was
        said before."""
        places = self._places[line.seq]
        if not places and line.kind not in SHARED:
            return True
        stays = [stay for place in places for stay in self.stays(person, place)]
        return any(line.seq <= stay.last and stay.begun <= at for stay in stays)

    def has(self, person: int, place: int, head: int, at: int) -> bool:
        """Whether the person is in the place at some moment after `head` (a seq), up to the time `at`."""
        return any(stay.last > head and stay.begun <= at for stay in self.stays(person, place))

    # --- the fold -------------------------------------------------------------------------------------------

    def _direct(self, line: Entry) -> Iterator[str]:
        self._places[line.seq] = (line.place,)
        pair = frozenset((line.person, line.receiver))
        if line.place not in self.pairs:
            self.pairs[line.place] = pair
            for person in pair:
                stay = Stay(line.seq, math.inf, line.time)
                self._stays.setdefault(person, {})[line.place] = [stay]
        if self.pairs[line.place] != pair:
            yield f"{line} — of the conversation of {sorted(self.pairs[line.place])}"

    def _absent(self, line: Entry) -> Iterator[str]:
        """Nobody does anything in a channel without being in; but its owner may look after it."""
        if line.kind == "joined" or not line.person:
            return
        if line.kind in _CARE and line.person == self.founders.get(line.place):
            return
        if line.kind in _CARE and any((place, line.person) in self.operators for place in (line.place, 0)):
            return
        if line.place not in self._open.get(line.person, {}):
            yield f"{line} — not in"

    def _named(self, line: Entry) -> Iterator[str]:
        """The author is called what the person is called, and nobody else is."""
        if not line.person:
            return
        if line.kind == "joined" and line.person not in self._names:
            self._names[line.person] = line.author
        called = self._names.get(line.person)
        if called is not None and called != line.author:
            yield f"{line} — called {called}"
        name = line.text if line.kind == "renamed" else line.author
        others = [one for one, other in self._names.items() if other == name and one != line.person]
        if line.kind in ("renamed", "joined") and others:
            yield f"{line} — the name of {others}"

    def _follow(self, line: Entry) -> None:
        person, mine = line.person, self._open.setdefault(line.person, {})
        if line.kind == "joined":
            mine.setdefault(line.place, line)
            self._channels[line.place] = line.channel
            self.founders.setdefault(line.place, person)
        elif line.kind == "moved":
            self._channels[line.place] = line.text
        elif line.kind == "set" and line.sealed:
            self.sealed.setdefault(line.place, line)
        elif line.kind == "left" and line.place in mine:
            self._end(person, line.place, mine.pop(line.place), line.seq)
        elif line.kind == "kicked":
            theirs = self._open.setdefault(line.target, {})
            if line.place in theirs:
                self._end(line.target, line.place, theirs.pop(line.place), line.seq)
            if not theirs:
                self._names.pop(line.target, None)
        elif line.kind == "listed" and line.list in _OPERATORS:
            (self.operators.discard if line.removed else self.operators.add)((line.place, line.target))
        elif line.kind == "closed":
            for other, joined in self._open.items():
                if line.place in joined:
                    self._end(other, line.place, joined.pop(line.place), line.seq)
                if not joined:
                    self._names.pop(other, None)
        elif line.kind == "quit" and person not in self._accounts:
            for place in list(mine):
                self._end(person, place, mine.pop(place), line.seq)
        if line.kind == "account":
            (self._accounts.add if line.text else self._accounts.discard)(person)
        elif line.account:
            self._accounts.add(person)
        if line.kind == "renamed":
            self._names[person] = line.text
        elif line.kind == "quit" or (line.kind == "left" and not mine):
            self._names.pop(person, None)  # it may take another name, and nobody is told

    def _end(self, person: int, place: int, joined: Entry, last: float) -> None:
        stay = Stay(joined.seq, last, joined.time)
        self._stays.setdefault(person, {}).setdefault(place, []).append(stay)

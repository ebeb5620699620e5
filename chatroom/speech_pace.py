"""The pace of speech: what each person has said lately, where it may say no more. A part of the state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, nlargest
from operator import attrgetter
from typing import Final

from chatroom.bounds import Limits
from chatroom.ledger import Ledger
from chatroom.records import Record

LINES: Final = ""
"""What is counted in most cases: all that a person says in a place."""

_SPARE: Final = 64  # entries of the heap that are out of date and not worth the time to remove them

_PART: Final = (
    200  # of all entries that are too many, one in so many goes at once: to find them takes a while
)

_Ending = tuple[int, int, int, str]  # until, person, place, what


@dataclass(slots=True)
class _Paced:
    """What one person has said in one place.

    times: when, in milliseconds since 1970, in order
    until: from then on nobody needs to know it
    """

    person: int
    place: int
    what: str
    times: tuple[int, ...] = ()
    until: int = 0

    @property
    def key(self) -> str:
        return f"{self.person} {self.place} {self.what}".rstrip()

    @property
    def ending(self) -> _Ending:
        return self.until, self.person, self.place, self.what

    def record(self) -> Record:
        value = {"times": self.times, "until": self.until}
        return Record("pace", self.key, json.dumps(value, separators=(",", ":")))


class SpeechPace:
    """Remembers when a person said something, as long as that decides whether it may say more.

    In all methods: a person may say `most` things in `period` milliseconds; WHOLE_CHATROOM is a place, too.
    what: LINES, or a word for something else that has a pace of its own
    """

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._of_person: dict[int, dict[tuple[int, str], _Paced]] = {}
        self._size = 0
        self._ending: list[_Ending] = []  # a heap; an entry may end later than it says there

    # --- reading --------------------------------------------------------------------------------------------

    def left(self, person: int, place: int, most: int, period: int, what: str = LINES) -> int:
        """How much the person may say now."""
        if self._is_full(person, place, what):
            return 0
        return max(0, most - len(self._counted(person, place, period, what)))

    def again(self, person: int, place: int, most: int, period: int, what: str = LINES) -> int:
        """When the person may say something again, in milliseconds since 1970; 0: now. most: at least 1"""
        if self._is_full(person, place, what):
            return min(one.until for one in self._of_person[person].values())
        times = self._counted(person, place, period, what)
        return times[-most] + period if len(times) >= most else 0

    def _is_full(self, person: int, place: int, what: str) -> bool:
        """Whether the person has spoken in so many places that one more could not be remembered.

        Then it waits. Else somebody would speak in channels that are slow for an hour, until it is forgotten
        that a channel is slow for ten seconds.
        """
        of_person = self._of_person.get(person, {})
        if len(of_person) < self._limits.paced_of_person or (place, what) in of_person:
            return False
        now = self._ledger.time
        return all(now < one.until and one.times[:1] <= (now,) for one in of_person.values())

    def _counted(self, person: int, place: int, period: int, what: str) -> list[int]:
        """A time that has not come yet is none: the clock was ahead."""
        now, paced = self._ledger.time, self._of_person.get(person, {}).get((place, what))
        return [time for time in paced.times if now - period < time <= now] if paced is not None else []

    # --- changing -------------------------------------------------------------------------------------------

    def take(self, person: int, place: int, number: int, most: int, period: int, what: str = LINES) -> None:
        """The person says so much now. Times are kept as they are needed, `most` of them."""
        now, of_person = self._ledger.time, self._of_person.setdefault(person, {})
        paced = of_person.get((place, what))
        if paced is None:
            paced = _Paced(person, place, what)
            self._add(paced, now + period)
        counted = [time for time in paced.times if time <= now]
        paced.times = (*counted, *[now] * min(number, most))[-most:]
        paced.until = max(paced.until, now + period)
        self._ledger.change("pace", paced.key, paced.record)
        self._bound(person, of_person)

    def _add(self, paced: _Paced, until: int) -> None:
        paced.until = until
        self._of_person.setdefault(paced.person, {})[paced.place, paced.what] = paced
        self._size += 1
        heappush(self._ending, paced.ending)
        if len(self._ending) > 2 * self._size + _SPARE:
            every = (one for of_person in self._of_person.values() for one in of_person.values())
            self._ending = [one.ending for one in every]
            heapify(self._ending)

    def _bound(self, person: int, of_person: dict[tuple[int, str], _Paced]) -> None:
        """When one person has too much, that goes which would go first. It is over already: see `_is_full`.

        When it is too much in sum, that goes which would last longest, some entries at once. Whoever fills
        this does it in channels that are slow for an hour; one that is slow for a minute stays so.
        """
        if len(of_person) > self._limits.paced_of_person:
            self._drop(min(of_person.values(), key=lambda one: one.ending))
        if self._size > self._limits.paced:
            every = (one for of_person in self._of_person.values() for one in of_person.values())
            for one in nlargest(1 + self._limits.paced // _PART, every, key=attrgetter("ending")):
                self._drop(one)

    def end_expired(self) -> None:
        """With a tick: forget what decides nothing any more, at most `ends_per_tick` entries."""
        for _ in range(self._limits.ends_per_tick):
            first = self._first()
            if first is None or first.until > self._ledger.time:
                return
            self._drop(first)

    def _first(self) -> _Paced | None:
        """The entry that ends first. Entries of the heap that are out of date are put right, or dropped."""
        while self._ending:
            until, person, place, what = self._ending[0]
            paced = self._of_person.get(person, {}).get((place, what))
            if paced is not None and paced.until == until:
                return paced
            heappop(self._ending)
            if paced is not None and paced.until > until:
                heappush(self._ending, paced.ending)
        return None

    def _drop(self, paced: _Paced) -> None:
        of_person = self._of_person[paced.person]
        del of_person[paced.place, paced.what]
        if not of_person:
            del self._of_person[paced.person]
        self._size -= 1
        self._ledger.change("pace", paced.key, None)

    def forget(self, person: int) -> None:
        """Nobody is this person any more."""
        for paced in [*self._of_person.get(person, {}).values()]:
            self._drop(paced)

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All that is remembered."""
        return [one.record() for of_person in self._of_person.values() for one in of_person.values()]

    def restore(self, record: Record) -> None:
        """Take what was stored."""
        person, place, *what = record.key.split(" ")
        value = json.loads(record.value or "{}")
        paced = _Paced(int(person), int(place), what[0] if what else LINES, tuple(value["times"]))
        self._add(paced, value["until"])

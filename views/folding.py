"""Joins, leaves, kicks, bans and hands in a row become one line, so that they do not drown the talk.

As in "7 joined, 2 left, ann banned 12: spam, 9 raised a hand". The screen shows as many names besides as have
room, and always those of who spoke lately. Pure: the times are those of the events. On a
terminal the line grows; in plain mode it is printed when the run is over.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, NamedTuple

from chatroom.events import Event, EventKind
from chatroom.moments import LocalTime, local_time
from views.describe import describe, is_erased
from views.item import Item
from views.limits import FOLDED_NAMES, RUN_NAMES, RUN_SECONDS, SPEAKERS, SPOKE_SECONDS
from views.moderation import SOMEBODY, until_and_reason, whom
from views.sanitize import one_line
from views.told import Told, told_text

_COMING: Final = (EventKind.JOINED, EventKind.LEFT, EventKind.QUIT)


class _Sort(NamedTuple):
    """Events that are told together. verb: what their authors do, or what is done to their targets

    passive: the same without a word of who does it; empty: nobody does it to anybody
    """

    verb: str
    passive: str = ""


_JOINED, _LEFT, _BACK = _Sort("joined"), _Sort("left"), _Sort("left and came back")
_REMOVED = _Sort("removed", "removed")
_BANNED, _MUTED = _Sort("banned", "banned"), _Sort("muted", "muted")
_UP, _DOWN = _Sort("raised a hand"), _Sort("took the hand down")


def _sort_of(event: Event) -> _Sort | None:
    """How an event is told with others; None: it is told by itself."""
    match event.kind:
        case EventKind.JOINED:
            return _JOINED
        case EventKind.LEFT | EventKind.QUIT:
            return _LEFT
        case EventKind.KICKED:
            return _REMOVED
        case EventKind.HAND:
            return _DOWN if event.removed else _UP
        case EventKind.LISTED if not event.removed:
            return {"ban": _BANNED, "mute": _MUTED}.get(event.list)
    return None


class Run:
    """Such events in a row.

    number: of this run, from 1
    began, last: times of the first and of the latest event, in milliseconds since 1970
    place, channel: where they are; 0 and "" while all are of no place
    """

    def __init__(
        self,
        number: int,
        first: Event,
        sort: _Sort,
        time_of: LocalTime = local_time,
        spoke: bool = False,
    ) -> None:
        self.number = number
        self.began = self.last = first.time
        self.place, self.channel = first.place, first.channel
        self._first = first
        self._time_of = time_of
        self.mutes = (
            sort is _MUTED
        )  # all or none of them: who is muted stays, and is not among who comes and goes
        self._names: dict[
            _Sort, dict[int | str, str]
        ] = {}  # of a sort by person; of targets by name; the first first
        self._by: dict[_Sort, set[str]] = {}
        self._ends: dict[_Sort, set[str]] = {}  # until when, and why
        self._speakers: dict[_Sort, dict[int | str, str]] = {}  # of the names those that are always told
        self._persons: set[int] = set()
        self._acting: set[int] = set()  # of them those who do something to others
        self._nameless = False
        self._count = 0
        self.add(first, sort, spoke)

    def add(self, event: Event, sort: _Sort, spoke: bool = False) -> None:
        """Take one more event. spoke: its author spoke lately"""
        if sort.passive:
            name = whom(event)
            self._names.setdefault(sort, {})[name] = name
            _note(self._by.setdefault(sort, set()), event.author)
            _note(self._ends.setdefault(sort, set()), until_and_reason(event, self._time_of))
            self._acting.add(event.person)
        else:
            sort = self._after_leaving(event, sort)
            self._names.setdefault(sort, {})[event.person] = event.author
            if spoke and len(self._speakers.get(sort, ())) < RUN_NAMES:
                self._speakers.setdefault(sort, {})[event.person] = event.author
        self._persons |= {event.person, event.target}
        self.place, self.channel = self.place or event.place, self.channel or event.channel
        self.last, self._count = event.time, self._count + 1

    def _after_leaving(self, event: Event, sort: _Sort) -> _Sort:
        """How somebody's coming or going is told who has left or come back in this run: the last word counts.

        By name: a guest who comes back is another person.
        """
        other = {_JOINED: _LEFT, _LEFT: _BACK}.get(sort)
        before = self._names.get(other, {}) if other is not None else {}
        person = next((one for one, name in before.items() if name == event.author), None)
        if other is None or person is None:
            return sort
        del before[person]
        self._speakers.get(other, {}).pop(person, None)
        joined = self._names.get(_JOINED, {}).values()
        return _BACK if sort is _JOINED and event.author not in joined else sort

    def erase(self, person: int) -> None:
        """Name nobody any more, if this person is among them."""
        self._nameless = self._nameless or person in self._persons

    @property
    def text(self) -> str:
        """One sentence for all: with names while they are few. Who came and went counts in both parts."""
        return self._text(not self._nameless)

    def item(self) -> Item:
        """The run as it stands in the transcript."""
        shown = {person for sort in self._names for person in self._shown(sort)}
        persons = self._persons if len(self._persons) <= 2 * FOLDED_NAMES else self._acting | shown
        return Item(
            self._time_of(self.began),
            "",
            one_line(self.text),
            run=self.number,
            names=tuple(persons),
            without=one_line(self._text(named=False)),
            told=self._told_in_parts(),
        )

    def _shown(self, sort: _Sort) -> dict[int, str]:
        """By person, the names that the row shows if it has room. Nobody is named who was acted against."""
        names = {} if sort.passive else self._speakers.get(sort, {}) | self._names[sort]
        return {person: name for person, name in islice(names.items(), RUN_NAMES) if isinstance(person, int)}

    def _told_in_parts(self) -> tuple[Told, ...]:
        """The text in parts, with the names; nothing where the text has all names, or may have none."""
        sorts = self._all_told()
        if self._nameless or self._count == 1 or sum(map(len, sorts.values())) <= FOLDED_NAMES:
            return ()
        return tuple(self._told_part(sort, names) for sort, names in sorts.items())

    def _told_part(self, sort: _Sort, names: list[str]) -> Told:
        words = one_line(self._part(sort, names, False, True))
        shown = tuple(map(one_line, self._shown(sort).values()))
        return Told(words, shown, len(names), len(self._speakers.get(sort, ())))

    def _text(self, named: bool) -> str:
        if self._count == 1 and named:
            return describe(self._first, time_of=self._time_of)
        told = self._all_told()
        few = named and sum(map(len, told.values())) <= FOLDED_NAMES
        if named and not few and self._speakers:
            return told_text([self._told_part(sort, names) for sort, names in told.items()], 0)
        parts = [self._part(sort, names, few, named) for sort, names in told.items()]
        return ("; " if few else ", ").join(parts)

    def _all_told(self) -> dict[_Sort, list[str]]:
        """The names of each sort, in the order in which these things happened first.

        Who has come and left again is in both: then coming is told before leaving.
        """
        order = list(self._names)
        if not self._names.get(_JOINED, {}).keys().isdisjoint(self._names.get(_LEFT, ())):
            order.sort(key=lambda sort: sort is _LEFT)
        return {sort: names for sort in order if (names := self._told(sort))}

    def _told(self, sort: _Sort) -> list[str]:
        """The names of a sort. Who was banned was removed by that: it is not told twice."""
        names = self._names.get(sort, {})
        banned = self._names.get(_BANNED, {}) if sort is _REMOVED else {}
        return [name for key, name in names.items() if key not in banned]

    def _part(self, sort: _Sort, names: list[str], few: bool, named: bool) -> str:
        shown = ", ".join(names) if few else f"{len(names):,}"
        if not sort.passive:
            return f"{shown} {sort.verb}"
        by, ends = self._by[sort], self._ends[sort]
        end = next(iter(ends)) if named and len(ends) == 1 else ""
        if len(by) == 1:
            return f"{next(iter(by)) if named else SOMEBODY} {sort.verb} {shown}{end}"
        return f"{shown} {'was' if len(names) == 1 else 'were'} {sort.passive}{end}"


def _note(words: set[str], word: str) -> None:
    """Two tell already that they differ: more are not kept, for each may be long."""
    if len(words) < 2:
        words.add(word)


class Folding:
    """Says of each event which run it belongs to. Each event that is shown goes through it, in order."""

    def __init__(self, time_of: LocalTime = local_time) -> None:
        self._time_of = time_of
        self._run: Run | None = None
        self._number = 0
        self._spoke: dict[int, int] = {}  # by person, when it spoke last; the latest speaker comes last

    def take(self, event: Event, own_name: str) -> Run | None:
        """The run, with this event in it; None: the event is shown by itself, and no run goes on.

        Whoever spoke lately is always named: perhaps they were just being answered. When they say why they
        go, that is not folded. Nor is what the reader does by coming, going or raising a hand, nor what is
        done to the reader.
        """
        if event.kind is EventKind.SAID:
            self._note_speaker(event)
        sort = None if is_erased(event) else _sort_of(event)
        spoke = self._spoke_lately(event)
        if sort is None or (spoke and event.text) or own_name == _whose(sort, event):
            self._run = None
            return None
        run = self._run
        if run is not None and run.mutes == (sort is _MUTED) and _goes_on(run, event):
            run.add(event, sort, spoke)
        else:
            self._number += 1
            run = self._run = Run(self._number, event, sort, self._time_of, spoke)
        return run

    def erase(self, person: int) -> None:
        """Name this person no more."""
        if self._run is not None:
            self._run.erase(person)

    def end(self) -> None:
        """Something else was shown: the next join begins another run."""
        self._run = None

    def _note_speaker(self, event: Event) -> None:
        before = self._spoke.pop(event.person, 0)  # an old line may be shown again
        self._spoke[event.person] = max(before, event.time)
        if len(self._spoke) > SPEAKERS:
            del self._spoke[next(iter(self._spoke))]

    def _spoke_lately(self, event: Event) -> bool:
        spoke = self._spoke.get(event.person) if event.kind in _COMING else None
        return spoke is not None and event.time - spoke <= SPOKE_SECONDS * 1000


def _whose(sort: _Sort, event: Event) -> str:
    """The name of whoever it concerns most."""
    return event.target_name if sort.passive else event.author


def _goes_on(run: Run, event: Event) -> bool:
    """Whether the event is soon after the run, and not in another channel. QUIT is in all of them."""
    elsewhere = run.place and event.place and run.place != event.place
    return not elsewhere and event.time - run.last <= RUN_SECONDS * 1000


def plain_run(run: Run, time_of: LocalTime = local_time, under: bool = False) -> str:
    """A run as exactly one line without escape sequences, with the time at which it began.

    under: write its channel before it
    """
    channel = f"{one_line(run.channel)} " if under and run.channel else ""
    return f"{time_of(run.began):%H:%M} {channel}-- {one_line(run.text)}"

"""Direct conversations: places of two persons, which nobody else can be in. A part of the state.

A conversation has a number, as a channel has. So history, replay and delivery need nothing else for it: both
persons have its place within reach, from its beginning.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatroom.bounds import Limits
from chatroom.ledger import Ledger
from chatroom.outcomes import Code
from chatroom.records import Record


@dataclass(slots=True)
class Conversation:
    """A direct conversation.

    place:   its number
    persons: the one who began it, and the other; twice the same for notes to oneself
    network: from which it was begun
    founded: when, in milliseconds since 1970
    gone:    name of the one who is not known any more, "": both are known
    """

    place: int
    persons: tuple[int, int]
    network: str
    founded: int
    gone: str = ""

    @property
    def by(self) -> int:
        """The person who began it."""
        return self.persons[0]

    def other(self, person: int) -> int:
        """The person with whom this one talks here."""
        first, second = self.persons
        return second if person == first else first

    def record(self) -> Record:
        value = {
            "persons": self.persons,
            "by": self.by,
            "network": self.network,
            "founded": self.founded,
            "gone": self.gone,
        }
        return Record("conversation", str(self.place), json.dumps(value, separators=(",", ":")))


class Conversations:
    """All direct conversations.

    all: by place
    on_ended: called with each of the two persons and the place of a conversation that has ended
    """

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self.all: dict[int, Conversation] = {}
        self.on_ended: list[Callable[[int, int], None]] = []
        self._of_person: dict[int, dict[int, int]] = {}  # by person, by the other: the place
        self._begun: dict[int, int] = {}  # by person: how many it has begun
        self._from: dict[str, int] = {}  # by network: how many were begun from there

    # --- reading --------------------------------------------------------------------------------------------

    def between(self, person: int, other: int) -> Conversation | None:
        """The conversation of these two."""
        place = self._of_person.get(person, {}).get(other)
        return None if place is None else self.all[place]

    def places_of(self, person: int) -> list[int]:
        """The conversations of a person, in order of their numbers."""
        return sorted(self._of_person.get(person, {}).values())

    def refusal(self, by: int, other: int, network: str) -> Code | None:
        """Why this person cannot begin one more conversation."""
        limits = self._limits
        if self._begun.get(by, 0) >= limits.conversations_begun:
            return Code.TOO_MANY
        if self._from.get(network, 0) >= limits.conversations_of_network:
            return Code.TOO_MANY
        if self._too_many(by, other, network) is None:
            return Code.TOO_MANY
        full = self._ledger.places >= limits.place_numbers or len(self.all) >= limits.conversations
        return Code.FULL if full else None

    def _too_many(self, by: int, other: int, network: str) -> list[Conversation] | None:
        """The conversations that end when these two begin one: somebody of them is gone, and there are as
        many as may be. None: there are too many whose persons are known.
        """
        found = dict[int, Conversation]()
        from_there = [one for one in self._all_of(other) if one.network == network and one.by != other]
        for several, most in (
            (self._all_of(by), self._limits.conversations_of_person),
            (self._all_of(other), self._limits.conversations_of_person),
            (from_there if by != other else [], self._limits.writers_of_network),
        ):
            if len(several) < most or any(one.place in found for one in several):
                continue
            first = next((one for one in several if one.gone), None)
            if first is None:
                return None
            found[first.place] = first
        return list(found.values())

    def _all_of(self, person: int) -> list[Conversation]:
        return [self.all[place] for place in self.places_of(person)]

    # --- changing -------------------------------------------------------------------------------------------

    def begin(self, by: int, other: int, network: str) -> Conversation:
        """Begin the conversation of two persons that have none, and may."""
        for over in self._too_many(by, other, network) or ():
            self._end(over)
        found = Conversation(self._ledger.new_place(), (by, other), network, self._ledger.time)
        self._take(found)
        self._ledger.change("conversation", str(found.place), found.record)
        return found

    def _take(self, one: Conversation) -> None:
        self.all[one.place] = one
        first, second = one.persons
        self._of_person.setdefault(first, {})[second] = one.place
        self._of_person.setdefault(second, {})[first] = one.place
        self._begun[one.by] = self._begun.get(one.by, 0) + 1
        self._from[one.network] = self._from.get(one.network, 0) + 1

    def forget(self, person: int, name: str, is_known: Callable[[int], bool]) -> None:
        """A person is not known any more: its conversations end, unless the other one is known. Of those with
        persons who are gone, each person keeps the latest.

        name:     of the person, for the other one
        is_known: whether a person has an account, or sessions that are remembered
        """
        for place in self.places_of(person):
            one = self.all[place]
            if is_known(one.other(person)):
                one.gone = name
                self._ledger.change("conversation", str(place), one.record)
                self._bound_gone(one.other(person))
            else:
                self._end(one)

    def erase(self, person: int, name: str) -> None:
        """The person is not known any more, and nobody is to know how it was called. name: what others see"""
        for place in self.places_of(person):
            one = self.all[place]
            one.gone = name
            self._ledger.change("conversation", str(place), one.record)

    def _bound_gone(self, person: int) -> None:
        """One more conversation of this person is with somebody who is gone: one too many ends the first."""
        gone = [one for place in self.places_of(person) if (one := self.all[place]).gone]
        if len(gone) > self._limits.gone:
            self._end(gone[0])

    def _end(self, one: Conversation) -> None:
        del self.all[one.place]
        for person in dict.fromkeys(one.persons):
            of_person = self._of_person[person]
            del of_person[one.other(person)]
            if not of_person:
                del self._of_person[person]
            for call in self.on_ended:
                call(person, one.place)
        _count_down(self._begun, one.by)
        _count_down(self._from, one.network)
        self._ledger.change("conversation", str(one.place), None)

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All conversations."""
        return [one.record() for one in self.all.values()]

    def restore(self, record: Record) -> None:
        """Take a conversation that was stored."""
        value = json.loads(record.value or "{}")
        first, second = value["persons"]
        gone = value.get("gone", "")
        self._take(Conversation(int(record.key), (first, second), value["network"], value["founded"], gone))


def _count_down(counts: dict[Any, int], key: Any) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]

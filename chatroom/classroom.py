"""The classroom: raised hands, whose turn it is to speak, polls and votes. A part of the state.

Each hand and each vote is a record of its own, so that a class of 500 costs the one who votes no more than a
class of five.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from chatroom.bounds import Limits
from chatroom.ledger import Ledger
from chatroom.outcomes import Code
from chatroom.records import Record
from chatroom.rights import Rights

SEPARATOR = " | "
"""Between a question and its options, in the text of POLL."""


@dataclass(slots=True)
class Class:
    """What goes on in one channel, beside the turn: `Rights` has that, because who is called may speak.

    place: of the channel
    poll:  the question and the options, as the text of POLL has them; "": no poll is open
    by:    the person who has opened it
    hands: by person, in the order in which they were raised; the numbers rise
    votes: by person, the number of the option, from 1
    out:   of those who have voted, who is not in the channel now; their votes do not count
    """

    place: int
    poll: str = ""
    by: int = 0
    hands: dict[int, int] = field(default_factory=dict)
    votes: dict[int, int] = field(default_factory=dict)
    out: dict[int, None] = field(default_factory=dict)


class Classroom:
    """What goes on in the channels that are used as a class. A channel without anything of it is not here.

    limits: how many hands, votes and options there may be, and how long somebody waits
    """

    def __init__(self, ledger: Ledger, limits: Limits, rights: Rights) -> None:
        self._ledger = ledger
        self.limits = limits
        self._rights = rights
        self._all: dict[int, Class] = {}  # by place

    # --- reading --------------------------------------------------------------------------------------------

    def hands(self, place: int) -> list[int]:
        """Who has raised a hand, in the order in which that was done."""
        found = self._all.get(place)
        return list(found.hands) if found is not None else []

    def poll(self, place: int) -> list[str]:
        """The question of the open poll, and its options; empty: none is open."""
        found = self._all.get(place)
        return found.poll.split(SEPARATOR) if found is not None and found.poll else []

    def vote_of(self, place: int, person: int) -> int:
        """For which option the person has voted, 0: for none yet."""
        found = self._all.get(place)
        return found.votes.get(person, 0) if found is not None else 0

    def voters(self, place: int) -> int:
        """How many votes would count now."""
        found = self._all.get(place)
        return len(found.votes) - len(found.out) if found is not None else 0

    def read_poll(self, text: str) -> list[str]:
        """The question and the options of a text such as POLL has; empty: it is none.

        No two options are the same: nobody could tell what the other one means.
        """
        words = text.split(SEPARATOR)
        options = words[1:]
        is_written = all(word and word == word.strip(" |") and "|" not in word for word in words)
        is_poll = 2 <= len(options) <= self.limits.options and len(set(options)) == len(options)
        return words if is_written and is_poll else []

    # --- hands and turns ------------------------------------------------------------------------------------

    def raise_hand(self, place: int, person: int) -> Code:
        """The person is the last in the queue from now on. ALREADY: it is in the queue."""
        found = self._all.get(place) or Class(place)
        if person in found.hands:
            return Code.ALREADY
        if len(found.hands) >= self.limits.hands:
            return Code.FULL
        self._all[place] = found
        number = next(reversed(found.hands.values()), 0) + 1
        found.hands[person] = number
        self._ledger.change("classroom", f"{place} hand {person}", lambda: _hand(place, person, number))
        return Code.OK

    def lower_hand(self, place: int, person: int) -> bool:
        """The person is in the queue no longer; False: it was not."""
        found = self._all.get(place)
        if found is None or person not in found.hands:
            return False
        del found.hands[person]
        self._ledger.change("classroom", f"{place} hand {person}", None)
        self._tidy(found)
        return True

    def turn(self, place: int) -> int:
        """Whose turn it is to speak, 0: nobody's."""
        return self._rights.turn(place)

    def call(self, place: int, person: int) -> None:
        """It is the person's turn from now on, and nobody else's; 0: nobody's. Its hand goes down."""
        self.lower_hand(place, person)
        if self.turn(place) != person:
            self._rights.set_turn(place, person)
            self._keep(self._all.setdefault(place, Class(place)))

    def clear(self, place: int) -> None:
        """No hand is raised any more, and the turn is over."""
        for person in self.hands(place):
            self.lower_hand(place, person)
        self.call(place, 0)

    # --- polls ----------------------------------------------------------------------------------------------

    def open_poll(self, place: int, text: str, by: int) -> bool:
        """Open a poll; False: one is open already."""
        found = self._all.setdefault(place, Class(place))
        if found.poll:
            return False
        found.poll, found.by = text, by
        self._keep(found)
        return True

    def vote(self, place: int, person: int, choice: int) -> Code:
        """The person, who is in, has one vote in the open poll: from now on it is for this option."""
        found = self._all[place]
        if found.votes.get(person) == choice:
            return Code.ALREADY
        if person not in found.votes and len(found.votes) >= self.limits.votes:
            if not found.out:
                return Code.FULL
            for other in list(found.out):
                self._drop_vote(found, other)
        found.votes[person] = choice
        self._ledger.change("classroom", f"{place} vote {person}", lambda: _vote(place, person, choice))
        return Code.OK

    def reveal(self, place: int) -> tuple[str, list[int]]:
        """End the open poll: its text, and the votes for each option, of those who are in."""
        found = self._all[place]
        text, counts = found.poll, [0] * (len(self.poll(place)) - 1)
        for person, choice in list(found.votes.items()):
            if person not in found.out:
                counts[choice - 1] += 1
            self._drop_vote(found, person)
        found.poll, found.by = "", 0
        self._keep(found)
        return text, counts

    def _drop_vote(self, found: Class, person: int) -> None:
        del found.votes[person]
        found.out.pop(person, None)
        self._ledger.change("classroom", f"{found.place} vote {person}", None)

    # --- coming and going -----------------------------------------------------------------------------------

    def come(self, person: int, place: int) -> None:
        """The person has joined the channel: if it has voted before, its vote counts again."""
        found = self._all.get(place)
        if found is not None:
            found.out.pop(person, None)

    def go(self, person: int, place: int, stays: bool) -> None:
        """The person has left the channel, or the chatroom: its hand goes down, and its turn is over.

        stays: whether it is in the channel all the same, as one with an account is
        """
        found = self._all.get(place)
        if found is None:
            return
        if person in found.votes and not stays:
            found.out[person] = None
        self.lower_hand(place, person)
        if self.turn(place) == person:
            self.call(place, 0)

    def forget(self, person: int, place: int) -> None:
        """Nobody remembers that the person was in the channel: its vote is gone."""
        found = self._all.get(place)
        if found is not None and person in found.votes:
            self._drop_vote(found, person)

    def erase(self, person: int) -> None:
        """The person was erased: a poll that it has opened ends, as if it had not been."""
        for place, found in sorted(self._all.items()):
            if found.poll and found.by == person:
                self.reveal(place)

    def end(self, place: int) -> None:
        """The channel has ended."""
        self.clear(place)
        if self.poll(place):
            self.reveal(place)

    # --- records --------------------------------------------------------------------------------------------

    def _keep(self, found: Class) -> None:
        is_there = found.poll or self.turn(found.place)
        make = (lambda: self._record(found)) if is_there else None
        self._ledger.change("classroom", str(found.place), make)
        self._tidy(found)

    def _tidy(self, found: Class) -> None:
        if not (found.hands or found.poll or self.turn(found.place)):
            self._all.pop(found.place, None)

    def _record(self, found: Class) -> Record:
        value = {"poll": found.poll, "by": found.by, "turn": self.turn(found.place)}
        return Record("classroom", str(found.place), _json(value))

    def records(self) -> list[Record]:
        """All that goes on."""
        records = []
        for place, one in self._all.items():
            if one.poll or self.turn(place):
                records.append(self._record(one))
            records += [_hand(place, person, number) for person, number in one.hands.items()]
            records += [_vote(place, person, choice) for person, choice in one.votes.items()]
        return records

    def restore(self, records: Iterable[Record], is_in: Callable[[int, int], bool]) -> None:
        """Take what was stored. is_in: whether a person is in a place"""
        for record in records:
            value = json.loads(record.value or "{}")
            number, *more = record.key.split()
            place = int(number)
            found = self._all.setdefault(place, Class(place))
            if not more:
                found.poll, found.by = value["poll"], value["by"]
                self._rights.set_turn(place, value["turn"])
                continue
            kind, person = more[0], int(more[1])
            if kind == "hand":
                found.hands[person] = value["number"]
                continue
            found.votes[person] = value["choice"]
            if not is_in(person, place):
                found.out[person] = None
        for found in self._all.values():
            found.hands = dict(sorted(found.hands.items(), key=lambda one: one[1]))


def _hand(place: int, person: int, number: int) -> Record:
    return Record("classroom", f"{place} hand {person}", _json({"number": number}))


def _vote(place: int, person: int, choice: int) -> Record:
    return Record("classroom", f"{place} vote {person}", _json({"choice": choice}))


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))

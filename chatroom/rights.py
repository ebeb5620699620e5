"""Rights: who is on which list of a place. A part of the state."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple, TypeVar

from chatroom.bounds import Limits
from chatroom.events import BAN_LIST, EXEMPT_LIST, INVITED_LIST, MUTE_LIST
from chatroom.ledger import Ledger
from chatroom.masks import Networks, is_network_mask, name_mask
from chatroom.outcomes import Code
from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.records import Record

K = TypeVar("K")

_LISTS: Final[dict[int, str]] = {
    Role.OWNER: "owner",
    Role.OPERATOR: "operator",
    Role.VOICE: "voice",
    INVITED_LIST: "invited",
    BAN_LIST: "ban",
    MUTE_LIST: "mute",
    EXEMPT_LIST: "exempt",
}
_NUMBERS = {name: number for number, name in _LISTS.items()}
_ROLES: Final = (Role.OWNER, Role.OPERATOR, Role.VOICE)  # the highest one first
_SPARE: Final = 64  # entries of the heap that are out of date and not worth the time to remove them
_OPENING: Final = (*_ROLES, INVITED_LIST)  # the lists of those who may know of a channel that is invite-only

Whom = int | str
"""Whom an entry means: a person's number, or a mask, see `chatroom.masks`."""


class Listed(NamedTuple):
    """An entry of a list of a place.

    by:     who made it, 0: whoever runs the server
    when:   it was made, in milliseconds since 1970
    until:  it counts, in milliseconds since 1970; 0: for ever
    typed:  whom it means, as it was typed; "": the person
    reason: may be empty
    """

    place: int
    list: int
    whom: Whom
    by: int
    when: int
    until: int = 0
    typed: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        return f"{self.place} {_LISTS[self.list]} {self.whom}"

    @property
    def is_address(self) -> bool:
        """Whether it is a network that was typed, and not that of a member."""
        return isinstance(self.whom, str) and is_network_mask(self.whom) and not self.typed.startswith("+")

    def record(self) -> Record:
        value: dict[str, int | str] = {"by": self.by, "when": self.when}
        for name in ("until", "typed", "reason"):
            if getattr(self, name):
                value[name] = getattr(self, name)
        return Record("listed", self.key, json.dumps(value, separators=(",", ":")))


class Rights:
    """Who is on which list of which place. A list is that of a `Role`, or one of INVITED_LIST and so on.

    Roles, bans, mutes and exemptions of the whole chatroom (place 0) count in every place.

    mutes: how many entries all lists of those who are muted have: mostly none, and nobody needs to look there
    """

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._of_person: dict[int, dict[tuple[int, int], Listed]] = {}  # by place and list
        self._of_place: dict[int, dict[tuple[int, Whom], Listed]] = {}  # by list and whom
        self._networks: dict[tuple[int, int], Networks] = {}  # by place and list
        self._numbers: dict[tuple[int, int], int] = {}  # by place and list: how many entries
        self._ending: list[tuple[int, str, Listed]] = []  # a heap: until, key, the entry
        self._size = self.mutes = 0
        self._turns: dict[int, int] = {}  # by place, whose turn it is to speak
        self._network_of: dict[int, str] = {}  # by place, from where it was founded; "": unknown
        self._kept = {WHOLE_CHATROOM}  # places whose lists no stranger can fill
        self._founded = 0  # entries of all lists of the other places
        self._of_network: dict[str, int] = {}  # by network: how many are on the lists of its places

    # --- reading --------------------------------------------------------------------------------------------

    def role(self, person: int, place: int = WHOLE_CHATROOM) -> Role:
        """The highest role that the person has in the place, or in the whole chatroom."""
        listed = self._of_person.get(person, {})
        for role in _ROLES if listed else ():
            if (place, role) in listed or (WHOLE_CHATROOM, role) in listed:
                return role
        return Role.VOICE if person and self._turns.get(place) == person else Role.MEMBER

    def turn(self, place: int) -> int:
        """Whose turn it is to speak in a channel, 0: nobody's."""
        return self._turns.get(place, 0)

    def has(self, whom: Whom, list: int, place: int = WHOLE_CHATROOM) -> bool:
        """Whether there is an entry for just this on this list of the place itself."""
        return (list, whom) in self._of_place.get(place, {})

    def hits(self, list: int, place: int, person: int, name_key: str, network: str) -> Listed | None:
        """The entry of a list, of the place or of the whole chatroom, that means somebody; None: none does.

        It means nobody who is exempt, and no operator: else a network could shut the owner out. Of an entry
        of the whole chatroom only its own exemptions and operators count: anybody can found a channel. So it
        is with an entry of a channel that an operator of the chatroom made, see `outranks`.

        person: 0: one that has come for the first time
        """
        for at in dict.fromkeys((place, WHOLE_CHATROOM)):
            found = self._entry(list, at, person, name_key, network)
            if found is None:
                continue
            is_above = self.outranks(found, person)
            if self.role(person, at) >= Role.OPERATOR and not is_above:
                continue
            if not self._spares(at, is_above, person, name_key, network):
                return found
        return None

    def _spares(self, place: int, is_above: bool, person: int, name_key: str, network: str) -> bool:
        """Whether somebody is exempt from an entry of the place. is_above: as `outranks` says"""
        for at in dict.fromkeys((place, WHOLE_CHATROOM)):
            found = self._entry(EXEMPT_LIST, at, person, name_key, network)
            if found is not None and (
                at == WHOLE_CHATROOM or not is_above or self.role(found.by) >= Role.OPERATOR
            ):
                return True
        return False

    def outranks(self, listed: Listed, person: int) -> bool:
        """Whether the entry means the person whatever its role in the channel.

        It does if it is no network, and an operator of the chatroom made it.
        """
        if isinstance(listed.whom, str) and is_network_mask(listed.whom):
            return False
        return self.role(listed.by) >= Role.OPERATOR and self.role(person) < Role.OPERATOR

    def exempts(self, person: int, name_key: str, network: str, place: int = WHOLE_CHATROOM) -> bool:
        """Whether somebody is exempt in the place, or in the whole chatroom."""
        places = dict.fromkeys((place, WHOLE_CHATROOM))
        return any(self._entry(EXEMPT_LIST, at, person, name_key, network) for at in places)

    def _entry(self, list: int, place: int, person: int, name_key: str, network: str) -> Listed | None:
        if not self._numbers.get((place, list)):
            return None
        listed, networks = self._of_place[place], self._networks.get((place, list))
        masks: Iterable[Whom] = networks.covering(network) if networks is not None else ()
        for whom in (person, name_mask(name_key), *masks):
            found = listed.get((list, whom))
            if found is not None and self._counts(found):
                return found
        return None

    def _counts(self, listed: Listed) -> bool:
        return not listed.until or self._ledger.time < listed.until

    def entries(self, place: int, *lists: int) -> list[Listed]:
        """The entries of some lists of the place that count, the earliest first."""
        found = [
            one for one in self._of_place.get(place, {}).values() if one.list in lists and self._counts(one)
        ]
        return sorted(found, key=lambda one: (one.when, one.key))

    def owners(self, place: int) -> list[int]:
        """The persons who own the place, in order."""
        owners = [whom for list, whom in self._of_place.get(place, {}) if list == Role.OWNER]
        return sorted(whom for whom in owners if isinstance(whom, int))

    def owned(self, person: int) -> int:
        """How many channels the person owns."""
        return sum(list == Role.OWNER and place > 0 for place, list in self._of_person.get(person, ()))

    def places_of(self, person: int) -> list[int]:
        """The places where the person has a role or is invited, each as often as it is on such a list."""
        return [place for place, list in self._of_person.get(person, {}) if list in _OPENING]

    @property
    def has_owner(self) -> bool:
        """Whether the chatroom has an owner."""
        return bool(self.owners(WHOLE_CHATROOM))

    def refusal(self, place: int, more: int = 1) -> Code | None:
        """Why so many more entries cannot be put on the lists of the place.

        The chatroom, and the channels that its operators keep, have a bound of their own: whoever founds
        channels and fills their lists takes no room there.
        """
        if len(self._of_place.get(place, {})) + more > self._limits.listed_of_place:
            return Code.TOO_MANY
        if place in self._kept:
            return None
        network = self._network_of.get(place, "")
        if network and self._of_network.get(network, 0) + more > self._limits.listed_of_network:
            return Code.FULL
        return Code.FULL if self._founded + more > self._limits.listed else None

    # --- changing -------------------------------------------------------------------------------------------

    def give(
        self,
        whom: Whom,
        list: int,
        by: int,
        place: int = WHOLE_CHATROOM,
        until: int = 0,
        typed: str = "",
        reason: str = "",
    ) -> bool:
        """Put somebody on a list of the place; False: the same entry is there already."""
        listed = Listed(place, list, whom, by, self._ledger.time, until, typed, reason)
        before = self._of_place.get(place, {}).get((list, whom))
        if before is not None:
            if before[5:] == listed[5:]:
                return False
            self._drop(before)
        self._take(listed)
        self._ledger.change("listed", listed.key, listed.record)
        return True

    def set_turn(self, place: int, person: int) -> None:
        """It is the person's turn to speak, 0: nobody's. `Classroom` stores that.

        Who is called has voice. It is on no list: a voice that somebody gives it stays when the turn is over.
        """
        if person:
            self._turns[place] = person
        else:
            self._turns.pop(place, None)

    def _take(self, listed: Listed) -> None:
        place, list, whom, until = listed.place, listed.list, listed.whom, listed.until
        self._of_place.setdefault(place, {})[list, whom] = listed
        if isinstance(whom, int):
            self._of_person.setdefault(whom, {})[place, list] = listed
        elif is_network_mask(whom):
            self._networks.setdefault((place, list), Networks()).add(whom)
        if until:
            heappush(self._ending, (until, listed.key, listed))
            if len(self._ending) > 2 * self._size + _SPARE:
                self._ending = [one for one in self._ending if self._is_there(one[2])]
                heapify(self._ending)
        self._count(place, list, 1)

    def take(self, whom: Whom, list: int, place: int = WHOLE_CHATROOM) -> bool:
        """Take somebody off a list of the place; False: there is no such entry."""
        listed = self._of_place.get(place, {}).get((list, whom))
        if listed is None:
            return False
        self._drop(listed)
        self._ledger.change("listed", listed.key, None)
        return True

    def _drop(self, listed: Listed) -> None:
        place, list, whom = listed.place, listed.list, listed.whom
        _remove(self._of_place, place, (list, whom))
        if isinstance(whom, int):
            _remove(self._of_person, whom, (place, list))
        elif is_network_mask(whom):
            self._networks[place, list].remove(whom)
        self._count(place, list, -1)

    def _count(self, place: int, list: int, more: int) -> None:
        self._size += more
        self.mutes += more if list == MUTE_LIST else 0
        number = self._numbers.pop((place, list), 0) + more
        if number:
            self._numbers[place, list] = number
        else:
            self._networks.pop((place, list), None)
        self._count_founded(place, more)

    def _count_founded(self, place: int, more: int) -> None:
        """Count what strangers may fill."""
        if place not in self._kept:
            self._founded += more
            self._count_network(self._network_of.get(place, ""), more)

    def _count_network(self, network: str, more: int) -> None:
        number = self._of_network.pop(network, 0) + more
        if network and number:
            self._of_network[network] = number

    def begin(self, place: int, network: str, *, kept: bool) -> None:
        """There is a channel at the place, founded from a network; "": nobody knows from where."""
        self._network_of[place] = network
        self._count_network(network, len(self._of_place.get(place, {})))
        self.keep(place, kept=kept)

    def keep(self, place: int, *, kept: bool) -> None:
        """Operators of the chatroom keep the channel at the place from now on, or do not any more."""
        number = len(self._of_place.get(place, {}))
        if kept and place not in self._kept:
            self._count_founded(place, -number)
            self._kept.add(place)
        elif not kept and place in self._kept:
            self._kept.remove(place)
            self._count_founded(place, number)

    def end(self, place: int) -> None:
        """The place has ended: nobody is on a list of it any more."""
        for list, whom in [*self._of_place.get(place, {})]:
            self.take(whom, list, place)
        self._network_of.pop(place, None)
        self._kept.discard(place)

    def end_expired(self) -> None:
        """With a tick: take off what has expired, at most `ends_per_tick` entries."""
        left = self._limits.ends_per_tick
        while left and self._ending and self._ending[0][0] <= self._ledger.time:
            _, _, listed = heappop(self._ending)
            if self._is_there(listed):  # those that are out of date do not count: a restored heap has none
                self.take(listed.whom, listed.list, listed.place)
                left -= 1

    def _is_there(self, listed: Listed) -> bool:
        return self._of_place.get(listed.place, {}).get((listed.list, listed.whom)) is listed

    def forget(self, person: int) -> list[int]:
        """The person is on no list any more; the places of which it has owned one, in order."""
        found = [*self._of_person.get(person, {})]
        for place, list in found:
            self.take(person, list, place)
        return sorted(place for place, list in found if list == Role.OWNER)

    def keep_name(self, person: int, name: str, key: str) -> None:
        """The person is a guest from now on: its bans and mutes mean its name, too, as those of every guest.

        It comes back as somebody new, and else with the same name it would be on no list.
        """
        for (place, list), one in sorted(self._of_person.get(person, {}).items()):
            mask = name_mask(key)
            if list not in (BAN_LIST, MUTE_LIST) or self.has(mask, list, place) or self.refusal(place):
                continue
            self._drop(one)
            for whom in (person, mask):
                listed = one._replace(whom=whom, typed=name)
                self._take(listed)
                self._ledger.change("listed", listed.key, listed.record)

    def erase_names(self, names: Container[str], keys: Iterable[str], other: str) -> None:
        """No entry says how somebody was called. Those that mean a name go.

        names: as written; keys: of these names
        other: what stands where a name was typed to mean a network
        """
        masks = frozenset(map(name_mask, keys))
        for place, listed in sorted(self._of_place.items()):
            for (list, whom), one in [*listed.items()]:
                if whom in masks:
                    self.take(whom, list, place)
                elif one.typed.removeprefix("+") in names:
                    changed = one._replace(typed=other)
                    self._drop(one)
                    self._take(changed)
                    self._ledger.change("listed", changed.key, changed.record)

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All that is listed."""
        return [listed.record() for of_place in self._of_place.values() for listed in of_place.values()]

    def restore(self, record: Record) -> None:
        """Take what was stored."""
        place, name, text = record.key.split(" ", 2)
        value = json.loads(record.value or "{}")
        whom = int(text) if text.isdecimal() else text
        self._take(Listed(int(place), _NUMBERS[name], whom, **value))


def _remove(of_all: dict[int, dict[K, Listed]], one: int, key: K) -> None:
    """Take an entry out; who has none left is not there any more."""
    del of_all[one][key]
    if not of_all[one]:
        del of_all[one]

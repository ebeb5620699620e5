"""People: whom a person ignores, and who may write to it. A part of the state, durable like the person."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum

from chatroom.bounds import Limits
from chatroom.ledger import Ledger
from chatroom.outcomes import Code
from chatroom.records import Record


class Writers(StrEnum):
    """Who may begin a direct conversation with a person."""

    ALL = "all"
    SHARED = "shared"  # who is in a channel with it
    NOBODY = "nobody"


@dataclass(slots=True)
class _Settings:
    """What a person has set.

    direct:  who may begin a direct conversation with it
    ignored: the persons of whom it wants to read nothing, and how they were called then
    network: from which it has ignored somebody last, "": unknown
    """

    person: int
    direct: Writers = Writers.SHARED
    ignored: dict[int, str] = field(default_factory=dict)
    network: str = ""

    def record(self) -> Record:
        value = {
            "direct": str(self.direct),
            "ignored": sorted(self.ignored.items()),
            "network": self.network,
        }
        return Record("person", str(self.person), json.dumps(value, separators=(",", ":")))


class People:
    """What persons have set. Who has set nothing is not in it."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._settings: dict[int, _Settings] = {}  # by person
        self._ignoring: dict[int, dict[int, None]] = {}  # by person, those who ignore it
        self._entries = 0  # ignored persons of all
        self._of_network: dict[str, int] = {}  # by network, of those who ignore from there

    # --- reading --------------------------------------------------------------------------------------------

    def writers(self, person: int) -> Writers:
        """Who may begin a direct conversation with the person."""
        settings = self._settings.get(person)
        return settings.direct if settings else Writers.SHARED

    def ignores(self, person: int, other: int) -> bool:
        """Whether the person wants to read nothing of the other one."""
        return person in self._ignoring.get(other, ())

    def ignored(self, person: int) -> list[tuple[int, str]]:
        """Whom the person ignores, in the order of their numbers, and how they were called then."""
        settings = self._settings.get(person)
        return sorted(settings.ignored.items()) if settings else []

    def refusal(self, author: int, receiver: int, *, begun: bool, shared: bool) -> Code | None:
        """Why a line of the author must not go to the receiver; None: it may.

        begun:  the two have a direct conversation already
        shared: they are in the same channel
        """
        if self.ignores(receiver, author):
            return Code.MUTED
        if begun or author == receiver:
            return None
        direct = self.writers(receiver)
        allowed = direct is Writers.ALL or (direct is Writers.SHARED and shared)
        return None if allowed else Code.MUTED

    # --- changing -------------------------------------------------------------------------------------------

    def set_writers(self, person: int, direct: Writers) -> bool:
        """Let these begin a direct conversation with the person; False: it was so before."""
        if direct is self.writers(person):
            return False
        self._of(person).direct = direct
        self._keep(person)
        return True

    def ignore(self, person: int, other: int, name: str, network: str) -> Code:
        """The person wants to read nothing of the other one, whose name this is. network: from where"""
        settings = self._settings.get(person)
        if self.ignores(person, other):
            return Code.ALREADY
        if settings is not None and len(settings.ignored) >= self._limits.ignored:
            return Code.TOO_MANY
        moved = len(settings.ignored) if settings is not None and settings.network != network else 0
        if self._of_network.get(network, 0) + moved >= self._limits.ignored_of_network:
            return Code.FULL
        if self._entries >= self._limits.ignored_in_sum:
            return Code.FULL
        settings = self._of(person)
        self._count(settings.network, -moved)
        settings.network = network
        self._count(network, moved)
        self._add(settings, other, name)
        self._keep(person)
        return Code.OK

    def _add(self, settings: _Settings, other: int, name: str) -> None:
        settings.ignored[other] = name
        self._ignoring.setdefault(other, {})[settings.person] = None
        self._entries += 1
        self._count(settings.network, 1)

    def _count(self, network: str, more: int) -> None:
        number = self._of_network.pop(network, 0) + more
        if number:
            self._of_network[network] = number

    def unignore(self, person: int, other: int) -> bool:
        """The person reads the other one again; False: it did before."""
        if not self.ignores(person, other):
            return False
        settings = self._settings[person]
        del settings.ignored[other]
        self._drop(settings, other)
        self._keep(person)
        return True

    def _drop(self, settings: _Settings, other: int) -> None:
        """`other` is not on this person's list any more."""
        of_other = self._ignoring[other]
        del of_other[settings.person]
        if not of_other:
            del self._ignoring[other]
        self._entries -= 1
        self._count(settings.network, -1)

    def forget(self, person: int) -> None:
        """Nobody is this person any more: forget what it has set, and who ignores it."""
        settings = self._settings.pop(person, None)
        if settings is not None:
            for other in settings.ignored:
                self._drop(settings, other)
            self._ledger.change("person", str(person), None)
        for ignoring in list(self._ignoring.get(person, ())):
            self.unignore(ignoring, person)

    def _of(self, person: int) -> _Settings:
        return self._settings.setdefault(person, _Settings(person))

    def _keep(self, person: int) -> None:
        """Store what the person has set; nothing, when it is as with everybody else."""
        settings = self._settings[person]
        if settings.ignored or settings.direct is not Writers.SHARED:
            self._ledger.change("person", str(person), settings.record)
        else:
            del self._settings[person]
            self._ledger.change("person", str(person), None)

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """What all have set."""
        return [settings.record() for settings in self._settings.values()]

    def restore(self, record: Record) -> None:
        """Take what a person has set."""
        value = json.loads(record.value or "{}")
        settings = self._of(int(record.key))
        settings.direct, settings.network = Writers(value["direct"]), value.get("network", "")
        for other, name in value["ignored"]:
            self._add(settings, other, name)

"""Holders: who has which name at the moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from chatroom.session import Session


@dataclass(slots=True, eq=False)
class Holder:
    """Who has a name: a person, or a newcomer that is no person yet. A person has one name at a time.

    person:    its number; 0 for a newcomer
    name:      as written
    name_key:  as name_key() returns it
    skeletons: what the name looks like
    sessions:  with which the name is held, by key: those that are not ABSENT
    """

    person: int
    name: str
    name_key: str
    skeletons: tuple[str, ...]
    sessions: dict[str, Session] = field(default_factory=dict)


class Holders:
    """The names that are taken by sessions. All sessions of a holder have its name."""

    def __init__(self) -> None:
        self._by_key: dict[str, Holder] = {}
        self._by_look: dict[str, dict[str, Holder]] = {}  # by skeleton, by name_key
        self._by_person: dict[int, Holder] = {}

    def of_person(self, person: int) -> Holder | None:
        """The holder that is this person."""
        return self._by_person.get(person)

    def of_key(self, name_key: str) -> Holder | None:
        """Who has this name."""
        return self._by_key.get(name_key)

    def of(self, session: Session) -> Holder | None:
        """The holder to which a session belongs; None for one that is ABSENT."""
        holder = self._by_key.get(session.name_key)
        return holder if holder is not None and session.key in holder.sessions else None

    def alike(self, skeletons: Iterable[str]) -> list[Holder]:
        """Who has a name that looks like this, in order of their keys."""
        found = {key: holder for look in skeletons for key, holder in self._by_look.get(look, {}).items()}
        return [found[key] for key in sorted(found)]

    def hold(self, session: Session) -> None:
        """The session has its name from now on. Requires that no other person has it."""
        holder = self.of(session) or (self._by_person.get(session.person) if session.person else None)
        if holder is None:
            holder = Holder(session.person, session.name, session.name_key, session.skeletons)
            self._take(holder)
            self.meet(holder, session.person)
        holder.sessions[session.key] = session

    def meet(self, holder: Holder, person: int) -> None:
        """The newcomer has got the number of its person."""
        holder.person = person
        if person:
            self._by_person[person] = holder

    def give_back(self, session: Session) -> None:
        """The session has its name no longer, if it had it. The name is free when it was the last one."""
        holder = self.of(session)
        if holder is None:
            return
        del holder.sessions[session.key]
        if holder.sessions:
            return
        self._by_person.pop(holder.person, None)
        self._give_back(holder)

    def rename(self, holder: Holder, name: str, name_key: str, skeletons: tuple[str, ...]) -> None:
        """The holder has another name; the caller renames its sessions. Requires that no other one has it."""
        self._give_back(holder)
        holder.name, holder.name_key, holder.skeletons = name, name_key, skeletons
        self._take(holder)

    def _take(self, holder: Holder) -> None:
        self._by_key[holder.name_key] = holder
        for look in holder.skeletons:
            self._by_look.setdefault(look, {})[holder.name_key] = holder

    def _give_back(self, holder: Holder) -> None:
        del self._by_key[holder.name_key]
        for look in holder.skeletons:
            of_look = self._by_look[look]
            del of_look[holder.name_key]
            if not of_look:
                del self._by_look[look]

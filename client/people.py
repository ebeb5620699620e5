"""Who is in one place, as far as the server tells."""

from __future__ import annotations

from typing import Final

from chatroom.events import (
    SET_COUNTED,
    Event,
    EventKind,
    Extra,
    Setting,
    extra_number,
    extra_rows,
    joined_role,
)
from chatroom.limits import MAX_LISTED
from chatroom.packets import Channel, Present, Role

_DIGITS: Final = 10  # of the largest number that a channel's size can be
_ROLES: Final = frozenset(Role)
_SHARED: Final = (EventKind.QUIT, EventKind.RENAMED)
"""These are of no place: they change each list that their author is in."""


class People:
    """Who is in one place: the list of CHANNEL, changed by events; without one, what COUNTED says.

    For the thread whose turn it is.
    """

    def __init__(self, channel: Channel) -> None:
        self.number = channel.size
        self._is_direct = bool(channel.settings & Setting.DIRECT)  # its two persons stay the same
        self._listed: dict[int, Present] | None = None
        if len(channel.members) == channel.size:
            self._listed = {member.person: member for member in channel.members}

    @property
    def listed(self) -> list[Present]:
        """Everybody; empty when only their number is known."""
        return list((self._listed or {}).values())

    def name_of(self, person: int) -> str:
        """The name of a person who is listed, else an empty text."""
        found = (self._listed or {}).get(person)
        return found.name if found is not None else ""

    def happened(self, event: Event) -> None:
        """Take an event of this place, or one of no place."""
        persons = self._listed
        if persons is None or (self._is_direct and event.kind is not EventKind.RENAMED):
            return
        if event.kind is EventKind.JOINED:
            known = persons.get(event.person)  # a list that is newer than the event knows the role better
            role = known.role if known else joined_role(event.extra)
            persons[event.person] = Present(event.person, role, event.author)
        elif event.kind in (EventKind.LEFT, EventKind.QUIT):
            persons.pop(event.person, None)
        elif event.kind is EventKind.KICKED:
            persons.pop(extra_number(event.extra, Extra.TARGET), None)
        elif event.kind is EventKind.RENAMED and event.person in persons:
            persons[event.person] = persons[event.person]._replace(name=event.text)
        elif event.kind is EventKind.LISTED:
            self._set_role(event)
        elif event.kind is EventKind.SET and event.extra == SET_COUNTED:
            self._listed = None
        self.number = len(persons)
        if len(persons) > MAX_LISTED:  # no server lists so many: a list without an end is not kept
            self._listed = None

    def counted(self, text: str) -> None:
        """COUNTED has come with this text."""
        if text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
            self._listed = None
            self.number = int(text)

    def _set_role(self, event: Event) -> None:
        target = extra_number(event.extra, Extra.TARGET)
        known = self._listed.get(target) if self._listed else None
        if self._listed and known is not None:
            self._listed[target] = known._replace(role=new_role(event, known.role))


def new_role(listed: Event, before: int) -> int:
    """The role of its target after a LISTED, as far as that is known: the highest counts. before: its role"""
    which = extra_number(listed.extra, Extra.LIST)
    if which not in _ROLES:
        return before
    if extra_rows(listed.extra).get(Extra.REMOVED) == b"\x01":
        return Role.MEMBER if which >= before else before
    return max(which, before)


def is_shared(event: Event) -> bool:
    """Whether an event of no place changes the lists of the places in which its author or target is."""
    return event.kind in _SHARED or (event.kind is EventKind.LISTED and not event.place)

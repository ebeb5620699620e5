"""Where the user may only read: muted, or in a moderated channel without voice; as far as a client can know.

CHANNEL tells the settings and the role, events tell what changes. Of a mute that was set before this client
came, or that means a network, the server tells nothing until a line is refused.
"""

from __future__ import annotations

from typing import TypeVar

from chatroom.events import Event, EventKind, Setting
from chatroom.limits import MAX_TIME
from chatroom.moments import LocalTime, local_time
from chatroom.outcomes import Code
from chatroom.packets import Answer, Role
from chatroom.places import EVERYWHERE
from client.limits import LONGEST_WAIT, MAX_ROOMS
from client.requests import rows_of
from client.rooms import Room

_Value = TypeVar("_Value")

_WHOLE: int = 0
"""The place that is the whole chatroom."""


class Silence:
    """What is known of it, by place. In the main thread; moments are in milliseconds since 1970."""

    def __init__(self) -> None:
        self._mutes: dict[int, int] = {}  # until when; 0: until it is taken back
        self._called: dict[int, None] = {}  # where it is the user's turn to speak
        self._refused: dict[int, None] = {}  # where the server says that a role is needed

    def take(self, event: Event, me: int) -> None:
        """An event has come. me: the user's person"""
        about_me = bool(event.target) and event.target == me
        match event.kind:
            case EventKind.LISTED if about_me:
                self._refused.pop(event.place, None)
                if event.list == "mute" and not event.removed:
                    _note(self._mutes, event.place, event.until)
                elif event.list in ("mute", "exempt"):
                    self._mutes.pop(event.place, None)
            case EventKind.CALLED:
                self._called.pop(event.place, None)
                if about_me:
                    _note(self._called, event.place, None)
                    self._refused.pop(event.place, None)
            case EventKind.SET:
                self._refused.pop(event.place, None)
            case EventKind.SAID if event.person == me:  # the server has taken it
                for place in (event.place, _WHOLE):
                    self._mutes.pop(place, None)
                self._refused.pop(event.place, None)

    def refused(self, answer: Answer, place: int) -> None:
        """A line has not been said there."""
        if answer.code == Code.NEED_ROLE and place:
            _note(self._refused, place, None)
        elif answer.code == Code.MUTED:
            match rows_of(answer.rows):
                case (str(name), int(until), str()):
                    where = _WHOLE if name in ("", EVERYWHERE) else place
                    _note(self._mutes, where, min(until, MAX_TIME))

    def words(self, room: Room | None, now: int, time_of: LocalTime = local_time) -> str:
        """Why the user may only read there; empty: that is not known, or not so."""
        if room is None:
            return ""
        for place in (_WHOLE, room.place):
            until = self._mutes.get(place)
            if until is not None and (not until or until > now):
                end = f" until {_clock(until, now, time_of)}" if until else ""
                return f"you are muted{end}"
        moderated = bool(room.settings & Setting.MODERATED) and room.role < Role.VOICE
        if (moderated and room.place not in self._called) or room.place in self._refused:
            return "the channel is quiet (/hand)"
        return ""

    def wait(self, now: int) -> float | None:
        """Seconds until a mute ends, at most LONGEST_WAIT; None: none does."""
        ends = [until for until in self._mutes.values() if until > now]
        return min((min(ends) - now) / 1000, LONGEST_WAIT) if ends else None

    def forget(self) -> None:
        """The server has another history: its places have other numbers."""
        self._mutes.clear()
        self._called.clear()
        self._refused.clear()


def _note(notes: dict[int, _Value], place: int, value: _Value) -> None:
    """Note it of a place; of those that were noted first no more than MAX_ROOMS stay."""
    notes.pop(place, None)
    notes[place] = value
    if len(notes) > MAX_ROOMS:
        del notes[next(iter(notes))]


def _clock(moment: int, now: int, time_of: LocalTime) -> str:
    then, today = time_of(moment), time_of(now)
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%Y-%m-%d %H:%M}"

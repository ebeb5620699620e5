"""What a command has changed is told by its event, and again by its answer. The user reads one of them."""

from __future__ import annotations

from typing import Final

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code

_LISTED: Final = (EventKind.LISTED,)
_OUT: Final = (EventKind.LISTED, EventKind.KICKED)

_BY_EVENT: Final[dict[str, tuple[EventKind, ...]]] = {
    "/topic": (EventKind.TOPIC,),
    "/nick": (EventKind.RENAMED,),
    **dict.fromkeys(("/away", "/back"), (EventKind.AWAY,)),
    **dict.fromkeys(("/register", "/unregister"), (EventKind.ACCOUNT,)),
    **dict.fromkeys(("/set", "/hush", "/slow"), (EventKind.SET,)),
    **dict.fromkeys(("/kick", "/kill"), (EventKind.KICKED,)),
    **dict.fromkeys(("/ban", "/suspend"), _OUT),
    **dict.fromkeys(("/unban", "/unsuspend", "/mute", "/unmute", "/exempt", "/unexempt"), _LISTED),
    **dict.fromkeys(("/invite", "/uninvite", "/voice", "/unvoice", "/op", "/deop", "/transfer"), _LISTED),
    "/move": (EventKind.MOVED,),
    "/close": (EventKind.CLOSED,),
    "/announce": (EventKind.ANNOUNCED,),
    "/reveal": (EventKind.REVEALED,),
    "/ask": (EventKind.ASKED,),
}
"""Commands whose events tell all that the answers tell."""

_BY_ANSWER: Final = {"/hand": EventKind.HAND, "/next": EventKind.CALLED}
"""Commands whose answers tell more: the number in the queue, how many hands are left."""

_NAMELESS: Final = (EventKind.ASKED,)
"""Events that do not tell who made them."""


class ToldOnce:
    """The commands that wait for their answers, and which of their events the user has seen.

    In the main thread. The events of a command come before its answer; of one that was refused none come.
    """

    def __init__(self) -> None:
        self._commands: dict[int, str] = {}  # by the ids of those that wait
        self._seen: set[EventKind] = set()

    def given(self, id: int, command: str) -> None:
        """A command was sent. command: its first word"""
        word = command.lower()
        if id and (word in _BY_EVENT or word in _BY_ANSWER):
            self._commands[id] = word

    def hides(self, event: Event, me: int) -> bool:
        """Whether the answer that follows will tell it, so that it is not shown. me: the user's person"""
        if event.person != me or event.target == me:
            return False
        return any(_BY_ANSWER.get(word) is event.kind for word in self._commands.values())

    def shown(self, event: Event, me: int) -> None:
        """The user sees an event."""
        mine = event.person == me or event.kind in _NAMELESS
        if mine and any(event.kind in _BY_EVENT.get(word, ()) for word in self._commands.values()):
            self._seen.add(event.kind)

    def answered(self, id: int, code: int) -> bool:
        """A command was answered; whether the user knows from an event what the answer tells."""
        kinds = _BY_EVENT.get(self._commands.pop(id, ""), ())
        known = code == Code.OK and not self._seen.isdisjoint(kinds)
        self._seen = self._seen.difference(kinds) if self._commands else set()
        return known

    def unanswered(self, id: int) -> None:
        """A command will not be answered."""
        self._commands.pop(id, None)

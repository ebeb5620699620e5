"""Who was called otherwise before: whoever writes to an earlier name is told the present one."""

from __future__ import annotations

from typing import Final

from chatroom.events import Event, EventKind
from chatroom.limits import NAME_BYTES
from chatroom.names import name_key
from client.limits import KEPT_RENAMES

_ARGUMENTS: Final = 2
"""Of so many words of a command one may be the name that it is about."""


class Renames:
    """The latest of them that this client has seen. In the main thread."""

    def __init__(self) -> None:
        self._now: dict[str, tuple[str, int]] = {}
        """The present name and the person, by the key of the earlier name, the latest last."""

    def happened(self, event: Event) -> None:
        """Take an event that tells who has a name."""
        match event.kind:
            case EventKind.RENAMED if len(event.text) <= NAME_BYTES:
                self._rename(event.author, event.text, event.person)
            case EventKind.JOINED:
                self._now.pop(name_key(event.author), None)
            case EventKind.QUIT:
                self._forget(event.person)
            case EventKind.ERASED:
                self._forget(event.target)

    def _rename(self, before: str, after: str, person: int) -> None:
        for key, (_, whose) in self._now.items():
            if whose == person:
                self._now[key] = (after, person)
        self._now.pop(name_key(before), None)
        self._now[name_key(before)] = (after, person)
        self._now.pop(name_key(after), None)  # also who takes an earlier name again
        if len(self._now) > KEPT_RENAMES:
            del self._now[next(iter(self._now))]

    def _forget(self, person: int) -> None:
        self._now = {key: (name, whose) for key, (name, whose) in self._now.items() if whose != person}

    def hint(self, arguments: str) -> str:
        """The end of a sentence that says that nobody has a name; empty: this client knows no better.

        arguments: of the command that named somebody
        """
        for word in arguments.split(None, _ARGUMENTS)[:_ARGUMENTS]:
            name = word.lstrip("@+")
            now, _ = self._now.get(name_key(name), ("", 0))
            if now:
                return f"; {name} is {now} now"
        return ""

    def forget(self) -> None:
        """The server has another history, with other persons."""
        self._now.clear()

"""Who was called otherwise before: whoever writes to an earlier name is told the present one."""

from __future__ import annotations

from typing import Final

from chatroom.events import Event, EventKind
from chatroom.names import name_key
from client.limits import KEPT_RENAMES

_ARGUMENTS: Final = 2
"""Of so many words of a command one may be the name that it is about."""


class Renames:
    """The latest of them that this client has seen. In the main thread."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}  # the present name, by the key of the earlier one, the latest last

    def happened(self, event: Event) -> None:
        """Take an event that tells who has a name."""
        match event.kind:
            case EventKind.RENAMED:
                self._rename(event.author, event.text)
            case EventKind.JOINED:
                self._now.pop(name_key(event.author), None)
            case EventKind.QUIT:
                self._now = {key: name for key, name in self._now.items() if name != event.author}

    def _rename(self, before: str, after: str) -> None:
        self._now = {key: after if name == before else name for key, name in self._now.items()}
        self._now.pop(name_key(before), None)
        self._now[name_key(before)] = after
        self._now.pop(name_key(after), None)  # also who takes an earlier name again
        if len(self._now) > KEPT_RENAMES:
            del self._now[next(iter(self._now))]

    def hint(self, arguments: str) -> str:
        """The end of a sentence that says that nobody has a name; empty: this client knows no better.

        arguments: of the command that named somebody
        """
        for word in arguments.split(None, _ARGUMENTS)[:_ARGUMENTS]:
            name = word.lstrip("@+")
            if now := self._now.get(name_key(name), ""):
                return f"; {name} is {now} now"
        return ""

    def forget(self) -> None:
        """The server has another history, with other persons."""
        self._now.clear()

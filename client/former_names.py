"""Names that people had before, as far as this client has seen them change."""

from __future__ import annotations

from collections import OrderedDict

from chatroom.events import Event, EventKind
from chatroom.limits import NAME_BYTES
from chatroom.names import name_key
from client.limits import FORMER_NAMES


class FormerNames:
    """Who was called so, and how that person is called now. In the main thread."""

    def __init__(self) -> None:
        self._persons: OrderedDict[str, int] = OrderedDict()  # by key of a name that somebody had
        self._names: dict[int, str] = {}  # of these persons, as they are called now

    def take(self, event: Event) -> None:
        """An event has come."""
        if event.kind is EventKind.RENAMED and event.person and len(event.text) <= NAME_BYTES:
            key = name_key(event.author)
            self._persons.pop(key, None)
            self._persons[key] = event.person
            self._names[event.person] = event.text
            while len(self._persons) > FORMER_NAMES:
                self._forget(self._persons.popitem(last=False)[1])
        elif event.kind is EventKind.ERASED:
            for key in [key for key, person in self._persons.items() if person == event.target]:
                del self._persons[key]
            self._names.pop(event.target, None)

    def _forget(self, person: int) -> None:
        if person not in self._persons.values():
            self._names.pop(person, None)

    def now(self, name: str) -> str:
        """How whoever was called so is called now; empty: nobody was, or it is the same name."""
        key = name_key(name.removeprefix("@"))
        now = self._names.get(self._persons.get(key, 0), "")
        return now if name_key(now) != key else ""

    def forget(self) -> None:
        """The server has another history, with other persons."""
        self._persons.clear()
        self._names.clear()

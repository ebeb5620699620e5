"""The first updates of a terminal are held until it is known whose lines its user does not want to see."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.events import Event
from chatroom.packets import Answer
from client.answers import size_of
from client.limits import HELD_BYTES
from client.resume import ANEW
from client.updates import CaughtUp, Connected, Disconnected, Ended, Interrupted, Unanswered, Update


class Held:
    """Holds updates from the first event on: a client gives no command before the greeting is over.

    None is lost: when the connection ends before the answer, they are shown as they are. In the main thread.

    ask: asks the server whose lines the user does not want to see; the id of the command, 0: it was not sent
    """

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._asked = 0  # the id of the command; 0: none yet
        self._known = False  # the answer has come
        self._holds = True
        self._updates: list[Update] = []
        self._size = 0  # about so many bytes are held

    def take(self, update: Update) -> list[Update]:
        """An update has come: what is to be shown now, in order."""
        match update:
            case Answer(id=id) | Unanswered(id=id) if id == self._asked and id:
                self._known = self._known or isinstance(update, Answer)
                return [update, *self._release()]
            case Disconnected() | Ended():
                return [*self._release(), update]
            case Connected():
                self._holds = not self._known
            case Interrupted(how=how) if how in ANEW:  # whom a number means there is not known
                self._known, self._holds = False, True
            case CaughtUp():
                self._asked = self._ask()
                if not self._asked:
                    return [*self._release(), update]
        if not self._holds or not (self._updates or isinstance(update, Event | CaughtUp)):
            return [update]
        self._updates.append(update)
        self._size += size_of(update) if isinstance(update, Event) else 0
        return self._release() if self._size > HELD_BYTES else []

    def _release(self) -> list[Update]:
        """Hold nothing more; what was held."""
        updates, self._updates, self._size, self._holds = self._updates, [], 0, False
        return updates

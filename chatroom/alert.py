"""The alert: what operators have to know as long as it lasts, such as that the disk is nearly full."""

from __future__ import annotations

from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.presence import Presence, Seat
from chatroom.state import State


class Alert:
    """Tells each operator of the whole chatroom once: who is in at once, others when they come in.

    A connection that comes back after it broke is not told again. Confined to the forwarder's thread.
    """

    def __init__(self, state: State, presence: Presence) -> None:
        self._state = state
        self._presence = presence
        self._text = ""
        self._told: set[int] = set()  # persons

    def begin(self, text: str) -> None:
        """From now on there is this alert, perhaps in place of another one."""
        self._text = text
        self._told.clear()
        for seat in self._presence.live:
            self._inform(seat, text)

    def end(self, text: str) -> None:
        """There is no alert any more; who is in is told this."""
        self._text = ""
        for seat in self._presence.live:
            self._inform(seat, text)

    def tell(self, seat: Seat) -> None:
        """Tell a connection that has just gone live, unless its person knows."""
        if self._text and seat.person not in self._told:
            self._inform(seat, self._text)

    def forget(self, person: int) -> None:
        """The person comes in anew: it is told again."""
        self._told.discard(person)

    def _inform(self, seat: Seat, text: str) -> None:
        if self._state.role(seat.person, WHOLE_CHATROOM) >= Role.OPERATOR:
            seat.connection.inform(text)
            self._told.add(seat.person)

"""Updates: everything that a client tells its user, in one order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chatroom.errors import ChatroomError
from chatroom.events import Event
from chatroom.packets import Answer, Channel, Info, Resumed


class Connected(NamedTuple):
    """Admitted, under this name and to this channel. `resumed`: not for the first time."""

    name: str
    channel: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """After a reconnect: the events of others that follow, up to CaughtUp, happened in the meantime.

    gap: older ones may be gone, because the server does not keep them that long
    """

    gap: bool = False


class Interrupted(NamedTuple):
    """After Connected: the server cannot give exactly what was missed; `words` say so to a person.

    how: GAP: events are gone by retention. OTHER_HISTORY, RESTORED: the latest lines of what the server has
         come instead, and their seqs are not those of before
    """

    how: Resumed
    words: str


class CaughtUp(NamedTuple):
    """The history that the client asked for is complete; the events that follow happen now.

    seq:     the history is complete up to this seq
    resumed: not for the first time
    """

    seq: int
    resumed: bool


class Disconnected(NamedTuple):
    """The connection was lost. The client tries to reconnect, at first at once, unless Ended follows."""

    reason: str


class Retrying(NamedTuple):
    """The last try failed, too; the next one comes after `seconds`."""

    seconds: float
    reason: str


class Unanswered(NamedTuple):
    """The server did not answer this line or command, the connection was lost, and it is not sent again.

    id, text: of the line or command
    words:    what is known about it: not stored, or not known
    """

    id: int
    text: str
    words: str


class Ended(NamedTuple):
    """The last update. `error` is None when the user closed the client."""

    reason: str
    error: ChatroomError | None


Update = (
    Event
    | Answer
    | Info
    | Channel
    | Connected
    | Interrupted
    | Missed
    | CaughtUp
    | Unanswered
    | Disconnected
    | Retrying
    | Ended
)
"""`Client.updates()` and `Client.poll()` give these."""

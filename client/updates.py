"""Updates: everything that a client tells its user, in one order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from chatroom.errors import ChatroomError
from chatroom.events import Event
from chatroom.packets import Answer, Channel, Info, Resumed


class OwnInfo(Info):
    """As INFO, but said by this program, and not by the server."""

    __slots__ = ()


class Connected(NamedTuple):
    """Admitted, under this name and to this channel.

    resumed: not for the first time
    account: the name of the account; empty for a guest
    """

    name: str
    channel: str
    resumed: bool
    account: str = ""


class LoggedIn(NamedTuple):
    """`Client.login` was right: from now on the client is the person of this account, under this name."""

    name: str
    account: str


class NotLoggedIn(NamedTuple):
    """`Client.login` has failed; everything is as before. `code` is for programs, 0 for none."""

    reason: str
    code: int


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


INTERRUPTED: Final = {
    Resumed.GAP: "some of what you missed is gone: the server does not keep it that long",
    Resumed.OTHER_HISTORY: "the server has another history now; what was said before is not in it",
    Resumed.RESTORED: "the server has gone back to an older copy of its history; later lines are not in it",
}
"""What the user is told when the server cannot give exactly what was missed."""


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


class Past(NamedTuple):
    """Events of the past that the command `id` asked for. Its Answer follows.

    They are no news: they may have been given before, and some are older than all that were.
    """

    id: int
    events: tuple[Event, ...]


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
    | LoggedIn
    | NotLoggedIn
    | Interrupted
    | Missed
    | CaughtUp
    | Past
    | Unanswered
    | Disconnected
    | Retrying
    | Ended
)
"""`Client.updates()` and `Client.poll()` give these."""


def logged_in(name: str, account: str) -> str:
    """For persons: the end of a sentence that says who they are."""
    if not account:
        return ""
    return ", logged in" if name == account else f", logged in to the account {account}"

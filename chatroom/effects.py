"""Effects: what is to be done when the events of an entry are stored. Data, made by the state.

An effect names a connection by its number and its server's life, so each server carries out its own. Only a
signal names none: each server gives it to its own members.
"""

from __future__ import annotations

from typing import NamedTuple

from chatroom.events import Event
from chatroom.outcomes import Code, Outcome

Origin = tuple[str, int, int]
"""A connection for all time: the server, the life of that server (epoch), the number of the connection."""


class NameAnswer(NamedTuple):
    """Tell the newcomer what became of its question for a name."""

    origin: Origin
    outcome: Outcome


class Answer(NamedTuple):
    """Tell the member what became of its line or command with the id `request`.

    command: its name, "" for a line
    """

    origin: Origin
    request: int
    outcome: Outcome
    command: str = ""


class Admit(NamedTuple):
    """The connection belongs to a member now: greet it, replay what it missed, go live.

    person:    number of the member
    name:      of the member
    confirmed: highest message id that was applied in its session
    head:      seq of the latest event before the connection's own; what is later comes after the replay
    """

    origin: Origin
    person: int
    name: str
    confirmed: int
    head: int


class Joined(NamedTuple):
    """The member has entered a channel, or a direct conversation of it has begun: this connection gets the
    place from now on.

    Carried out before the events after `after` are delivered: the description comes before JOINED.

    place: number of the channel or conversation
    after: seq of the latest event that the connection does not get from there
    """

    origin: Origin
    place: int
    after: int = 0


class Left(NamedTuple):
    """The member has left a channel: this connection gets nothing more from there.

    Carried out when the events up to `until` are delivered, LEFT or CLOSED among them.

    place:  number of the channel
    until:  seq of the latest event that the connection gets from there
    signal: LEFT of a channel in which leaving makes no event: the member's own programs have to know
    """

    origin: Origin
    place: int
    until: int
    signal: Event | None = None


class End(NamedTuple):
    """End the connection, and tell it the reason as a code.

    Carried out when the events up to `until` are delivered: it gets nothing of what follows in the round.

    detail: what is known beside the code, may be empty
    until:  seq of the latest event that the connection gets; 0 of one that gets none, as it was not let in
    """

    origin: Origin
    code: Code
    detail: str = ""
    until: int = 0


class Gone(NamedTuple):
    """The connection belongs to no member any more; it has ended by itself."""

    origin: Origin


class Signal(NamedTuple):
    """Tell the members of the event's place that are live. It has no seq, and is not stored."""

    event: Event


class OwnSignal(NamedTuple):
    """Tell one connection of something that concerns its person only. It has no seq, and is not stored."""

    origin: Origin
    event: Event


Effect = NameAnswer | Answer | Admit | Joined | Left | End | Gone | Signal | OwnSignal

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
    """Tell the member what became of its line or command with the id `request`."""

    origin: Origin
    request: int
    outcome: Outcome


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


class End(NamedTuple):
    """End the connection, and tell it the reason as a code."""

    origin: Origin
    code: Code


class Gone(NamedTuple):
    """The connection belongs to no member any more; it has ended by itself."""

    origin: Origin


class Signal(NamedTuple):
    """Tell the members of the event's place that are live. It has no seq, and is not stored."""

    event: Event


Effect = NameAnswer | Answer | Admit | End | Gone | Signal

"""Doors and their connections, as the chatroom uses them. The sockets belong to the server.

A door is a way in that speaks one protocol (native, later IRC, …). It makes the connections, turns an event
to bytes once for all its members, and words everything that is said to a member.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatroom.events import Event
from chatroom.packets import Bye, Command, Say


class Door(Protocol):
    """One protocol onto the chatroom."""

    @property
    def echoes(self) -> bool:
        """Whether the author of a line gets the line back, as the proof that it is stored."""

    def encode(self, event: Event) -> bytes:
        """The event as this protocol writes it."""


class Connection(Protocol):
    """One peer, seen from the chatroom. Any thread may call all but receive() and release()."""

    @property
    def door(self) -> Door:
        """The door that made it; members of one door get the same bytes."""

    @property
    def peer(self) -> str:
        """The peer's address, for the log."""

    def receive(self) -> Sequence[Say | Command | Bye]:
        """Wait for the next burst; empty when the peer has closed. Called by the handler only.

        Raises ProtocolError, or ConnectionLost; when the server ended the connection, with its reason.
        """

    def submitting(self, submitting: bool) -> None:
        """Note that the handler waits at the queue, or goes on. While it waits, silence is not counted."""

    def send(self, data: bytes) -> None:
        """Send without waiting; bytes that the peer does not take now are buffered and sent later, in order.

        Raises nothing: the connection of a peer that is gone or too far behind ends itself.
        """

    def welcome(self, name: str, channel: str, token: bytes, confirmed: int, head: int) -> None:
        """Greet a new member.

        token:     with it the member can come back to its session
        confirmed: highest message id of the session that is stored, 0 for none
        head:      seq of the latest event
        """

    def live(self, seq: int) -> None:
        """Say that the replay is complete up to `seq`, and that events are live from here on."""

    def confirm(self, id: int) -> None:
        """Say that the line with this message id was stored before."""

    def notice(self, text: str, id: int = 0) -> None:
        """Say something to this peer only. id: the message id that it answers, 0 for none."""

    def wait_until_taken(self, size: int) -> bool:
        """Wait until at most `size` bytes are buffered for the peer; False when the connection is ending."""

    def part(self, reason: str, again: bool) -> None:
        """Say goodbye, without waiting. again: the peer may come back at once.

        receive() then ends with ConnectionLost, as soon as the peer has closed or had its time to.
        """

    def release(self) -> None:
        """Wait until the peer has closed, then let the door close the connection. The handler's last act."""

"""What the chatroom asks of a connection. The sockets behind it are the server's.

A door is a way in that speaks one protocol: it turns an event to bytes once, for all its members.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatroom.events import Event
from chatroom.packets import Bye, Command, Confirm, Live, Notice, Say, Welcome


class Door(Protocol):
    """One protocol onto the chatroom (native, later IRC, …)."""

    def encode(self, event: Event) -> bytes:
        """The event as this protocol writes it."""


class Connection(Protocol):
    """One peer, seen from the chatroom. Every method may be called from any thread."""

    @property
    def door(self) -> Door:
        """The door it came in by; members of one door get the same bytes."""

    @property
    def peer(self) -> str:
        """Who is there, for the log: an address."""

    def receive(self) -> Sequence[Say | Command | Bye]:
        """Wait for the next burst; empty when the peer has closed.

        Raises ProtocolError (its `before` is done with already) or ConnectionLost. Only the handler calls it.
        """

    def submitting(self, busy: bool) -> None:
        """The handler is (not any more) waiting at the queue; its peer's silence is not the peer's fault."""

    def send(self, data: bytes) -> None:
        """Send without waiting; what the peer does not take now is kept, in order, and sent later.

        Never raises: a peer that is gone, or too far behind, ends its own connection.
        """

    def tell(self, packet: Welcome | Live | Confirm | Notice) -> None:
        """Send something that is for this peer only, without waiting."""

    def wait_until_taken(self, size: int) -> bool:
        """Wait until at most `size` bytes are kept for the peer; False when the connection has ended."""

    def end(self, reason: str, again: bool) -> None:
        """Say goodbye, without waiting. `again`: the peer may come back at once.

        `receive` ends with ConnectionLost when the peer has gone, or has had its time to go.
        """

    def close(self) -> None:
        """Give the connection back, once the goodbye was heard. Called by the handler, as its last act."""

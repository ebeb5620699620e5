"""Doors and their connections, as the chatroom uses them. The sockets belong to the server.

A door is a way in that speaks one protocol (native, later IRC, …). It makes the connections, turns an event
to bytes once for all its members, and words everything that is said to a member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst, Bye, Channel, Command, Welcome


class Door(Protocol):
    """One protocol onto the chatroom."""

    @property
    def echoes(self) -> bool:
        """Whether the author of a line gets the line back, as the proof that it is stored."""

    def translate(self, packets: bytes) -> bytes:
        """The packets of events, as this protocol writes them; our own protocol returns the same object."""

    def encode_channel(self, channel: Channel) -> bytes:
        """The description of a channel as this protocol writes it."""


class Connection(Protocol):
    """One peer, seen from the chatroom. Any thread may call all but receive() and release()."""

    @property
    def door(self) -> Door:
        """The door that made it; members of one door get the same bytes."""

    @property
    def peer(self) -> str:
        """The peer's address, for the log."""

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read what is sent."""

    @property
    def backlog(self) -> int:
        """Bytes that the peer has not taken yet."""

    @property
    def heard(self) -> float:
        """When bytes last came, or the handler last went on; seconds of `time.monotonic`."""

    def receive(self) -> Sequence[Burst | Command | Bye]:
        """Wait for the next burst; empty when the peer has closed. Called by the handler only.

        Raises ProtocolError, or ConnectionLost; when the server ended the connection, with its reason.
        """

    def submitting(self, submitting: bool) -> None:
        """Note that the handler waits at the queue, or goes on. While it waits, silence is not counted."""

    def send(self, data: bytes, shared: bool = False) -> None:
        """Send without waiting; bytes that the peer does not take now are buffered and sent later, in order.

        shared: other connections get the same object, so that it is in memory once
        Raises nothing: the connection of a peer that is gone or too far behind ends itself.
        """

    def greet(self, welcome: Welcome, channels: Sequence[bytes]) -> None:
        """Greet a new member. Events of the past follow, up to live().

        channels: descriptions of its channels, see `Door.encode_channel`
        """

    def live(self, missed: Sequence[bytes], seq: int, time: int, later: Sequence[bytes]) -> None:
        """Say that the replay is complete up to the event `seq` of `time`; from here on, events are live.

        missed, later: events before and after that; other connections get the same objects
        """

    def answer(self, request: int, outcome: Outcome, command: str = "") -> None:
        """Say what became of a line or a command.

        request: its message id
        command: its name, "" for a line
        """

    def answer_with(self, request: int, packets: bytes, outcome: Outcome, command: str) -> None:
        """Answer a command with lines of the past: REPLAY with its id, the lines, its ANSWER, in one send.

        packets: of the lines, in order of seq, in our own protocol
        """

    def inform(self, text: str) -> None:
        """Say something to this peer only, unasked."""

    def when_taken(self, call: Callable[[bool], None]) -> None:
        """Call `call` once, as soon as no bytes are buffered that only this peer gets; any thread may do it.

        It gets False when the connection is ending. It must not wait.
        """

    def when_passed(self, call: Callable[[bool], None]) -> int:
        """Call `call` once, as when_taken(), as soon as the peer has taken all that is buffered now.

        Returns how many bytes that are; 0: it was called already.
        """

    def part(self, code: Code, detail: str = "") -> None:
        """Say goodbye, without waiting. detail: more than the code says, for a person.

        receive() then ends with ConnectionLost, as soon as the peer has closed or had its time to.
        """

    def release(self) -> None:
        """Wait until the peer has closed, then let the door close the connection. The handler's last act."""

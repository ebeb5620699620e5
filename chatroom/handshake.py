"""The handshake as two tables, one for each side: which packet may come at which step, and what step follows.

    client → lobby     HELLO
    client → lobby     USERNAME             server: STATUS FAIL (reason), try again; or STATUS PASS
    server → client    PORT number, ticket  the new socket is listening already
    client → lobby     STATUS PASS, STATUS END; the server answers STATUS END and both close
    client → new port  ADMIT                WELCOME: a member; STATUS FAIL or BYE: not

A packet that has no entry is a protocol error. The caller keeps the time: one deadline over all steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from chatroom.errors import ProtocolError
from chatroom.packets import Admit, Bye, Hello, Packet, Ping, Port, Status, Username, Verdict, Welcome


class Step(Enum):
    """How far a handshake has come. Both sides use the same words."""

    OPENED = "opened"  # connected to the lobby, nothing said yet
    NAMING = "naming"  # the client may ask for a name
    ASKED = "asked"  # client: a USERNAME is out, its STATUS has not come yet
    PASSED = "passed"  # client: the name is given, PORT is still to come
    OFFERED = "offered"  # both sides know the port, the client has not accepted it yet
    TAKEN = "taken"  # the client has said PASS to the port
    ADMITTING = "admitting"  # both sides are done with the lobby and use the new connection
    ADMITTED = "admitted"
    REFUSED = "refused"


Table = Mapping[tuple[Step, type | Verdict], Step]

SERVER: Table = {
    (Step.OPENED, Hello): Step.NAMING,
    (Step.NAMING, Username): Step.NAMING,  # the server itself enters OFFERED when it has reserved the name
    (Step.OFFERED, Verdict.PASS): Step.TAKEN,
    (Step.OFFERED, Verdict.FAIL): Step.REFUSED,  # the client cannot use the port
    (Step.TAKEN, Verdict.END): Step.ADMITTING,
    (Step.ADMITTING, Admit): Step.ADMITTED,
}
"""Packets that the server may receive."""

CLIENT: Table = {
    (Step.OPENED, Verdict.FAIL): Step.REFUSED,  # the server is full, or does not speak this version
    (Step.NAMING, Verdict.FAIL): Step.REFUSED,  # the same, after HELLO; or too many names were tried
    (Step.ASKED, Verdict.FAIL): Step.NAMING,
    (Step.ASKED, Verdict.PASS): Step.PASSED,
    (Step.PASSED, Port): Step.OFFERED,
    (Step.PASSED, Verdict.FAIL): Step.REFUSED,  # here and below: the time is over, or the server stops
    (Step.OFFERED, Verdict.FAIL): Step.REFUSED,
    (Step.TAKEN, Verdict.FAIL): Step.REFUSED,
    (Step.TAKEN, Verdict.END): Step.ADMITTING,
    (Step.ADMITTING, Welcome): Step.ADMITTED,
    (Step.ADMITTING, Verdict.FAIL): Step.REFUSED,
    (Step.ADMITTING, Bye): Step.REFUSED,  # the server stops, or a newer connection takes the session over
    (Step.ADMITTING, Ping): Step.ADMITTING,  # the new connection counts as a member's already; no PONG needed
}
"""Packets that the client may receive."""


class Handshake:
    """One side of one handshake. Give it each packet that comes; it checks that the packet may come now.

    A side calls `enter` for the steps that it takes itself: the server's offer, the client's question.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self.step = Step.OPENED

    def __repr__(self) -> str:
        return f"<Handshake {self.step.value}>"

    def receive(self, packet: Packet) -> Step:
        """The step that follows `packet`. Raises ProtocolError when the packet may not come now."""
        key = packet.verdict if isinstance(packet, Status) else type(packet)
        following = self._table.get((self.step, key))
        if following is None:
            name = f"STATUS {key.name}" if isinstance(key, Verdict) else key.__name__.upper()
            raise ProtocolError(f"{name} cannot come now (handshake {self.step.value})")
        self.step = following
        return following

    def enter(self, step: Step) -> None:
        """Note a step that this side took by itself."""
        self.step = step

"""The handshake as two tables, one a side: which packet may come in which state, and what state follows.

    client → lobby     HELLO
    client → lobby     USERNAME             server: STATUS FAIL (reason), try again; or STATUS PASS
    server → client    PORT number, ticket  the new socket is listening already
    client → lobby     STATUS PASS, STATUS END; the server answers STATUS END and both close
    client → new port  ADMIT                WELCOME: a member; STATUS FAIL: not

A packet that has no entry is a protocol error. Time is the caller's business: one deadline over all steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from chatroom.errors import ProtocolError
from chatroom.packets import Admit, Code, Hello, Packet, Port, Status, Username, Welcome


class State(Enum):
    """Where a handshake stands. Both sides use the same words."""

    OPENED = "opened"  # connected to the lobby, nothing said yet
    NAMING = "naming"  # a name is looked for
    ASKED = "asked"  # client: a USERNAME is out, its STATUS is not here yet
    PASSED = "passed"  # client: the name is ours, PORT is still to come
    OFFERED = "offered"  # the port is known to both, not yet taken
    TAKEN = "taken"  # the client has said PASS to the port
    ADMITTING = "admitting"  # the lobby is done with, on the new connection
    ADMITTED = "admitted"
    REFUSED = "refused"


Table = Mapping[tuple[State, type | Code], State]

SERVER: Table = {
    (State.OPENED, Hello): State.NAMING,
    (State.NAMING, Username): State.NAMING,  # → OFFERED by offer(), when the name was given
    (State.OFFERED, Code.PASS): State.TAKEN,
    (State.OFFERED, Code.FAIL): State.REFUSED,  # the client cannot use the port
    (State.TAKEN, Code.END): State.ADMITTING,
    (State.ADMITTING, Admit): State.ADMITTED,
}
"""What the server may receive."""

CLIENT: Table = {
    (State.OPENED, Code.FAIL): State.REFUSED,  # server full, version not spoken
    (State.NAMING, Code.FAIL): State.REFUSED,  # the same, said after HELLO and before it had read USERNAME
    (State.ASKED, Code.FAIL): State.NAMING,
    (State.ASKED, Code.PASS): State.PASSED,
    (State.PASSED, Port): State.OFFERED,
    (State.TAKEN, Code.END): State.ADMITTING,
    (State.ADMITTING, Welcome): State.ADMITTED,
    (State.ADMITTING, Code.FAIL): State.REFUSED,
}
"""What the client may receive."""


class Handshake:
    """One side of one handshake: give it each packet that comes; it knows whether that packet may.

    The steps that a side takes itself (the server's offer, the client's question) are told with `enter`.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self.state = State.OPENED

    def __repr__(self) -> str:
        return f"<Handshake {self.state.value}>"

    def receive(self, packet: Packet) -> State:
        """The state after `packet`. Raises ProtocolError when it may not come now."""
        key = packet.code if isinstance(packet, Status) else type(packet)
        following = self._table.get((self.state, key))
        if following is None:
            name = f"STATUS {key.name}" if isinstance(key, Code) else key.__name__.upper()
            raise ProtocolError(f"{name} cannot come now (handshake {self.state.value})")
        self.state = following
        return following

    def enter(self, state: State) -> None:
        """Note a step that this side took by itself."""
        self.state = state

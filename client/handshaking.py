"""The client's side of the handshake: from an address and a wish to an admitted connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, NameRefused, Refused
from chatroom.handshake import CLIENT, Handshake, Step
from chatroom.limits import HANDSHAKE_SECONDS
from chatroom.packets import (
    SAME_CONNECTION,
    VERSION,
    Admit,
    Bye,
    Code,
    Decoder,
    Hello,
    Packet,
    Ping,
    Port,
    Status,
    Username,
    Welcome,
    encode,
)
from client.connection import Connection

SOFTWARE = "chatroom client (Python)"

Opener = Callable[[str, int, Deadline], Connection]
"""Connects to host and port; whoever gave it may shut the connection down from another thread."""


class Wish(NamedTuple):
    """What a client wants: see the packets USERNAME and ADMIT."""

    name: str
    token: bytes
    channel: str
    since: int
    lines: int


class Admission(NamedTuple):
    """What it got. `packets` came behind WELCOME in the same bytes; `decoder` may hold the begin of more."""

    connection: Connection
    welcome: Welcome
    packets: list[Packet]
    decoder: Decoder


def admit(
    address: tuple[str, int],
    wish: Wish,
    connect: Opener,
    another_name: Callable[[str], str | None] | None = None,
    seconds: float = HANDSHAKE_SECONDS,
) -> Admission:
    """Go through the whole handshake within `seconds`.

    another_name: called with the reason when a name was refused; the name to try next on the same
                  connection, or None
    Raises NameRefused, Refused, ConnectionLost or ProtocolError; no connection is left open then.
    """
    deadline = Deadline(seconds)
    handshake = Handshake(CLIENT)
    talk = _Talk(connect(*address, deadline), handshake, deadline)
    try:
        name, port = _get_port(talk, wish, another_name)
        talk.send(Status(Code.PASS), Status(Code.END))
        handshake.enter(Step.TAKEN)
        talk.receive()  # STATUS END: the table lets nothing else through
        if port.number != SAME_CONNECTION:
            peer = talk.connection.peer
            talk.connection.close()
            talk = _Talk(connect(peer, port.number, deadline), handshake, deadline)
        talk.send(Admit(name, port.ticket, wish.channel, wish.since, wish.lines))
        answer = talk.receive()
        if not isinstance(answer, Welcome):
            raise Refused(answer.reason if isinstance(answer, Status) else "not admitted")
    except BaseException:  # Ctrl-C in the middle, too, must not leave a connection open
        talk.connection.close()
        raise
    return Admission(talk.connection, answer, list(talk.waiting), talk.decoder)


def _get_port(talk: _Talk, wish: Wish, another_name: Callable[[str], str | None] | None) -> tuple[str, Port]:
    """Ask for names until one is given; that name, and the port that comes with it."""
    talk.send(Hello(VERSION, SOFTWARE))
    talk.handshake.enter(Step.NAMING)
    name, refusals, reason = wish.name, 0, ""
    while True:
        try:
            answer = talk.ask(Username(name, wish.token))
        except ConnectionLost:
            if refusals:  # it was the client as a whole that was refused: the server hung up behind its FAIL
                raise Refused(reason) from None
            raise
        if talk.handshake.step is Step.PASSED:
            break
        refusals, reason = refusals + 1, answer.reason if isinstance(answer, Status) else ""
        following = another_name(reason) if another_name is not None else None
        if following is not None:
            name, refusals = following, 0
        elif refusals > 1:
            raise NameRefused(reason)
        # Otherwise the same name once more: a server that is full says FAIL, too, but then it hangs up.
    port = talk.receive()
    assert isinstance(port, Port)
    return name, port


class _Talk:
    """One connection during the handshake: sends packets, and receives one at a time by the table."""

    def __init__(self, connection: Connection, handshake: Handshake, deadline: Deadline) -> None:
        self.connection = connection
        self.handshake = handshake
        self.decoder = Decoder()
        self.waiting: deque[Packet] = deque()
        self._deadline = deadline

    def send(self, *packets: Packet) -> None:
        self._arm()
        self.connection.send(b"".join(map(encode, packets)))

    def ask(self, question: Username) -> Packet:
        self.send(question)
        self.handshake.enter(Step.ASKED)
        return self.receive()

    def receive(self) -> Packet:
        """The next packet, which the table allows. A BYE is a refusal at any time."""
        while True:
            while not self.waiting:
                self.decoder.check()
                self._arm()
                self._feed(self.connection.receive())
            packet = self.waiting.popleft()
            if isinstance(packet, Bye):
                raise Refused(packet.reason or "the server said goodbye")
            if not isinstance(packet, Ping):  # nobody is thought dead within a handshake
                self.handshake.receive(packet)
                return packet

    def _feed(self, data: bytes | None) -> None:
        if data is None:
            return  # the deadline is looked at next
        self.waiting.extend(self.decoder.feed(data))

    def _arm(self) -> None:
        if self._deadline.expired:
            raise ConnectionLost("the server did not answer the handshake in time")
        self.connection.patience(self._deadline.left())

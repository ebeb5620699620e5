"""The client's side of the handshake: from an address and a name to an admitted connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chatroom.deadline import Deadline
from chatroom.errors import NameRefused, ProtocolError, Refused
from chatroom.exchange import Exchange
from chatroom.handshake import CLIENT, Handshake, Step
from chatroom.limits import HANDSHAKE_SECONDS, LOWEST_PORT, NAME_BYTES
from chatroom.outcomes import Code
from chatroom.packets import (
    SAME_CONNECTION,
    VERSION,
    Admit,
    Bye,
    Decoder,
    Hello,
    Packet,
    Ping,
    Port,
    Status,
    Username,
    Verdict,
    Welcome,
)
from chatroom.printable import printable_line
from client.connection import Connection

SOFTWARE = "chatroom client (Python)"
_ABOUT_THE_NAME = (Code.NAME_TAKEN, Code.NAME_HELD, Code.BAD_NAME)
"""With these codes the server waits for another name."""

Opener = Callable[[str, int, Deadline], Connection]
"""Connects to host and port. Its owner may shut the connection down from another thread."""


class Wish(NamedTuple):
    """The contents of USERNAME and ADMIT: who the client is, and from where on it wants the history."""

    name: str
    token: bytes
    channels: tuple[str, ...]
    since: int
    time: int
    identity: bytes
    lines: int


class Admission(NamedTuple):
    """An admitted connection. `packets` came right behind WELCOME; `decoder` may hold a part of another."""

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
    deadline, handshake = Deadline(seconds), Handshake(CLIENT)
    connection = connect(*address, deadline)
    try:
        exchange = Exchange(connection, deadline)
        name, port = _get_port(exchange, handshake, wish, another_name)
        exchange.send(Status(Verdict.PASS), Status(Verdict.END))
        handshake.enter(Step.TAKEN)
        _receive(exchange, handshake)  # STATUS END: the table allows nothing else
        if port.number != SAME_CONNECTION:
            server = connection.peer
            connection.close()
            connection = connect(server, port.number, deadline)
            exchange = Exchange(connection, deadline)
        _, _, channels, since, time, history, lines = wish
        exchange.send(Admit(name, port.ticket, channels, since, time, history, lines))
        answer = _receive(exchange, handshake)
        assert isinstance(answer, Welcome)  # the table allows nothing else
        check_given_name(answer.name)
    except BaseException:  # Ctrl-C in the middle, too, must not leave a connection open
        connection.close()
        raise
    return Admission(connection, answer, list(exchange.waiting), exchange.decoder)


def _get_port(
    exchange: Exchange, handshake: Handshake, wish: Wish, another_name: Callable[[str], str | None] | None
) -> tuple[str, Port]:
    """Ask for names until the server gives one; that name, and the port that comes with it."""
    exchange.send(Hello(VERSION, SOFTWARE))
    handshake.enter(Step.NAMING)
    name = wish.name
    while True:
        exchange.send(Username(name, wish.token))
        handshake.enter(Step.ASKED)
        answer = _receive(exchange, handshake)
        if handshake.step is Step.PASSED:
            break
        assert isinstance(answer, Status)
        if answer.code not in _ABOUT_THE_NAME:
            raise Refused(answer.reason, answer.code)
        following = another_name(answer.reason) if another_name is not None else None
        if following is None:
            raise NameRefused(answer.reason)
        name = following
    port = _receive(exchange, handshake)
    assert isinstance(port, Port)
    if port.number != SAME_CONNECTION and port.number < LOWEST_PORT:
        raise ProtocolError(
            f"the server sends its clients to port {port.number}; {LOWEST_PORT} is the lowest"
        )
    return name, port


def check_given_name(name: str) -> None:
    """Raise ProtocolError if the server gives the client a name that it cannot use or show."""
    size = len(name.encode())
    if not 0 < size <= NAME_BYTES or printable_line(name) != name:
        raise ProtocolError(f"the server gives a name of {size} bytes that cannot be a name")


def _receive(exchange: Exchange, handshake: Handshake) -> Packet:
    """The next packet, which the table allows. Skips PING.

    Raises Refused for BYE at any time, and for a STATUS FAIL that ends the handshake.
    """
    while True:
        packet = exchange.receive()
        if isinstance(packet, Bye):
            raise Refused(packet.reason or "the server said goodbye", packet.code)
        if not isinstance(packet, Ping):
            if handshake.receive(packet) is Step.REFUSED:
                assert isinstance(packet, Status)
                raise Refused(packet.reason, packet.code)
            return packet

"""The client's side of the handshake: from an address and a name to an admitted connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from chatroom.deadline import Deadline
from chatroom.errors import (
    BadKey,
    BadName,
    BadPassword,
    NameHeld,
    NameRefused,
    NameTaken,
    NeedEncryption,
    NeedLogin,
    ProtocolError,
    Refused,
)
from chatroom.exchange import Exchange
from chatroom.handshake import CLIENT, Handshake, Step
from chatroom.limits import HANDSHAKE_SECONDS, LOWEST_PORT, NAME_BYTES
from chatroom.outcomes import Code
from chatroom.packets import (
    SAME_CONNECTION,
    VERSION,
    Admit,
    Bye,
    Credential,
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
from client.attempt import NOT_SENT, Attempt, keeps_secrets
from client.connection import Connection
from client.refusals import why_removed, words_of

SOFTWARE = "chatroom client (Python)"

_ABOUT_THE_NAME: Final[dict[int, Callable[[str], NameRefused]]] = {
    Code.NAME_TAKEN: NameTaken,
    Code.NAME_HELD: NameHeld,
    Code.BAD_NAME: BadName,
    Code.NEED_LOGIN: NeedLogin,
    Code.BAD_PASSWORD: BadPassword,
    Code.NEED_ENCRYPTION: NeedEncryption,
}
"""With these codes the server waits for another USERNAME."""

Opener = Callable[[str, int, Deadline], Connection]
"""Connects to host and port. Its owner may shut the connection down from another thread."""

Following = Callable[[NameRefused], Attempt]
"""What to try after a refusal, on the same connection. Raises NameRefused, often the same, to give up."""


class Wish(NamedTuple):
    """The contents of USERNAME and ADMIT: who the client is, and from where on it wants the history."""

    name: str
    token: bytes
    channels: tuple[str, ...]
    since: int
    time: int
    identity: bytes
    lines: int

    def __repr__(self) -> str:
        """Without the token."""
        return f"<Wish {self.name!r} {self.channels} since {self.since}, {self.lines} lines>"


class Reserved(NamedTuple):
    """The server keeps the name for some seconds, and is ready to take ADMIT.

    connection: where ADMIT goes
    attempt:    what the server accepted
    secure:     whether a password may go over this connection
    """

    connection: Connection
    exchange: Exchange
    handshake: Handshake
    attempt: Attempt
    ticket: bytes
    secure: bool

    def __repr__(self) -> str:
        """Without the ticket."""
        return f"<Reserved {self.attempt!r} on {self.connection!r}>"


class Admission(NamedTuple):
    """An admitted connection. `packets` came right behind WELCOME; `decoder` may hold a part of another.

    attempt: what the server accepted
    secure:  whether a password may go over this connection
    """

    connection: Connection
    welcome: Welcome
    packets: list[Packet]
    decoder: Decoder
    attempt: Attempt
    secure: bool = False


def give_up(refused: NameRefused) -> Attempt:
    """Try nothing else after a refusal."""
    raise refused


def admit(
    address: tuple[str, int],
    wish: Wish,
    connect: Opener,
    attempt: Attempt | None = None,
    following: Following = give_up,
    seconds: float = HANDSHAKE_SECONDS,
    key: bytes | None = None,
) -> Admission:
    """Go through the whole handshake within `seconds`.

    attempt: the first USERNAME; None: the name of the wish, without a password
    key:     the password of the server
    Raises NameRefused, Refused, ConnectionLost or ProtocolError; no connection is left open then.
    """
    deadline = Deadline(seconds)
    attempt = attempt or Attempt(wish.name)
    return enter(reserve(address, attempt, wish.token, connect, following, deadline, key), wish)


def reserve(
    address: tuple[str, int],
    attempt: Attempt,
    token: bytes,
    connect: Opener,
    following: Following,
    deadline: Deadline,
    key: bytes | None = None,
) -> Reserved:
    """The handshake up to ADMIT: the server has given the name, and proofs of an account were right.

    token: of the session to come back to, or NO_TOKEN
    key:   the password of the server
    Raises as `admit`.
    """
    handshake = Handshake(CLIENT)
    connection = connect(*address, deadline)
    try:
        exchange = Exchange(connection, deadline)
        secure = keeps_secrets(connection)
        attempt, port = _get_port(exchange, handshake, attempt, token, following, secure, key)
        exchange.send(Status(Verdict.PASS), Status(Verdict.END))
        handshake.enter(Step.TAKEN)
        _receive(exchange, handshake)  # STATUS END: the table allows nothing else
        if port.number != SAME_CONNECTION:
            server = connection.peer
            connection.close()
            connection = connect(server, port.number, deadline)
            exchange, secure = Exchange(connection, deadline), keeps_secrets(connection)
    except BaseException:  # Ctrl-C in the middle, too, must not leave a connection open
        connection.close()
        raise
    return Reserved(connection, exchange, handshake, attempt, port.ticket, secure)


def enter(reserved: Reserved, wish: Wish) -> Admission:
    """The end of the handshake: ADMIT and WELCOME. Raises as `admit`.

    wish: from where on the client wants the history; its name and token do not count
    """
    connection, exchange, handshake, attempt, ticket, secure = reserved
    _, _, channels, since, time, history, lines = wish
    try:
        exchange.send(Admit(attempt.name, ticket, channels, since, time, history, lines))
        answer = _receive(exchange, handshake)
        assert isinstance(answer, Welcome)  # the table allows nothing else
        check_given_name(answer.name)
    except BaseException:
        connection.close()
        raise
    return Admission(connection, answer, list(exchange.waiting), exchange.decoder, attempt, secure)


def _get_port(
    exchange: Exchange,
    handshake: Handshake,
    attempt: Attempt,
    token: bytes,
    following: Following,
    secure: bool,
    key: bytes | None,
) -> tuple[Attempt, Port]:
    """Ask until the server gives a name; what was asked for then, and the port that comes with it."""
    shown = ((Credential.SERVER_PASSWORD, key),) if key is not None and secure else ()
    exchange.send(Hello(VERSION, SOFTWARE))
    handshake.enter(Step.NAMING)
    while True:
        if attempt.proven and not secure:
            raise NeedEncryption(NOT_SENT)
        exchange.send(Username(attempt.name, token, attempt.rows + shown))
        handshake.enter(Step.ASKED)
        answer = _receive(exchange, handshake)
        if handshake.step is Step.PASSED:
            break
        assert isinstance(answer, Status)
        if answer.code == Code.BAD_KEY:
            if not secure:
                raise NeedEncryption(f"{answer.reason}; {NOT_SENT}")
            if attempt.proven:
                raise BadKey(answer.reason)
            attempt = following(BadKey(answer.reason))  # an operator who logs in does not need it
            continue
        code = Code.NEED_ENCRYPTION if answer.code == Code.NEED_LOGIN and not secure else answer.code
        about_the_name = _ABOUT_THE_NAME.get(code)
        if about_the_name is None or (answer.code == Code.NEED_ENCRYPTION and not attempt.proven):
            # The server takes nobody, or nobody without encryption: no other name helps.
            raise Refused(answer.reason or words_of(answer.code), answer.code)
        reason = answer.reason if code == answer.code else f"{answer.reason}; {NOT_SENT}"
        attempt = following(about_the_name(reason))
    port = _receive(exchange, handshake)
    assert isinstance(port, Port)
    if port.number != SAME_CONNECTION and port.number < LOWEST_PORT:
        raise ProtocolError(
            f"the server sends its clients to port {port.number}; {LOWEST_PORT} is the lowest"
        )
    return attempt, port


def check_given_name(name: str) -> None:
    """Raise ProtocolError if the server gives the client a name that it cannot use or show."""
    size = len(name.encode(errors="replace"))
    if not 0 < size <= NAME_BYTES or printable_line(name) != name:
        raise ProtocolError(f"the server gives a name of {size} bytes that cannot be a name")


def _receive(exchange: Exchange, handshake: Handshake) -> Packet:
    """The next packet, which the table allows. Skips PING.

    Raises Refused for BYE at any time, and for a STATUS FAIL that ends the handshake.
    """
    while True:
        packet = exchange.receive()
        if isinstance(packet, Bye):
            raise Refused(why_removed(packet.code, packet.reason), packet.code)
        if not isinstance(packet, Ping):
            if handshake.receive(packet) is Step.REFUSED:
                assert isinstance(packet, Status)
                raise Refused(packet.reason or words_of(packet.code), packet.code)
            return packet

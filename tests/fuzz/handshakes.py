"""Scripted peers for both sides of the handshake: the lobby, the admission port, and the client."""

from __future__ import annotations

import itertools
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from random import Random
from typing import cast

from chatroom.arrivals import Join, Reservation
from chatroom.chatroom import Chatroom
from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, NameRefused, ProtocolError, Refused
from chatroom.figures import Figures
from chatroom.flow import Flow
from chatroom.handshake import SERVER, Handshake, Step
from chatroom.limits import TICKET_BYTES
from chatroom.names import check_name, name_key
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Decoder,
    Hello,
    Packet,
    Ping,
    Port,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from client.attempt import Attempt
from client.connection import Connection
from client.handshaking import Wish, admit
from server.admission import AdmissionPort
from server.backlogs import Backlogs
from server.connection import NativeDoor
from server.crowd import Crowd, Visit
from server.lobby import Lobby
from server.ports import Ports
from server.quotas import Quotas
from server.transport import GuestTransport
from tests.fuzz.inputs import Choices, client_packet, cuts, mutate, server_packet, streams
from tests.fuzz.loop import Target

TICKET = b"<-- the ticket->"
"""Stands in scripts for the ticket that the server makes."""

LOBBY, ADMISSION, CLIENT = range(3)
_encode = lru_cache(1000)(encode)  # the scripts are made of few packets
_QUOTAS = Quotas(100, 100, 100, 1_000_000, 100, 100)
_DOOR = NativeDoor(lambda stream: None, Flow(), Backlogs())
_SHARE = "127.0.0.1"


# --- the lobby ------------------------------------------------------------------------------------------


class _Names:
    """The chatroom as the lobby uses it: gives names, and takes them back."""

    def __init__(self) -> None:
        self.figures = Figures()
        self._origins = itertools.count(1)
        self._taken = {name_key("bob")}

    def reserve(
        self, name: str, token: bytes, _address: str, _timeout: float, *_proof: object
    ) -> Reservation:
        name = check_name(name)
        if name_key(name) in self._taken:
            raise NameRefused(f"{name} is in use", Code.NAME_TAKEN)
        self._taken.add(name_key(name))
        return Reservation(next(self._origins), name, token, name_key(name))

    def release(self, reservation: Reservation) -> None:
        self._taken.remove(name_key(reservation.name))


class _Script:
    """A transport whose peer sends these pieces and then closes. It knows the ticket once it was told."""

    peer = f"{_SHARE}:1"
    encrypted = False
    pending = 0

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self._decoder = Decoder()
        self._ticket = TICKET
        self.closed = False

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        assert not self.closed, "received from a closed transport"
        if not self._pieces:
            return b""
        data = self._pieces.pop(0).replace(TICKET, self._ticket)
        if len(data) > size:
            self._pieces.insert(0, data[size:])
        return data[:size]

    def send(self, data: bytes) -> int:
        assert not self.closed, "sent on a closed transport"
        if data[1] == VERSION:  # a refusal may be in version 1
            for packet in self._decoder.feed(bytes(data)):
                if isinstance(packet, Port):
                    self._ticket = packet.ticket
        return len(data)

    refuse = send

    def begin(self, timeout: float) -> None:
        """Without TLS, there is nothing to begin."""

    def finish(self) -> None:
        """The peer closes anyway."""

    hush = finish

    def close(self) -> None:
        self.closed = True


def _run_lobby(pieces: Sequence[bytes]) -> str:
    names, crowd, script = _Names(), Crowd(_QUOTAS), _Script(pieces)
    lobby = Lobby(cast(Chatroom, names), Ports(same=True), _DOOR, crowd)
    visit = Visit(_SHARE, script.hush)
    crowd.enter(visit)
    join = lobby.lead(cast(GuestTransport, script), visit)
    if join is None:
        assert script.closed, "refused, and left open"
        names.reserve("ann", NO_TOKEN, "", 0.0)  # every name that was given has come back
    else:
        assert isinstance(join, Join) and not script.closed
        assert crowd.seats == 1
    crowd.leave(visit)
    assert not crowd.guests and not crowd.seats
    return "refused" if join is None else "admitted"


# --- the admission port ---------------------------------------------------------------------------------


def _run_admission(pieces: Sequence[bytes]) -> str:
    """One or two connections to a real port, all their bytes sent before it looks."""
    listener = socket.create_server((_SHARE, 0))
    handshake, crowd = Handshake(SERVER), Crowd(_QUOTAS)
    handshake.enter(Step.ADMITTING)
    port = AdmissionPort(listener, handshake, TICKET, _SHARE, crowd)
    peers = [_send(port.number, pieces[:1]), _send(port.number, pieces[1:])]
    try:
        guest, found = port.wait_for_owner(Deadline(0.002))
    except ConnectionLost as nobody:
        outcome = type(nobody).__name__
    else:
        outcome = "owner"
        assert found.ticket == TICKET
        guest.transport.close()
    finally:
        port.close()
        for peer in peers:
            peer.close()
    assert not crowd.guests
    return outcome


_RESET = b"\1\0\0\0\0\0\0\0"  # SO_LINGER for no time: close() leaves nothing in the system's tables


def _send(port: int, pieces: Sequence[bytes]) -> socket.socket:
    peer = socket.create_connection((_SHARE, port), 10.0)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    peer.sendall(b"".join(pieces))
    return peer


# --- the client -----------------------------------------------------------------------------------------


class _Server:
    """A connection to a server that sends these pieces, whatever it hears, and then closes."""

    peer = "127.0.0.1"
    encrypted = False

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.closed = False

    def receive(self, _seconds: float) -> bytes:
        assert not self.closed
        while self._pieces:
            if piece := self._pieces.pop(0):
                return piece
        raise ConnectionLost("the server closed the connection")

    def send(self, data: bytes, _seconds: float) -> None:
        assert not self.closed and data

    def close(self) -> None:
        self.closed = True


def _run_client(pieces: Sequence[bytes]) -> str:
    left = list(pieces)
    opened: list[_Server] = []

    def connect(_host: str, _port: int, _deadline: Deadline) -> Connection:
        opened.append(_Server(left))
        return cast(Connection, opened[-1])

    wish = Wish("ann", NO_TOKEN, ("#general",), 0, 0, NO_IDENTITY, 50)
    attempts = iter([Attempt("ann", device=bytes(32)), Attempt("ann2")])

    def following(refused: NameRefused) -> Attempt:
        attempt = next(attempts, None)
        if attempt is None:
            raise refused
        return attempt

    try:
        admission = admit(("server", 1), wish, connect, Attempt("ann", password="secret"), following)
    except (NameRefused, Refused, ConnectionLost, ProtocolError) as error:
        assert all(server.closed for server in opened), "an error, and a connection is open"
        return type(error).__name__
    assert [server.closed for server in opened] == [True] * (len(opened) - 1) + [False]
    assert admission.welcome.name
    return "admitted"


# --- inputs ---------------------------------------------------------------------------------------------


def _to_lobby(random: Random) -> list[bytes]:
    """The packets of a whole handshake, with more names before, and lines behind."""
    names = [random.choice(("bob", "x y", "")) for _ in range(random.choice((0, 0, 1, 20)))]
    packets = [
        Hello(VERSION, "fuzz"),
        *(Username(name, NO_TOKEN) for name in names),
        Username("ann", NO_TOKEN),
        Status(Verdict.PASS),
        Status(Verdict.END),
        *_to_admission(random),
    ]
    return list(map(_encode, packets))


def _to_admission(random: Random) -> list[Admit | Say]:
    channels = random.choice((("#general",), ("#tea", "#general"), ("tea",)))
    ticket = random.choice((TICKET, TICKET, bytes(TICKET_BYTES)))
    return [Admit("ann", ticket, channels, 0, 0, NO_IDENTITY, 50), Say(1, "#general", "hello")]


def _to_client(random: Random) -> list[bytes]:
    port = random.choice((SAME_CONNECTION, 5000, 80))
    codes = (Code.NAME_TAKEN, Code.NEED_LOGIN, Code.BAD_PASSWORD, Code.FULL)
    taken = Status(Verdict.FAIL, random.choice(codes), "no")
    packets: list[Packet] = [
        *([taken] if random.random() < 0.3 else []),
        Status(Verdict.PASS),
        Port(port, TICKET),
        Status(Verdict.END),
        *([Ping(1)] if random.random() < 0.3 else []),
        Welcome("ann", NO_TOKEN, NO_IDENTITY, 1, 0, 0, Resumed.FRESH),
    ]
    return list(map(_encode, packets))


def _shuffled(random: Random, packets: list[bytes], others: list[bytes]) -> bytes:
    """The handshake with packets left out, doubled, exchanged and put in, then with wrong bytes."""
    for _ in range(random.choice((0, 0, 1, 2))):
        at = random.randrange(len(packets) + 1)
        what = random.randrange(4)
        if what == 0:
            packets[at : at + 1] = []
        elif what == 1:
            packets[at:at] = packets[at : at + 1]
        elif what == 2:
            packets[at:at] = [random.choice(others)]
        else:
            packets[at : at + 2] = reversed(packets[at : at + 2])
    data = b"".join(packets)
    return mutate(random, data, others) if random.random() < 0.5 else data


def _run(data: bytes) -> str:
    choices = Choices(data)
    side = choices.number(3)
    run = (_run_lobby, _run_admission, _run_client)[side]
    return f"{('lobby', 'admission', 'client')[side]}: {run(choices.pieces())}"


@contextmanager
def handshake() -> Iterator[Target]:
    """What comes before a connection is a member's."""
    from_clients, from_servers = streams(Random(1), client_packet), streams(Random(2), server_packet)

    def make(random: Random) -> bytes:
        side = random.choices((LOBBY, ADMISSION, CLIENT), (8, 1, 8))[0]
        if side == LOBBY:
            data = _shuffled(random, _to_lobby(random), from_clients)
        elif side == ADMISSION:
            data = _shuffled(random, list(map(_encode, _to_admission(random))), from_clients)
        else:
            data = _shuffled(random, _to_client(random), from_servers)
        return bytes((side,)) + cuts(random, data)

    logging.disable(logging.WARNING)
    try:
        yield Target(make, _run)
    finally:
        logging.disable(logging.NOTSET)

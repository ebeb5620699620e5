"""Whole sessions of a client that misbehaves, with a real server in this process, over loopback."""

from __future__ import annotations

import itertools
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Final, TypeVar

from chatroom.errors import ProtocolError
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Bye,
    Decoder,
    Hello,
    Packet,
    Ping,
    Pong,
    Port,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from server.app import App
from server.ports import Ports
from server.quotas import Quotas
from tests.fuzz.inputs import Choices, client_packet, command, cuts, formed, mutate, say, streams
from tests.fuzz.loop import Target
from tests.server.test_app import CONFIG
from tests.support.patience import eventually
from tests.support.peer import Peer

P = TypeVar("P")

PATIENCE: Final = 120.0
"""Seconds that the honest member waits for its line: the machine may do other things first."""

DEAD_AFTER: Final = 1000.0
"""The honest member says something between sessions only, and a machine may be slow to play one."""

EVERY: Final = 500
"""Sessions of one server."""

QUOTAS: Final = Quotas(1000, 1000, 500, 1_000_000, 500, 100)

LOBBY, NAMED, OFFERED, TAKEN, ADMITTED = range(5)
"""How far a session goes as it should, before its own bytes come."""

STAGES: Final = (LOBBY, NAMED, OFFERED, TAKEN, *[ADMITTED] * 12)
HANG_UP, RESET, FINISH, LEAVE = range(4)
_NO_LINGER = b"\1\0\0\0\0\0\0\0"
_BYE = encode(Bye(False, 0, "so long"))


class Errors(logging.Handler):
    """Collects the errors in the log, and what ended threads."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        # Guards nothing: appending to a list is one step.
        self.found: list[str] = []
        self._hook = threading.excepthook

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))

    def __enter__(self) -> Errors:
        logging.getLogger().addHandler(self)
        threading.excepthook = self._note
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        threading.excepthook = self._hook

    def _note(self, arguments: threading.ExceptHookArgs) -> None:
        self.found.append(f"{arguments.thread}: {arguments.exc_value!r}")
        self._hook(arguments)


class Server:
    """A server with one honest member, and what it does with sessions of others."""

    def __init__(self, errors: Errors) -> None:
        self._errors = errors
        self._numbers = itertools.count(1)
        self._begin(Ports())

    def _begin(self, ports: Ports) -> None:
        self._threads = threading.active_count()
        self._app = App(replace(CONFIG, ports=ports, quotas=QUOTAS, dead_after=DEAD_AFTER))
        self._app.start()
        self._honest = Peer.enter(self._app.address, "honest")
        self._honest.socket.settimeout(PATIENCE)
        self._ids = itertools.count(1)
        self._running = threading.active_count()
        self._same = ports.same

    def run(self, data: bytes) -> str:
        """One session; then the honest member must be answered."""
        choices = Choices(data)
        stage, end = STAGES[choices.number(len(STAGES))], choices.number(4)
        session = Session(self._app.address, f"f{next(self._numbers)}")
        try:
            outcome = session.play(stage, choices.pieces())
            session.end(end)
        finally:
            session.close()
        self._ask()
        assert not self._errors.found, self._errors.found
        return outcome

    def _ask(self) -> None:
        """The honest member says a line and gets it back, with all that others have said before."""
        number = next(self._ids)
        self._honest.send(Say(number, "#general", "still here"))
        own = self._honest.welcome.person
        while True:
            packet = self._honest.receive()
            assert packet is not None, "the honest member has lost its connection"
            assert not isinstance(packet, Bye), packet
            if isinstance(packet, Ping):
                self._honest.send(Pong(packet.id))
            elif getattr(packet, "person", None) == own and getattr(packet, "id", 0) == number:
                break
        self._honest.packets.clear()

    def settle(self) -> None:
        """Every thread but the server's own must end; then another server goes on, of the other kind."""
        eventually(lambda: threading.active_count() <= self._running, "threads are left", PATIENCE)
        self._ask()
        self.close()
        self._begin(Ports(same=not self._same))

    def close(self) -> None:
        """The honest member leaves, and nothing may be left."""
        self._honest.send(Bye(False, 0, ""))
        self._honest.rest()
        self._honest.close()
        self._app.close()
        eventually(lambda: threading.active_count() <= self._threads, "the server leaves threads", PATIENCE)
        assert not self._errors.found, self._errors.found


class Session:
    """A client that does its handshake up to some stage, and then sends what the input says."""

    def __init__(self, address: str, name: str) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._name = host, name
        self._socket = self._connect(int(port))
        self._decoder = Decoder()

    def _connect(self, port: int) -> socket.socket:
        sock = socket.create_connection((self._host, port), PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # close() then leaves nothing in the system's tables.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        return sock

    def play(self, stage: int, pieces: list[bytes]) -> str:
        """Play it all; the kind of the last packet that came."""
        last = "nothing"
        try:
            reached = self._come_in(stage)
            for piece in pieces:
                self._socket.sendall(piece)
            last = f"{reached}: {self._read_some()}"
        except (OSError, ProtocolError) as error:
            last = type(error).__name__
        return last

    def _come_in(self, stage: int) -> str:
        """Go as far as the stage says; how far that was."""
        if stage >= NAMED:
            self._send(Hello(VERSION, "fuzz"))
        if stage >= OFFERED:
            self._send(Username(self._name, NO_TOKEN))
            port = self._await(Port)
            if port is None:
                return "refused"
            if stage >= TAKEN:
                self._send(Status(Verdict.PASS))
            if stage >= ADMITTED and not self._admit(port):
                return "refused"
        return ("lobby", "named", "offered", "taken", "member")[stage]

    def _admit(self, port: Port) -> bool:
        """Finish with the lobby, and show the ticket at the port."""
        self._send(Status(Verdict.END))
        self._await(Status)
        if port.number != SAME_CONNECTION:
            self._socket.close()
            self._socket, self._decoder = self._connect(port.number), Decoder()
        self._send(Admit(self._name, port.ticket, ("#general",), 0, 0, NO_IDENTITY, 5))
        return self._await(Welcome) is not None

    def _send(self, packet: Packet) -> None:
        self._socket.sendall(encode(packet))

    def _await(self, kind: type[P]) -> P | None:
        """The first packet of this kind, but PASS; None when the server refuses, or hangs up."""
        while data := self._socket.recv(1 << 16):
            for packet in self._decoder.feed(data):
                if packet == Status(Verdict.PASS):
                    continue
                if isinstance(packet, kind):
                    return packet
                if isinstance(packet, Bye | Status):
                    return None
        return None

    def _read_some(self) -> str:
        """What came to the end of the bytes that wait now."""
        self._socket.settimeout(0.002)
        last = "silence"
        with suppress(TimeoutError):
            while data := self._socket.recv(1 << 16):
                for packet in self._decoder.feed(data):
                    last = type(packet).__name__
        return last

    def end(self, how: int) -> None:
        """Hang up in some way."""
        with suppress(OSError):
            self._socket.settimeout(PATIENCE)
            if how == LEAVE:
                self._socket.sendall(_BYE)
            if how in (LEAVE, FINISH):
                self._socket.shutdown(socket.SHUT_WR)
            if how == HANG_UP:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes(8))

    def close(self) -> None:
        self._socket.close()


@contextmanager
def session_server() -> Iterator[Target]:
    """Whole sessions with a real server."""
    good = streams(Random(1), client_packet)
    lines = [
        b"".join(encode((say if n % 5 else command)(Random(n))) for n in range(m, m + 5)) for m in range(300)
    ]
    stories = [
        b"".join(encode((formed if n % 2 else command)(Random(n))) for n in range(m, m + 3 + m % 20))
        for m in range(600)
    ]

    def make(random: Random) -> bytes:
        data = random.choice(random.choice((good, lines, stories, stories)))
        if random.random() < 0.5:
            data = mutate(random, data, good)
        return random.randbytes(2) + cuts(random, data)

    logging.getLogger("server").setLevel(logging.ERROR)
    logging.getLogger("chatroom").setLevel(logging.ERROR)
    with Errors() as errors:
        server = Server(errors)
        try:
            yield Target(make, server.run, server.settle, EVERY, waits=True)
        finally:
            server.close()
            logging.getLogger("server").setLevel(logging.NOTSET)
            logging.getLogger("chatroom").setLevel(logging.NOTSET)

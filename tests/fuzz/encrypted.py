"""TLS whose bytes somebody harms on the way, in the handshake and after it, on both sides.

An input says which bytes: the keys of TLS are other ones in each run, so it cannot hold the bytes themselves.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import cast
from unittest import mock

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, Refused
from client.server_trust import ServerIdentity, ServerTrust
from client.tls import TlsOptions
from client.tls_socket import TlsSocket
from server.tls import TlsTransport
from server.transport import Bytes, TcpTransport
from tests.fuzz.inputs import Choices
from tests.fuzz.loop import Target
from tests.support.certificates import Certificates, client_context, server_context

TEXTS = [b"hello", b"x" * 3000, b"y" * 20_000]


class _Harm:
    """Changes a stream: flips bytes, leaves some out, puts some in, cuts it to pieces, or ends it."""

    def __init__(self, choices: Choices) -> None:
        reach = 30_000 if choices.number(2) else 600  # the client's handshake ends within 600 bytes
        self._edits = sorted(
            (choices.number(1 << 15) % reach, choices.number(4), choices.number(254))
            for _ in range(choices.number(4))
        )
        self._step = choices.number(1 << 12) or 4096
        self._at = 0
        self.done = False  # something was changed

    def pass_on(self, data: bytes) -> list[bytes]:
        """The pieces that arrive."""
        changed = bytearray(data)
        for place, kind, value in reversed(self._edits):
            if self._at <= place < self._at + len(data):
                place -= self._at
                self.done = True
                if kind == 0:
                    changed[place : place + 1] = bytes((data[place] ^ (value + 1),))
                elif kind == 1:
                    del changed[place : place + value + 1]
                elif kind == 2:
                    changed[place:place] = bytes([value]) * (value + 1)
                else:
                    changed[place:] = b""
        self._at += len(data)
        return [bytes(changed[start : start + self._step]) for start in range(0, len(changed), self._step)]


class _End:
    """The other side, which is honest: OpenSSL in memory. heard: what it decrypted"""

    def __init__(self, context: ssl.SSLContext, server_side: bool) -> None:
        self.came, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.came, self.going, server_side=server_side)
        self._said = False

    def hear(self, data: bytes) -> bytes:
        """Take bytes; what it says then, its texts once the handshake is over."""
        self.came.write(data)
        with suppress(ssl.SSLError):
            self.tls.do_handshake()
            if not self._said:
                self._said = True
                for text in TEXTS:
                    for start in range(0, len(text), 16_384):
                        self.tls.write(text[start : start + 16_384])
            self.tls.read(65536)
        return self.going.read()


class _Line:
    """The way from the honest side, used like a transport of TCP and like a socket."""

    peer = "peer"

    def __init__(self, end: _End, harm: _Harm) -> None:
        self._end, self._harm = end, harm
        self.comes: list[bytes] = []

    def hear(self, data: bytes) -> None:
        self.comes += self._harm.pass_on(self._end.hear(data))

    def receive(self, size: int, _timeout: float | None = None) -> bytes:
        if not self.comes:
            return b""  # nobody would ever say more
        piece = self.comes.pop(0)
        if len(piece) > size:
            self.comes.insert(0, piece[size:])
        return piece[:size]

    recv = receive

    def send(self, data: Bytes) -> int:
        self.hear(bytes(data))
        return len(data)

    refuse = send

    def finish(self) -> None: ...
    def setblocking(self, _blocking: bool) -> None: ...
    def fileno(self) -> int:
        return 0


def _judge(receive: Iterator[bytes], harm: _Harm) -> str:
    """Take all; nothing but the texts may come, and all of them when nothing was harmed."""
    found, outcome = b"", "end"
    try:
        for data in receive:
            found += data
    except (ConnectionLost, Refused) as error:
        outcome = type(error).__name__
    whole = b"".join(TEXTS)
    assert whole.startswith(found), "bytes that nobody has said"
    assert harm.done or found == whole, "bytes are missing"
    return f"{outcome}, {'all' if found == whole else 'some' if found else 'nothing'}"


@contextmanager
def tls() -> Iterator[Target]:
    """Servers and clients of both versions."""
    with TemporaryDirectory() as folder, mock.patch("client.tls_socket.wait_for", _ready):
        good = Certificates(Path(folder)).good
        versions = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2)
        servers = [server_context(good, version) for version in versions]
        clients = [client_context(version) for version in versions]
        trust = ServerTrust(TlsOptions(good.certificate), "localhost", 1)

        def to_server(choices: Choices) -> str:
            version = choices.number(2)
            harm = _Harm(choices)
            line = _Line(_End(clients[version], server_side=False), harm)
            transport = TlsTransport(cast(TcpTransport, line), servers[version])
            line.hear(b"")
            outcome = _judge(_all_of(transport), harm)
            with suppress(ConnectionLost):
                transport.refuse(b"no")
            transport.finish()
            return outcome

        def to_client(choices: Choices) -> str:
            version = choices.number(2)
            harm = _Harm(choices)
            line = _Line(_End(servers[version], server_side=True), harm)
            return _judge(_all_for(TlsSocket(line, ServerIdentity(trust))), harm)  # type: ignore[arg-type]

        def run(data: bytes) -> str:
            choices = Choices(data)
            side = choices.number(2)
            return f"{('server', 'client')[side]}: {(to_server, to_client)[side](choices)}"

        yield Target(lambda random: _make(random), run)


def _make(random: Random) -> bytes:
    return random.randbytes(random.choice((6, 12, 24, 32)))


def _ready(readers: list[int], writers: list[int], _seconds: float) -> tuple[set[int], set[int]]:
    return set(readers), set(writers)


def _all_of(transport: TlsTransport) -> Iterator[bytes]:
    transport.begin(1.0)
    while data := transport.receive(4096):
        yield data


def _all_for(socket: TlsSocket) -> Iterator[bytes]:
    socket.begin(Deadline(60.0))
    while data := socket.receive(60.0):
        yield data

"""TLS on the server's side: what the contract of transports (test_transport.py) does not say."""

from __future__ import annotations

import gc
import ssl
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConnectionLost, Refused
from chatroom.outcomes import Code
from chatroom.packets import VERSION, Hello, Status, Verdict, encode
from server.certificate import server_context
from server.limits import TLS_CHUNK
from server.tls import TlsTransport
from server.transport import Bytes, TcpTransport
from tests.support.certificates import VERSIONS, Certificates, client_context

RECORD_EXTRA = 100
"""More than a record of TLS is longer than what it encrypts."""


class Wire:
    """A TcpTransport in memory: the test says what comes from the peer, and how much the socket takes.

    comes: what receive() gives, piece by piece; b"" is the end
    sent:  what the peer has got; room: how many bytes more the socket takes
    """

    peer = "peer"

    def __init__(self, room: int = 1 << 30) -> None:
        self.comes: list[bytes] = []
        self.sent = b""
        self.room = room
        self.finished = False

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        if not self.comes:
            raise ConnectionLost("too slow")
        piece = self.comes.pop(0)
        if len(piece) > size:
            self.comes.insert(0, piece[size:])
        return piece[:size]

    def receive_now(self, size: int) -> bytes | None:
        return self.receive(size) if self.comes else None

    def send(self, data: Bytes) -> int:
        assert not self.finished
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    refuse = send

    def finish(self) -> None:
        self.finished = True

    def close(self) -> None:
        pass

    def take_sent(self) -> bytes:
        sent, self.sent = self.sent, b""
        return sent


class Peer:
    """A client of TLS in memory."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.came, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.came, self.going)

    def hear(self, data: bytes) -> bytes:
        """What it decrypts of these bytes; b"" also while the handshake goes on."""
        self.came.write(data)
        found = []
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
            while piece := self.tls.read(65536):
                found.append(piece)
        return b"".join(found)

    def say(self, data: bytes) -> bytes:
        """The bytes of a record."""
        self.tls.write(data)
        return self.going.read()


class Room:
    """A server's transport and its peer, with the handshake of TLS behind them."""

    def __init__(self, server: ssl.SSLContext, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        self.wire = Wire()
        self.transport = TlsTransport(cast(TcpTransport, self.wire), server)
        self.peer = Peer(client_context(version))
        while not self.transport.encrypted or self.peer.tls.version() is None:
            self.peer.hear(self.wire.take_sent())
            if said := self.peer.going.read():
                self.wire.comes.append(said)
            assert self.transport.receive_now(10) is None


@pytest.fixture(scope="session")
def context(certificates: Certificates) -> ssl.SSLContext:
    return server_context(certificates.good)


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def room(request: pytest.FixtureRequest, context: ssl.SSLContext) -> Room:
    return Room(context, request.param)


def hello(context: ssl.SSLContext | None = None) -> bytes:
    """The first bytes of a client of TLS."""
    peer = Peer(context or client_context())
    peer.hear(b"")
    return peer.going.read()


# --- the beginning --------------------------------------------------------------------------------------


def test_what_both_sides_agree_on(room: Room) -> None:
    """TLS 1.3 or 1.2; no compression, and no ticket with which a client could resume."""
    room.peer.hear(room.wire.take_sent())
    assert room.peer.tls.compression() is None
    session = room.peer.tls.session
    assert session is not None and not session.has_ticket


def test_older_versions_are_refused(context: ssl.SSLContext) -> None:
    """A client that speaks TLS 1.1 only is refused by an alert, with a reason in the log."""
    wire = Wire()
    transport = TlsTransport(cast(TcpTransport, wire), context)
    modern = hello(client_context(ssl.TLSVersion.TLSv1_2))
    wire.comes.append(modern[:9] + b"\3\2" + modern[11:])  # the version in the client's hello
    with pytest.raises(ConnectionLost, match="TLS: unsupported protocol"):
        transport.begin(1.0)
    assert wire.sent[:1] == b"\x15"  # a record with an alert


def test_a_peer_that_speaks_in_clear(context: ssl.SSLContext) -> None:
    """A client without TLS is told so in clear, and nothing that it says is ever given to the lobby."""
    wire = Wire()
    transport = TlsTransport(cast(TcpTransport, wire), context)
    wire.comes += [encode(Hello(VERSION, "plain"))[:1], encode(Hello(VERSION, "plain"))[1:]]
    with pytest.raises(Refused, match="encrypted") as refused:
        transport.begin(1.0)
    assert refused.value.code is Code.NEED_ENCRYPTION
    assert not transport.encrypted
    status = encode(Status(Verdict.FAIL, Code.NEED_ENCRYPTION, "no"))
    transport.refuse(status)
    assert transport.send(b"secret") == 0
    transport.finish()
    assert wire.sent == status and wire.finished


@pytest.mark.parametrize("receive", [TlsTransport.receive, TlsTransport.receive_now])
def test_who_says_nothing_is_told_in_clear(
    context: ssl.SSLContext, receive: Callable[[TlsTransport, int], bytes | None]
) -> None:
    """A refusal before the first byte goes in clear: so the thread that accepts needs no handshake of TLS."""
    wire = Wire()
    transport = TlsTransport(cast(TcpTransport, wire), context)
    wire.comes.append(b"")
    with pytest.raises(ConnectionLost, match="closed before TLS began"):
        receive(transport, 10)
    transport.refuse(b"no")
    assert wire.sent == b"no"


def test_in_the_middle_nothing_goes_in_clear(context: ssl.SSLContext) -> None:
    """Between the first byte and the end of the handshake, nothing of the chat is sent at all."""
    wire = Wire()
    transport = TlsTransport(cast(TcpTransport, wire), context)
    wire.comes += [hello()]
    with pytest.raises(ConnectionLost, match="too slow"):
        transport.begin(0.0)
    before = wire.sent
    transport.refuse(b"SECRET")
    assert transport.send(b"SECRET") == 0
    transport.finish()
    assert b"SECRET" not in wire.sent and wire.sent.startswith(before)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\3\1\xff\xff" + bytes(100), bytes(50)])
def test_garbage(context: ssl.SSLContext, data: bytes) -> None:
    """What is no TLS ends the connection, with a reason for the log."""
    wire = Wire()
    transport = TlsTransport(cast(TcpTransport, wire), context)
    wire.comes.append(data)
    with pytest.raises(ConnectionLost, match="TLS: "):
        transport.begin(1.0)


def test_who_reads_nothing_of_the_handshake(context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """What OpenSSL itself has to say to a peer that does not read has its bound."""
    monkeypatch.setattr("server.tls.TLS_ANSWERS", 100 - TLS_CHUNK)
    wire = Wire(room=0)
    transport = TlsTransport(cast(TcpTransport, wire), context)
    wire.comes.append(hello())
    with pytest.raises(ConnectionLost, match="does not read"):
        transport.begin(1.0)


# --- bytes ----------------------------------------------------------------------------------------------


@given(
    texts=st.lists(st.binary(min_size=1, max_size=40_000), min_size=1, max_size=5),
    cuts=st.lists(st.integers(1, 20_000), max_size=20),
    size=st.integers(1, 70_000),
    version=st.sampled_from(VERSIONS),
)
def test_however_the_bytes_are_cut(
    context: ssl.SSLContext, texts: list[bytes], cuts: list[int], size: int, version: ssl.TLSVersion
) -> None:
    """The borders of segments and records have no meaning; receive() gives at most what it is asked for."""
    room = Room(context, version)
    data = b"".join(
        room.peer.say(text[start : start + 16_384]) for text in texts for start in range(0, len(text), 16_384)
    )
    at = 0
    for cut in cuts:
        room.wire.comes.append(data[at : at + cut])
        at += cut
    room.wire.comes = [piece for piece in [*room.wire.comes, data[at:]] if piece]
    whole, found = b"".join(texts), b""
    while len(found) < len(whole):
        piece = room.transport.receive(size, 1.0)
        assert 0 < len(piece) <= size
        found += piece
    assert found == whole


@given(
    sizes=st.lists(st.integers(1, 60_000), min_size=1, max_size=8),
    rooms=st.lists(st.integers(0, 30_000), max_size=30),
    version=st.sampled_from(VERSIONS),
)
def test_however_little_the_socket_takes(
    context: ssl.SSLContext, sizes: list[int], rooms: list[int], version: ssl.TLSVersion
) -> None:
    """All bytes arrive once and in order, and no more than one chunk is ever encrypted ahead."""
    room, limits = Room(context, version), iter(rooms)
    room.peer.hear(room.wire.take_sent())
    left = b"".join(bytes([number]) * size for number, size in enumerate(sizes))
    whole, found = left, b""
    while left or room.transport.pending:
        room.wire.room = next(limits, 1 << 30)
        left = left[room.transport.send(memoryview(left)) :]
        assert room.transport.pending <= TLS_CHUNK + RECORD_EXTRA
        assert not left or room.transport.pending or room.wire.room
        found += room.peer.hear(room.wire.take_sent())
    assert found == whole


def test_what_waits_goes_first(room: Room) -> None:
    """While encrypted bytes wait, send() takes nothing; a send of nothing sends them."""
    room.peer.hear(room.wire.take_sent())
    room.wire.room = 10
    assert room.transport.send(b"one") == 3
    waiting = room.transport.pending
    assert waiting > 0
    assert room.transport.send(b"two") == 0
    room.wire.room = 1000
    assert room.transport.send(b"") == 0
    assert room.transport.pending == 0
    assert room.transport.send(b"three") == 5
    assert room.peer.hear(room.wire.take_sent()) == b"onethree"


@given(at=st.integers(0, 3000), change=st.integers(1, 255), version=st.sampled_from(VERSIONS))
def test_changed_bytes(context: ssl.SSLContext, at: int, change: int, version: ssl.TLSVersion) -> None:
    """Bytes that somebody has changed on the way never become a text: what came before them is given."""
    room = Room(context, version)
    texts = [bytes([65 + number]) * 500 for number in range(6)]
    data = bytearray(b"".join(map(room.peer.say, texts)))
    data[at % len(data)] ^= change
    room.wire.comes = [bytes(data), b""]
    found = b""
    with pytest.raises(ConnectionLost):
        while piece := room.transport.receive(10_000, 1.0):
            found += piece
    assert b"".join(texts).startswith(found) and len(found) < 3000


@given(data=st.binary(max_size=400), cut=st.integers(0, 600), tail=st.binary(max_size=50))
def test_random_bytes(context: ssl.SSLContext, data: bytes, cut: int, tail: bytes) -> None:
    """Whatever strangers send first, alone or after the half of a hello: an error of ours, and no hang."""
    for sent in (data, hello()[:cut] + tail):
        wire = Wire()
        transport = TlsTransport(cast(TcpTransport, wire), context)
        wire.comes = [piece for piece in (sent[:7], sent[7:]) if piece] + [b""]
        with pytest.raises((ConnectionLost, Refused)):
            transport.receive(100, 1.0)
        assert not transport.encrypted


# --- the end --------------------------------------------------------------------------------------------


def test_an_end_without_a_goodbye(room: Room) -> None:
    """Whoever cuts the connection cannot make it look like its proper end; what came before counts."""
    room.wire.comes += [room.peer.say(b"hello"), b""]
    assert room.transport.receive(10) == b"hello"
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="was cut"):
            room.transport.receive(10)


def test_the_peers_goodbye(room: Room) -> None:
    """close_notify is the end of the stream; the server may still send."""
    said = room.peer.say(b"hello")
    with suppress(ssl.SSLWantReadError):
        room.peer.tls.unwrap()
    room.wire.comes += [said + room.peer.going.read(), b""]
    assert [room.transport.receive(10) for _ in range(3)] == [b"hello", b"", b""]


def test_what_comes_after_our_goodbye(room: Room) -> None:
    """finish() sends close_notify; lines that were on the way, read or not, can still be received."""
    room.peer.hear(room.wire.take_sent())
    room.wire.comes.append(b"".join(map(room.peer.say, (b"one", b"two"))) + room.peer.say(b"cut")[:5])
    assert room.transport.receive(3) == b"one"
    room.transport.finish()
    assert room.wire.finished
    assert room.peer.hear(room.wire.take_sent()) == b""
    assert room.peer.tls.pending() == 0
    with pytest.raises(ssl.SSLZeroReturnError):  # after its own goodbye, it sees ours
        with suppress(ssl.SSLWantReadError):
            room.peer.tls.unwrap()
        room.peer.tls.read(1)
    assert room.transport.receive(10) == b"two"


def test_a_goodbye_that_the_socket_does_not_take(room: Room) -> None:
    """The end of the stream comes behind close_notify, as soon as the socket takes it."""
    room.wire.room = 0
    room.transport.finish()
    assert room.transport.pending and not room.wire.finished
    room.wire.room = 1000
    room.transport.send(b"")
    assert room.wire.finished and not room.transport.pending


def test_what_openssl_has_goes_with_the_connection(room: Room) -> None:
    """close() gives it back at once, also while somebody still refers to the transport."""
    openssl = weakref.ref(room.transport._tls)
    assert openssl() is not None
    room.transport.close()
    assert openssl() is None


def test_receiving_makes_no_garbage(room: Room) -> None:
    """What was received is gone with its last reader: nothing waits for the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            room.wire.comes.append(room.peer.say(b"hello"))
            assert room.transport.receive_now(10) == b"hello"
        assert gc.collect() < 100
    finally:
        gc.enable()

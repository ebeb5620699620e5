"""TLS on the client's side: two threads, one connection, and nobody waits for the other."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, Refused
from chatroom.outcomes import Code
from chatroom.packets import Bye, Packet, Status, Verdict, encode
from client.connection import Connection
from client.limits import TLS_CHUNK
from client.server_trust import ServerIdentity, ServerTrust
from client.tls import TlsOptions
from client.tls_socket import TlsSocket
from tests.client.fake_server import FakeServer
from tests.support.certificates import VERSIONS, Certificates, server_context
from tests.support.patience import PATIENCE
from tests.support.tasks import Task, run_all

Both = tuple[Connection, ssl.SSLSocket]


@contextmanager
def connected(
    certificates: Certificates, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, small: bool = False
) -> Iterator[Both]:
    """A client's connection and the server's end of it. small: the sockets buffer some ten kilobytes only."""
    with FakeServer(tls=server_context(certificates.good, version)) as server:
        identity = ServerIdentity(
            ServerTrust(TlsOptions(certificates.good.certificate), "127.0.0.1", server.port)
        )
        connection = Connection(identity)
        accepting = Task(server.accept)
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
        peer = accepting.result().socket
        assert isinstance(peer, ssl.SSLSocket)
        if small:
            for sock in (connection.sock, peer):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32_768)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        yield connection, peer
        connection.close()


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def both(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[Both]:
    with connected(certificates, request.param) as both:
        yield both


def test_bytes_go_both_ways(both: Both) -> None:
    """As without TLS: receive() gives what came, b"" when nothing does; an end is ConnectionLost."""
    connection, peer = both
    assert connection.encrypted
    connection.send(b"ask")
    assert peer.recv(3) == b"ask"
    peer.sendall(b"answer")
    assert connection.receive(PATIENCE) == b"answer"
    assert connection.receive(0.001) == b""
    with suppress(TimeoutError, ssl.SSLWantReadError):
        peer.setblocking(False)
        peer.unwrap()
    with pytest.raises(ConnectionLost, match="the server closed the connection"):
        connection.receive(PATIENCE)


def test_an_end_without_a_goodbye(both: Both) -> None:
    """A connection that is cut is lost, after what came before."""
    connection, peer = both
    peer.sendall(b"last")
    peer.shutdown(socket.SHUT_RDWR)
    assert connection.receive(PATIENCE) == b"last"
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            connection.receive(PATIENCE)


def test_lines_after_our_goodbye(both: Both) -> None:
    """After finish() the receiver still gets what the server sends, whether it came before or after."""
    connection, peer = both
    peer.sendall(b"before")
    connection.finish()
    peer.sendall(b", after")
    found = b""
    while len(found) < 13:
        found += connection.receive(PATIENCE)
    assert found == b"before, after"
    assert peer.recv(10) == b""


def test_shutdown_wakes_the_receiver_and_a_sender_that_is_stuck(both: Both) -> None:
    """shutdown() wakes a thread in receive() and one in send()."""
    connection, _peer = both
    receiving = Task(lambda: connection.receive(PATIENCE))
    sending = Task(lambda: connection.send(bytes(64 * 1024 * 1024)))
    connection.shutdown()
    for blocked in (receiving, sending):
        with pytest.raises(ConnectionLost):
            blocked.result()


def test_a_server_that_does_not_read(both: Both) -> None:
    """send() gives up after its time; the receiver is not held up meanwhile."""
    connection, peer = both
    sending = Task(lambda: connection.send(bytes(64 * 1024 * 1024), 0.3))
    for number in range(20):
        peer.sendall(b"%2d" % number)
        assert connection.receive(PATIENCE) == b"%2d" % number
    with pytest.raises(ConnectionLost, match="no answer in time"):
        sending.result()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_both_directions_at_once(certificates: Certificates, version: ssl.TLSVersion) -> None:
    """Much in both directions through tiny sockets: each side reads while its own bytes wait."""
    data = bytes(range(256)) * 4000
    with connected(certificates, version, small=True) as (connection, peer):

        def receive() -> bytes:
            found = b""
            while len(found) < len(data):
                found += connection.receive(PATIENCE)
            return found

        received = Task(receive)
        # A server with one lock: it writes as much as goes, then reads as much as there is.
        peer.setblocking(False)
        sending = Task(lambda: connection.send(data))
        left, found = memoryview(data), bytearray()
        while left or len(found) < len(data):
            with suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                left = left[peer.send(left) :] if left else left
            with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                found += peer.recv(65536)
        sending.result()
        assert bytes(found) == data == received.result()


def test_a_server_that_makes_openssl_answer_and_does_not_read(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What OpenSSL itself has to say, such as answers to changes of keys, has its bound: a server could fill
    the memory of its clients with them."""
    monkeypatch.setattr("client.tls_socket.TLS_ANSWERS", 100 - TLS_CHUNK)
    trust = ServerTrust(TlsOptions(certificates.good.certificate), "127.0.0.1", 5050)
    ours, server = socket.socketpair()
    with ours, server:
        connection = TlsSocket(ours, ServerIdentity(trust))
        with suppress(BlockingIOError):
            while True:
                ours.send(bytes(65536))
        with pytest.raises(ConnectionLost, match="does not read"):
            connection.begin(Deadline(0.1))


# --- answers without TLS --------------------------------------------------------------------------------


def answered(
    certificates: Certificates, answer: Callable[[socket.socket], object], seconds: float = PATIENCE / 2
) -> ConnectionLost | Refused:
    """The error of a client whose server answers its first bytes so."""
    with FakeServer() as server:
        trust = ServerTrust(TlsOptions(certificates.good.certificate), "127.0.0.1", server.port)
        connection = Connection(ServerIdentity(trust))
        opening = Task(lambda: connection.open("127.0.0.1", server.port, Deadline(seconds)))
        peer = server.accept()
        assert peer.socket.recv(1) == b"\x16"
        answer(peer.socket)
        with pytest.raises((ConnectionLost, Refused)) as error:
            opening.result()
        assert "\n" not in str(error.value)
        return error.value


def saying(*packets: Packet, end: bool = True) -> Callable[[socket.socket], object]:
    """Sends packets, byte by byte, and ends."""

    def answer(sock: socket.socket) -> None:
        for byte in b"".join(map(encode, packets)):
            sock.sendall(bytes((byte,)))
        if end:
            sock.shutdown(socket.SHUT_WR)

    return answer


@pytest.mark.parametrize("end", [True, False])
def test_a_full_server_refuses_in_clear(certificates: Certificates, end: bool) -> None:
    """A refusal that comes without TLS is told with its code: so the client may try again."""
    error = answered(certificates, saying(Status(Verdict.FAIL, Code.FULL, "the chatroom is full"), end=end))
    assert isinstance(error, Refused)
    assert (error.code, str(error)) == (Code.FULL, "the chatroom is full")
    error = answered(certificates, saying(Bye(True, Code.STOPPING, "stopping")))
    assert isinstance(error, Refused) and error.code == Code.STOPPING


def test_a_server_without_tls(certificates: Certificates) -> None:
    """A chat server that does not speak TLS is told apart from one that refuses."""
    status = Status(Verdict.FAIL, Code.PROTOCOL_ERROR, "not the chatroom's protocol (first byte 0x16)")
    error = answered(certificates, saying(status))
    assert isinstance(error, Refused) and "does not speak TLS" in str(error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xc7", "does not speak TLS"),
        (b"\xc7garbage of the magic byte", "does not speak TLS"),
        (encode(Status(Verdict.PASS)), "does not speak TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS with 127.0.0.1:.* failed"),
        (b"\x15\3\3\0\2\2\x28", "failed: .*handshake failure"),
        (b"", "closed the connection"),
    ],
)
def test_other_answers(certificates: Certificates, data: bytes, words: str) -> None:
    """Whatever else answers, the client says so in one line."""

    def answer(sock: socket.socket) -> None:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    with pytest.raises((ConnectionLost, Refused), match=words):
        raise answered(certificates, answer)


def test_silence(certificates: Certificates) -> None:
    """A server that says nothing is given up at the deadline, in the handshake of TLS, too."""
    with pytest.raises(ConnectionLost, match="no answer in time"):
        raise answered(certificates, lambda _sock: None, 0.5)


# --- bytes ----------------------------------------------------------------------------------------------


class Server:
    """A server's side of TLS in memory, over a socket pair whose other end the client has."""

    def __init__(self, certificates: Certificates, version: ssl.TLSVersion) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.came, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = server_context(certificates.good, version)
        self.tls = context.wrap_bio(self.came, self.going, server_side=True)
        trust = ServerTrust(TlsOptions(certificates.good.certificate), "localhost", 1)
        self.client = TlsSocket(self.theirs, ServerIdentity(trust))
        run_all(lambda: self.client.begin(Deadline(PATIENCE)), self._shake_hands)

    def _shake_hands(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                self.ours.sendall(self.going.read())
                self.came.write(self.ours.recv(65536))
            finally:
                self.ours.sendall(self.going.read())

    def say(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.going.read()

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@settings(max_examples=20)  # each has a handshake of TLS
@given(
    texts=st.lists(st.binary(min_size=1, max_size=5000), min_size=1, max_size=5),
    cuts=st.lists(st.integers(1, 3000), max_size=10),
    change=st.none() | st.integers(0, 10_000),
    version=st.sampled_from(VERSIONS),
)
def test_however_the_bytes_are_cut(
    certificates: Certificates,
    texts: list[bytes],
    cuts: list[int],
    change: int | None,
    version: ssl.TLSVersion,
) -> None:
    """The borders of segments mean nothing; changed bytes are an error, and never become a text."""
    server = Server(certificates, version)
    data = bytearray(b"".join(map(server.say, texts)))
    if change is not None:
        data[change % len(data)] ^= 1
    found = b""
    try:
        for cut in cuts:
            server.ours.sendall(data[:cut])
            del data[:cut]
            found += server.client.receive(0.0)
        server.ours.sendall(data)
        server.ours.shutdown(socket.SHUT_WR)
        while True:
            found += server.client.receive(PATIENCE)
    except ConnectionLost:
        pass
    finally:
        server.close()
    whole = b"".join(texts)
    assert found == whole if change is None else (whole.startswith(found) and found != whole)

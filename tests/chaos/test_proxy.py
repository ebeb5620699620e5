"""The proxy passes bytes unharmed, and does each harm that it promises."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from chatroom.packets import SAME_CONNECTION, Decoder, Packet, Ping, Port, Status, Verdict, encode
from tests.chaos.proxy import PortRewriter, Proxy

TICKET = bytes(range(16))
TIMEOUT = 5.0


class Pair:
    """A client through the proxy and the socket that the server got for it."""

    def __init__(self, proxy: Proxy, server: socket.socket, port: int | None = None) -> None:
        self.client = socket.create_connection(("127.0.0.1", port or proxy.port), TIMEOUT)
        self.server, _ = server.accept()
        self.server.settimeout(TIMEOUT)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT)
        yield server


@pytest.fixture
def proxy(server: socket.socket) -> Iterator[Proxy]:
    proxy = Proxy()
    proxy.lobby = server.getsockname()[1]
    yield proxy
    proxy.close()


@pytest.fixture
def pair(proxy: Proxy, server: socket.socket) -> Iterator[Pair]:
    pair = Pair(proxy, server)
    yield pair
    pair.client.close()
    pair.server.close()


def take(end: socket.socket, size: int) -> bytes:
    """Exactly so many bytes."""
    data = b""
    while len(data) < size:
        piece = end.recv(size - len(data))
        assert piece, f"the end after {data!r}"
        data += piece
    return data


def take_packets(end: socket.socket, count: int) -> list[Packet]:
    decoder = Decoder()
    packets: list[Packet] = []
    while len(packets) < count:
        packets += decoder.feed(end.recv(4096))
    return packets


def test_both_ways_and_the_end(pair: Pair) -> None:
    """Bytes pass in both directions, however many, and the end of one side reaches the other."""
    pings = b"".join(encode(Ping(n)) for n in range(20_000))
    sender = threading.Thread(target=pair.client.sendall, args=(pings,))
    sender.start()
    assert take(pair.server, len(pings)) == pings
    sender.join()
    pair.client.shutdown(socket.SHUT_WR)
    assert pair.server.recv(10) == b""
    pair.server.sendall(b"\xc7 bye")
    assert take(pair.client, 0) == b""
    pair.server.close()


def test_port_is_rewritten_and_the_new_port_leads_to_the_server(proxy: Proxy, pair: Pair) -> None:
    """The proxy puts its own port into PORT, and a client that connects there reaches the server's."""
    with socket.create_server(("127.0.0.1", 0)) as admission:
        admission.settimeout(TIMEOUT)
        number = admission.getsockname()[1]
        pair.server.sendall(
            encode(Status(Verdict.PASS)) + encode(Port(number, TICKET)) + encode(Status(Verdict.END))
        )
        _, port, end = take_packets(pair.client, 3)
        assert isinstance(port, Port) and port.number != number and port.ticket == TICKET
        assert end == Status(Verdict.END)
        admitted = Pair(proxy, admission, port.number)
        admitted.client.sendall(b"\xc7admit")
        assert take(admitted.server, 6) == b"\xc7admit"
        admitted.client.close()
        admitted.server.close()


def test_same_connection_is_left_alone() -> None:
    """PORT 0 passes unchanged, and the bytes after it pass without waiting for whole packets."""
    rewriter = PortRewriter(lambda number: number + 1)
    port = encode(Port(SAME_CONNECTION, TICKET))
    assert rewriter.feed(port[:7]) == b""
    assert rewriter.feed(port[7:] + b"\xc7 half") == port + b"\xc7 half"


def test_reset(proxy: Proxy, pair: Pair) -> None:
    """A reset reaches both sides as a reset, not as an orderly end."""
    assert proxy.reset(0)
    for side in (pair.client, pair.server):
        with pytest.raises(ConnectionResetError):
            side.recv(10)
    assert proxy.counts["resets"] == 1


def test_cut_in_the_middle_of_a_packet(proxy: Proxy, pair: Pair) -> None:
    """A cut lets exactly the given number of bytes pass and then ends the connection."""
    assert proxy.cut(0, 25, up=False)
    pair.server.sendall(encode(Ping(1)) + encode(Ping(2)))
    got = b""
    with pytest.raises(ConnectionError):
        while piece := pair.client.recv(100):
            got += piece
        raise ConnectionResetError  # an orderly end is as good
    assert len(got) <= 25
    assert proxy.counts["cuts"] == 1


def test_stall_holds_back_and_lets_go(proxy: Proxy, pair: Pair) -> None:
    """While stalled nothing passes; afterwards everything does, in order."""
    assert proxy.stall(0, 60.0)
    pair.client.sendall(b"\xc7later")
    pair.server.settimeout(0.1)
    with pytest.raises(TimeoutError):
        pair.server.recv(10)
    proxy.heal()
    pair.server.settimeout(TIMEOUT)
    assert take(pair.server, 6) == b"\xc7later"


def test_a_stall_ends_by_itself(proxy: Proxy, pair: Pair) -> None:
    """A stall of a tenth of a second ends after that time; the other direction is never stalled."""
    proxy.stall(0, 0.1, up=True, down=False)
    pair.client.sendall(b"\xc7up")
    pair.server.sendall(encode(Ping(3)))
    assert take(pair.client, 20) == encode(Ping(3))
    assert take(pair.server, 3) == b"\xc7up"


def test_chop(proxy: Proxy, pair: Pair) -> None:
    """A chopped stream has the same bytes in the same order."""
    proxy.chop(0, 60.0)
    pings = b"".join(encode(Ping(n)) for n in range(50))
    pair.client.sendall(pings)
    assert take(pair.server, len(pings)) == pings


def test_a_server_that_is_down_looks_down(proxy: Proxy, server: socket.socket) -> None:
    """When no server listens behind the proxy, the client's connection ends at once."""
    server.close()
    with (
        pytest.raises(ConnectionResetError),  # perhaps while connecting already
        socket.create_connection(("127.0.0.1", proxy.port), TIMEOUT) as client,
    ):
        client.recv(10)


def test_without_connections_a_fault_says_that_it_did_nothing(proxy: Proxy) -> None:
    """A fault without a connection to harm is not counted."""
    assert not proxy.reset(3) and not proxy.stall(None, 1.0)
    assert sum(proxy.counts.values()) == 0


def test_linger_layout() -> None:
    """The linger structure is two native ints on this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert probe.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 0)


def test_bytes_of_tls_pass() -> None:
    """What is encrypted passes as it is, whatever it looks like."""
    rewriter = PortRewriter(lambda number: number + 1)
    tls = b"\x16\3\3\0\4" + encode(Port(5000, TICKET))
    assert rewriter.feed(tls[:1]) + rewriter.feed(tls[1:]) == tls

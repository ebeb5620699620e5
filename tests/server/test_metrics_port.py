"""The port of the metrics: whoever reads there, and however, holds nobody up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from server import metrics_port
from server.metrics_port import MetricsPort
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
PAGE = b"# TYPE x gauge\nx 1\n" * 1000


class Running:
    """A port with its thread. pages: how many were made"""

    def __init__(self) -> None:
        self.pages = 0
        self.port = MetricsPort(0, self._page, "text/plain")
        self.thread = Task(self.port.run)
        host, _, port = self.port.address.rpartition(":")
        self.address = host, int(port)

    def _page(self) -> bytes:
        self.pages += 1
        return PAGE

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, PATIENCE)

    def ask(self, request: bytes) -> bytes:
        """All that comes for a request."""
        with self.connect() as sock:
            sock.sendall(request)
            return rest(sock)

    def stop(self) -> None:
        self.port.stop()
        self.thread.result()
        self.port.close()


def rest(sock: socket.socket) -> bytes:
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionError:
        pass
    return data


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


def test_it_is_on_this_machine_only(running: Running) -> None:
    """The port is bound to the loopback address."""
    assert running.address[0] == "127.0.0.1"


def test_a_page(running: Running) -> None:
    """GET /metrics gets the page, whole, with its length and type, and then the connection ends."""
    for request in (GET, GET.replace(b"/metrics", b"/metrics?x=1"), GET.replace(b"1.1", b"1.0")):
        head, _, body = running.ask(request).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n") and body == PAGE
        assert b"Content-Type: text/plain\r\n" in head and f"Content-Length: {len(PAGE)}".encode() in head
        assert b"Connection: close" in head


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics/x HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", b"405"),
        (b"hello\r\n\r\n", b"400"),
        (b"GET /metrics\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/2\r\n\r\n", b"400"),
    ],
)
def test_other_requests(running: Running, request_: bytes, status: bytes) -> None:
    """What is no request for the page gets its reason, and no page is made."""
    assert running.ask(request_).startswith(b"HTTP/1.1 " + status)
    assert running.pages == 0


def test_a_request_in_pieces(running: Running) -> None:
    """It does not matter how the request is cut."""
    with running.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in GET:
            sock.send(bytes((byte,)))
        assert rest(sock).endswith(PAGE)


def test_a_request_without_an_end(running: Running) -> None:
    """One that is longer than any request is dropped without an answer."""
    assert running.ask(b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 10_000) == b""
    assert running.ask(GET).endswith(PAGE)


def test_silent_and_slow_readers(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says nothing, one that says a byte now and then, one that takes nothing: others are served."""
    monkeypatch.setattr(metrics_port, "METRICS_SECONDS", 0.1)
    began = time.monotonic()
    done = threading.Event()

    def trickle(sock: socket.socket) -> None:
        try:
            while not done.wait(0.02):
                sock.send(b"X")
        except OSError:
            pass

    with running.connect(), running.connect() as dripping, running.connect() as full:
        task = Task(lambda: trickle(dripping))
        full.sendall(GET)
        assert running.ask(GET).endswith(PAGE)
        done.set()
        task.result()
    assert time.monotonic() - began < PATIENCE / 2


def test_stopping_does_not_wait_for_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """stop() wakes the thread also while somebody dawdles."""
    monkeypatch.setattr(metrics_port, "METRICS_SECONDS", 60.0)
    running = Running()
    with running.connect() as sock:
        sock.send(b"GET")
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < PATIENCE / 2


def test_a_reader_that_hangs_up(running: Running) -> None:
    """Readers that are gone, also with a reset, end nothing."""
    for request in (b"", b"GET", GET):
        sock = running.connect()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.send(request)
        sock.close()
    assert running.ask(GET).endswith(PAGE)


def test_a_port_that_is_in_use(running: Running) -> None:
    """The reason is one line."""
    with pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1:\d+ for metrics: "):
        MetricsPort(running.address[1], lambda: b"", "")


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_senseless_bytes(pieces: list[bytes]) -> None:
    """Whatever comes gets one answer of HTTP, or none; nothing raises."""
    running = _SHARED
    with running.connect() as sock:
        for piece in pieces:
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        answer = rest(sock)
    assert not answer or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 405"))


@pytest.fixture(autouse=True, scope="module")
def shared() -> Iterator[None]:
    """One port for all examples of a property."""
    global _SHARED
    _SHARED = Running()
    yield
    _SHARED.stop()


_SHARED: Running

"""client/connection.py"""

from __future__ import annotations

import select
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from client.connection import Connection
from tests.client.fake_server import FakeServer
from tests.client.slow_system import SlowSystem
from tests.support.link_local import link_local
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task


def test_every_failure_to_connect_is_one_clear_line() -> None:
    """Refused, unknown host and an impossible name all become ConnectionLost that says where."""
    with FakeServer() as server:
        port = server.port
    for host, reason in [
        ("127.0.0.1", "connection refused"),
        ("no-such-host.invalid", "host is not known"),
        ("a" * 70 + ".example", "host is not known"),
    ]:
        with pytest.raises(ConnectionLost, match=reason) as lost:
            Connection().open(host, port, Deadline(PATIENCE))
        assert host in str(lost.value)
        assert "\n" not in str(lost.value)


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Let every host name have these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_a_host_whose_address_does_not_come() -> None:
    """Neither a deadline nor shutdown() nor Ctrl-C waits for the name servers; all tries share one thread."""
    with SlowSystem() as system:
        with pytest.raises(ConnectionLost, match=r"slow\.example:5050: no answer in time"):
            Connection().open("slow.example", 5050, Deadline(0.01))
        connection = Connection()
        opening = Task(lambda: connection.open("slow.example", 5050, Deadline(PATIENCE)))
        connection.shutdown()  # before or while it waits
        with pytest.raises(ConnectionLost):
            opening.result()
        with ctrl_c_raises(), pytest.raises(KeyboardInterrupt):
            Connection().open("slow.example", 5050, Interrupting(PATIENCE))
        assert system.asked == ["slow.example"]


@contextmanager
def ctrl_c_raises() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, as in a program that has not changed that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Interrupting(Deadline):
    """Ctrl-C comes when somebody asks how long to wait."""

    def left(self) -> float:
        main = threading.main_thread().ident
        assert main is not None
        Task(lambda: signal.pthread_kill(main, signal.SIGINT))
        return super().left()


@contextmanager
def black_hole() -> Iterator[int]:
    """The port of a listener at 127.0.0.2 that answers nobody: it accepts none, and its backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.2", 0), backlog=0))
        while True:
            guest = stack.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(listener.getsockname())
            if not select.select([], [guest], [], 0.01)[1]:
                break
        yield listener.getsockname()[1]


def test_an_address_that_does_not_answer_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the first address is a black hole, the second one is tried; nothing of the first is left."""
    monkeypatch.setattr("client.connection.CONNECT_STAGGER", 0.01)
    with FakeServer() as server, black_hole() as silent:
        resolve(monkeypatch, ("127.0.0.2", silent), ("127.0.0.1", server.port))
        connection = Connection()
        connection.open("two.example", 5050, Deadline(PATIENCE))
        server.accept()
        assert connection.peer == "127.0.0.1"
        connection.close()


def test_an_address_that_refuses_is_followed_by_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused try does not wait for the stagger; the answer of the last one counts when all fail."""
    monkeypatch.setattr("client.connection.CONNECT_STAGGER", 2 * PATIENCE)
    with FakeServer() as server:
        with FakeServer() as gone:
            pass
        resolve(monkeypatch, ("127.0.0.2", gone.port), ("127.0.0.1", server.port))
        connection = Connection()
        connection.open("two.example", 5050, Deadline(PATIENCE))
        assert connection.peer == "127.0.0.1"
        connection.close()
        resolve(monkeypatch, ("127.0.0.2", gone.port), ("127.0.0.1", gone.port))
        with pytest.raises(ConnectionLost, match=r"two\.example:5050: connection refused"):
            Connection().open("two.example", 5050, Deadline(PATIENCE))


def test_only_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no address answers, the deadline ends all tries, or shutdown() does."""
    monkeypatch.setattr("client.connection.CONNECT_STAGGER", 0.01)
    with black_hole() as one, black_hole() as two:
        resolve(monkeypatch, ("127.0.0.2", one), ("127.0.0.2", two))
        with pytest.raises(ConnectionLost, match="no answer in time"):
            Connection().open("two.example", 5050, Deadline(0.05))
        waiting = len(sockets_to(one, two))
        connection = Connection()
        opening = Task(lambda: connection.open("two.example", 5050, Deadline(10 * PATIENCE)))
        eventually(lambda: len(sockets_to(one, two)) == waiting + 2, "the second address is not tried")
        connection.shutdown()
        with pytest.raises(ConnectionLost):
            opening.result()


def sockets_to(*ports: int) -> list[str]:
    """The sockets in this system that wait for an answer of a port at 127.0.0.2."""
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [row for row in table if row.split()[3] == "02" and int(row.split()[2][9:], 16) in ports]


def test_a_client_that_would_talk_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that the kernel connects to itself counts as refused, and a server can listen there at once."""
    real = socket.socket.connect_ex
    with FakeServer() as server:
        server.stop()

        def connect(sock: socket.socket, address: tuple[str, int]) -> int:
            sock.bind(address)  # what the kernel chooses once in some 30,000 tries
            return real(sock, address)

        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect_ex", connect)
            for _ in range(3):
                with pytest.raises(ConnectionLost, match="connection refused"):
                    Connection().open("127.0.0.1", server.port, Deadline(PATIENCE))
        server.again()


def test_a_link_local_address_keeps_its_interface() -> None:
    """The numeric address of a server, to which the client goes for admission, names the interface."""
    host, scope = link_local()
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind((host, 0, 0, scope))
        listener.listen()
        port = listener.getsockname()[1]
        first, second = Connection(), Connection()
        first.open(f"{host}%{socket.if_indextoname(scope)}", port, Deadline(PATIENCE))
        assert first.peer == f"{host}%{scope}"
        second.open(first.peer, port, Deadline(PATIENCE))
        first.close()
        second.close()


def test_bytes_go_both_ways_without_delay() -> None:
    """A connection carries bytes, with TCP_NODELAY and keepalive set."""
    with FakeServer() as server:
        connection = Connection()
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
        peer = server.accept()
        sock = connection.sock
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        connection.send(b"ask")
        assert peer.socket.recv(3) == b"ask"
        peer.socket.sendall(b"answer")
        assert connection.receive(PATIENCE) == b"answer"
        assert connection.receive(0.001) == b""
        peer.close()
        with pytest.raises(ConnectionLost, match="closed"):
            connection.receive(PATIENCE)
        connection.close()


def test_shutdown_wakes_the_receiver_and_a_sender_that_is_stuck() -> None:
    """shutdown() wakes a thread in receive() and one in send()."""
    with FakeServer() as server:
        connection = Connection()
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
        server.accept()
        receiving = Task(lambda: connection.receive(PATIENCE))
        sending = Task(lambda: connection.send(bytes(64 * 1024 * 1024)))
        connection.shutdown()
        for blocked in (receiving, sending):
            with pytest.raises(ConnectionLost):
                blocked.result()
        connection.close()


def test_a_send_outlasts_the_receivers_patience() -> None:
    """Time-outs of the socket belong to the receiver: a server that takes bytes slowly gets all of them."""
    size = 8 * 1024 * 1024
    with FakeServer() as server:
        connection = Connection()
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
        peer = server.accept()
        sending = Task(lambda: connection.send(bytes(size)))
        assert connection.receive(0.01) == b""  # sets a time-out, which runs out while the sender waits
        taken = 0
        while taken < size:
            taken += len(peer.socket.recv(1 << 20))
        sending.result()
        connection.close()


def test_a_connection_that_was_shut_down_cannot_be_opened() -> None:
    """open() after shutdown() fails, so that close() wins against a connect that is about to begin."""
    with FakeServer() as server:
        connection = Connection()
        connection.shutdown()
        with pytest.raises(ConnectionLost):
            connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
    assert threading.active_count() == 1

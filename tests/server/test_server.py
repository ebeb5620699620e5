"""The server: it accepts, starts handshakes, and owns nothing else."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chatroom.errors import ConfigError
from chatroom.outcomes import Code
from server.address import format_address
from tests.server.fakes import pair
from tests.server.test_app import CONFIG, Running
from tests.support.patience import PATIENCE
from tests.support.peer import Peer
from tests.support.tasks import Task

LOOPBACK = socket.if_nameindex()[0][0]


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running()
    yield running
    if running.running:
        running.stop()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (("127.0.0.1", 5050), "127.0.0.1:5050"),
        (("::1", 5050, 0, 0), "[::1]:5050"),
        (("fe80::1%eth0", 1, 0, 2), "[fe80::1%eth0]:1"),
        (("fe80::1", 1, 0, LOOPBACK), f"[fe80::1%{socket.if_indextoname(LOOPBACK)}]:1"),
        (("fe80::1", 1, 0, 999_999), "[fe80::1%999999]:1"),
    ],
)
def test_addresses(address: tuple[object, ...], text: str) -> None:
    """An address is written as one can type it into the client."""
    assert format_address(address) == text


def resolve(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Let every host name have these addresses."""
    real = socket.getaddrinfo

    def all_of_them(host: str, *rest: Any, **options: Any) -> list[Any]:
        return [found for each in hosts for found in real(each, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", all_of_them)


def test_a_host_with_two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server listens on every address of its host, once and with one port, and serves at each."""
    with monkeypatch.context() as patch:
        resolve(patch, "127.0.0.1", "127.0.0.2", "127.0.0.1")
        server = Running(replace(CONFIG, host="two.example"))
    one, two = server.address.split(", ")
    port = one.removeprefix("127.0.0.1:")
    assert two == f"127.0.0.2:{port}"
    with Peer.enter(one, "ann"), Peer.enter(two, "bob") as bob:
        assert bob.socket.getpeername()[0] == "127.0.0.2"
        server.stop()
    for address in (one, two):
        with pytest.raises(ConnectionError):
            Peer.connect(address)


def test_a_port_that_is_free_at_one_address_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another program has at the second address is refused; the system finds another one."""
    real = socket.socket.bind
    chosen: list[tuple[str, int]] = []
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]

        def bind(sock: socket.socket, address: tuple[str, int]) -> None:
            if address == ("127.0.0.1", 0) and not chosen:
                address = ("127.0.0.1", port)  # what the system chooses at first
            chosen.append(address)
            real(sock, address)

        resolve(monkeypatch, "127.0.0.1", "127.0.0.2")
        monkeypatch.setattr(socket.socket, "bind", bind)
        with pytest.raises(
            ConfigError, match=rf"^cannot listen on 127.0.0.2:{port}: Address already in use$"
        ):
            Running(replace(CONFIG, host="two.example", port=port))
        chosen.clear()
        server = Running(replace(CONFIG, host="two.example"))
        assert server.address.count(", ") == 1
        assert str(port) not in server.address
        server.stop()


def test_an_address_that_this_machine_lacks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A host with one address of this machine is listened on there, and the other one is told."""
    with monkeypatch.context() as patch:
        resolve(patch, "192.0.2.77", "127.0.0.1")
        server = Running(replace(CONFIG, host="two.example"))
    assert server.address.startswith("127.0.0.1:")
    assert "cannot listen on 192.0.2.77:0: Cannot assign requested address" in caplog.text
    server.stop()
    resolve(monkeypatch, "192.0.2.77")
    with pytest.raises(ConfigError, match=r"192\.0\.2\.77:0: Cannot assign"):
        Running(replace(CONFIG, host="one.example"))


def test_a_link_local_address_without_its_interface() -> None:
    """It cannot be listened on; the error says what is missing."""
    with pytest.raises(ConfigError, match=r"say on which interface, as in fe80::1%eth0"):
        Running(replace(CONFIG, host="fe80::1"))


def test_too_many_handshakes(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Beyond the limit newcomers are refused at once; when others are done, there is room again."""
    monkeypatch.setattr("server.server.MAX_HANDSHAKES", 2)
    with Peer.connect(server.address) as one, Peer.connect(server.address) as two:
        with caplog.at_level(logging.WARNING), Peer.connect(server.address) as third:
            third.expect_end()
        assert "too many handshakes" in caplog.text
        one.socket.close()
        two.socket.close()
    while True:
        with Peer.connect(server.address) as peer:
            try:
                assert peer.ask("ann").code in (Code.OK, Code.NAME_TAKEN)
            except (AssertionError, OSError):
                continue  # the server has not noticed yet that the two are gone
        break


def test_no_descriptor_left(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When accept() fails the server says so, waits a moment, and goes on."""
    real, failed = socket.socket.accept, threading.Event()

    def accept(sock: socket.socket) -> tuple[socket.socket, object]:
        if not failed.is_set():
            failed.set()
            raise OSError(24, "Too many open files")
        return real(sock)

    monkeypatch.setattr("server.server.EXHAUSTED_SECONDS", 0.001)
    monkeypatch.setattr(socket.socket, "accept", accept)
    with Peer.connect(server.address), Peer.enter(server.address, "ann"):
        assert failed.is_set()
    assert "Too many open files" in caplog.text


def test_no_thread_for_a_handshake(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system has no thread left, the newcomer is disconnected; the next one gets in."""

    def spawn(target: object, name: str) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(server.app.chatroom, "spawn", spawn)
        with Peer.connect(server.address) as peer:
            peer.expect_end()
    with Peer.enter(server.address, "ann"):
        pass


def test_who_is_accepted_after_the_end(server: Running) -> None:
    """A connection that was accepted just before the end is closed at once."""
    server.app.server.close()
    with pair() as (ours, _theirs):
        server.app.server.hand_over(ours, "late")
        assert ours.fileno() == -1
        assert server.app.server.newcomers == 0


def test_after_the_end_nobody_listens(server: Running) -> None:
    """After close() the port is free, and the system refuses new connections."""
    address = server.address
    Task(server.stop).result(PATIENCE)
    with pytest.raises(ConnectionError):
        Peer.connect(address)


def test_comings_and_goings_leave_nothing(server: Running) -> None:
    """A hundred peers that go away, at any step, leave no name, no newcomer and no member behind."""
    for number in range(100):
        with Peer.connect(server.address) as peer:
            if number % 4:
                peer.ask(f"guest-{number}")
            if number % 4 == 2:
                peer.receive()
            if number % 4 == 3:
                port = peer.take_port()
                Peer.connect(server.address, port.number).socket.close()
    with Peer.enter(server.address, "ann"):
        pass
    server.stop()
    assert server.app.server.newcomers == 0

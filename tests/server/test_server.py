"""The server: it accepts, starts handshakes, and owns nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chatroom.errors import ConfigError
from chatroom.outcomes import Code
from chatroom.packets import NO_TOKEN, VERSION, Bye, Hello, Status, Username, Verdict
from server.address import format_address
from server.quotas import Quotas
from server.refusals import Refusals
from tests.server.fakes import pair
from tests.server.test_app import CONFIG, Running
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import PacketSocket, Peer
from tests.support.tasks import Task

HELLO = Hello(VERSION, "test")
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


def test_too_many_silent_guests() -> None:
    """Silent guests of one address do not keep others out: their oldest goes, and is told why."""
    server = Running(replace(CONFIG, quotas=Quotas(guests=4, address_guests=4)))
    silent = [Peer.connect(server.address, source=f"127.0.0.{n}") for n in (2, 2, 2, 3)]
    with Peer.enter(server.address, "ann"), Peer.enter(server.address, "bob"):
        (status,) = silent[0].rest()
        assert isinstance(status, Status) and (status.verdict, status.code) == (Verdict.FAIL, Code.SLOW_DOWN)
        assert "you were silent" in status.reason
    for peer in silent:
        peer.close()
    server.stop()


def test_too_many_guests_from_one_address() -> None:
    """Beyond its share an address gets a refusal with a code while its guests work; others come in."""
    server = Running(replace(CONFIG, quotas=Quotas(address_guests=2)))
    working = [Peer.connect(server.address, source="127.0.0.2") for _ in range(2)]
    with Peer.connect(server.address, source="127.0.0.2") as third:
        third.send(HELLO, Username("eve", NO_TOKEN))  # unread by the server: it must not destroy the answer
        (status,) = third.rest()
        assert isinstance(status, Status) and status.code == Code.SLOW_DOWN
    with Peer.enter(server.address, "ann"):
        for peer in working:
            peer.close()
    server.stop()


def test_too_many_connections_from_one_address() -> None:
    """An address that connects too often is refused with a code, always; another address is not."""
    server = Running(replace(CONFIG, quotas=Quotas(address_rate=1)))
    answers = []
    for _ in range(40):
        with Peer.connect(server.address, source="127.0.0.2") as peer:
            peer.send(HELLO, Username("-", NO_TOKEN))
            answers.append(peer.expect(Status).code)
    assert answers[:8] == [Code.BAD_NAME] * 8
    assert set(answers[12:]) == {Code.SLOW_DOWN}
    with Peer.enter(server.address, "ann"):
        server.stop()


def test_a_full_chatroom() -> None:
    """Who finds the chatroom full, or its address with too many members, hears it before it gets a name."""
    server = Running(replace(CONFIG, quotas=Quotas(members=3, address_members=2)))
    with ExitStack() as stack:
        first, second = (stack.enter_context(Peer.enter(server.address, name)) for name in ("ann", "bob"))
        with Peer.connect(server.address) as third:
            assert third.ask("eve").code == Code.TOO_MANY
            assert third.rest() == []
        other = stack.enter_context(Peer.connect(server.address, source="127.0.0.2"))
        assert other.ask("cid").verdict is Verdict.PASS
        with Peer.connect(server.address, source="127.0.0.3") as fourth:
            assert fourth.ask("eve").code == Code.FULL
        first.send(Bye(False, Code.GOODBYE, ""))
        first.bye()
        first.close()

        def free() -> bool:
            with Peer.connect(server.address) as peer:
                return peer.ask("dan").verdict is Verdict.PASS

        eventually(free, "the place of a member that has left is not given back")
        second.close()
    server.stop()


@pytest.mark.parametrize("quotas", [Quotas(members=2), Quotas(members=9, address_members=2)])
def test_a_seat_of_a_dead_connection(quotas: Quotas) -> None:
    """Who comes back with its token needs no second seat while its old connection is not known to be dead.

    The token opens that seat whatever name comes with it: its member may have got another one.
    """
    server = Running(replace(CONFIG, quotas=quotas))
    with Peer.enter(server.address, "ann") as dead, Peer.enter(server.address, "bob"):
        token = dead.welcome.token
        with Peer.connect(server.address) as other:
            assert other.ask("eve", token).verdict is Verdict.PASS
        with Peer.connect(server.address) as other:
            assert other.ask("eve").code in (Code.FULL, Code.TOO_MANY)
        for _ in range(2):
            with Peer.connect(server.address) as fickle:
                assert fickle.ask("ann", token).verdict is Verdict.PASS  # and goes away
        with Peer.enter(server.address, "ann", token) as ann, Peer.connect(server.address) as eve:
            assert ann.welcome.token == token and dead.bye().code == Code.TAKEN_OVER
            assert eve.ask("eve").code in (Code.FULL, Code.TOO_MANY)
    server.stop()


def test_a_class_behind_one_address() -> None:
    """Sixty people behind one address come in at the same moment, with the limits as they are."""
    server = Running()
    with ExitStack() as stack:
        tasks = [Task(partial(Peer.come_in, server.address, f"pupil{n}")) for n in range(60)]
        members = [stack.enter_context(task.result()) for task in tasks]
        assert len({member.welcome.person for member in members}) == 60
        server.stop()


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

    def spawn(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(server.app.chatroom.reaper, "spawn", spawn)
        with Peer.connect(server.address) as peer:
            (status,) = peer.rest()
            assert isinstance(status, Status) and status.code == Code.UNAVAILABLE
    with Peer.enter(server.address, "ann"):
        pass


def test_who_is_accepted_after_the_end(server: Running) -> None:
    """A connection that was accepted just before the end is told so and closed."""
    server.stop()
    with pair() as (ours, theirs):
        refusals = Refusals(1)
        server.app.server.hand_over(ours, "late", refusals)
        refusals.close()
        (status,) = PacketSocket(theirs).rest()
        assert isinstance(status, Status) and status.code == Code.UNAVAILABLE
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

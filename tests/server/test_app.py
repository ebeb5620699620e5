"""The whole server, made, started and closed, with peers that behave and peers that do not."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from chatroom.catch_up import CatchUp
from chatroom.errors import ChatroomError, ConfigError, HistoryError
from chatroom.events import Event, EventKind
from chatroom.history import MemoryHistory
from chatroom.outcomes import Code
from chatroom.packets import VERSION, Answer, Bye, Command, Hello, Ping, Pong, Say, Username
from chatroom.reaper import Reaper
from server.app import App, open_history
from server.config import Config
from server.ports import Ports
from server.retention import Retention
from server.server import Server
from server.storage import default_path
from server.stream import Stream
from tests.chatroom.fakes import RecordingHistory
from tests.support.blocks import blocks_of
from tests.support.events import NOON
from tests.support.patience import eventually
from tests.support.peer import Peer
from tests.support.tasks import Task

CONFIG = Config("127.0.0.1", 0, Ports(), ":memory:", 45.0, "normal", Retention.parse("all"))


class Running:
    """A server that is running until stop(). history: of another one that has stopped; it goes on with it."""

    def __init__(self, config: Config = CONFIG, history: MemoryHistory | None = None) -> None:
        self.history = RecordingHistory()
        self.app = App(config, history or self.history)
        self.app.start()
        self.address = self.app.address
        self.running = True

    def stop(self) -> float:
        """Close the server; the seconds that it took."""
        self.running = False
        began = time.monotonic()
        self.app.close()
        return time.monotonic() - began


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running()
    yield running
    if running.running:
        running.stop()


def lines(peer: Peer, count: int) -> list[str]:
    """The texts of the next `count` lines that the peer is shown."""
    found: list[str] = []
    while len(found) < count:
        event = peer.receive_until(lambda p: isinstance(p, Event) and p.kind is EventKind.SAID)
        found.append(event.text)
    return found


@pytest.mark.parametrize("ports", [Ports(), Ports(same=True)], ids=["any", "same"])
def test_two_people_talk(ports: Ports) -> None:
    """Two members that came through the whole handshake see each other's lines, in one order."""
    server = Running(replace(CONFIG, ports=ports))
    with Peer.enter(server.address, "ann") as ann, Peer.enter(server.address, "bob") as bob:
        ann.send(Say(1, "#general", "hello"), Say(2, "#general", "x" * 50_000))
        assert lines(bob, 2) == ["hello", "x" * 50_000]
        bob.send(Say(1, "#general", "hi"))
        assert lines(ann, 3) == ["hello", "x" * 50_000, "hi"]
        bob.send(Command(9, "#general", "/who"))
        assert bob.receive_until(lambda p: isinstance(p, Answer)).words == "/who #general: 2 here\n  ann, bob"
        server.stop()


def test_a_broken_packet_ends_only_its_connection(server: Running) -> None:
    """Garbage from one member ends its connection only; its earlier lines count, and the others go on."""
    with Peer.enter(server.address, "ann") as ann, Peer.enter(server.address, "bob") as bob:
        bob.send(Say(1, "#general", "hello"))
        lines(bob, 1)
        bob.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        bye = bob.bye()
        assert (bye.again, bye.code) == (False, Code.PROTOCOL_ERROR) and "protocol" in bye.reason
        left = ann.receive_until(lambda p: isinstance(p, Event) and p.kind is EventKind.QUIT)
        assert (left.author, left.text) == ("bob", "an error in its program")
        ann.send(Ping(3))
        ann.receive_until(lambda p: p == Pong(3))


def test_a_silent_member_loses_its_connection() -> None:
    """A member that answers no ping is cut and its name is held; with its token it returns, silently."""
    server = Running(replace(CONFIG, dead_after=0.4))
    with Peer.enter(server.address, "dead") as dead, Peer.enter(server.address, "ann") as ann:
        ids = itertools.count(1)
        lost = "/who #general: 2 here\n  ann\n  connection lost: dead"
        eventually(lambda: who(ann, next(ids)) == lost, "the silent member is not cut")
        with Peer.connect(server.address) as stranger:
            assert stranger.ask("dead").code == Code.NAME_HELD
        with Peer.enter(server.address, "dead", dead.welcome.token) as back:
            back.send(Say(1, "#general", "back again"))
            assert lines(ann, 1) == ["back again"]
            heard = [p for p in ann.packets if isinstance(p, Event) and p.author == "dead"]
            assert [event.kind for event in heard] == [EventKind.SAID]
        server.stop()


def who(peer: Peer, id: int) -> str:
    """The answer to /who in a peer that answers pings."""
    peer.send(Command(id, "#general", "/who"))
    while True:
        packet = peer.receive()
        assert packet is not None
        if isinstance(packet, Ping):
            peer.send(Pong(packet.id))
        if isinstance(packet, Answer) and packet.id == id:
            return packet.words


def test_a_member_that_never_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lone member that talks and never reads does not stop the server: newcomers get in."""
    monkeypatch.setattr("server.stream.STALL_SECONDS", 0.05)
    monkeypatch.setattr("server.stream.BEHIND_BYTES", 20_000)
    monkeypatch.setattr("server.flusher.TICK_SECONDS", 0.01)
    server = Running()
    flood = Peer.enter(server.address, "flood")
    flood.socket.settimeout(0.05)
    try:
        for id in range(1, 100_000, 10):
            flood.send(*[Say(id + n, "#general", "x" * 3000) for n in range(10)])
    except OSError:
        pass  # the server has stopped reading, or has sent it away
    with Peer.enter(server.address, "ann"):
        flood.socket.close()
        server.stop()


# --- the end --------------------------------------------------------------------------------------------


def test_everybody_is_told_of_the_end(server: Running) -> None:
    """At the end every member gets BYE, and may come back."""
    with Peer.enter(server.address, "ann") as ann, Peer.enter(server.address, "bob") as bob:
        server.stop()
        assert ann.bye() == bob.bye() == Bye(True, Code.STOPPING, "the server is shutting down")


def test_what_was_accepted_is_stored(server: Running) -> None:
    """Lines that a member got before the end are in the history after it, in the same order."""
    with Peer.enter(server.address, "ann") as ann:
        ann.send(*[Say(id, "#general", f"line {id}") for id in range(1, 500)])
        lines(ann, 1)
        server.stop()
        ann.rest()
        shown = [packet for packet in ann.packets if isinstance(packet, Event)]
        assert shown == [event for event in server.history.log if event.seq <= shown[-1].seq]


def never_reads(address: str) -> list[Peer]:
    peer, talker = Peer.enter(address, "sleeper"), Peer.enter(address, "talker")
    for id in range(1, 200):
        talker.send(Say(id, "#general", "x" * 60_000))
        lines(talker, 1)
    return [peer, talker]


def nobody_reads(address: str) -> list[Peer]:
    peer = Peer.enter(address, "sleeper")
    peer.socket.settimeout(0.05)
    try:
        for id in range(1, 2000):
            peer.send(Say(id, "#general", "x" * 60_000))
    except OSError:
        pass  # the server does not read on: it waits for the reader
    return [peer]


def silent_in_the_lobby(address: str) -> list[Peer]:
    return [Peer.connect(address)]


def half_a_packet(address: str) -> list[Peer]:
    peer = Peer.connect(address)
    peer.socket.sendall(b"\xc7\x02")
    return [peer]


def without_a_name(address: str) -> list[Peer]:
    peer = Peer.connect(address)
    peer.send(Hello(VERSION, "test"))
    return [peer]


def port_not_taken(address: str) -> list[Peer]:
    peer = Peer.connect(address)
    peer.ask("slow")
    peer.receive()
    return [peer]


def nobody_at_the_new_port(address: str) -> list[Peer]:
    peer = Peer.connect(address)
    peer.ask("slow")
    peer.take_port()
    return [peer]


def silent_at_the_new_port(address: str) -> list[Peer]:
    peer = Peer.connect(address)
    peer.ask("slow")
    return [peer, Peer.connect(address, peer.take_port().number)]


@pytest.mark.parametrize(
    "guests",
    [
        never_reads,
        nobody_reads,
        silent_in_the_lobby,
        half_a_packet,
        without_a_name,
        port_not_taken,
        nobody_at_the_new_port,
        silent_at_the_new_port,
    ],
    ids=lambda guests: guests.__name__,
)
def test_the_end_comes_in_time(
    server: Running, guests: Callable[[str], list[Peer]], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever its guests are doing, the server ends within two seconds, with every thread."""
    peers = guests(server.address)
    assert server.stop() < 2.0
    assert "did not end" not in caplog.text
    for peer in peers:
        peer.socket.close()


def test_newcomers_while_it_ends(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    """A peer that connects at the moment of the end does not delay the end."""
    peers: list[Peer] = []

    def connect() -> None:
        try:
            while True:
                peers.append(Peer.connect(server.address))
                peers[-1].send(Hello(VERSION, "test"), Username(f"n{len(peers)}", bytes(16)))
        except OSError:
            return  # nobody listens any more

    tasks = [Task(connect) for _ in range(2)]
    with Peer.connect(server.address):
        assert server.stop() < 2.0
    assert "did not end" not in caplog.text
    for task in tasks:
        task.result()
    for peer in peers:
        peer.socket.close()


def test_a_broken_disk_ends_the_server(server: Running) -> None:
    """When the history fails for good, wait() returns, members get BYE, and close() says what went wrong."""
    with Peer.enter(server.address, "ann") as ann:
        server.history.broken = True
        ann.send(Say(1, "#general", "hello"))
        Task(server.app.wait).result()
        with pytest.raises(HistoryError, match="the disk is gone"):
            server.stop()
        assert ann.bye() == Bye(True, Code.STOPPING, "the server is shutting down")
        assert not any(isinstance(p, Event) and p.kind is EventKind.SAID for p in ann.packets)


class Untended(RecordingHistory):
    """Its maintenance fails when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.fail = threading.Event()

    def tend(self, stopping: threading.Event) -> None:
        while not stopping.wait(0.01):
            if self.fail.is_set():
                raise KeyError("a bug")


FAULTS = {
    "accept": (Server, "hand_over"),
    "catch-up": (CatchUp, "serve"),
    "flusher": (Stream, "tick"),
    "server-reaper": (Reaper, "reap"),
}
"""By thread, a step that it takes again and again."""


@pytest.mark.parametrize("thread", [*FAULTS, "history"])
def test_the_death_of_a_thread_ends_the_server(thread: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a vital thread dies, the server ends in time: lines are stored, members told, close() says why."""
    monkeypatch.setattr("chatroom.reaper.REAP_SECONDS", 0.05)
    history = Untended()
    before = Event(1, NOON, EventKind.SAID, "#general", "old", "one", 1, 9, 1)
    history.append(blocks_of([before]), [])
    server = Running(history=history)
    with Peer.enter(server.address, "ann") as ann:
        ann.send(Say(1, "#general", "hello"))
        assert lines(ann, 1) == ["hello"]
        with monkeypatch.context() as patch:
            if thread in FAULTS:
                patch.setattr(*FAULTS[thread], mock.Mock(side_effect=KeyError("a bug")))
            else:
                history.fail.set()
            newcomer = Task(lambda: Peer.come_in(server.address, "bob", lines=10).close())
            Task(server.app.wait).result()
        with pytest.raises(ChatroomError, match=rf"a bug ended the thread {thread}: KeyError at "):
            assert server.stop() < 2.0
        assert ann.bye() == Bye(True, Code.STOPPING, "the server is shutting down")
    assert [event.text for event in history.log if event.author == "ann"] == ["", "hello"]
    newcomer.join()


def test_stop_ends_the_waiting(server: Running) -> None:
    """wait() returns when stop() is called, before or after, and however often."""
    server.app.stop()
    server.app.stop()
    Task(server.app.wait).result()


# --- what cannot be made --------------------------------------------------------------------------------


def test_a_port_in_use() -> None:
    """A port that is taken is one clear error, and nothing stays open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        history = RecordingHistory()
        with pytest.raises(ConfigError, match=rf"cannot listen on 127.0.0.1:{port}: Address already in use"):
            App(replace(CONFIG, port=port), history)
        assert history.closed


def test_a_start_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history that was made for a server that cannot listen is removed, with its lock and its folders."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = replace(CONFIG, port=taken.getsockname()[1], data=str(default_path()))
        with pytest.raises(ConfigError):
            App(config)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["256.1.1.1", "no such host", "x" * 70, "192.0.2.1"])
def test_an_address_that_is_not_ours(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is unknown or not this machine's is one clear error."""
    with pytest.raises(ConfigError, match="cannot listen on"):
        App(replace(CONFIG, host=host))


def test_ipv6() -> None:
    """Where there is IPv6, the server listens on it, admits there, and writes its address in brackets."""
    try:
        server = Running(replace(CONFIG, host="::1"))
    except ConfigError:
        pytest.skip("no IPv6 here")
    assert server.address.startswith("[::1]:")
    with Peer.enter(server.address, "ann") as ann:
        assert ann.socket.getpeername()[0] == "::1"
        server.stop()


def test_which_history(tmp_path: Path) -> None:
    """`:memory:` is no file; a path is one, with what the options say; one that cannot be is an error."""
    open_history(CONFIG).close()
    history = open_history(replace(CONFIG, data=str(tmp_path / "history.db")))
    history.append([], [])
    history.close()
    assert (tmp_path / "history.db").exists()
    with pytest.raises(HistoryError):
        open_history(replace(CONFIG, data=str(tmp_path)))


class Manager:
    """A service manager that wants to hear each moment that the server is alive. told: what it was told"""

    alive_every: float | None = 0.005

    def __init__(self) -> None:
        self.told: list[str] = []

    def ready(self, status: str) -> None:
        self.told.append("ready")

    def reloading(self) -> None:
        self.told.append("reloading")

    def stopping(self) -> None:
        self.told.append("stopping")

    def alive(self) -> None:
        self.told.append("alive")


def test_a_forwarder_that_stands_still_is_not_alive(server: Running) -> None:
    """The service manager is told that all is well only while the forwarder makes its rounds."""

    class Pulse:
        """How long ago the forwarder has ended a round. looks: how often somebody asked"""

        looks, still = 0, True

        @property
        def age(self) -> float:
            self.looks += 1
            return 99.0 if self.still else 0.0

        def beat(self) -> None:
            pass

    manager, pulse = Manager(), Pulse()
    server.app._manager = manager  # type: ignore[assignment]
    server.app.chatroom._forwarder.pulse = pulse  # type: ignore[assignment]
    waiting = Task(server.app.wait)
    eventually(lambda: pulse.looks > 3, "nobody looks")
    assert manager.told == ["ready"]
    pulse.still = False
    eventually(lambda: manager.told.count("alive") > 3, "nobody is told")
    server.app.stop()
    waiting.result()
    assert manager.told[-1] == "stopping"

"""Tests for every part of the original, by the section in notes/porting.md."""

from __future__ import annotations

import ast
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import client.link
from chatroom.batch import Batch
from chatroom.events import Event, EventKind
from chatroom.limits import MAX_TEXT
from chatroom.packets import Channel, Packet, Say, Status, Verdict, encode
from chatroom.presence import Presence
from chatroom.proposals import Proposal
from chatroom.queue import WaitingQueue
from chatroom.reaper import Reaper
from client import Client
from server.app import App
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import eventually
from tests.support.peer import Peer, lines
from tests.views.screen import Screen
from views import Depth, Submitted, View

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> dict[str, Reaper]:
    """The reaper of every thread that was spawned in this test, by the thread's name."""
    found: dict[str, Reaper] = {}
    spawn = Reaper.spawn

    def noting(
        reaper: Reaper, target: Callable[[], None], name: str, *more: Any, **options: Any
    ) -> threading.Thread:
        found[name] = reaper
        return spawn(reaper, target, name, *more, **options)

    monkeypatch.setattr(Reaper, "spawn", noting)
    return found


@pytest.fixture
def app(owners: dict[str, Reaper]) -> Iterator[App]:
    """A server for one test."""
    with running() as app:
        yield app


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events]


# --- several messages from one client -------------------------------------------------------------------


def test_several_messages_from_one_client(app: App) -> None:
    """Many packets in one segment, or one packet in many segments: the same events in the same order."""
    with Peer.come_in(port_of(app), "ann") as ann, Peer.come_in(port_of(app), "bob") as bob:
        ann.send(*lines(50))
        for byte in b"".join(map(encode, lines(3, start=51))):
            ann.socket.sendall(bytes((byte,)))
        ann.send(*lines(50, start=54))
        expected = [f"line {number}" for number in range(1, 104)]
        for member in (ann, bob):
            events = member.said(103)
            assert texts(events) == expected
            assert [event.seq for event in events] == list(range(events[0].seq, events[0].seq + 103))


# --- several messages from several clients --------------------------------------------------------------


def test_several_messages_from_several_clients(app: App) -> None:
    """When all talk at once, every member sees the same order, which keeps each talker's own order."""
    names, count = ["ann", "bob", "eve", "joe"], 100
    peers = [Peer.come_in(port_of(app), name) for name in names]
    try:
        talkers = [
            threading.Thread(target=lambda peer=peer, name=name: peer.send(*lines(count, text=name)))
            for peer, name in zip(peers, names, strict=True)
        ]
        for talker in talkers:
            talker.start()
        seen = [peer.said(count * len(names)) for peer in peers]
        for talker in talkers:
            talker.join()
    finally:
        for peer in peers:
            peer.socket.close()
    assert all(events == seen[0] for events in seen)
    assert [event.seq for event in seen[0]] == sorted({event.seq for event in seen[0]})
    for name in names:
        own = [event.text for event in seen[0] if event.author == name]
        assert own == [f"{name} {number}" for number in range(1, count + 1)]


def test_first_come_first_served(app: App) -> None:
    """A line that a member got before another was sent comes first, whether one or two members say them."""
    port = port_of(app)
    with Peer.come_in(port, "ann") as ann, Peer.come_in(port, "bob") as bob, Peer.come_in(port, "eve") as eve:
        for number in range(1, 21):
            talker = (ann, bob)[number % 2]
            talker.send(Say(number, "#general", f"line {number}"))
            assert texts(eve.said(1)) == [f"line {number}"]


# --- a packet outlines the sending of multiple packets --------------------------------------------------


@pytest.mark.parametrize("letter", ["x", "漢"])
def test_packet_outlines_the_sending_of_multiple_packets(app: App, letter: str) -> None:
    """A text of 64 KiB travels as several packets and is one message again at the other side."""
    text = letter * (MAX_TEXT // len(letter.encode()))
    with Peer.come_in(port_of(app), "ann") as ann, Peer.come_in(port_of(app), "bob") as bob:
        ann.send(Say(1, "#general", text))
        assert texts(bob.said(1)) == [text]
        assert texts(ann.said(1)) == [text]


def test_a_message_that_stops_in_the_middle_holds_nobody_up(app: App) -> None:
    """A long text of which only a half has come does not delay the lines of the others."""
    long = Say(1, "#general", "x" * MAX_TEXT)
    data = encode(long)
    with Peer.come_in(port_of(app), "ann") as ann, Peer.come_in(port_of(app), "bob") as bob:
        ann.socket.sendall(data[: len(data) // 2])
        bob.send(*lines(10))
        assert texts(bob.said(10)) == [line.text for line in lines(10)]
        ann.socket.sendall(data[len(data) // 2 :])
        assert texts(bob.said(1)) == [long.text]


# --- thread logic moves from server to chatroom ---------------------------------------------------------


def test_thread_logic_moves_from_server_to_chatroom(app: App, owners: dict[str, Reaper]) -> None:
    """All threads that run while members are in belong to the Chatroom's reaper; the Server owns none."""
    with Peer.come_in(port_of(app), "ann"), Peer.come_in(port_of(app), "bob"):
        reaper = owners["forwarder"]
        owned = [*reaper.names, "server-reaper"]
        running_now = [
            thread.name for thread in threading.enumerate() if thread is not threading.main_thread()
        ]
        assert not Counter(running_now) - Counter(owned)
        assert {"accept", "forwarder", "handler ann", "handler bob"} <= {*owned}


def test_only_the_reaper_makes_threads() -> None:
    """Only the reaper makes the threads of the chatroom; the log, which outlives it, makes its own one."""
    makers = set()
    for package in ("chatroom", "server"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            if "Thread" not in text:  # to parse all files takes long
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("threading.Thread", "Thread"):
                    makers.add(path.relative_to(ROOT).as_posix())
    assert makers == {"chatroom/reaper.py", "server/log_writer.py"}


# --- connect, send new port, disconnect, listen on the new port, admit ----------------------------------


def test_connect_send_new_port_disconnect_listen_admit(app: App) -> None:
    """The lobby sends a new port and closes; the port listens already, admits its owner, then closes."""
    with Peer.connect(port_of(app)) as lobby:
        assert lobby.ask("ann").verdict is Verdict.PASS
        offer = lobby.take_port()
        assert offer.number not in (0, port_of(app))
        assert lobby.receive() is None, "the lobby's connection must be closed"
    with Peer.connect(offer.number) as ann:
        assert ann.admit("ann", offer.ticket).name == "ann"
        assert ann.expect(Channel).name == "#general"
        with pytest.raises(ConnectionRefusedError):
            Peer.connect(offer.number)


def test_staying_on_the_connection() -> None:
    """With `--ports same` the port is 0, no side closes, and the same connection admits."""
    with running(ports="same") as app, Peer.connect(port_of(app)) as ann:
        assert ann.ask("ann").verdict is Verdict.PASS
        offer = ann.take_port()
        assert offer.number == 0
        assert ann.admit("ann", offer.ticket).name == "ann"


def test_the_port_stays_for_its_owner(app: App) -> None:
    """The new port refuses a stranger without the ticket, and then admits the owner."""
    with Peer.connect(port_of(app)) as lobby:
        lobby.ask("ann")
        offer = lobby.take_port()
    with Peer.connect(offer.number) as stranger, pytest.raises(AssertionError, match="Status"):
        stranger.admit("ann", bytes(16))
    with Peer.connect(offer.number) as ann:
        assert ann.admit("ann", offer.ticket).name == "ann"


# --- listen on all sockets and forward under a lock -----------------------------------------------------


def test_listen_and_forward_under_a_lock(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each member's handler puts its lines into the waiting queue; only the forwarder delivers."""
    put, deliver = WaitingQueue.put, Presence.deliver
    came: list[str] = []
    went: set[str] = set()

    def noting_put(queue: WaitingQueue, proposal: Proposal, timeout: float | None = None) -> None:
        came.append(threading.current_thread().name)
        put(queue, proposal, timeout)

    def noting_deliver(presence: Presence, batch: Batch) -> None:
        went.add(threading.current_thread().name)
        deliver(presence, batch)

    with Peer.come_in(port_of(app), "ann") as ann, Peer.come_in(port_of(app), "bob") as bob:
        monkeypatch.setattr(WaitingQueue, "put", noting_put)
        monkeypatch.setattr(Presence, "deliver", noting_deliver)
        ann.send(*lines(5))
        bob.said(5)
        bob.send(*lines(5))
        ann.said(10)
        monkeypatch.undo()
    assert set(came) == {"handler ann", "handler bob"}
    assert went == {"forwarder"}


# --- both sides: status, pass, end ----------------------------------------------------------------------


def test_handshake_status_pass_end(app: App) -> None:
    """The server answers a name in use by FAIL and the reason, a free one by PASS; both sides say END."""
    with Peer.come_in(port_of(app), "ann"), Peer.connect(port_of(app)) as lobby:
        for taken in ("ann", "ANN", "Ａｎｎ"):
            answer = lobby.ask(taken, hello=taken == "ann")
            assert answer.verdict is Verdict.FAIL
            assert "in use" in answer.reason
        assert lobby.ask("no such thing", hello=False).verdict is Verdict.FAIL
        assert lobby.ask("bob", hello=False) == Status(Verdict.PASS)
        offer = lobby.take_port()
        assert lobby.receive() is None
        with Peer.connect(offer.number) as bob:
            assert bob.admit("bob", offer.ticket).name == "bob"


def test_one_name_for_one_of_two(app: App) -> None:
    """When two newcomers ask for the same name, exactly one gets PASS."""
    with Peer.connect(port_of(app)) as one, Peer.connect(port_of(app)) as other:
        assert one.ask("ann").verdict is Verdict.PASS
        assert other.ask("ann").verdict is Verdict.FAIL


# --- client: a thread for each burst, and one that removes the dead -------------------------------------


@pytest.mark.slow
def test_client_thread_per_burst_and_reaper(
    app: App, owners: dict[str, Reaper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each burst has its thread; a slow thread does not change the order; the reaper joins ended threads."""
    first, second, names = threading.Event(), threading.Event(), []
    sift = client.link.sift

    def slow_first(packets: list[Packet]) -> list[client.link.Piece]:
        pieces = sift(packets)
        names.append(threading.current_thread().name)
        said = [packet.text for packet in packets if isinstance(packet, Event) and packet.id]
        if "line 1" in said:
            first.set()
            second.wait(5)
        elif "line 2" in said:
            second.set()
        return pieces

    monkeypatch.setattr(client.link, "sift", slow_first)
    with Client(port=port_of(app), name="bob") as bob, Peer.come_in(port_of(app), "ann") as ann:
        ann.send(*lines(1))
        assert first.wait(5)
        ann.send(*lines(1, start=2))
        assert second.wait(5), "the second burst waited for the first"
        seen: list[str] = []
        for event in bob:
            if event.kind is EventKind.SAID:
                seen.append(event.text)
            if len(seen) == 2:
                break
        assert seen == ["line 1", "line 2"]
        assert len(set(names)) == len(names)
        assert all(name.startswith("client-burst-") for name in names)
        reaper = owners[names[0]]
        eventually(lambda: "burst" not in str(reaper.names), "the bursts' threads were not joined")


# --- the same on the server side ------------------------------------------------------------------------


@pytest.mark.slow
def test_same_on_server(app: App, owners: dict[str, Reaper]) -> None:
    """The same class joins the server's threads; a member that left leaves no thread behind."""
    with Client(port=port_of(app), name="bob"):
        reaper = owners["forwarder"]
        assert "handler bob" in reaper.names
        assert owners["client-connection"] is not reaper
    eventually(
        lambda: not [name for name in reaper.names if name.startswith(("handler", "handshake"))],
        "the member's thread was not joined",
    )


# --- reprint the chat around the input ------------------------------------------------------------------


def show(view: View, screen: Screen, now: float) -> tuple[list[str], str]:
    """The screen after a frame: the rows with text, and the cursor's row up to the cursor."""
    screen.feed(view.tick(now))
    rows = screen.rows()
    return [row for row in rows if row], rows[screen.cursor.y].ljust(40)[: screen.cursor.x]


def test_reprint_chat_around_input() -> None:
    """With an empty input a message is printed directly; around a half-typed line, with the whole chat."""
    view, screen = View(40, 8, name="ann", depth=Depth.NONE), Screen(40, 8)
    _, prompt = show(view, screen, 1.0)
    view.event(Event(1, 0, EventKind.SAID, "#general", "bob", "first"))
    rows, at_cursor = show(view, screen, 2.0)
    assert rows[-2].endswith("first")
    assert at_cursor == prompt

    list(view.keys(b"half-typed\x1b[D\x1b[D", 3.0))
    show(view, screen, 3.0)
    view.event(Event(2, 0, EventKind.SAID, "#general", "bob", "second"))
    rows, at_cursor = show(view, screen, 4.0)
    assert [row[-6:].strip() for row in rows[-3:-1]] == ["first", "second"]
    assert rows[-1] == prompt + "half-typed"
    assert at_cursor == prompt + "half-typ"
    assert list(view.keys(b"\r", 5.0)) == [Submitted("half-typed")]

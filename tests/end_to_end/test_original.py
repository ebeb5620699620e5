"""What each part of the original has become: tests for every row of the table in notes/porting.md."""

from __future__ import annotations

import ast
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import client.link
from chatroom.events import Event, EventKind
from chatroom.limits import MAX_TEXT
from chatroom.member import Member
from chatroom.packets import Code, Packet, Say, Status, encode
from chatroom.queue import WaitingQueue
from chatroom.reaper import Reaper
from client import Client
from server.app import App
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import eventually
from tests.support.peer import Peer, lines
from tests.views.screen import Screen
from views import Submitted, View

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> dict[str, Reaper]:
    """The reaper of every thread that was spawned in this test, by the thread's name."""
    found: dict[str, Reaper] = {}
    spawn = Reaper.spawn

    def noting(reaper: Reaper, target: Callable[[], None], name: str) -> threading.Thread:
        found[name] = reaper
        return spawn(reaper, target, name)

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
    """All talk at once: every member sees one and the same order, and in it each talker's own order."""
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
    """A line that somebody was shown before another one was sent stands before it, whoever says them."""
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
    """While the packets of a long text are on their way, the others' lines are not held up by it."""
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
    """All threads that run while members are here belong to the Chatroom's reaper; the Server has none."""
    with Peer.come_in(port_of(app), "ann"), Peer.come_in(port_of(app), "bob"):
        reaper = owners["forwarder"]
        owned = [*reaper.names, "server-reaper"]
        running_now = [
            thread.name for thread in threading.enumerate() if thread is not threading.main_thread()
        ]
        assert not Counter(running_now) - Counter(owned)
        assert {"accept", "forwarder", "handler ann", "handler bob"} <= {*owned}


def test_only_the_reaper_makes_threads() -> None:
    """In server and chatroom, one class starts threads: no thread is without an owner."""
    makers = set()
    for package in ("chatroom", "server"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("threading.Thread", "Thread"):
                    makers.add(path.relative_to(ROOT).as_posix())
    assert makers == {"chatroom/reaper.py"}


# --- connect, send new port, disconnect, listen on the new port, admit ----------------------------------


def test_connect_send_new_port_disconnect_listen_admit(app: App) -> None:
    """The lobby tells a new port and closes; the new port listens already, admits its owner, and is gone."""
    with Peer.connect(port_of(app)) as lobby:
        assert lobby.ask("ann").code is Code.PASS
        offer = lobby.take_port()
        assert offer.number not in (0, port_of(app))
        assert lobby.receive() is None, "the lobby's connection must be closed"
    with Peer.connect(offer.number) as ann:
        welcome = ann.admit("ann", offer.ticket)
        assert (welcome.name, welcome.channel) == ("ann", "#general")
        with pytest.raises(ConnectionRefusedError):
            Peer.connect(offer.number)


def test_staying_on_the_connection() -> None:
    """With `--ports same` the port is 0, nobody closes, and the same connection admits."""
    with running(ports="same") as app, Peer.connect(port_of(app)) as ann:
        assert ann.ask("ann").code is Code.PASS
        offer = ann.take_port()
        assert offer.number == 0
        assert ann.admit("ann", offer.ticket).name == "ann"


def test_the_port_stays_for_its_owner(app: App) -> None:
    """A stranger without the ticket is refused on the new port; the owner is admitted after it."""
    with Peer.connect(port_of(app)) as lobby:
        lobby.ask("ann")
        offer = lobby.take_port()
    with Peer.connect(offer.number) as stranger, pytest.raises(AssertionError, match="Status"):
        stranger.admit("ann", bytes(16))
    with Peer.connect(offer.number) as ann:
        assert ann.admit("ann", offer.ticket).name == "ann"


# --- listen on all sockets and forward under a lock -----------------------------------------------------


def test_listen_and_forward_under_a_lock(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each member's handler puts what it heard into the waiting queue under its lock; one thread forwards."""
    put, take, deliver = WaitingQueue.put, WaitingQueue.take_all, Member.deliver
    came: list[str] = []
    went: set[str] = set()

    def noting_put(queue: WaitingQueue, request: object) -> None:
        came.append(threading.current_thread().name)
        put(queue, request)  # type: ignore[arg-type]

    def noting_deliver(member: Member, batch: bytes) -> None:
        went.add(threading.current_thread().name)
        deliver(member, batch)

    with Peer.come_in(port_of(app), "ann") as ann, Peer.come_in(port_of(app), "bob") as bob:
        monkeypatch.setattr(WaitingQueue, "put", noting_put)
        monkeypatch.setattr(Member, "deliver", noting_deliver)
        ann.send(*lines(5))
        bob.said(5)
        bob.send(*lines(5))
        ann.said(10)
        monkeypatch.undo()
    assert set(came) == {"handler ann", "handler bob"}
    assert went == {"forwarder"}
    assert WaitingQueue.take_all is take


# --- both sides: status, pass, end ----------------------------------------------------------------------


def test_handshake_status_pass_end(app: App) -> None:
    """A taken name is answered by FAIL and its reason, another one by PASS; both sides say END."""
    with Peer.come_in(port_of(app), "ann"), Peer.connect(port_of(app)) as lobby:
        for taken in ("ann", "ANN", "Ａｎｎ"):
            answer = lobby.ask(taken, hello=taken == "ann")
            assert answer.code is Code.FAIL
            assert "in use" in answer.reason
        assert lobby.ask("no such thing", hello=False).code is Code.FAIL
        assert lobby.ask("bob", hello=False) == Status(Code.PASS)
        offer = lobby.take_port()
        assert lobby.receive() is None
        with Peer.connect(offer.number) as bob:
            assert bob.admit("bob", offer.ticket).name == "bob"


def test_one_name_for_one_of_two(app: App) -> None:
    """Two who ask for the same name before either is admitted: exactly one gets PASS."""
    with Peer.connect(port_of(app)) as one, Peer.connect(port_of(app)) as other:
        assert one.ask("ann").code is Code.PASS
        assert other.ask("ann").code is Code.FAIL


# --- client: a thread for each burst, and one that removes the dead -------------------------------------


def test_client_thread_per_burst_and_reaper(
    app: App, owners: dict[str, Reaper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each burst has its thread; one that is slow does not change the order; ended ones are joined."""
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


def test_same_on_server(app: App, owners: dict[str, Reaper]) -> None:
    """The server's threads are joined by the same class; a member that left leaves no thread behind."""
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
    """What a painting leaves on the screen: the rows with text, and the cursor's row up to it."""
    screen.feed(view.tick(now))
    rows = screen.rows()
    return [row for row in rows if row], rows[screen.cursor.y].ljust(40)[: screen.cursor.x]


def test_reprint_chat_around_input() -> None:
    """Empty input: printed directly; half-typed: the chat reprinted, text and cursor put back."""
    view, screen = View(40, 8, name="ann", colour=False), Screen(40, 8)
    _, prompt = show(view, screen, 1.0)
    view.event(Event(1, 0, EventKind.SAID, "#general", "bob", "first"))
    rows, at_cursor = show(view, screen, 2.0)
    assert rows[-2].endswith("first")
    assert at_cursor == prompt

    view.keys(b"half-typed\x1b[D\x1b[D", 3.0)
    show(view, screen, 3.0)
    view.event(Event(2, 0, EventKind.SAID, "#general", "bob", "second"))
    rows, at_cursor = show(view, screen, 4.0)
    assert [row[-6:].strip() for row in rows[-3:-1]] == ["first", "second"]
    assert rows[-1] == prompt + "half-typed"
    assert at_cursor == prompt + "half-typ"
    assert view.keys(b"\r", 5.0) == [Submitted("half-typed")]

"""Misbehaving clients: the server refuses or drops each with a log line, and the others talk on."""

from __future__ import annotations

import itertools
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from chatroom.events import Event, EventKind
from chatroom.limits import DEFAULT_CHANNEL, MAX_PAYLOAD
from chatroom.outcomes import Code
from chatroom.packets import (
    HEADER,
    MAGIC,
    NO_IDENTITY,
    VERSION,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Hello,
    Info,
    Kind,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Replay,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from tests.end_to_end.programs import ServerProcess, server
from tests.support.patience import eventually
from tests.support.peer import Peer, lines, reading

ROUNDS, BURST = 40, 50
FULL_SPEED = 0.4
"""Of the rate without bad clients: they cost a little processor time, and the machine may be busy."""
SHARED_SPEED = 0.08
"""The same where the bad client is served without end, and driven by this process, too; where everybody waits
for it, it is below 0.01."""


NUMBERS = itertools.count()

# --- refused, with a log line ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for the tests below: none of them may change what the next one sees."""
    with server(tmp_path_factory.mktemp("started")) as program:
        yield program


@pytest.fixture
def program(started: ServerProcess) -> Iterator[ServerProcess]:
    """That server, with a log that begins with the test."""
    started.log.write_text("")  # the server appends to it
    yield started
    assert "Traceback" not in started.errors(), started.errors()


@pytest.fixture
def number() -> int:
    """A number that no other test has."""
    return next(NUMBERS)


@pytest.fixture
def ann(number: int) -> str:
    """A name that no other test has: who is cut off keeps it for a while."""
    return f"ann{number}"


def offered(program: ServerProcess, name: str) -> Port:
    """Go through the lobby; the port of the admission."""
    with Peer.connect(program.port) as lobby:
        assert lobby.ask(name).verdict is Verdict.PASS
        return lobby.take_port()


def admit(name: str, ticket: bytes) -> Admit:
    """An ADMIT that asks for nothing."""
    return Admit(name, ticket, (DEFAULT_CHANNEL,), 0, 0, NO_IDENTITY, 0)


def assert_logged(program: ServerProcess, text: str) -> None:
    """Wait until the log has this text."""
    eventually(lambda: text in program.errors(), f"{text!r} is not in the log")


def ended(peer: Peer) -> list[object]:
    """All bytes up to the end of the stream; the server must hang up."""
    packets: list[object] = []
    try:
        while (packet := peer.receive()) is not None:
            packets.append(packet)
    except ConnectionResetError:
        pass  # the server closed with unread bytes of ours
    return packets


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/1.1\r\nHost: chat\r\nUser-Agent: a browser\r\n\r\n",
        b"GET /\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS greeting
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"NICK ann\r\nUSER ann 0 * :ann\r\n",
    ],
)
def test_another_protocol_in_the_lobby(request_line: bytes, program: ServerProcess, ann: str) -> None:
    """A peer with another protocol gets the reason in one packet and is disconnected; the log names it."""
    with Peer.connect(program.port) as browser:
        browser.socket.sendall(request_line)
        (answer,) = ended(browser)
        assert isinstance(answer, Status)
        assert "not the chatroom's protocol" in answer.reason
        address = "{}:{}".format(*browser.socket.getsockname())
        assert_logged(program, f"{address}: not the chatroom's protocol")
        Peer.come_in(program.port, ann).socket.close()


def test_a_wrong_ticket(program: ServerProcess, ann: str) -> None:
    """A wrong ticket is refused and logged, and the port stays for its owner."""
    offer = offered(program, ann)
    with Peer.connect(offer.number) as thief:
        thief.send(admit(ann, bytes(16)))
        assert [answer.reason for answer in ended(thief)] == ["wrong ticket"]  # type: ignore[attr-defined]
    with Peer.connect(offer.number) as peer:
        assert peer.admit(ann, offer.ticket).name == ann
    assert_logged(program, "wrong ticket")


def test_a_replayed_ticket(program: ServerProcess, ann: str) -> None:
    """A ticket works once: its own port does not listen any more, and another port refuses it."""
    offer = offered(program, ann)
    with Peer.connect(offer.number) as peer:
        peer.admit(ann, offer.ticket)
        with pytest.raises(ConnectionRefusedError):
            Peer.connect(offer.number)
        other = offered(program, f"bob-{ann}")
        with Peer.connect(other.number) as thief:
            thief.send(admit(ann, offer.ticket))
            assert [answer.reason for answer in ended(thief)] == ["wrong ticket"]  # type: ignore[attr-defined]
        assert_logged(program, "wrong ticket")
        peer.receive_until(lambda packet: isinstance(packet, Live))
        peer.send(*lines(1))
        assert peer.said(1)[0].text == "line 1"


def test_a_replayed_ticket_on_the_same_connection(tmp_path: Path) -> None:
    """With `--ports same`, the server refuses the ticket of another connection, too."""
    with (
        server(tmp_path, "--ports", "same") as program,
        Peer.connect(program.port) as ann,
        Peer.connect(program.port) as bob,
    ):
        offers = []
        for peer, name in ((ann, "ann"), (bob, "bob")):
            assert peer.ask(name).verdict is Verdict.PASS
            offers.append(peer.take_port())
        bob.send(admit("bob", offers[0].ticket))
        assert [answer.reason for answer in ended(bob)] == ["wrong ticket"]  # type: ignore[attr-defined]
        assert_logged(program, "wrong ticket")
        assert ann.admit("ann", offers[0].ticket).name == "ann"
        ann.send(admit("ann", offers[0].ticket))
        assert any(isinstance(packet, Bye) for packet in ended(ann))


@pytest.mark.parametrize(
    "packet",
    [
        Hello(VERSION, "again"),
        Username("bob", bytes(16)),
        Status(Verdict.PASS),
        Port(80, bytes(16)),
        admit("bob", bytes(16)),
        Welcome("bob", bytes(16), NO_IDENTITY, 2, 0, 0, Resumed.FRESH),
        Channel(1, "#general", "", 0, 0, 0, ()),
        Replay(0),
        Event(1, 1, EventKind.SAID, "#general", "bob", "forged"),
        Live(7, 1),
        Answer(1, Code.OK, "forged"),
        Info("forged"),
    ],
    ids=lambda packet: type(packet).__name__,
)
def test_a_packet_that_cannot_come_from_a_member(
    packet: object, program: ServerProcess, number: int, ann: str
) -> None:
    """A member that sends a server's or newcomer's packet gets the reason and leaves; it forges nothing."""
    source = f"127.0.0.{number % 200 + 2}"  # a log counts what is the same of one address
    with Peer.come_in(program.port, f"bob-{ann}") as bob:
        with Peer.come_in(program.port, ann, source=source) as bad:
            bad.send(Say(1, "#general", "before"), packet, Say(2, "#general", "after"))  # type: ignore[arg-type]
            assert any(isinstance(packet, Bye) and not packet.again for packet in ended(bad))
        assert [event.text for event in bob.said(1)] == ["before"]
        while (event := bob.expect(Event)).author != ann:
            assert event.kind is EventKind.QUIT  # of another test
        assert event.kind is EventKind.QUIT
        assert_logged(program, "cannot come from a ")


@pytest.mark.slow
def test_who_says_nothing_is_dropped_in_time(tmp_path: Path) -> None:
    """A member that answers nothing is dropped after --dead-after, one that answers pings stays.

    The others are not told at once, because the member may come back; who asks is told.
    """
    with (
        server(tmp_path, "--dead-after", "1.5", "-v") as program,
        Peer.come_in(program.port, "good") as good,
        Peer.come_in(program.port, "mute") as mute,
    ):
        began = monotonic()
        while "mute) has left: silent for 1.5 s" not in program.errors():
            packet = good.receive()
            assert packet is not None
            if isinstance(packet, Ping):
                good.send(Pong(packet.id))
        seconds = monotonic() - began
        assert 1.0 < seconds < 4, seconds
        ended(mute)
        good.send(Command(1, DEFAULT_CHANNEL, "/who"))
        answer = good.receive_until(lambda packet: isinstance(packet, Answer))
        assert answer.words.split("\n")[2:] == ["  connection lost: mute"]
        assert not [
            packet
            for packet in good.packets
            if isinstance(packet, Event) and packet.author == "mute" and packet.kind is not EventKind.JOINED
        ]


# --- memory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.HELLO, Kind.SAY, Kind.INFO, 0xEE])
def test_an_announced_length_costs_no_memory(kind: int, tmp_path: Path) -> None:
    """The server refuses a header with a too large length at once, and stores nothing for it."""
    with server(tmp_path) as program, Peer.come_in(program.port, "ann") as ann:
        before = program.resident()
        for length in (MAX_PAYLOAD + 1, 2**24, 2**31 - 1, 2**32 - 1):
            header = HEADER.pack(MAGIC, VERSION, kind, 0, length, 1, 0, 1)
            with Peer.connect(program.port) as lobby:
                lobby.socket.sendall(header)
                (answer,) = ended(lobby)
                assert isinstance(answer, Status)
                assert answer.verdict is Verdict.FAIL
        ann.socket.sendall(HEADER.pack(MAGIC, VERSION, kind, 0, 2**32 - 1, 1, 0, 1) + b"x" * 100_000)
        assert any(isinstance(packet, Bye) for packet in ended(ann))
        assert program.resident() - before < 1024


@pytest.mark.slow
def test_memory_stays_bounded_whatever_is_sent(tmp_path: Path) -> None:
    """Memory stays bounded under unfinished messages, and pings and commands with unread answers."""
    with server(tmp_path) as program, ExitStack() as stack:
        before = program.resident()
        rest = b"".join(
            HEADER.pack(MAGIC, VERSION, Kind.SAY, 0, 12 + 4096, 1, part, 16)
            + b"\x08#general\0\0\0"
            + b"x" * 4096
            for part in range(15)
        )
        for number in range(20):  # 20 messages without their last part
            stack.enter_context(Peer.come_in(program.port, f"half{number}")).socket.sendall(rest)
        floods: list[Packet] = [Ping(7), Command(1, DEFAULT_CHANNEL, "/help")]
        for number, flood in enumerate(floods):
            peer = stack.enter_context(Peer.come_in(program.port, f"flood{number}"))
            peer.socket.settimeout(0.5)
            end = monotonic() + 3
            try:
                while monotonic() < end:
                    peer.socket.sendall(encode(flood) * 1000)
            except OSError:
                pass  # the server reads no more, or drops us: both bound its memory
            print(f"{type(flood).__name__}: {(program.resident() - before) // 1024} MiB")
        grown = program.resident() - before
        print(f"grown by {grown // 1024} MiB")
        Peer.come_in(program.port, "good").socket.close()
        assert grown < 40 * 1024


# --- garbage --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("where", ["lobby", "naming", "admission", "member"])
def test_garbage_closes_only_its_own_connection(where: str, tmp_path: Path) -> None:
    """Random bytes, or packets with random changes, at every step disturb no other member."""
    chance = random.Random(where)
    with server(tmp_path) as program, Peer.come_in(program.port, "ann") as ann:
        for number in range(60):
            with at(where, program, f"bad{number}") as bad:
                try:
                    bad.socket.sendall(garbage(chance))
                    bad.socket.shutdown(socket.SHUT_WR)
                    ended(bad)
                except OSError:
                    pass  # dropped before all was sent
        ann.send(*lines(20))
        assert [line.text for line in own_lines(ann, 20)] == [f"line {n}" for n in range(1, 21)]
        if where != "admission":  # there, the port waits for its owner
            eventually(lambda: program.threads() < 12, "threads are left")


def own_lines(peer: Peer, count: int) -> list[Event]:
    """The next lines of `ann`; other lines between them are skipped (garbage may happen to be a line)."""
    found: list[Event] = []
    while len(found) < count:
        found += [event for event in peer.said(1) if event.author == "ann"]
    return found


def at(where: str, program: ServerProcess, name: str) -> Peer:
    """A connection that has reached this step."""
    if where == "member":
        return Peer.come_in(program.port, name)
    if where == "admission":
        return Peer.connect(offered(program, name).number)
    peer = Peer.connect(program.port)
    if where == "naming":
        peer.send(Hello(VERSION, "test"))
    return peer


def garbage(chance: random.Random) -> bytes:
    """Noise, or packets with some bytes changed, left out or doubled."""
    if chance.random() < 0.2:
        return chance.randbytes(chance.randrange(1, 3000))
    data = bytearray(b"".join(encode(chance.choice(SAMPLES)) for _ in range(chance.randrange(1, 8))))
    for _ in range(chance.randrange(0, 6)):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randrange(1, 9)]
                data += b"\xc7"
            case 2:
                data[place:place] = data[max(0, place - 30) : place]
            case _:
                data[place:place] = chance.randbytes(3)
    return bytes(data)


SAMPLES: list[Packet] = [
    Hello(VERSION, "x"),
    Username("näme", bytes(16)),
    Username("\x00", b"\xff" * 16, ((1, b"secret"), (9, b""))),
    Status(Verdict.PASS),
    Status(Verdict.END),
    Admit("ann", bytes(16), ("#general", "#x"), 2**63 - 1, 2**40, b"\xff" * 16, 65535),
    Say(0, "", "\x00"),
    Say(3, "#general", "", 3, b"\x01\x02ab"),
    Command(4, "#general", "/who"),
    Say(2**63 - 1, "#general", "last"),
    Say(5, "#elsewhere", "é" * 5000),
    Ping(1),
    Pong(2**63 - 1),
    Bye(True, Code.GOODBYE, ""),
]


# --- the others talk on at full speed -------------------------------------------------------------------


def deaf(program: ServerProcess, stack: ExitStack) -> None:
    stack.enter_context(Peer.come_in(program.port, "deaf"))


def one_byte_a_second(program: ServerProcess, stack: ExitStack) -> None:
    for where in ("lobby", "member"):
        peer = stack.enter_context(at(where, program, "slow"))
        stopping = threading.Event()
        data = encode(Hello(VERSION, "slow")) if where == "lobby" else encode(Say(1, "#general", "slowly"))
        thread = threading.Thread(target=trickle, args=(peer.socket, data, stopping))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stopping.set)


def trickle(sock: socket.socket, data: bytes, stopping: threading.Event) -> None:
    for byte in data:
        try:
            sock.sendall(bytes((byte,)))
        except OSError:
            return  # dropped
        if stopping.wait(1):
            return


def silent(program: ServerProcess, stack: ExitStack) -> None:
    for _ in range(20):
        stack.enter_context(Peer.connect(program.port))


def browsers(program: ServerProcess, stack: ExitStack) -> None:
    for _ in range(20):
        peer = stack.enter_context(Peer.connect(program.port))
        peer.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")


def half_a_line(program: ServerProcess, stack: ExitStack) -> None:
    half = stack.enter_context(Peer.come_in(program.port, "half"))
    half.socket.sendall(encode(Say(1, "#general", "x" * 60_000))[:-9])


def commands_without_end(program: ServerProcess, stack: ExitStack) -> None:
    for number in range(150):
        stack.enter_context(Peer.come_in(program.port, f"idle{number}"))  # makes the answers long
    asks = stack.enter_context(Peer.come_in(program.port, "asks"))
    data = encode(Command(1, "#general", "/who")) * 500

    def ask() -> None:
        try:
            while True:
                asks.socket.sendall(data)
        except OSError:
            pass  # the end of the test

    def hear() -> None:
        try:
            while asks.socket.recv(65536):
                pass
        except OSError:
            pass  # the end of the test, with unread commands

    for each in (ask, hear):
        thread = threading.Thread(target=each)
        thread.start()
        stack.callback(thread.join)
    stack.callback(asks.socket.shutdown, socket.SHUT_RDWR)


def joins_that_want_all_history(program: ServerProcess, stack: ExitStack) -> None:
    stopping = threading.Event()

    def join() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            offer = offered(program, f"historian{number}")
            with Peer.connect(offer.number) as historian:
                historian.admit(f"historian{number}", offer.ticket, lines=65535)

    thread = threading.Thread(target=join)
    thread.start()
    stack.callback(thread.join)
    stack.callback(stopping.set)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scene", "share"),
    [
        (deaf, FULL_SPEED),
        (one_byte_a_second, FULL_SPEED),
        (silent, FULL_SPEED),
        (browsers, FULL_SPEED),
        (half_a_line, FULL_SPEED),
        (commands_without_end, SHARED_SPEED),
        (joins_that_want_all_history, SHARED_SPEED),
    ],
)
def test_the_others_talk_on_at_full_speed(
    scene: Callable[[ServerProcess, ExitStack], None], share: float, tmp_path: Path
) -> None:
    """A misbehaving client does not slow the conversation of the others."""
    with server(tmp_path, data=str(tmp_path / "history")) as program, ExitStack() as stack:
        members = [stack.enter_context(Peer.come_in(program.port, f"member{number}")) for number in range(4)]
        before = max(rate(members, start) for start in (1, 2, 3))
        scene(program, stack)
        after = 0.0
        for start in range(4, 16):  # another program on this machine may slow some of the rounds, not all
            after = max(after, rate(members, start))
            if after > before * share:
                break
        print(f"{before:.0f} lines/s without, {after:.0f} lines/s with {scene.__name__}")
        assert after > before * share
        for member in members:
            assert member.socket.fileno() >= 0


def rate(members: list[Peer], turn: int) -> float:
    """Lines a second from one talker; the time ends when every member has every line."""
    began = monotonic()
    for number in range(ROUNDS):
        members[0].send(*lines(BURST, (turn * ROUNDS + number) * BURST + 1))
        for member in members:
            member.said(BURST)
    return ROUNDS * BURST / (monotonic() - began)


@pytest.mark.slow
def test_a_member_that_never_reads_is_dropped_with_a_log_line(tmp_path: Path) -> None:
    """The server drops a member that never reads, for its backlog, and logs it; the others miss nothing."""
    with (
        server(tmp_path) as program,
        Peer.come_in(program.port, "deaf"),
        Peer.come_in(program.port, "talker") as talker,
        Peer.come_in(program.port, "other") as other,
        reading(other) as heard,
        reading(talker) as echoed,
    ):
        count = 0
        for start in range(1, 40 * 60 + 1, 40):  # 72 MB
            talker.send(*lines(40, start, "x" * 30_000))
            count += 40
            eventually(lambda: len(echoed) >= count, "the talker is not served")  # noqa: B023
            if "disconnected" in program.errors():
                break
        assert_logged(program, "too far behind, disconnected")
        eventually(lambda: sum(map(is_said, heard)) == count, "the other one missed something")
        eventually(lambda: asks_who(other, heard, "connection lost: deaf"), "deaf is not told as lost")
        program.stop()


def is_said(packet: object) -> bool:
    return isinstance(packet, Event) and packet.kind.word == "said"


def asks_who(peer: Peer, heard: list[Packet], wanted: str) -> bool:
    """Ask /who; whether this is in an answer that has come so far."""
    peer.send(Command(1, DEFAULT_CHANNEL, "/who"))
    return any(isinstance(packet, Answer) and wanted in packet.words for packet in heard)

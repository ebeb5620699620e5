"""The lobby: who gets in, who does not, and that nobody can keep others out."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chatroom.limits import NAME_TRIES
from chatroom.outcomes import Code
from chatroom.packets import (
    HEADER,
    MAGIC,
    NO_IDENTITY,
    NO_TOKEN,
    VERSION,
    Admit,
    Bye,
    Hello,
    Kind,
    Live,
    Port,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from server.limits import ADMISSION_GUESTS
from server.ports import Ports
from tests.server.fakes import read_all
from tests.server.test_app import CONFIG, Running
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.tasks import Task

HELLO = Hello(VERSION, "test")
WRONG_TICKET = Status(Verdict.FAIL, Code.EXPIRED, "wrong ticket")
ADMIT = Admit("ann", bytes(16), ("#general",), 0, 0, NO_IDENTITY, 50)


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


@pytest.fixture
def same() -> Iterator[Running]:
    running = Running(replace(CONFIG, ports=Ports(same=True)))
    yield running
    running.stop()


def offered(server: Running, name: str = "ann", token: bytes = NO_TOKEN) -> Port:
    """A newcomer that is through with the lobby and has not come to its port yet."""
    with Peer.connect(server.address) as peer:
        assert peer.ask(name, token).verdict is Verdict.PASS
        return peer.take_port()


def admit(peer: Peer, port: Port, name: str = "ann") -> Welcome:
    peer.send(ADMIT._replace(name=name, ticket=port.ticket))
    welcome = peer.receive()
    assert isinstance(welcome, Welcome), welcome
    return welcome


# --- names ----------------------------------------------------------------------------------------------


def test_a_taken_name_may_be_tried_again(server: Running) -> None:
    """The server refuses a name with the reason, and the same connection may try another."""
    with Peer.enter(server.address, "ann"), Peer.connect(server.address) as peer:
        assert peer.ask("Ann") == Status(Verdict.FAIL, Code.NAME_TAKEN, "Ann is in use")
        bad = peer.ask("-x", hello=False)
        assert bad.code == Code.BAD_NAME and "letter" in bad.reason
        assert peer.ask("", hello=False) == Status(Verdict.FAIL, Code.BAD_NAME, "a name is needed")
        assert peer.ask("bob", hello=False) == Status(Verdict.PASS)
        port = peer.take_port()
        with Peer.connect(server.address, port.number) as member:
            assert admit(member, port, "bob").name == "bob"


def test_two_at_the_same_instant(server: Running) -> None:
    """When many ask for one name at the same instant, one gets it, and the others hear why not."""
    start = threading.Barrier(8)

    def ask() -> Status:
        with Peer.connect(server.address) as peer:
            peer.send(HELLO)
            start.wait(PATIENCE)
            status = peer.ask("ann", hello=False)
            start.wait(PATIENCE)  # nobody gives the name back before all were answered
            return status

    answers = [task.result() for task in [Task(ask) for _ in range(8)]]
    refusal = Status(Verdict.FAIL, Code.NAME_TAKEN, "ann is in use")
    assert sorted(answers) == [Status(Verdict.PASS)] + [refusal] * 7


def test_too_many_tries(server: Running) -> None:
    """A peer that tries more than NAME_TRIES names is disconnected."""
    with Peer.connect(server.address) as peer:
        peer.send(HELLO, *[Username("-", NO_TOKEN)] * NAME_TRIES)
        answers = peer.rest()
    assert len(answers) == NAME_TRIES + 1
    assert answers[-1] == Status(Verdict.FAIL, Code.TOO_MANY, "too many names were tried")


def test_who_gives_up_frees_the_name(server: Running) -> None:
    """A newcomer that goes away, at whatever step, frees its name."""
    for step in range(4):
        with Peer.connect(server.address) as peer:
            ask_until_free(server, peer, "ann")
            if step == 0:
                continue
            port = peer.receive()
            assert isinstance(port, Port)
            if step == 1:
                peer.send(Status(Verdict.FAIL, Code.UNAVAILABLE, "no way through"))
                refusal = Status(Verdict.FAIL, Code.UNAVAILABLE, "the newcomer cannot use the port")
                assert peer.rest() == [refusal]
            if step == 2:
                peer.send(Status(Verdict.PASS))


def ask_until_free(server: Running, peer: Peer, name: str) -> None:
    """The newcomer before went away: the server may not have noticed yet."""
    status = peer.ask(name)
    for _ in range(NAME_TRIES - 1):
        if status.verdict is Verdict.PASS:
            return
        with Peer.connect(server.address) as other:  # one more handshake, as a pause
            other.ask("somebody-else")
        status = peer.ask(name, hello=False)
    assert status.verdict is Verdict.PASS


def test_nobody_at_the_port_frees_the_name(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer that does not come to its port in time frees its name, and the port is closed."""
    monkeypatch.setattr("server.lobby.HANDSHAKE_SECONDS", 0.1)
    port = offered(server)
    name, waiting = "ann", threading.Event()
    while True:
        with Peer.connect(server.address) as peer:
            status = peer.ask(name)
        if status.verdict is Verdict.PASS:
            break
        waiting.wait(0.01)
    with pytest.raises(ConnectionError):
        Peer.connect(server.address, port.number)


def test_a_name_that_was_not_taken_up_is_for_others_first(server: Running) -> None:
    """An address that lets a name lapse must wait for it as long as it has held it; others get it at once."""
    with Peer.connect(server.address, source="127.0.0.2") as grabber:
        assert grabber.ask("ann").verdict is Verdict.PASS
        threading.Event().wait(0.6)  # the name is held for so long

    def grab() -> Status:
        with Peer.connect(server.address, source="127.0.0.2") as peer:
            return peer.ask("Ann")

    eventually(lambda: grab().code != Code.NAME_TAKEN, "the end is not noticed")
    status = grab()
    assert status.code == Code.NAME_HELD
    assert status.reason == "Ann was given to your address and not taken up; wait 1 s"
    with Peer.enter(server.address, "ann"):
        pass


def test_a_token_counts_more_than_a_lapse(server: Running) -> None:
    """The owner of a session gets its name although its address has just let the name lapse."""
    with Peer.enter(server.address, "ann") as ann:
        token = ann.welcome.token
    for _ in range(3):
        with Peer.connect(server.address) as peer:
            assert peer.ask("ann", token).verdict is Verdict.PASS
            threading.Event().wait(0.2)
    with Peer.connect(server.address) as peer:
        assert peer.ask("ann", b"x" * 16).code == Code.NAME_HELD


@pytest.mark.parametrize("step", ["connected", "half a HELLO", "HELLO", "named"])
def test_each_step_has_its_time(server: Running, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest that is silent for STEP_SECONDS is refused, long before the deadline of the handshake."""
    monkeypatch.setattr("server.lobby.STEP_SECONDS", 0.05)
    monkeypatch.setattr("server.guest.GOODBYE_SECONDS", 0.05)
    data = {"half a HELLO": encode(HELLO)[:-1], "HELLO": encode(HELLO)}
    with Peer.connect(server.address) as peer:
        if step == "named":
            peer.ask("ann")
        peer.socket.sendall(data.get(step, b""))
        status = peer.rest()[-1]
    assert isinstance(status, Status) and (status.verdict, status.code) == (Verdict.FAIL, Code.SILENT)


def test_who_must_choose_another_name_has_time(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a refused name a person may think longer than a program's step takes."""
    monkeypatch.setattr("server.lobby.STEP_SECONDS", 0.1)
    with Peer.connect(server.address) as peer:
        assert peer.ask("-").code == Code.BAD_NAME
        threading.Event().wait(0.2)
        assert peer.ask("ann", hello=False).verdict is Verdict.PASS


def test_half_handshakes_do_not_hold_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """Newcomers that do not come to their ports hold no range: another address gets one of them at once."""
    low = 5600
    server = Running(replace(CONFIG, ports=Ports(low, low + 3)))
    for number in range(4):
        with Peer.connect(server.address, source="127.0.0.2") as half:
            half.ask(f"half{number}")
            half.take_port()
    with Peer.enter(server.address, "ann"), Peer.enter(server.address, "bob"):
        server.stop()


# --- tickets --------------------------------------------------------------------------------------------


def test_a_wrong_ticket(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    """A stranger with a wrong ticket is refused and logged; the port stays its owner's."""
    port = offered(server)
    with caplog.at_level(logging.WARNING), Peer.connect(server.address, port.number) as stranger:
        stranger.send(ADMIT)
        assert stranger.rest() == [WRONG_TICKET]
    assert "wrong ticket" in caplog.text
    with Peer.connect(server.address, port.number) as owner:
        assert admit(owner, port).name == "ann"


@pytest.mark.parametrize(
    "data",
    [b"", b"\xc7", encode(ADMIT)[:40], b"GET / HTTP/1.1\r\n\r\n", encode(HELLO), encode(ADMIT)],
    ids=["nothing", "a byte", "half", "HTTP", "HELLO", "wrong ticket"],
)
def test_a_stranger_does_not_block_the_owner(server: Running, data: bytes) -> None:
    """The owner of the ticket gets in, although a stranger sends half a packet or a wrong one."""
    port = offered(server)
    connect = Peer.connect
    with connect(server.address, port.number) as stranger, connect(server.address, port.number) as owner:
        stranger.socket.sendall(data)
        assert admit(owner, port).name == "ann"
        assert all(isinstance(packet, Status) for packet in stranger.rest())


def test_many_strangers_do_not_block_the_owner(server: Running) -> None:
    """More silent strangers than there are places push out each other, not the owner."""
    port = offered(server)
    strangers = [Peer.connect(server.address, port.number) for _ in range(2 * ADMISSION_GUESTS)]
    crowded = Status(Verdict.FAIL, Code.SLOW_DOWN, "too many connections to this port")
    assert strangers[ADMISSION_GUESTS // 2].rest() == [crowded]
    with Peer.connect(server.address, port.number) as owner:
        assert admit(owner, port).name == "ann"
    for stranger in strangers:
        stranger.socket.close()


def test_a_ticket_works_once(server: Running) -> None:
    """A used ticket is worth nothing: its port is gone, and at another port it is a wrong one."""
    port = offered(server)
    with Peer.connect(server.address, port.number) as owner:
        admit(owner, port)
        with pytest.raises(ConnectionError):
            Peer.connect(server.address, port.number)
        other = offered(server, "bob")
        with Peer.connect(server.address, other.number) as thief:
            thief.send(ADMIT._replace(ticket=port.ticket))
            assert thief.rest() == [WRONG_TICKET]
        with Peer.connect(server.address, other.number) as bob:
            assert admit(bob, other, "bob").name == "bob"


def test_a_wrong_ticket_on_the_same_connection(same: Running) -> None:
    """Where there is no other port, a wrong ticket ends the handshake and frees the name."""
    with Peer.connect(same.address) as peer:
        peer.ask("ann")
        assert peer.take_port().number == 0
        peer.send(ADMIT)
        assert peer.rest() == [WRONG_TICKET]
    with Peer.enter(same.address, "ann"):
        pass


@pytest.mark.parametrize("channel", ["general", "#", "#a b", ""])
@pytest.mark.parametrize("where", ["server", "same"])
def test_a_bad_channel(where: str, channel: str, request: pytest.FixtureRequest) -> None:
    """A newcomer with a bad channel hears the reason on the new port, and can come again."""
    server: Running = request.getfixturevalue(where)
    with Peer.connect(server.address) as peer:
        peer.ask("ann")
        port = peer.take_port()
        with Peer.connect(server.address, port.number) if port.number else peer as member:
            member.send(ADMIT._replace(ticket=port.ticket, channels=("#fine", channel)))
            (status,) = member.rest()
            assert (
                isinstance(status, Status) and status.verdict is Verdict.FAIL and "channel" in status.reason
            )
    with Peer.enter(server.address, "ann"):
        pass


# --- what is no handshake -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "not the chatroom's protocol"),
        (b"\x16\x03\x01\x02\x00", "not the chatroom's protocol"),
        (b"\xc7\x03" + bytes(18), "version 3"),
        (encode(Username("ann", NO_TOKEN)), "USERNAME cannot come now"),
        (encode(HELLO) + encode(HELLO), "HELLO cannot come now"),
        (encode(HELLO) + encode(ADMIT), "ADMIT cannot come now"),
        (encode(HELLO) + encode(Say(1, "#general", "hi")), "SAY cannot come now"),
        (encode(HELLO) + b"\xc7\x02\x02\0\xff\xff\xff\xff" + bytes(12), "payload"),
    ],
    ids=["HTTP", "TLS", "version", "no hello", "two hellos", "admit", "say", "huge"],
)
def test_what_is_no_handshake(
    server: Running, data: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever comes that is not the handshake is refused with the reason, and logged."""
    with caplog.at_level(logging.WARNING), Peer.connect(server.address) as peer:
        peer.socket.sendall(data)
        (status,) = peer.rest()
        assert isinstance(status, Status) and status.verdict is Verdict.FAIL and reason in status.reason
    assert reason in caplog.text


def test_who_closes_in_the_handshake_is_no_warning(
    server: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health checks and scans of ports would fill the log; so many that they mean something are one line."""
    monkeypatch.setattr("server.left_early.LEFT_EARLY", 4)
    with caplog.at_level(logging.INFO):
        for data in (b"", b"", b"", encode(HELLO)):
            peer = Peer.connect(server.address)
            peer.socket.sendall(data)
            peer.close()
        eventually(lambda: "4 newcomers" in caplog.text, "it was not told")
    levels = [record.levelname for record in caplog.records if "closed in the middle" in record.message]
    assert sorted(levels) == ["INFO"] * 4 + ["WARNING"]


@pytest.mark.parametrize("behind", [b"", b"whatever version 1 sends next"], ids=["alone", "more"])
def test_an_old_client_is_refused_in_its_own_version(server: Running, behind: bytes) -> None:
    """A HELLO of version 1 gets a STATUS FAIL of version 1, in words that a person understands."""
    old_hello = HEADER.pack(MAGIC, 1, Kind.HELLO, 0, 5, 0, 0, 1) + b"\x01test"
    with Peer.connect(server.address) as peer:
        peer.socket.sendall(old_hello + behind)
        answer = read_all(peer.socket)
    magic, version, kind, _, length, *_ = HEADER.unpack_from(answer)
    verdict, reason = answer[HEADER.size], answer[HEADER.size + 1 :].decode()
    assert (magic, version, kind, verdict) == (MAGIC, 1, Kind.STATUS, Verdict.FAIL)
    assert len(answer) == HEADER.size + length
    assert "version 1" in reason and "version 2 is needed: update" in reason


@pytest.mark.parametrize("version", [0, 1, VERSION + 1, 255])
def test_another_version_in_hello(server: Running, version: int) -> None:
    """A client that says in HELLO that it speaks another version is refused with the code for that."""
    with Peer.connect(server.address) as peer:
        peer.send(Hello(version, "test"), Username("ann", NO_TOKEN))
        (status,) = peer.rest()
    assert isinstance(status, Status) and f"version {VERSION}" in status.reason
    assert (status.verdict, status.code) == (Verdict.FAIL, Code.BAD_VERSION)


@pytest.mark.parametrize("data", [b"", b"\xc7", encode(HELLO)])
def test_silence_is_dropped(server: Running, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that says nothing, or stops in the middle, is disconnected at the deadline."""
    monkeypatch.setattr("server.lobby.HANDSHAKE_SECONDS", 0.05)
    with Peer.connect(server.address) as peer:
        peer.socket.sendall(data)
        assert all(isinstance(packet, Status) and packet.verdict is Verdict.FAIL for packet in peer.rest())


def test_steps_do_not_add_up(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """One deadline covers all steps: a peer that is slow at each step does not get the time anew."""
    monkeypatch.setattr("server.lobby.HANDSHAKE_SECONDS", 0.1)
    monkeypatch.setattr("server.guest.GOODBYE_SECONDS", 0.05)
    pause = threading.Event()
    data = encode(HELLO) + encode(Username("ann", NO_TOKEN)) + encode(Status(Verdict.PASS))
    with Peer.connect(server.address) as peer:
        sent = 0
        try:
            for byte in data * 10:
                peer.socket.sendall(bytes([byte]))
                sent += 1
                pause.wait(0.01)
        except ConnectionError:
            pass  # dropped, as it should be
        assert sent < 60


def test_the_others_go_on_meanwhile(server: Running) -> None:
    """Peers that hang in the handshake do not delay other newcomers."""
    hanging = [Peer.connect(server.address) for _ in range(20)]
    with Peer.enter(server.address, "ann"):
        pass
    for peer in hanging:
        peer.socket.close()


# --- ports ----------------------------------------------------------------------------------------------


def test_ports_of_the_range() -> None:
    """With --ports LO-HI, newcomers get a port of the range; when all are taken, the refusal says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        server = Running(replace(CONFIG, ports=Ports(number, number)))
        with Peer.connect(server.address) as peer:
            peer.send(HELLO, Username("ann", NO_TOKEN))
            (status,) = peer.rest()
            assert isinstance(status, Status) and status.verdict is Verdict.FAIL
            assert f"no port of {number}-{number} is free" in status.reason
    try:
        assert offered(server).number == number
    finally:
        server.stop()


def test_what_comes_right_behind_admit(server: Running) -> None:
    """Lines that a client sends in one segment with its ADMIT are said."""
    port = offered(server)
    with Peer.connect(server.address, port.number) as member:
        member.send(ADMIT._replace(ticket=port.ticket), Say(7, "#general", "early"))
        member.receive_until(lambda packet: getattr(packet, "text", "") == "early")


# --- coming back ----------------------------------------------------------------------------------------


def test_coming_back_with_the_token(server: Running) -> None:
    """A client with the token gets its name although its old connection is still there; the old one ends."""
    port = offered(server)
    with Peer.connect(server.address, port.number) as old:
        token = admit(old, port).token
        old.receive_until(lambda packet: isinstance(packet, Live))
        with Peer.connect(server.address) as stranger:
            assert stranger.ask("ann", b"x" * 16).code == Code.NAME_TAKEN
        with Peer.enter(server.address, "ann", token) as new:
            assert new.welcome.token == token
            assert old.bye() == Bye(False, Code.TAKEN_OVER, "taken over by a new connection")


def test_two_with_one_token(server: Running) -> None:
    """Of two newcomers with the same token the later one is admitted; the other one may try again."""
    with Peer.enter(server.address, "ann") as ann:
        token = ann.welcome.token
        ports = [offered(server, token=token) for _ in range(2)]
        connect = Peer.connect
        with (
            connect(server.address, ports[0].number) as early,
            connect(server.address, ports[1].number) as late,
        ):
            early.send(ADMIT._replace(ticket=ports[0].ticket))
            assert early.bye() == Bye(True, Code.EXPIRED, "the reservation has expired")
            assert admit(late, ports[1]).token == token
            assert ann.bye().code == Code.TAKEN_OVER


def test_the_name_of_a_lost_connection_is_held(server: Running) -> None:
    """The name of a lost connection is refused with a code of its own; its owner gets it back."""
    with Peer.enter(server.address, "ann") as ann:
        pass

    def refusal() -> Status:
        with Peer.connect(server.address) as stranger:
            return stranger.ask("Ann")

    eventually(lambda: refusal().code != Code.NAME_TAKEN, "the server has not noticed the end")
    status = refusal()
    assert (status.verdict, status.code) == (Verdict.FAIL, Code.NAME_HELD)
    assert "ann has lost the connection; the name is kept for another" in status.reason
    with Peer.connect(server.address) as owner:
        assert owner.ask("ann", ann.welcome.token).verdict is Verdict.PASS

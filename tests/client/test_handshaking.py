"""client/handshaking.py"""

from __future__ import annotations

import socket

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, NameRefused, OldVersion, ProtocolError, Refused
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_TOKEN,
    Bye,
    Packet,
    Ping,
    Port,
    Replay,
    Status,
    Username,
    Verdict,
    encode,
    encode_refusal_v1,
)
from client.connection import Connection
from client.handshaking import Admission, Wish, admit
from tests.client.fake_server import IDENTITY, TICKET, TOKEN, FakeServer, channel, live, welcome
from tests.support.events import said
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

WISH = Wish("ann", NO_TOKEN, ("#general", "#tea"), 7, 7000, IDENTITY, 50)


def connect(host: str, port: int, deadline: Deadline) -> Connection:
    connection = Connection()
    connection.open(host, port, deadline)
    return connection


def start(server: FakeServer, another_name=None, seconds: float = PATIENCE, host="127.0.0.1"):
    return Task(lambda: admit((host, server.port), WISH, connect, another_name, seconds))


def finish(admitting: Task[Admission]) -> Admission:
    admission = admitting.result()
    admission.connection.close()
    return admission


@pytest.mark.parametrize("same", [False, True], ids=["new port", "same connection"])
def test_the_whole_handshake(same: bool) -> None:
    """Name, port, PASS and END, and ADMIT with the ticket: on a new connection, or on the same for port 0."""
    with FakeServer() as server:
        admitting = start(server)
        member, wanted = server.admit(said(8, "hi"), live(8), head=8, same=same)
        admission = finish(admitting)
        assert wanted == ("ann", TICKET, *WISH[2:])
        assert admission.welcome == welcome(head=8)
        # What came behind WELCOME is not lost, wherever the bytes were cut.
        behind = [channel(), channel("#tea"), Replay(0), said(8, "hi"), live(8)]
        assert admission.packets == behind[: len(admission.packets)]
        member.expect_end()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_the_handshake_over_ipv6() -> None:
    """The client connects to the admission port at the address that answered in the lobby."""
    with FakeServer("::1") as server:
        admitting = start(server, host="::1")
        server.admit(same=False)
        assert finish(admitting).welcome.name == "ann"


def test_every_byte_alone() -> None:
    """Packets of the handshake may be cut anywhere."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        for byte in encode(Status(Verdict.PASS)) + encode(Port(0, TICKET)):
            lobby.socket.sendall(bytes((byte,)))
        lobby.receive(), lobby.receive()
        for byte in encode(Status(Verdict.END)) + encode(welcome()):
            lobby.socket.sendall(bytes((byte,)))
        assert finish(admitting).welcome.token == TOKEN


def test_a_refused_name_and_another_on_the_same_connection() -> None:
    """another_name gets the reason of the refusal; the next name goes out on the same connection."""
    reasons = []

    def another(reason: str) -> str:
        reasons.append(reason)
        return f"ann{len(reasons)}"

    with FakeServer() as server:
        admitting = start(server, another)
        lobby, first = server.named()
        assert first == Username("ann", NO_TOKEN)
        lobby.send(Status(Verdict.FAIL, Code.NAME_TAKEN, "ann is in use"))
        assert lobby.expect(Username).name == "ann1"
        lobby.send(Status(Verdict.FAIL, Code.NAME_HELD, "ann1 is in use"))
        assert lobby.expect(Username).name == "ann2"
        member, wanted = server.offer(lobby, same=True)
        assert wanted.name == "ann2"
        member.send(welcome("ann2"))
        assert finish(admitting).welcome.name == "ann2"
    assert reasons == ["ann is in use", "ann1 is in use"]


@pytest.mark.parametrize("code", [Code.NAME_TAKEN, Code.NAME_HELD, Code.BAD_NAME])
def test_a_refused_name_without_another_is_an_error_with_the_servers_reason(code: Code) -> None:
    """NameRefused says why; the connection is closed."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, code, "not ann"))
        with pytest.raises(NameRefused, match="not ann"):
            admitting.result()
        lobby.expect_end()


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.FULL, Code.BAD_VERSION, Code.OK, 999])
def test_a_server_that_refuses_everybody_is_not_mistaken_for_a_name_in_use(code: int) -> None:
    """FAIL for any other reason is Refused, not NameRefused: no other name helps, a later try may."""
    asked: list[str] = []
    with FakeServer() as server:
        admitting = start(server, asked.append)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, code, "the server is full"))
        with pytest.raises(Refused, match="the server is full"):
            admitting.result()
        lobby.expect_end()
    assert not asked


@pytest.mark.parametrize("sent", [1, 2], ids=["passed", "taken"])
def test_fail_may_come_at_each_step(sent: int) -> None:
    """The server may refuse after PASS and after PORT, too, for example because the time is over."""
    offer: list[Packet] = [Status(Verdict.PASS), Port(0, TICKET)]
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(*offer[:sent], Status(Verdict.FAIL, Code.SILENT, "the handshake took too long"))
        with pytest.raises(Refused, match="took too long") as refused:
            admitting.result()
        assert refused.value.code == Code.SILENT


def test_an_older_server() -> None:
    """To a server that speaks version 1 the client says so, in words for a person."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.socket.sendall(encode_refusal_v1("this server speaks version 1"))
        with pytest.raises(OldVersion, match="version"):
            admitting.result()


def test_not_admitted() -> None:
    """FAIL instead of WELCOME, or BYE at any time, is a refusal with its reason."""
    with FakeServer() as server:
        admitting = start(server)
        member, _ = server.offer(server.named()[0])
        member.send(Status(Verdict.FAIL, Code.BAD_PASSWORD, "wrong ticket"))
        with pytest.raises(Refused, match="wrong ticket"):
            admitting.result()
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Bye(True, Code.STOPPING, "restarting"))
        with pytest.raises(Refused, match="restarting"):
            admitting.result()
        admitting = start(server)
        member, _ = server.offer(server.named()[0])
        member.send(Ping(1), Bye(True, Code.STOPPING, "restarting"))
        with pytest.raises(Refused, match="restarting"):
            admitting.result()


@pytest.mark.parametrize(
    "wrong",
    [
        encode(live(1)),
        encode(Port(0, TICKET)),
        encode(Status(Verdict.END)),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
    ids=["LIVE", "PORT", "END", "HTTP"],
)
def test_what_the_table_does_not_allow_is_a_protocol_error(wrong: bytes) -> None:
    """A packet at the wrong time, or no packet at all, ends the handshake."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.socket.sendall(wrong)
        with pytest.raises(ProtocolError):
            admitting.result()
        lobby.expect_end()


@pytest.mark.parametrize("name", ["", "x" * 200, "ann\x1b[2J", "an\nn", "a\u202enn", "\x9bann"])
def test_a_name_that_the_client_cannot_use_is_a_protocol_error(name: str) -> None:
    """A name in WELCOME that is empty, longer than a name can be, or not printable ends the handshake."""
    with FakeServer() as server:
        admitting = start(server)
        member, _ = server.offer(server.named()[0], same=True)
        member.send(welcome(name))
        with pytest.raises(ProtocolError, match="cannot be a name"):
            admitting.result()
        member.expect_end()


@pytest.mark.parametrize("port", [1, 25, 1023])
def test_a_port_of_another_service_is_a_protocol_error(port: int) -> None:
    """A server cannot make its clients connect to well-known ports."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.PASS), Port(port, TICKET))
        with pytest.raises(ProtocolError, match="1024 is the lowest"):
            admitting.result()
        lobby.expect_end()


def test_one_deadline_for_all_steps() -> None:
    """A server that sends PINGs but never finishes the handshake is given up at the deadline."""
    with FakeServer() as server:
        admitting = start(server, seconds=0.3)
        lobby, _ = server.named()
        with pytest.raises(ConnectionLost, match="too long"):
            deadline = Deadline(PATIENCE)
            while admitting.is_alive() and not deadline.expired:
                try:
                    lobby.send(Ping(1))
                except OSError:
                    break
                admitting.join(0.01)
            admitting.result()

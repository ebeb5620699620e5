"""client/handshaking.py"""

from __future__ import annotations

import socket

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, NameRefused, ProtocolError, Refused
from chatroom.packets import NO_TOKEN, Bye, Code, Live, Ping, Port, Status, Username, Welcome, encode
from client.connection import Connection
from client.handshaking import Admission, Wish, admit
from tests.client.fake_server import TICKET, TOKEN, FakeServer
from tests.support.events import said
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

WISH = Wish("ann", NO_TOKEN, "#general", 7, 50)


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
        member, wanted = server.admit(said(8, "hi"), Live(8), head=8, same=same)
        admission = finish(admitting)
        assert (wanted.channel, wanted.since, wanted.lines) == ("#general", 7, 50)
        assert admission.welcome == Welcome("ann", "#general", TOKEN, 0, 8)
        # What came behind WELCOME is not lost, wherever the bytes were cut.
        assert admission.packets in ([said(8, "hi"), Live(8)], [said(8, "hi")], [])
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
        for byte in encode(Status(Code.PASS)) + encode(Port(0, TICKET)):
            lobby.socket.sendall(bytes((byte,)))
        lobby.receive(), lobby.receive()
        for byte in encode(Status(Code.END)) + encode(Welcome("ann", "#general", TOKEN, 0, 0)):
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
        lobby.send(Status(Code.FAIL, "ann is in use"))
        assert lobby.expect(Username).name == "ann1"
        lobby.send(Status(Code.FAIL, "ann1 is in use"))
        assert lobby.expect(Username).name == "ann2"
        member, wanted = server.offer(lobby, same=True)
        assert wanted.name == "ann2"
        member.send(Welcome("ann2", "#general", TOKEN, 0, 0))
        assert finish(admitting).welcome.name == "ann2"
    assert reasons == ["ann is in use", "ann1 is in use"]


def test_a_refused_name_without_another_is_an_error_with_the_servers_reason() -> None:
    """NameRefused says why; the connection is closed."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Status(Code.FAIL, ""))  # even without a reason
        lobby.expect(Username)
        lobby.send(Status(Code.FAIL, "ann is in use"))
        with pytest.raises(NameRefused, match="ann is in use"):
            admitting.result()
        lobby.expect_end()


def test_a_server_that_refuses_everybody_is_not_mistaken_for_a_name_in_use() -> None:
    """FAIL and a closed connection is Refused, not NameRefused: a reconnect may try again."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Status(Code.FAIL, "the server is full"))
        lobby.socket.shutdown(socket.SHUT_WR)
        with pytest.raises(Refused, match="the server is full"):
            admitting.result()


def test_not_admitted() -> None:
    """FAIL instead of WELCOME, or BYE at any time, is a refusal with its reason."""
    with FakeServer() as server:
        admitting = start(server)
        member, _ = server.offer(server.named()[0])
        member.send(Status(Code.FAIL, "wrong ticket"))
        with pytest.raises(Refused, match="wrong ticket"):
            admitting.result()
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Bye(True, "restarting"))
        with pytest.raises(Refused, match="restarting"):
            admitting.result()


@pytest.mark.parametrize(
    "wrong",
    [encode(Live(1)), encode(Port(0, TICKET)), encode(Status(Code.END)), b"HTTP/1.1 400 Bad Request\r\n\r\n"],
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

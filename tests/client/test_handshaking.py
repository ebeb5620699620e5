"""client/handshaking.py"""

from __future__ import annotations

import socket

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import (
    BadKey,
    BadName,
    BadPassword,
    ConnectionLost,
    NameHeld,
    NameRefused,
    NameTaken,
    NeedEncryption,
    NeedLogin,
    OldVersion,
    ProtocolError,
    Refused,
)
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_TOKEN,
    Bye,
    Credential,
    Hello,
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
from client.attempt import Attempt
from client.connection import Connection
from client.handshaking import Admission, Following, Wish, admit, give_up, reserve
from tests.client.fake_server import IDENTITY, TICKET, TOKEN, FakeServer, channel, live, welcome
from tests.support.events import said
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

WISH = Wish("ann", NO_TOKEN, ("#general", "#tea"), 7, 7000, IDENTITY, 50)


def connect(host: str, port: int, deadline: Deadline) -> Connection:
    connection = Connection()
    connection.open(host, port, deadline)
    return connection


def start(
    server: FakeServer,
    following: Following = give_up,
    seconds: float = PATIENCE,
    host: str = "127.0.0.1",
    attempt: Attempt | None = None,
    key: bytes | None = None,
) -> Task[Admission]:
    return Task(lambda: admit((host, server.port), WISH, connect, attempt, following, seconds, key))


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
        behind = [channel(), channel("#tea", 2), Replay(0), said(8, "hi"), live(8)]
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
    """`following` gets the refusal; the next attempt goes out on the same connection."""
    reasons = []

    def another(refused: NameRefused) -> Attempt:
        reasons.append(str(refused))
        return Attempt(f"ann{len(reasons)}")

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


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.NAME_TAKEN, NameTaken),
        (Code.NAME_HELD, NameHeld),
        (Code.BAD_NAME, BadName),
        (Code.NEED_LOGIN, NeedLogin),
        (Code.BAD_PASSWORD, BadPassword),
    ],
)
def test_a_refused_name_without_another_is_an_error_with_the_servers_reason(
    code: Code, kind: type[NameRefused]
) -> None:
    """Each refusal has an error of its own, which says why; the connection is closed."""
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, code, "not ann"))
        with pytest.raises(kind, match="not ann") as refused:
            admitting.result()
        assert refused.value.code is code
        lobby.expect_end()


@pytest.mark.parametrize(
    ("attempt", "follows"), [(Attempt("ann"), False), (Attempt("ann", password="secret"), True)]
)
def test_a_server_that_wants_encryption(attempt: Attempt, follows: bool) -> None:
    """For a password, that is about the name; a server that takes nobody without it refuses everybody."""
    with FakeServer() as server:
        admitting = start(server, lambda _: Attempt("bob"), attempt=attempt)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.NEED_ENCRYPTION, "use TLS"))
        if follows:
            assert lobby.expect(Username).name == "bob"
            lobby.send(Status(Verdict.FAIL, Code.NEED_ENCRYPTION, "use TLS"))
        with pytest.raises(Refused, match="use TLS") as refused:
            admitting.result()
        assert refused.value.code == Code.NEED_ENCRYPTION


def test_credentials_go_with_the_name() -> None:
    """A password, then a device token, each in a USERNAME on the same connection."""
    attempts = iter([Attempt("dora", device=b"t" * 32)])
    with FakeServer() as server:
        admitting = start(server, lambda _: next(attempts), attempt=Attempt("dora", password="secret"))
        lobby, first = server.named()
        assert first == Username("dora", NO_TOKEN, ((Credential.PASSWORD, b"secret"),))
        lobby.send(Status(Verdict.FAIL, Code.BAD_PASSWORD, "wrong"))
        assert lobby.expect(Username) == Username("dora", NO_TOKEN, ((Credential.DEVICE_TOKEN, b"t" * 32),))
        member, wanted = server.offer(lobby, same=True)
        assert wanted.name == "dora"
        member.send(welcome("Dora"))
        admission = finish(admitting)
        assert (admission.attempt.by_device, admission.secure) == (True, True)


@pytest.mark.parametrize("encrypted", [False, True])
def test_no_secret_over_an_open_connection(monkeypatch: pytest.MonkeyPatch, encrypted: bool) -> None:
    """A password or token goes only over a connection that is encrypted, or that stays on this computer."""
    monkeypatch.setattr("client.attempt.is_loopback", lambda _host: False)
    monkeypatch.setattr(Connection, "encrypted", encrypted)
    for attempt in (Attempt("dora", password="secret"), Attempt("dora", device=b"t" * 32)):
        with FakeServer() as server:
            admitting = start(server, attempt=attempt)
            lobby = server.accept()
            lobby.expect(Hello)
            if encrypted:
                assert lobby.expect(Username).credentials == attempt.rows
                lobby.close()
            else:
                lobby.expect_end()
            with pytest.raises(ConnectionLost if encrypted else NeedEncryption):
                admitting.result()


def test_a_login_that_could_not_be_sent_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over an open connection the need of a login is the need of encryption; both reasons are told."""
    monkeypatch.setattr("client.attempt.is_loopback", lambda _host: False)
    with FakeServer() as server:
        admitting = start(server)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.NEED_LOGIN, "ann is owned"))
        with pytest.raises(NeedEncryption, match=r"^ann is owned; passwords .* not encrypted \(see --tls\)$"):
            admitting.result()


def test_the_password_of_the_server() -> None:
    """It goes with each USERNAME beside what proves an account; a wrong one is BadKey."""
    with FakeServer() as server:
        attempts = iter([Attempt("ann", password="secret")])
        admitting = start(server, lambda _: next(attempts), key=b"sesame")
        lobby, asked = server.named()
        shown = (Credential.SERVER_PASSWORD, b"sesame")
        assert asked.credentials == (shown,)
        lobby.send(Status(Verdict.FAIL, Code.NEED_LOGIN, "ann is owned"))
        assert lobby.expect(Username).credentials == ((Credential.PASSWORD, b"secret"), shown)
        lobby.send(Status(Verdict.FAIL, Code.BAD_KEY, "another password"))
        with pytest.raises(BadKey, match="another password"):
            admitting.result()


def test_an_operator_without_the_password_of_the_server() -> None:
    """Comes in by what proves the account; whoever is none is told what is missing."""
    for code, error in ((Code.FULL, Refused), (Code.BAD_KEY, BadKey)):
        with FakeServer() as server:
            admitting = start(server, lambda refused: Attempt("ann", device=b"d" * 32))
            lobby, asked = server.named()
            assert asked.credentials == ()
            lobby.send(Status(Verdict.FAIL, Code.BAD_KEY, "it has a password"))
            assert lobby.expect(Username).credentials == ((Credential.DEVICE_TOKEN, b"d" * 32),)
            lobby.send(Status(Verdict.FAIL, code, "it has a password"))
            with pytest.raises(error):
                admitting.result()


def test_the_password_of_the_server_over_an_open_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not sent; when the server asks for it, the need of it is the need of encryption."""
    monkeypatch.setattr("client.attempt.is_loopback", lambda _host: False)
    with FakeServer() as server:
        admitting = start(server, key=b"sesame")
        lobby, asked = server.named()
        assert asked.credentials == ()
        lobby.send(Status(Verdict.FAIL, Code.BAD_KEY, "it has a password"))
        with pytest.raises(NeedEncryption, match=r"^it has a password; .* not encrypted \(see --tls\)$"):
            admitting.result()


def test_no_secret_is_shown() -> None:
    """What the handshake passes around shows no token to whoever prints it."""
    assert "TTTT" not in repr(WISH._replace(token=b"T" * 16))
    with FakeServer() as server:
        admitting = Task(
            lambda: reserve(
                ("127.0.0.1", server.port), Attempt("ann"), NO_TOKEN, connect, give_up, Deadline(PATIENCE)
            )
        )
        lobby, _ = server.named()
        lobby.send(Status(Verdict.PASS), Port(0, b"T" * 16))
        lobby.send(Status(Verdict.END))
        reserved = admitting.result()
        assert "TTTT" not in repr(reserved)
        reserved.connection.close()


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.FULL, Code.BAD_VERSION, Code.OK, 999])
def test_a_server_that_refuses_everybody_is_not_mistaken_for_a_name_in_use(code: int) -> None:
    """FAIL for any other reason is Refused, not NameRefused: no other name helps, a later try may."""
    asked: list[NameRefused] = []
    with FakeServer() as server:
        admitting = start(server, asked.append)  # type: ignore[arg-type]
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

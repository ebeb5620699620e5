"""The whole chat over TLS: the same promises as without."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatroom.events import EventKind
from chatroom.outcomes import Code
from chatroom.packets import (
    VERSION,
    Decoder,
    Hello,
    Port,
    Say,
    Status,
    Username,
    Verdict,
    encode,
)
from client import Client, Refused, TlsOptions
from server.app import App
from server.limits import ADMISSION_GUESTS, STALL_BYTES
from tests.chaos.proxy import Proxy
from tests.end_to_end.in_process import port_of, running
from tests.end_to_end.programs import run_program, server
from tests.end_to_end.test_memory import small_sockets
from tests.support.certificates import VERSIONS, Certificates, client_context
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.tasks import Task

TLS = client_context()


@pytest.fixture
def app(certificates: Certificates) -> Iterator[App]:
    with running(tls=certificates.good) as app:
        yield app


def options(certificates: Certificates) -> TlsOptions:
    return TlsOptions(certificates.good.certificate)


@pytest.mark.parametrize("ports", ["any", "same"])
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_people_talk(certificates: Certificates, ports: str, version: ssl.TLSVersion) -> None:
    """Both versions, with an admission port and without one: a peer by hand and our client see all lines."""
    with running(ports, tls=certificates.good) as app:
        client = Client(port=port_of(app), name="ann", tls=options(certificates))
        with client, Peer.enter(port_of(app), "bob", tls=client_context(version)) as bob:
            client.say("hello " + "ä" * 30_000).wait(PATIENCE)
            (hello,) = bob.said(1)
            assert hello.text == "hello " + "ä" * 30_000
            bob.send(Say(1, "#general", "hi"))
            assert next(event.text for event in client if event.author == "bob" and event.text) == "hi"
            assert bob.socket.version() == version.name.replace("_", ".")  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_openssls_own_client(app: App, version: str) -> None:
    """`openssl s_client` comes through the lobby: TLS and our packets are on the wire, nothing else."""
    address = f"127.0.0.1:{port_of(app)}"
    command = ["openssl", "s_client", "-connect", address, "-quiet", "-no_ign_eof", version]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        program.stdin.write(encode(Hello(VERSION, "s_client")) + encode(Username("ann", bytes(16))))
        decoder, packets = Decoder(), []
        while len(packets) < 2 and (data := program.stdout.read(1000)):
            packets += decoder.feed(data)
        program.stdin.close()
        assert packets[0] == Status(Verdict.PASS) and isinstance(packets[1], Port)
        program.kill()


def test_renegotiation_is_off(app: App) -> None:
    """A client of TLS 1.2 cannot make the server negotiate again, which would cost the server much time."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port_of(app)}", "-tls1_2"]
    done = subprocess.run(command, input="R\n", capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "no renegotiation" in done.stderr


@pytest.mark.parametrize("tls", [True, False], ids=["the server has TLS", "the client has TLS"])
def test_one_side_without_tls(certificates: Certificates, tls: bool) -> None:
    """Whichever side lacks TLS, the client is told so in one line."""
    with running(tls=certificates.good if tls else None) as app:
        client = Client(port=port_of(app), name="ann", tls=None if tls else options(certificates))
        with pytest.raises(
            Refused, match="this server is encrypted" if tls else "does not speak TLS"
        ) as refused:
            client.connect()
        assert "\n" not in str(refused.value)
        assert refused.value.code == (Code.NEED_ENCRYPTION if tls else Code.PROTOCOL_ERROR)
        client.close()


def test_a_peer_in_clear_at_the_admission_port(app: App) -> None:
    """The second connection must be encrypted, too: a ticket in clear opens nothing."""
    with Peer.connect(port_of(app), tls=TLS) as lobby:
        lobby.ask("ann")
        offer = lobby.take_port()
        with Peer.connect(offer.number) as clear:
            clear.socket.sendall(b"\xc7")
            (status,) = clear.rest()
            assert isinstance(status, Status) and status.code == Code.NEED_ENCRYPTION
        with Peer.connect(offer.number, tls=TLS) as member:
            member.admit("ann", offer.ticket)


def test_a_full_server_says_so(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that accepts refuses without a handshake of TLS, and the client understands."""
    monkeypatch.setattr("server.crowd.BURST_SECONDS", -1.0)
    with running(tls=certificates.good) as app:
        client = Client(port=port_of(app), name="ann", tls=options(certificates))
        with pytest.raises(Refused, match="too many connections from your address") as refused:
            client.connect()
        assert refused.value.code == Code.SLOW_DOWN
        client.close()


# --- nobody stops the others ----------------------------------------------------------------------------


def half_a_hello() -> bytes:
    """The beginning of a client's first record."""
    came, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        TLS.wrap_bio(came, going).do_handshake()
    return going.read()[:100]


FIRST = {
    "silent": b"",
    "slow": half_a_hello(),
    "garbage": b"\x16\3\1\0\5garba",
    "text": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
def test_strangers_in_the_lobby(app: App, first: bytes) -> None:
    """Silent, slow and senseless connections: others come in and talk meanwhile."""
    with ExitStack() as stack:
        for number in range(40):
            stranger = stack.enter_context(Peer.connect(port_of(app), source=f"127.0.0.{2 + number}"))
            stranger.socket.sendall(first)
        ann = stack.enter_context(Peer.enter(port_of(app), "ann", tls=TLS))
        ann.send(Say(1, "#general", "hello"))
        assert ann.said(1)[0].text == "hello"


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
def test_strangers_at_the_admission_port(app: App, first: bytes) -> None:
    """Strangers that begin with TLS and go no further do not hold up the owner of the ticket."""
    with ExitStack() as stack:
        lobby = stack.enter_context(Peer.connect(port_of(app), tls=TLS))
        lobby.ask("ann")
        offer = lobby.take_port()
        for number in range(ADMISSION_GUESTS):
            stranger = stack.enter_context(Peer.connect(offer.number, source=f"127.0.0.{2 + number}"))
            stranger.socket.sendall(first)
        owner = stack.enter_context(Peer.connect(offer.number, tls=TLS))
        owner.admit("ann", offer.ticket)


def test_a_slow_owner(app: App) -> None:
    """An owner whose bytes come one by one is admitted: each is taken when it comes."""
    with Peer.connect(port_of(app), tls=TLS) as lobby, socket.socket() as slow:
        lobby.ask("ann")
        offer = lobby.take_port()
        slow.connect(("127.0.0.1", offer.number))
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        left, right = socket.socketpair()
        with left, right:
            pumps = [Task(lambda: trickle(right, slow)), Task(lambda: trickle(slow, right, 65536))]
            with Peer(TLS.wrap_socket(left, server_hostname="localhost")) as owner:
                owner.admit("ann", offer.ticket)
            slow.shutdown(socket.SHUT_RDWR)
            for pump in pumps:
                pump.result()


def trickle(source: socket.socket, to: socket.socket, size: int = 1) -> None:
    """Pass bytes on, so many at once."""
    try:
        while data := source.recv(size):
            to.sendall(data)
    except OSError:
        pass


def test_a_reader_that_stops(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Over TLS a member that does not read meets the same bound, is told so, and stops nobody."""
    monkeypatch.setattr("server.stream.BACKLOG_BYTES", 50_000)
    monkeypatch.setattr("server.stream.GOODBYE_SECONDS", PATIENCE)  # a busy machine needs longer to read it
    with small_sockets(), running(tls=certificates.good) as app, ExitStack() as stack:
        ann = stack.enter_context(Peer.enter(port_of(app), "ann", tls=TLS))
        stopped = stack.enter_context(Peer.come_in(port_of(app), "stopped", receive_buffer=16_384, tls=TLS))
        for number in range(1, 100):
            ann.send(Say(number, "#general", "x" * 5_000))
            assert ann.said(1)[0].id == number
            assert app.backlogs.shared < 60_000
            if "too far behind" in caplog.text:
                break
        bye = stopped.bye()
        assert (bye.again, bye.code) == (True, Code.TOO_SLOW)
        eventually(lambda: app.backlogs.own == app.backlogs.shared == 0, "something is left")


@pytest.mark.slow
def test_a_reader_that_is_stalled(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member whose socket takes nothing is disconnected in time, also when only encrypted bytes wait."""
    monkeypatch.setattr("server.stream.STALL_SECONDS", 2.0)
    with small_sockets(), running(tls=certificates.good) as app, ExitStack() as stack:
        ann = stack.enter_context(Peer.enter(port_of(app), "ann", tls=TLS))
        stack.enter_context(Peer.come_in(port_of(app), "stopped", receive_buffer=4096, tls=TLS))
        for number in range(1, 4):
            ann.send(Say(number, "#general", "x" * 5 * STALL_BYTES))
            assert ann.said(1)[0].id == number
        eventually(lambda: not member_threads("stopped"), "it is not disconnected")


def member_threads(name: str) -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == f"handler {name}"]


def test_large_texts_through_tiny_sockets(certificates: Certificates) -> None:
    """Two clients send each other long texts at the same time: all arrive, and nobody waits for ever."""
    texts = [chr(97 + number) * 60_000 for number in range(20)]
    with small_sockets(), running(tls=certificates.good) as app, ExitStack() as stack:
        clients = [
            stack.enter_context(Client(port=port_of(app), name=name, lines=0, tls=options(certificates)))
            for name in ("ann", "bob")
        ]
        said = [Task(lambda c=client: [c.say(text) for text in texts]) for client in clients]  # type: ignore[misc]
        for task in said:
            for line in task.result():
                line.wait(PATIENCE)
        for client, other in zip(clients, ("bob", "ann"), strict=True):
            found: list[str] = []
            for event in client:
                if event.kind is EventKind.SAID and event.author == other:
                    found.append(event.text)
                if len(found) == len(texts):
                    break
            assert found == texts


# --- coming back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["reset", "end"])
def test_a_connection_that_is_cut(certificates: Certificates, cut: str) -> None:
    """A cut is no goodbye: the member is held, comes back with its token, and the others see nothing."""
    proxy = Proxy()
    with running("same", tls=certificates.good) as app, ExitStack() as stack:
        stack.callback(proxy.close)
        proxy.lobby = port_of(app)
        bob = stack.enter_context(Peer.enter(port_of(app), "bob", tls=TLS))
        ann = stack.enter_context(Client(port=proxy.port, name="ann", tls=options(certificates)))
        ann.say("one").wait(PATIENCE)
        assert proxy.reset(0) if cut == "reset" else proxy.cut(0, 5, up=True)
        ann.say("two").wait(PATIENCE)
        assert [event.text for event in bob.said(2)] == ["one", "two"]
        assert not [packet for packet in bob.packets if getattr(packet, "kind", None) is EventKind.QUIT]


@pytest.mark.slow
def test_kill_9_and_back(tmp_path: Path) -> None:
    """Clients over TLS survive kill -9 of the server: each line once, and the same certificate again."""
    data, known = str(tmp_path / "history.db"), tmp_path / "known.json"
    tls = TlsOptions(trust=True, known=known)
    with server(tmp_path, "--tls-self", data=data) as program:
        port = program.port
        ann = Client(port=port, name="ann", tls=tls).connect()
        bob = Client(port=port, name="bob", tls=tls).connect()
        saying = Task(lambda: [ann.say(f"line {number}") for number in range(3000)])
        eventually(lambda: len(ann.pending()) < 2900 and saying.is_alive() is False, "nothing is stored")
        program.kill()
    with server(tmp_path, "--tls-self", data=data, port=port) as program:
        assert ann.flush(2 * PATIENCE) and not ann.pending()
        texts: list[str] = []
        for event in bob:
            if event.kind is EventKind.SAID:
                texts.append(event.text)
            if len(texts) == 3000:
                break
        assert texts == [f"line {number}" for number in range(3000)]
        ann.close()
        bob.close()
        assert program.errors().count("fingerprint") == 2


# --- the programs ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_lines(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The options of both programs, and the one line of each refusal, with exit code 1."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    good, files = certificates.good, certificates.other

    def client(*options: str) -> subprocess.CompletedProcess[str]:
        return run_program("client", address, "--name", "ann", "--retry-for", "0", *options, input="hello\n")

    with server(tmp_path, "--tls-cert", str(good.certificate), "--tls-key", str(good.key)) as program:
        address = f"127.0.0.1:{program.port}"
        for right in (["--tls-ca", str(good.certificate)], ["--tls-trust"], ["--tls", "--tls-trust"]):
            assert client(*right).returncode == 0
        for wrong, words in (
            (["--tls"], "is of no authority that is known here"),
            (["--tls-ca", str(files.certificate)], "is of no authority that is known here"),
            ([], "this server is encrypted: use --tls"),
        ):
            done = client(*wrong)
            assert (done.returncode, done.stderr.count("\n")) == (1, 1) and words in done.stderr
    options = ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
    with server(tmp_path, *options, port=program.port):
        done = client("--tls-trust")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "HAS CHANGED" in done.stderr

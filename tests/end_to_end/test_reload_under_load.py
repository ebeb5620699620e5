"""SIGHUP while a hundred members talk: nobody is disconnected, and nobody has to wait."""

from __future__ import annotations

import selectors
import shutil
import signal
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from chatroom.events import Event, EventKind
from chatroom.packets import Bye, Info, Packet, Say
from server.tls_files import TlsFiles
from tests.end_to_end.programs import server
from tests.support.certificates import Certificates, client_context
from tests.support.patience import PROGRAM_PATIENCE, eventually
from tests.support.peer import Peer

MEMBERS = 100
LINES_A_SECOND = 50  # of all together: each is delivered to all
SECONDS = 4.0  # before the files change, and meanwhile; half of it afterwards
RELOADS = 6


class Talk:
    """The members, each of which says a line in turn. One thread: OpenSSL allows no two for a connection.

    heard:     by member, the texts of the lines in order
    latencies: seconds until a line was back at its author
    """

    def __init__(self, members: list[Peer]) -> None:
        self._members = members
        self._selector = selectors.DefaultSelector()
        self._sent: dict[str, float] = {}
        self._next = 0
        self.heard: list[list[str]] = [[] for _ in members]
        self.latencies: list[float] = []
        for number, member in enumerate(members):
            member.socket.setblocking(False)
            member.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(member.socket, selectors.EVENT_READ, number)

    def go_on(self, seconds: float) -> list[float]:
        """Talk for so long; the latencies meanwhile."""
        self.latencies = []
        end = due = monotonic()
        end += seconds
        while (now := monotonic()) < end:
            if now >= due:
                self._say()
                due += 1 / LINES_A_SECOND
            self._listen(max(0.0, due - now))
        return sorted(self.latencies)

    def finish(self) -> None:
        """Until each has heard all lines."""
        end = monotonic() + PROGRAM_PATIENCE
        while any(len(heard) < self._next for heard in self.heard):
            assert monotonic() < end, [len(heard) for heard in self.heard]
            self._listen(0.1)
        self._selector.close()

    def _say(self) -> None:
        number, text = self._next % len(self._members), f"line {self._next}"
        self._next += 1
        self._sent[text] = monotonic()
        self._members[number].send(Say(self._next, "#general", text))

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def _read(self, number: int) -> None:
        member = self._members[number]
        while True:
            try:
                data = member.socket.recv(65536)
            except (ssl.SSLWantReadError, BlockingIOError):
                return
            assert data, f"member {number} was disconnected"
            for packet in member._decoder.feed(data):
                self._take(number, packet)

    def _take(self, number: int, packet: Packet) -> None:
        assert not isinstance(packet, Bye), packet
        if isinstance(packet, Event) and packet.kind is EventKind.SAID:
            self.heard[number].append(packet.text)
            if packet.author == f"member{number}":
                self.latencies.append(monotonic() - self._sent.pop(packet.text))


def p99(latencies: list[float]) -> float:
    """In milliseconds."""
    return 1000 * latencies[int(0.99 * (len(latencies) - 1))]


def row(when: str, latencies: list[float]) -> str:
    """What those who talked felt in one part of the time."""
    p50, worst = 1000 * latencies[len(latencies) // 2], 1000 * latencies[-1]
    felt = f"p50 {p50:6.1f}   p99 {p99(latencies):6.1f}   worst {worst:6.1f} ms"
    return f"{when:10} {len(latencies):4} lines   {felt}"


@pytest.mark.slow
def test_reloading_while_a_hundred_talk(
    tmp_path: Path, certificates: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a new certificate, message of the day and limit each time: nobody is disconnected, all hear all
    lines in one order, newcomers see the new certificate; how long lines take is printed."""
    config, motd = tmp_path / "server.toml", tmp_path / "motd"
    pairs = [certificates.good, certificates.other]

    def install(number: int) -> TlsFiles:
        files = pairs[number % 2]
        shutil.copy(files.certificate, tmp_path / "cert.pem")
        shutil.copy(files.key, tmp_path / "key.pem")
        motd.write_text(f"message {number}")
        config.write_text(
            'motd = "motd"\ntls-cert = "cert.pem"\ntls-key = "key.pem"\nports = "same"\n'
            f"edit-for = {100 + number}\n"
        )
        return files

    context = client_context(trusted=install(0).certificate)
    options = ("--config", str(config), "--address-members", "1000", "--address-rate", "1000")
    with server(tmp_path, *options, data=str(tmp_path / "chat.db")) as running, ExitStack() as stack:
        members = [
            stack.enter_context(Peer.enter(running.port, f"member{number}", tls=context))
            for number in range(MEMBERS)
        ]
        talk = Talk(members)
        talk.go_on(1.0)
        before = talk.go_on(SECONDS)
        during = list[float]()
        for number in range(1, RELOADS + 1):
            files = install(number)
            running.process.send_signal(signal.SIGHUP)
            during += talk.go_on(SECONDS / RELOADS)
        after = talk.go_on(SECONDS / 2)
        talk.finish()
        eventually(
            lambda: running.errors().count("= reloaded: certificate, motd, edit-for;") == RELOADS,
            running.errors(),
            PROGRAM_PATIENCE,
        )
        assert len({tuple(heard) for heard in talk.heard}) == 1 and len(talk.heard[0]) > 100
        newcomer = Peer.come_in(running.port, "late", tls=client_context(trusted=files.certificate))
        with stack.enter_context(newcomer) as late:
            assert late.receive_until(lambda packet: isinstance(packet, Info)).words == f"message {RELOADS}"
    during.sort()
    with capsys.disabled():
        print(f"\n{MEMBERS} members over TLS, {LINES_A_SECOND} lines a second of all together")
        print(row("before", before), row(f"{RELOADS} reloads", during), row("after", after), sep="\n")
    assert p99(during) < 1000

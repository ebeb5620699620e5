"""Running the programs by files: options in TOML and the environment, SIGHUP, the log, a service manager."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatroom.events import Event
from chatroom.packets import Bye, Command, Info, Say
from tests.client.pseudo_terminal import PseudoTerminal, python
from tests.end_to_end.programs import ROOT, ServerProcess, run_program, server
from tests.support.certificates import Certificates, client_context
from tests.support.patience import PROGRAM_PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.person import Person


def hang_up(running: ServerProcess, words: str = "= reloaded: ") -> str:
    """SIGHUP; the line of the log that says these words."""
    before = len(running.errors())
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: words in running.errors()[before:], f"{words!r} is not said", PROGRAM_PATIENCE)
    return next(line for line in running.errors()[before:].splitlines() if words in line)


# --- options in files -------------------------------------------------------------------------------------


def test_a_wrong_file(tmp_path: Path) -> None:
    """One line with the file and the key, exit code 2; of both programs."""
    path = tmp_path / "x.toml"
    path.write_text("prot = 5050\n")
    for program in ("server", "client"):
        done = run_program(program, "--config", str(path))
        assert (done.returncode, done.stdout) == (2, "")
        line = f"chatroom-{program}: {path}: prot: there is no such option"
        assert done.stderr.startswith(line) and done.stderr.count("\n") == 1


def test_a_wrong_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the environment."""
    monkeypatch.setenv("CHATROOM_SERVER_PORT", "many")
    done = run_program("server")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "CHATROOM_SERVER_PORT: many is not a port" in done.stderr


@pytest.mark.slow
def test_a_server_by_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file, the environment and the command line together; paths of the file are beside it."""
    (tmp_path / "hello.txt").write_text("Welcome to the file.\n")
    config = tmp_path / "server.toml"
    config.write_text('data = "chat.db"\nmotd = "hello.txt"\nmax-members = 5\nports = "any"\n')
    monkeypatch.setenv("CHATROOM_SERVER_CONFIG", str(config))
    monkeypatch.setenv("CHATROOM_SERVER_PORTS", "same")
    running = ServerProcess(tmp_path / "log", "--max-members", "1")
    try:
        assert (tmp_path / "chat.db").exists()
        with Peer.enter(running.port, "ann") as ann, Peer.connect(running.port) as bob:
            assert ann.socket.getpeername()[1] == running.port, "ports = same"
            assert "full" in bob.ask("bob").reason
    finally:
        running.kill()


@pytest.mark.slow
def test_a_client_by_a_file(tmp_path: Path) -> None:
    """The user's file says where to go, as whom, and what it looks like."""
    folder = tmp_path / "chatroom"
    folder.mkdir()
    with server(tmp_path) as running:
        (folder / "client.toml").write_text(
            f'address = "127.0.0.1:{running.port}"\nname = "dora"\nchannel = ["#tea", "lunch"]\n'
            'ground = "light"\nno-color = true\n'
        )
        home = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
        with PseudoTerminal(python("client"), **home) as dora:
            dora.see("you are dora in #tea")
            dora.see("#tea: 1 person")
            dora.type("/unread\r")
            dora.see("#lunch")
            dora.type("\x04")
            assert dora.wait() == 0
        with PseudoTerminal(python("client", "--name", "eve"), CHATROOM_CLIENT_CHANNEL="pie", **home) as eve:
            eve.see("you are eve in #pie")


# --- the message of the day -------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_message_of_the_day(tmp_path: Path) -> None:
    """A newcomer reads it below what was said before; the others, and who comes back, do not."""
    path = tmp_path / "motd"
    path.write_text("Welcome!\nBe \x1b[31mkind.\n")
    with server(tmp_path, "--motd", str(path)) as running:
        with Peer.enter(running.port, "ann") as ann:
            ann.send(Say(1, "#general", "said before"))
            ann.receive_until(lambda packet: getattr(packet, "text", "") == "said before")
            command = python("client", f"127.0.0.1:{running.port}", "--name", "bob")
            with PseudoTerminal(command) as bob:
                rows = bob.see("kind.")
                place = [
                    next(n for n, row in enumerate(rows) if words in row) for words in ("before", "Welcome!")
                ]
                assert place == sorted(place) and "Be ␛[31mkind." in " ".join(rows)
                bob.type("\x04")
                bob.wait()
            ann.send(Command(1, "#general", "/who"))
            ann.receive_until(lambda packet: getattr(packet, "id", 0) == 1)
            told = [packet for packet in ann.packets if isinstance(packet, Info)]
            assert [info.words for info in told] == ["Welcome!\nBe ␛[31mkind."], "to ann herself, once"
        last = [packet for packet in ann.packets if isinstance(packet, Event)][-1]
        come_back = {"token": ann.welcome.token, "identity": ann.welcome.identity, "time": last.time}
        with Peer.come_in(running.port, "ann", last.seq, **come_back) as again:  # type: ignore[arg-type]
            again.send(Command(1, "#general", "/who"))
            again.receive_until(lambda packet: getattr(packet, "id", 0) == 1)
            assert not [packet for packet in again.packets if isinstance(packet, Info)]


# --- SIGHUP -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_reloading(tmp_path: Path, certificates: Certificates) -> None:
    """Certificate, message of the day, limits: taken, and said; what needs a restart, and bad files: said."""
    config, motd = tmp_path / "server.toml", tmp_path / "motd"
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def install(files: Any) -> None:
        shutil.copy(files.certificate, cert)
        shutil.copy(files.key, key)

    install(certificates.good)
    motd.write_text("old")
    text = 'motd = "motd"\ntls-cert = "cert.pem"\ntls-key = "key.pem"\n'
    config.write_text(text)
    with server(tmp_path, "--config", str(config)) as running, ExitStack() as stack:
        first = client_context(trusted=certificates.good.certificate)
        ann = stack.enter_context(Peer.enter(running.port, "ann", tls=first))
        install(certificates.other)
        motd.write_text("new")
        config.write_text(text + 'edit-for = 0\nkeep = "9d"\n')
        line = hang_up(running)
        assert line.endswith("reloaded: certificate, motd, edit-for; a restart is needed for: keep")
        second = client_context(trusted=certificates.other.certificate)
        bob = stack.enter_context(Peer.come_in(running.port, "bob", tls=second))
        assert bob.receive_until(lambda packet: isinstance(packet, Info)).words == "new"
        with pytest.raises(ssl.SSLCertVerificationError):
            Peer.connect(running.port, tls=first)
        ann.send(Say(1, "#general", "still here"))
        assert bob.said(1)[0].text == "still here"
        config.write_text("x = ")
        cert.write_text("nonsense")
        before = len(running.errors())
        hang_up(running)
        lines = [line for line in running.errors()[before:].splitlines() if "not reloaded" in line]
        assert len(lines) == 2 and "server.toml: " in lines[0] and "no certificate" in lines[1]
        stack.enter_context(Peer.come_in(running.port, "eve", tls=second))


@pytest.mark.slow
def test_a_limit_survives_a_restart(tmp_path: Path) -> None:
    """It is a record of the history; the next start says what it is then."""
    data = str(tmp_path / "chat.db")
    with server(tmp_path, "--edit-for", "0", data=data) as running:
        running.stop()
    done = run_program("server", "--check", data)
    assert done.returncode == 0
    with server(tmp_path, data=data) as running, Person.come(f"127.0.0.1:{running.port}", "ann") as ann:
        ann.send(Say(1, "#general", "hello"))
        assert ann.said(1)


def motd_of(port: int, name: str) -> str:
    """The message of the day that a newcomer reads."""
    with Peer.come_in(port, name) as peer:
        return str(peer.receive_until(lambda packet: isinstance(packet, Info)).words)


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [False, True], ids=["a terminal", "nohup"])
def test_a_window_that_is_closed(tmp_path: Path, ignored: bool) -> None:
    """A server that was started in it ends, as it always did. One that is to ignore that, by nohup, stays."""
    motd = tmp_path / "motd"
    motd.write_text("old")
    command = python("server", "--port", "0", "--data", str(tmp_path / "chat.db"), "--motd", str(motd))
    if ignored:
        command = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *command]
    with PseudoTerminal(command) as terminal:
        rows = terminal.see("listening on")
        port = int(next(row for row in rows if "listening on" in row).rpartition(":")[2])
        terminal.signal(signal.SIGHUP)
        terminal.see("= reloaded: nothing new")
        motd.write_text("new")
        os.close(terminal.slave)
        terminal.slave = -1
        terminal.hang_up()
        if ignored:
            numbers = itertools.count()
            eventually(lambda: motd_of(port, f"ann{next(numbers)}") == "new", "no reload", PROGRAM_PATIENCE)
        else:
            assert terminal.process.wait(PROGRAM_PATIENCE) == 0


# --- the log ----------------------------------------------------------------------------------------------

MARK = "zqxj"


def everything_that_is_written(port: int) -> None:
    """The mark in all that members can write: lines, topics, reasons, passwords, names, packets."""
    address = f"127.0.0.1:{port}"
    with Person.come(address, "ann") as ann, Person.come(address, "bob") as bob:
        ann.send(Say(1, "#general", f"{MARK} said"))
        ann.said(1)
        person = bob.welcome.person
        ann.tell(f"/query bob {MARK}")
        ann.send(Say(2, "@bob", f"{MARK} direct", 0, bytes([1, 4]) + person.to_bytes(4, "big")))
        for command in (
            f"/{MARK}",
            f"/topic {MARK}",
            f"/away {MARK}",
            f"/ask {MARK}",
            f"/poll {MARK} | a | b",
            f"/grep {MARK}",
            f"/nick {MARK} {MARK}",
            f"/join #tea {MARK}",
            f"/set key {MARK}",
            f"/kick bob {MARK}",
            f"/ban bob 1h {MARK}",
            f"/kill bob {MARK}",
            f"/announce {MARK}",
            f"/recover ann {MARK} {MARK}",
            f"/owner {MARK}",
        ):
            ann.tell(command)
        ann.tell("/register", MARK * 4)
        ann.tell("/passwd", MARK * 4, f"{MARK} {MARK}")
        ann.tell("/passwd", MARK * 5, f"{MARK} {MARK}")
        ann.tell("/register", "x")
        ann.tell("/join #mine")
        bob.tell("/join #mine")
        ann.tell(f"/topic #mine {MARK}", channel="#mine")
        ann.tell(f"/kick bob {MARK}", channel="#mine")
        bob.send(Bye(False, 0, f"{MARK} goodbye"))
        bob.rest()
        ann.socket.sendall(MARK.encode() * 9)
        ann.rest()
    with Peer.connect(port) as stranger:
        stranger.socket.sendall(MARK.encode() * 9)
        stranger.rest()
    with Peer.connect(port) as stranger:
        stranger.ask(f"{MARK} {MARK}")
    with Peer.connect(port) as lobby:
        lobby.ask("eve")
        offer = lobby.take_port()
        with Peer.connect(port, offer.number) as peer:
            peer.socket.sendall(MARK.encode() * 9)
            peer.rest()


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--log-json",)], ids=["text", "json"])
def test_no_text_of_members_in_the_log(options: tuple[str, ...], tmp_path: Path) -> None:
    """Not what they say, no topic, reason, password or command; in whatever form, however verbose."""
    with server(tmp_path, "-v", *options, data=str(tmp_path / "chat.db")) as running:
        everything_that_is_written(running.port)
        running.stop()
        log = running.errors()
    assert ("ann" in log and "has left" in log) or '"left"' in log
    assert MARK not in log


@pytest.mark.slow
def test_the_log_in_json(tmp_path: Path) -> None:
    """Every line is one object with the same keys, from the start to the end, whatever happens."""
    with server(tmp_path, "-v", "--log-json", data=str(tmp_path / "chat.db")) as running:
        everything_that_is_written(running.port)
        hang_up(running, '"reloaded"')
        running.stop()
        lines = [json.loads(line) for line in running.errors().splitlines()]
    assert all(list(line) == ["time", "level", "event", "fields"] for line in lines)
    assert {"owner_code", "came", "left", "bad_packet", "turned_away", "reloaded"} <= {
        line["event"] for line in lines
    }
    (reloaded,) = (line for line in lines if line["event"] == "reloaded")
    assert reloaded["level"] == "notice"
    assert reloaded["fields"] | {"thread": ""} == {"taken": "nothing new", "restart": "nothing", "thread": ""}


# --- a service manager ------------------------------------------------------------------------------------


@contextmanager
def service(folder: Path, microseconds: int) -> Iterator[tuple[ServerProcess, socket.socket]]:
    """A server as systemd would start it with Type=notify, and the socket of that systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(PROGRAM_PATIENCE)
        variables = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": str(microseconds)}
        running = ServerProcess(folder / "log", "--data", ":memory:", env={**os.environ, **variables})
        try:
            yield running, manager
        finally:
            running.kill()


def told(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


@pytest.mark.slow
def test_the_unit_needs_no_other_program() -> None:
    """A small Debian has no /bin/kill, only that of its shell."""
    unit = (ROOT / "notes" / "running" / "chatroom.service").read_text()
    programs = re.findall(r"^Exec\w+=(\S+)", unit, re.MULTILINE)
    assert len(programs) == 2 and set(programs) <= {"/opt/chatroom/bin/chatroom-server", "/bin/sh"}


def test_what_the_service_manager_is_told(tmp_path: Path) -> None:
    """READY when newcomers can come, WATCHDOG again and again, RELOADING and READY, STOPPING."""
    with service(tmp_path, 200_000) as (running, manager):
        assert told(manager) == f"READY=1\nSTATUS=listening on 127.0.0.1:{running.port}"
        with Peer.enter(running.port, "ann"):
            for _ in range(3):
                assert told(manager) == "WATCHDOG=1"
            running.process.send_signal(signal.SIGHUP)
            seen = [told(manager)]
            while not seen[-1].startswith("READY=1"):
                seen.append(told(manager))
            assert [line for line in seen if line.startswith("RELOADING=1\nMONOTONIC_USEC=")]
            running.process.send_signal(signal.SIGTERM)
            while (line := told(manager)) != "STOPPING=1":
                assert line == "WATCHDOG=1"
            assert running.process.wait(PROGRAM_PATIENCE) == 0


def test_a_server_at_a_terminal(tmp_path: Path) -> None:
    """The owner's code has a row of its own, so that no narrow screen breaks it; Ctrl-C is answered."""
    command = python("server", "--port", "0", "--data", str(tmp_path / "chat.db"))
    with PseudoTerminal(command) as terminal:
        rows = [row for row in terminal.see("listening on") if row]
        before = next(number for number, row in enumerate(rows) if row.endswith("/owner:"))
        assert len(rows[before + 1].split()) == 1
        terminal.type("\x03")
        assert terminal.wait() == 0
        assert [row for row in terminal.screen.rows() if row][-1] == "stopped; everything is stored"

"""client/__main__.py"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.limits import DEAD_AFTER
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Command, Credential, Replay, Status, Username, Verdict
from client import Client
from client.__main__ import (
    HOW_TO_LOG_IN,
    HOW_TO_SHOW,
    _remember_name,
    login_name,
    main,
    parser,
    proposed_name,
    tls_options,
)
from client.coming_in import another
from client.known_servers import KnownServers
from client.settings import RULES
from client.tls import TlsOptions
from tests.client.fake_server import ME, FakeServer, channel, live, welcome
from tests.client.pseudo_terminal import PseudoTerminal, python
from tests.support.events import NOON
from tests.support.patience import PROGRAM_PATIENCE, eventually
from tests.support.peer import PacketSocket
from tests.support.tasks import Task


def test_without_options_the_defaults_of_the_readme_hold() -> None:
    """The server on this computer, #general, and a name that is asked for."""
    options = parser().parse_args([])
    assert options.address == ("127.0.0.1", 5050)
    assert (options.channel, options.name, options.dead_after) == (None, None, DEAD_AFTER)
    assert (options.history, options.retry_for, options.repaint) == (None, None, "around")


def test_all_options() -> None:
    """Each option reaches its place."""
    line = "[::1]:6000 --name ann --channel #x --channel #Y --json --follow --no-color"
    line += " --history 7 --retry-for 0 --dead-after 1.5 --repaint inline"
    options = parser().parse_args(line.split())
    assert options.address == ("::1", 6000)
    assert (options.name, options.channel) == ("ann", ["#x", "#y"])
    assert options.json
    assert options.follow
    assert options.no_color
    assert (options.history, options.retry_for, options.dead_after) == (7, 0.0, 1.5)
    assert options.repaint == "inline"


@pytest.mark.parametrize(
    ("line", "tls"),
    [
        ("", None),
        ("--tls", TlsOptions()),
        ("--tls-ca x.pem", TlsOptions(Path("x.pem"))),
        ("--tls --tls-ca x.pem", TlsOptions(Path("x.pem"))),
        ("--tls-trust", TlsOptions(trust=True)),
    ],
)
def test_encryption(line: str, tls: TlsOptions | None) -> None:
    """Each option alone turns encryption on."""
    assert tls_options(parser().parse_args(line.split())) == tls


@pytest.mark.parametrize(
    "wrong",
    [
        *("--nonsense", "host:x", "a b", "--history -1", "--history 70000", "--dead-after 0"),
        *("--retry-for nan", "--retry-for inf", "--repaint maybe", "--name", "--dead-after 1e300"),
        *("--name a/b", "--name -", "--channel #-x", "--channel #", "fe80::1"),
        *("--tls-ca", "--tls-ca x --tls-trust"),
    ],
)
def test_a_wrong_option_is_one_line(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One clear line on stderr, exit code 2."""
    with pytest.raises(SystemExit) as left:
        main(wrong.split())
    assert left.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("chatroom-client: ")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("login", "name"), [("ann", "ann"), ("DOMAIN\\ann", "guest"), ("", "guest"), ("-x", "guest")]
)
def test_the_login_name_if_it_can_be_one(login: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default name is the login name, or `guest` where that is no valid name."""
    monkeypatch.setattr(getpass, "getuser", lambda: login)
    assert login_name() == name


def test_a_computer_without_login_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a login name (containers) the default name is `guest`."""

    def nobody() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert login_name() == "guest"


def test_the_trust_in_a_server_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However the address is written, and whatever else stands on the line; not by a file of options."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    KnownServers().remember("chat.example.org:5050", "AB:CD")
    assert main(["Chat.Example.Org", "--tls-trust", "--tls-forget"]) == 0
    assert capsys.readouterr().out == "forgot the certificate of chat.example.org:5050; it was AB:CD\n"
    assert main(["chat.example.org", "--tls-forget"]) == 1
    assert "no certificate of chat.example.org:5050" in capsys.readouterr().err
    assert "tls_forget" in RULES.only_here


# --- names and passwords -----------------------------------------------------------------------------------


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder of its own, for the file of tokens."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


@contextmanager
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody else begins to."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def refuse(lobby: PacketSocket, code: Code, words: str) -> None:
    lobby.send(Status(Verdict.FAIL, code, words))


def password_of(asked: Username) -> bytes | None:
    return dict(asked.credentials).get(Credential.PASSWORD)


def come_in(server: FakeServer, lobby: PacketSocket, name: str) -> PacketSocket:
    member, _ = server.offer(lobby, same=True)
    member.send(welcome(name), channel(), Replay(0), live())
    return member


def at_home(member: PacketSocket) -> list[Command]:
    """Answer whom the user ignores: before, a terminal shows nothing. The commands that have come by then."""
    given = [member.expect(Command)]
    while given[-1].text != "/ignored":
        given.append(member.expect(Command))
    member.send(Answer(given[-1].id, Code.OK, "", "[]"))
    return given


def dora(server: FakeServer) -> list[str]:
    """The command with which dora comes in."""
    return python("client", f"127.0.0.1:{server.port}", "--name", "dora")


@pytest.mark.slow
def test_a_person_is_asked_for_the_password(home: Path) -> None:
    """When the name belongs to an account, without echo, again after a wrong one; then a token is kept, with
    which the next start needs no password."""
    with FakeServer(patience=PROGRAM_PATIENCE) as server:
        with PseudoTerminal(dora(server)) as terminal:
            lobby, asked = server.named()
            assert asked.credentials == ()
            refuse(lobby, Code.NEED_LOGIN, "dora belongs to an account")
            terminal.see("dora belongs to an account")
            terminal.see("Password of dora (not shown; Enter alone: another name):")
            terminal.type("wrong horse\r")
            lobby, asked = server.named()
            assert password_of(asked) == b"wrong horse"
            refuse(lobby, Code.BAD_PASSWORD, "the name or the password is wrong")
            # What is typed before the question is dropped: wait for the second one.
            terminal.see(lambda rows: sum("Password of dora (not shown" in row for row in rows) == 2)
            assert any("the name or the password is wrong" in row for row in terminal.screen.rows())
            terminal.type("correct horse\r")
            lobby, asked = server.named()
            assert password_of(asked) == b"correct horse"
            member = come_in(server, lobby, "dora")
            given = at_home(member)
            terminal.see("you are dora in #general, logged in")
            devices = [one for one in given if one.text.startswith("/device")]
            device = devices[0] if devices else member.expect(Command)
            rows = f'[["token", "dora", "{b"t".hex() * 32}"]]'
            member.send(Answer(device.id, Code.OK, "remembered", rows))
            eventually((home / "chatroom" / "tokens.json").exists, "no token is kept")
            terminal.type("\x04")
            member.receive_until(lambda packet: isinstance(packet, Bye))  # it asks whom dora ignores, too
            member.close()
            assert terminal.wait() == 0
            assert "horse" not in terminal.output and "remembered" not in terminal.output
        with PseudoTerminal(dora(server)) as terminal:
            lobby, asked = server.named()
            refuse(lobby, Code.NEED_LOGIN, "dora belongs to an account")
            assert lobby.expect(Username).credentials == ((Credential.DEVICE_TOKEN, b"t" * 32),)
            member = come_in(server, lobby, "dora")
            at_home(member)
            terminal.see("you are dora in #general, logged in")
            member.close()


@pytest.mark.parametrize("named", [True, False], ids=["--name", "asked"])
def test_a_person_who_does_not_say_the_password(home: Path, named: bool) -> None:
    """An empty line: another name may be typed; one like it is proposed only if the name is taken."""
    with FakeServer(patience=PROGRAM_PATIENCE) as server:
        command = python("client", f"127.0.0.1:{server.port}", *(["--name", "dora"] if named else []))
        with PseudoTerminal(command) as terminal:
            if not named:
                terminal.see("Your name [")
                terminal.type("dora\r")
            lobby, _ = server.named()
            refuse(lobby, Code.NEED_LOGIN, "dora belongs to an account")
            terminal.see("Password of dora (not shown; Enter alone: another name):")
            terminal.type("\r")
            asked = 1 if named else 2
            terminal.see(lambda rows: sum("Your name [" in row for row in rows) == asked)
            terminal.type("emil\r")
            assert server.named()[1].name == "emil"


def test_a_taken_name_is_a_question(home: Path) -> None:
    """The reason is told, and another name proposed, which Enter takes."""
    with FakeServer(patience=PROGRAM_PATIENCE) as server, PseudoTerminal(dora(server)) as terminal:
        refuse(server.named()[0], Code.NAME_TAKEN, "somebody has this name")
        terminal.see("somebody has this name")
        terminal.see("Your name [dora2]:")
        terminal.type("\r")
        lobby, asked = server.named()
        assert asked.name == "dora2"
        member = come_in(server, lobby, "dora2")
        at_home(member)
        terminal.see("you are dora2 in #general")
        member.close()


def test_the_name_used_last_is_proposed(home: Path) -> None:
    """At the same server, and as `/nick` has changed it; at another one it is the login name. The file is the
    user's alone."""

    def start(server: FakeServer, *options: str) -> PseudoTerminal:
        return PseudoTerminal(python("client", f"127.0.0.1:{server.port}", *options), LOGNAME="login")

    with FakeServer(patience=PROGRAM_PATIENCE) as server, FakeServer(patience=PROGRAM_PATIENCE) as other:
        with start(server) as terminal:
            terminal.see("Your name [login]:")
            terminal.type("mia\r")
            member = come_in(server, server.named()[0], "mia")
            at_home(member)
            terminal.see("you are mia in #general")
            member.send(Event(1, NOON, EventKind.RENAMED, "", "mia", "emma", 0, ME))
            terminal.see("emma>")
            terminal.type("\x04")
            member.receive_until(lambda packet: isinstance(packet, Bye))
            member.close()
            assert terminal.wait() == 0
        with start(server) as terminal:
            terminal.see("Your name [emma]:")
            terminal.type("\x03")
        with start(other) as terminal:
            terminal.see("Your name [login]:")
            terminal.type("\x03")
    assert (home / "chatroom" / "preferences.json").stat().st_mode & 0o777 == 0o600


def test_a_server_that_is_away_is_a_question(home: Path) -> None:
    """Another address may be typed; what is no address is asked for again."""
    with FakeServer(patience=PROGRAM_PATIENCE) as server, closed_port() as port:
        command = python("client", f"127.0.0.1:{port}", "--name", "dora")
        with PseudoTerminal(command) as terminal:
            terminal.see("Another address")
            terminal.type("[::1\r")
            terminal.see("is no address")
            terminal.type(f"127.0.0.1:{server.port}\r")
            member = come_in(server, server.named()[0], "dora")
            at_home(member)
            terminal.see("you are dora in #general")
            member.close()


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_leaving_while_the_server_is_away(home: Path, key: str) -> None:
    """Ctrl-C and Ctrl-D leave, at the question and while it waits."""
    with (
        closed_port() as port,
        PseudoTerminal(python("client", f"127.0.0.1:{port}", "--name", "dora")) as terminal,
    ):
        terminal.see("Another address")
        if key == "\x03":
            terminal.type("\r")
            terminal.see("trying")
        terminal.type(key)
        assert terminal.wait() == (130 if key == "\x03" else 0)
        assert "Traceback" not in terminal.output


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("ann", "ann2"),
        ("ann2", "ann3"),
        ("ann9", "ann10"),
        ("r2d2", "r2d3"),
        ("x" * 24, "guest"),
        ("b1234", "b1234-2"),
    ],
)
def test_a_name_like_one_that_is_taken(name: str, proposed: str) -> None:
    """The next number stands behind it, if that can be a name."""
    assert another(name) == proposed


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_leaving_at_the_password(home: Path, key: str) -> None:
    """Ctrl-C and Ctrl-D leave, and the terminal has its modes back."""
    with FakeServer(patience=PROGRAM_PATIENCE) as server, PseudoTerminal(dora(server)) as terminal:
        refuse(server.named()[0], Code.NEED_LOGIN, "dora belongs to an account")
        terminal.see("Password of dora")
        terminal.type(key)
        assert terminal.wait() == (130 if key == "\x03" else 0)
        assert terminal.modes() == terminal.modes_before
        assert "Traceback" not in terminal.output


def test_a_password_from_a_file(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes with the first USERNAME; no token is asked for; a wrong one is one line and exit code 1."""
    monkeypatch.setattr("sys.stdin", None)
    path = home / "password"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    with FakeServer() as server:
        line = [f"127.0.0.1:{server.port}", "--name", "dora", "--password-file", str(path)]

        def play() -> None:
            lobby, asked = server.named()
            assert password_of(asked) == b"correct horse"
            member = come_in(server, lobby, "dora")
            assert isinstance(member.receive(), Bye)
            member.close()
            refuse(server.named()[0], Code.BAD_PASSWORD, "the name or the password is wrong")

        playing = Task(play)
        assert [main(line), main(line)] == [0, 1]
        playing.result()
    assert capfd.readouterr().err == "chatroom-client: the name or the password is wrong\n"
    path.chmod(0o644)
    assert main(line) == 2
    assert capfd.readouterr().err.count("\n") == 1


def test_the_servers_password_from_a_file(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It goes with the first USERNAME; a wrong one is one line, and says where it stands."""
    path = home / "word"
    path.write_text("sesame\n")
    path.chmod(0o600)
    with FakeServer() as server:
        line = [f"127.0.0.1:{server.port}", "--name", "ann", "--server-password-file", str(path)]
        running = Task(lambda: main(line))
        lobby, asked = server.named()
        assert asked.credentials == ((Credential.SERVER_PASSWORD, b"sesame"),)
        refuse(lobby, Code.BAD_KEY, "this is not the password")
        assert running.result() == 1
    assert capfd.readouterr().err == f"chatroom-client: this is not the password; {HOW_TO_SHOW}\n"
    path.write_text("x" * 65)
    assert main(line) == 2
    assert capfd.readouterr().err == "chatroom-client: this text is too long for the password of a server\n"


@pytest.mark.slow
def test_a_person_is_asked_for_the_servers_password(home: Path) -> None:
    """Without echo, again after a wrong one; an empty line is the end. A reconnect asks nothing."""
    with FakeServer(patience=PROGRAM_PATIENCE) as server:
        with PseudoTerminal(dora(server)) as terminal:
            lobby, asked = server.named()
            assert asked.credentials == ()
            refuse(lobby, Code.BAD_KEY, "this server has a password")
            terminal.see("Password of the server (not shown):")
            terminal.type("open\r")
            lobby, asked = server.named()
            assert asked.credentials == ((Credential.SERVER_PASSWORD, b"open"),)
            refuse(lobby, Code.BAD_KEY, "this is not the password")
            terminal.see(lambda rows: sum("Password of the server" in row for row in rows) == 2)
            terminal.type("sesame\r")
            lobby, asked = server.named()
            member = come_in(server, lobby, "dora")
            at_home(member)
            terminal.see("you are dora in #general")
            member.close()
            assert server.named()[1].credentials == ((Credential.SERVER_PASSWORD, b"sesame"),)
            assert "sesame" not in terminal.output and "open" not in terminal.output
        with PseudoTerminal(dora(server)) as terminal:
            refuse(server.named()[0], Code.BAD_KEY, "this server has a password")
            terminal.see("Password of the server (not shown):")
            terminal.type("\r")
            assert terminal.wait() == 1


def test_a_pipe_that_needs_a_login(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Between pipes nobody is asked: one line says what is needed, and where the password may stand."""
    with FakeServer() as server:
        running = Task(lambda: main([f"127.0.0.1:{server.port}", "--name", "dora"]))
        refuse(server.named()[0], Code.NEED_LOGIN, "dora belongs to an account")
        assert running.result() == 1
    told = capfd.readouterr().err
    assert told == f"chatroom-client: dora belongs to an account; {HOW_TO_LOG_IN}\n"


def test_a_broken_file_of_tokens(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is told with the refusal, and left as it is."""
    (home / "chatroom").mkdir()
    path = home / "chatroom" / "tokens.json"
    path.write_text("{")
    path.chmod(0o600)
    with FakeServer() as server:
        running = Task(lambda: main([f"127.0.0.1:{server.port}", "--name", "dora"]))
        refuse(server.named()[0], Code.NEED_LOGIN, "dora belongs to an account")
        assert running.result() == 1
    assert f"{path} is damaged" in capfd.readouterr().err
    assert path.read_text() == "{"


def test_the_help_fits_a_screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--help has what most people need, in 23 rows of 79 columns; --help-all has each option."""
    monkeypatch.setenv("COLUMNS", "200")
    told = []
    for option in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as left:
            parser().parse_args([option])
        assert left.value.code == 0
        told.append(capsys.readouterr().out)
    short, whole = told
    assert len(short.splitlines()) <= 23
    assert max(map(len, whole.splitlines())) <= 79
    for action in parser()._actions:
        assert all(option in whole for option in action.option_strings)


@pytest.mark.parametrize("channel_", ["lunch", "#lunch", "LUNCH"])
def test_a_channel_without_its_sign(channel_: str) -> None:
    """`lunch` is taken for `#lunch`: a shell takes an unquoted `#` for a comment."""
    assert parser().parse_args(["--channel", channel_]).channel == ["#lunch"]


def test_an_unquoted_sign_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """The shell has dropped what was behind `#`: one line says so."""
    with pytest.raises(SystemExit):
        parser().parse_args(["--channel"])
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "unquoted # begins a comment: write --channel lunch" in told


def test_the_name_of_an_account_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after /nick: under another name its user would be a guest the next time."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    options = parser().parse_args(["localhost:5050"])
    client = Client("localhost", 5050, name="anna")
    _remember_name(client, options)
    assert proposed_name("localhost", 5050) == "anna"
    client._account.name = "ann"
    _remember_name(client, options)
    assert proposed_name("localhost", 5050) == "ann"

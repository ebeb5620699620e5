"""Each error is one clear line on stderr, with an exit code that is not 0."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from chatroom.events import Event, EventKind
from client import Client
from client.__main__ import main as client_main
from server.__main__ import main as server_main
from tests.end_to_end.programs import ROOT, run_program, server
from tests.server.histories import NOW, opened
from tests.support.blocks import blocks_of
from tests.support.peer import Peer


def assert_one_line(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Expect one line on stderr with `words`, nothing on stdout, and this exit code."""
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(("chatroom-server: ", "chatroom-client: "))
    for word in words:
        assert word in done.stderr
    assert done.returncode == code


MAINS = {"server": server_main, "client": client_main}


class Here:
    """Runs the programs in this process: for errors in options, which end them before they have begun."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As `run_program`."""
        with pytest.raises(SystemExit) as ended:
            MAINS[program](list(arguments))
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, *self._capsys.readouterr())


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(capsys)


@pytest.mark.parametrize("program", MAINS)
def test_bad_option_of_a_program(program: str) -> None:
    """A program ends as its main function does: with one line, and with exit code 2."""
    assert_one_line(run_program(program, "--nonsense"), "--nonsense", "--help", code=2)


# --- the server -----------------------------------------------------------------------------------------


def test_port_in_use(tmp_path: Path) -> None:
    """A second server on the same port says that the port is in use, and names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_program("server", "--port", port, "--data", ":memory:")
    assert_one_line(done, f"127.0.0.1:{port}", "in use")


@pytest.mark.parametrize("host", ["nosuch.invalid", "...", "x" * 300, "192.0.2.1", "::ffff:300.1.1.1"])
def test_host_unknown_to_the_server(host: str) -> None:
    """The error names a host that is unknown, or is no address of this machine."""
    assert_one_line(run_program("server", "--port", "0", "--host", host, "--data", ":memory:"), host)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "70000"),
        ("--port", "-1"),
        ("--port", "http"),
        ("--dead-after", "nan"),
        ("--dead-after", "0"),
        ("--durability", "none"),
        ("--nonsense", "1"),
    ],
)
def test_bad_option_of_the_server(here: Here, option: str, value: str) -> None:
    """A wrong option is answered in one line that names it, and with exit code 2."""
    assert_one_line(here.run("server", "--data", ":memory:", option, value), option, code=2)


@pytest.mark.parametrize("value", ["5-1", "0-5", "1-70000", "any-", "-", "1", "a-b", ""])
def test_bad_range_of_ports(here: Here, value: str) -> None:
    """A wrong range of ports is answered in one line with an example of a right one."""
    done = here.run("server", "--port", "0", "--data", ":memory:", f"--ports={value}")
    assert_one_line(done, "any, same or LO-HI", code=2)


def test_history_that_is_none(tmp_path: Path) -> None:
    """The server names and refuses a file that is no history, and does not change it."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear diary\n" * 1000)
    assert_one_line(run_program("server", "--port", "0", "--data", str(path)), str(path))
    assert path.read_text() == "Dear diary\n" * 1000
    assert_one_line(run_program("server", "--port", "0", "--data", str(tmp_path)), "folder")
    assert_one_line(run_program("server", "--port", "0", "--data", str(tmp_path / "no" / "file")), "folder")


def test_history_of_a_newer_version(tmp_path: Path) -> None:
    """The server refuses a history of a newer version with that reason, and does not change it."""
    path = tmp_path / "history"
    with server(tmp_path, data=str(path)) as program:
        program.stop()
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 1000")
    before = path.read_bytes()
    assert_one_line(run_program("server", "--port", "0", "--data", str(path)), "newer")
    assert path.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_history_that_is_read_only(tmp_path: Path) -> None:
    """The server refuses a read-only history at the start, not at the first line."""
    path = tmp_path / "history"
    with server(tmp_path, data=str(path)) as program:
        program.stop()
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert_one_line(run_program("server", "--port", "0", "--data", str(path)), str(path))
    finally:
        tmp_path.chmod(0o700)


def test_history_in_use(tmp_path: Path) -> None:
    """A second server on the same history refuses to start."""
    with server(tmp_path, data=str(tmp_path / "history")):
        done = run_program("server", "--port", "0", "--data", str(tmp_path / "history"))
    assert_one_line(done, "history", "use")


def inspect(
    option: str, path: Path, stdout: IO[bytes] | int | None, **environment: str
) -> tuple[int, bytes, str]:
    """Run --check or --export; exit code, stdout if it is a pipe, stderr. None: stdout is closed."""
    command = [sys.executable, "-m", "server", option, str(path)]
    if stdout is None:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    done = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, cwd=ROOT, timeout=15, check=False,
        env=os.environ | environment,
    )  # fmt: skip
    return done.returncode, done.stdout or b"", done.stderr.decode()


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """A history with a line and a channel beyond Latin-1."""
    path = tmp_path / "spoken.db"
    with opened(path) as history:
        history.append(blocks_of([Event(1, NOW, EventKind.SAID, "#吃饭", "李雷", "€ 3", 1, 1, 1)]), [])
    return path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("option", ["--check", "--export"])
def test_what_was_found_cannot_be_printed(option: str, spoken: Path) -> None:
    """--check and --export into a full disk or a closed stdout: one line, and not success."""
    with open("/dev/full", "wb") as full:
        code, _, errors = inspect(option, spoken, full)
    assert (code, errors) == (1, "chatroom-server: cannot print: No space left on device\n")
    code, _, errors = inspect(option, spoken, None)
    assert (code, errors) == (1, "chatroom-server: cannot print: stdout is closed\n")


def test_what_was_found_in_a_latin_1_locale(spoken: Path) -> None:
    """JSON Lines are UTF-8 in every locale; the report for a person escapes what the locale lacks."""
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    code, out, errors = inspect("--export", spoken, subprocess.PIPE, **latin)
    assert (code, errors) == (0, "")
    assert json.loads(out.decode())["text"] == "€ 3"
    code, out, errors = inspect("--check", spoken, subprocess.PIPE, **latin)
    assert (code, errors) == (0, "")
    assert rb"  in '#\u5403\u996d': 1" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_first_line_that_cannot_be_printed() -> None:
    """A server that cannot print its port ends: no client could find it."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "server", "--port", "0", "--data", ":memory:"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            timeout=15,
            check=False,
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr


# --- the client -----------------------------------------------------------------------------------------


def test_connection_refused() -> None:
    """The error names a port without a listener, and says that the connection was refused."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound here, but it does not listen
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        assert_one_line(run_program("client", address, "--name", "ann"), address, "refused")


@pytest.mark.parametrize("host", ["nosuch.invalid", "...", "x" * 300])
def test_host_unknown_to_the_client(host: str) -> None:
    """The error names an unknown host."""
    assert_one_line(run_program("client", host, "--name", "ann"), host, "not known")


@pytest.mark.parametrize(
    "arguments",
    [
        ["127.0.0.1:http"],
        ["127.0.0.1:70000"],
        ["[::1"],
        ["--nonsense"],
        ["--history", "-1"],
        ["--dead-after", "inf"],
        ["one", "two"],
    ],
)
def test_bad_option_of_the_client(here: Here, arguments: list[str]) -> None:
    """A wrong option is answered in one line, and with exit code 2."""
    assert_one_line(here.run("client", "--name", "ann", *arguments), "--help", code=2)


@pytest.mark.slow
def test_names_and_channels_that_cannot_be(tmp_path: Path) -> None:
    """A bad name, a name in use, and a bad channel are one line each; the bad ones are wrong options."""
    with server(tmp_path) as program, Peer.come_in(program.port, "ann"):
        address = f"127.0.0.1:{program.port}"
        assert_one_line(run_program("client", address, "--name", "ANN"), "ANN", "in use")
        assert_one_line(run_program("client", address, "--name", "a b"), "name", code=2)
        done = run_program("client", address, "--name", "bob", "--channel=#-x")
        assert_one_line(done, "channel", code=2)


def test_no_chatroom_there() -> None:
    """The client notices another program on the port, and does not wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        child = subprocess.Popen(
            [sys.executable, "-m", "client", f"127.0.0.1:{other.getsockname()[1]}", "--name", "ann"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        try:
            other.settimeout(15)
            with other.accept()[0] as sock:
                sock.sendall(b"220 mail.example.org ESMTP\r\n")
                out, errors = child.communicate(timeout=15)
        finally:
            child.kill()
            child.wait()
    assert_one_line(subprocess.CompletedProcess([], child.returncode, out, errors), "not the chatroom")


def test_server_gone_in_mid_session(tmp_path: Path) -> None:
    """A client that is told not to retry says that the server is gone, and ends."""
    with server(tmp_path) as program, Peer.come_in(program.port, "watch") as watch:
        address = f"127.0.0.1:{program.port}"
        child = subprocess.Popen(
            [sys.executable, "-m", "client", address, "--name", "ann", "--retry-for", "0", "--follow"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        try:
            watch.socket.settimeout(15)
            while (event := watch.receive()) is not None and getattr(event, "author", "") != "ann":
                pass
            program.kill()
            _, errors = child.communicate(timeout=15)
        finally:
            child.kill()
            child.communicate()
    assert (child.returncode, len(errors.splitlines())) == (1, 1), errors
    assert errors.startswith("chatroom-client: ")


def test_the_object_says_the_same(tmp_path: Path) -> None:
    """A client object without reconnecting ends with the reason when the server is killed."""
    with server(tmp_path) as program, Client(port=program.port, name="ann", reconnect=False) as ann:
        assert ann.say("hello").wait(10)
        program.kill()
        updates = list(ann.updates(timeout=10))
    assert updates[-1] is not None
    assert ann.ended is not None
    assert ann.ended.error is not None

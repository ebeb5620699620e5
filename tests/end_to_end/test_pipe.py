"""The real programs between pipes: the promises that scripts rely on."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import termios
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.limits import MAX_TEXT
from client import Client, EventKind
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import PROGRAM_PATIENCE, eventually


class Programs:
    """Starts the programs as a user would, and ends those that a test left running."""

    def __init__(self, port: int = 0) -> None:
        """port: of a server that runs already; 0: none does."""
        self._running: list[subprocess.Popen[bytes]] = []
        self.port = port
        self.server: subprocess.Popen[bytes]

    def serve(self, data: str = ":memory:") -> None:
        """Start the server, on the same port when it ran before."""
        self.server = self._start(["server", "--port", str(self.port), "--data", data])
        assert self.server.stdout is not None
        first = self.server.stdout.readline().decode()
        assert first.startswith("listening on 127.0.0.1:"), first
        self.port = int(first.rsplit(":", 1)[1])

    def stop_server(self, number: int = signal.SIGKILL) -> None:
        self.server.send_signal(number)
        self.server.wait(PROGRAM_PATIENCE)

    def client(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a client between pipes."""
        return self._start(["client", f"127.0.0.1:{self.port}", *options])

    def run(self, given: bytes, *options: str) -> tuple[int, str, str]:
        """A client's whole run: exit code, stdout, stderr."""
        program = self.client(*options)
        out, err = program.communicate(given, PROGRAM_PATIENCE)
        return program.returncode, out.decode(), err.decode()

    def said(self, name: str = "reader") -> list[str]:
        """Every line in the history, in order."""
        events = []
        with Client(port=self.port, name=name, lines=10_000) as reader:
            for event in reader:
                if event.kind is EventKind.JOINED and event.author == name:  # the latest of all
                    break
                events.append(event)
        return [event.text for event in events if event.kind is EventKind.SAID]

    def close(self) -> None:
        for program in self._running:
            if program.poll() is None:
                program.kill()
            program.communicate()

    def _start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            bufsize=0,  # unread bytes stay in the pipe
        )
        self._running.append(program)
        return program


@pytest.fixture
def programs() -> Iterator[Programs]:
    """Clients of a server in this process: what it does is not asked here, and a program starts slowly."""
    with running() as app:
        made = Programs(port_of(app))
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def both_programs() -> Iterator[Programs]:
    """Clients of a server that is a program, too: it can be killed."""
    made = Programs()
    try:
        made.serve()
        yield made
    finally:
        made.close()


def read_line(program: subprocess.Popen[bytes]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().decode().rstrip("\n")


def write(program: subprocess.Popen[bytes], data: bytes) -> None:
    assert program.stdin is not None
    program.stdin.write(data)
    program.stdin.flush()


def test_two_lines_into_a_pipe(both_programs: Programs) -> None:
    """printf 'one\\ntwo\\n' | client --name bot: both are stored, in order, and the exit code is 0."""
    code, out, err = both_programs.run(b"one\ntwo\n", "--name", "bot")
    assert (code, err) == (0, "")
    assert [line.split(" ", 1)[1] for line in out.splitlines()][-2:] == ["bot: one", "bot: two"]
    assert both_programs.said() == ["one", "two"]


def test_json_is_one_object_for_each_event(programs: Programs) -> None:
    """--json prints each event on one line: seq, time, kind, channel, author and text."""
    code, out, _ = programs.run("hé\n".encode(), "--name", "bot", "--json")
    assert code == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["kind"] for event in events] == ["joined", "said"]
    assert list(events[1]) == ["seq", "time", "kind", "channel", "author", "text"]
    assert (events[1]["channel"], events[1]["author"], events[1]["text"]) == ("#general", "bot", "hé")
    assert "hé" in out


def test_input_is_said_raw_and_output_drives_no_terminal(programs: Programs) -> None:
    """A slash, an escape sequence and wrong bytes are only text; the client prints no escape sequence."""
    given = b"/who\r\n\n\x1b]0;title\x07\x1b[2J\nw\xffrong\n\xc2\x9b31m\n"
    code, out, err = programs.run(given, "--name", "bot")
    assert code == 0
    assert err == "chatroom-client: line 4 is not UTF-8: wrong bytes were replaced\n"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)
    assert programs.said() == ["/who", "\x1b]0;title\x07\x1b[2J", "w\ufffdrong", "\x9b31m"]


def test_a_line_that_is_too_long_is_told_and_the_others_are_sent(programs: Programs) -> None:
    """A too long line gives one error and exit code 1; a line of exactly the limit is stored."""
    longest = b"x" * MAX_TEXT
    code, _, err = programs.run(b"a\n" + longest + b"y\n" + longest + b"\nb\n", "--name", "bot")
    assert code == 1
    assert err == f"chatroom-client: line 2 is longer than {MAX_TEXT} bytes and was not sent\n"
    assert programs.said() == ["a", longest.decode(), "b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_follow_stays_after_the_end_of_input(programs: Programs, number: int) -> None:
    """--follow prints others' lines until a signal; the exit code is 0, as every line was stored.

    Who sends SIGTERM may be another program: the user is told.
    """
    follower = programs.client("--name", "watch", "--follow")
    assert follower.stdin is not None
    follower.stdin.close()
    follower.stdin = None
    assert read_line(follower).endswith("watch joined")
    programs.run(b"hello\n", "--name", "bot")
    assert read_line(follower).endswith("bot joined")
    assert read_line(follower).endswith("bot: hello")
    follower.send_signal(number)
    assert follower.wait(PROGRAM_PATIENCE) == 0
    assert follower.stderr is not None
    told = b"" if number == signal.SIGINT else b"chatroom-client: ended by SIGTERM\n"
    assert follower.stderr.read() == told


def test_nobody_reads_the_output_any_more(programs: Programs) -> None:
    """| head -1: every line is still sent, quietly, and the exit code is 0."""
    program = programs.client("--name", "bot")
    assert read_line(program).endswith("bot joined")
    assert program.stdout is not None
    program.stdout.close()
    program.stdout = None
    given = [f"line {number}" for number in range(2000)]
    _, err = program.communicate("\n".join(given).encode(), PROGRAM_PATIENCE)
    assert (program.returncode, err) == (0, b"")
    assert programs.said() == given


def test_a_reader_that_has_stopped_does_not_keep_a_signal_waiting(programs: Programs) -> None:
    """The program ends on SIGTERM though its output pipe is full."""
    program = programs.client("--name", "watch", "--follow")
    assert read_line(program).endswith("watch joined")
    programs.run(b"x" * 60_000 + b"\n" + b"y" * 60_000 + b"\n" + b"z" * 60_000 + b"\n", "--name", "bot")
    program.send_signal(signal.SIGTERM)
    assert program.wait(PROGRAM_PATIENCE) == 0


@pytest.mark.parametrize("closed", [0, 1])
def test_without_stdin_or_stdout(programs: Programs, closed: int) -> None:
    """A client with a closed stdin, stdout or stderr does all that it can do without it."""
    with subprocess.Popen(
        ["sh", "-c", f"exec {sys.executable} -m client 127.0.0.1:{programs.port} --name bot {closed}>&-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as program:
        _, err = program.communicate(b"hello\n" if closed else b"", PROGRAM_PATIENCE)
        assert (program.returncode, err) == (0, b"")
    assert programs.said() == (["hello"] if closed else [])


def test_a_full_disk_behind_stdout(programs: Programs) -> None:
    """Output that cannot be written is an error; the server stores the lines all the same."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        program = subprocess.run(
            [sys.executable, "-m", "client", f"127.0.0.1:{programs.port}", "--name", "bot"],
            input=b"hello\n",
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            check=False,
        )
    assert program.returncode == 1
    assert program.stderr == b"chatroom-client: cannot print: no space left on device\n"
    assert programs.said() == ["hello"]


def test_a_name_that_cannot_be_had(programs: Programs) -> None:
    """A name that is in use gives one line with the reason, and exit code 1; a bad one is a wrong option."""
    with Client(port=programs.port, name="ann"):
        for name, expected, reason in [("ANN", 1, "in use"), ("a b", 2, "cannot be in a name")]:
            code, out, err = programs.run(b"hello\n", "--name", name)
            assert (code, out, err.count("\n")) == (expected, "", 1)
            assert reason in err


@pytest.mark.parametrize(
    ("address", "reason"),
    [("127.0.0.1", "connection refused"), ("no-such-host.invalid", "the host is not known")],
)
def test_no_server(address: str, reason: str) -> None:
    """A refused connection or an unknown host gives one clear line, and exit code 1."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # not listening
        port = nobody.getsockname()[1]
        program = subprocess.run(
            [sys.executable, "-m", "client", f"{address}:{port}"],
            input=b"hello\n",
            capture_output=True,
            cwd=Path(__file__).parents[2],
            check=False,
        )
    assert (program.returncode, program.stdout) == (1, b"")
    assert program.stderr.decode() == f"chatroom-client: cannot connect to {address}:{port}: {reason}\n"


@pytest.mark.slow
def test_a_server_that_comes_later(both_programs: Programs) -> None:
    """With --retry-for a client waits for a server that is not there yet, and says so once."""
    both_programs.stop_server()
    program = both_programs.client("--name", "bot", "--retry-for", "60")
    write(program, b"one\n")
    assert program.stderr is not None
    address = f"127.0.0.1:{both_programs.port}"
    told = f"chatroom-client: cannot connect to {address}: connection refused; trying again\n"
    assert program.stderr.readline().decode() == told
    both_programs.serve()
    out, err = program.communicate(b"two\n", PROGRAM_PATIENCE)
    assert (program.returncode, err) == (0, b"chatroom-client: connected\n")
    assert [line.split("bot: ", 1)[1] for line in out.decode().splitlines() if "bot: " in line] == [
        "one",
        "two",
    ]
    assert both_programs.said() == ["one", "two"]


def test_a_server_that_never_comes(both_programs: Programs) -> None:
    """After --retry-for the client that waited for its server gives up; exit code 1."""
    both_programs.stop_server()
    code, out, err = both_programs.run(b"lost\n", "--name", "bot", "--retry-for", "0.5")
    assert (code, out) == (1, "")
    waits, gone = err.splitlines()
    assert waits.endswith("; trying again")
    assert gone.startswith("chatroom-client: gave up after 0.5 s: cannot connect to")
    assert gone.endswith("connection refused; 1 line is not stored")


def unread(program: subprocess.Popen[bytes]) -> int:
    """How many bytes of its input a program has not read yet."""
    assert program.stdin is not None
    count = array("i", [0])
    fcntl.ioctl(program.stdin, termios.FIONREAD, count)
    return count[0]


def test_a_signal_before_the_server_comes(both_programs: Programs) -> None:
    """SIGTERM ends a client that waits for its server; it says so, and exit code 143 that a line is lost."""
    both_programs.stop_server()
    program = both_programs.client("--name", "bot", "--retry-for", "60")
    for piece in (b"lost\n", b"half"):  # the second one is read when the first one has been said
        write(program, piece)
        eventually(lambda: unread(program) == 0, "the input is not read")
    assert program.stderr is not None
    assert b"trying again" in program.stderr.readline()
    program.send_signal(signal.SIGTERM)
    assert program.wait(PROGRAM_PATIENCE) == 128 + signal.SIGTERM
    assert program.stderr.read() == b"chatroom-client: ended by SIGTERM; 1 line is not stored\n"


def test_more_descriptors_than_select_takes(programs: Programs) -> None:
    """A client whose parent left more than a thousand descriptors open does its work."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 1200:
        pytest.skip("this system does not allow so many descriptors")
    code = f"""if True:
        import os, resource, runpy, sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (1200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        while os.dup(0) < 1100:
            pass
        sys.argv = ["client", "127.0.0.1:{programs.port}", "--name", "bot"]
        runpy.run_module("client", run_name="__main__")
    """
    program = subprocess.run(
        [sys.executable, "-c", code], input=b"hello\n", capture_output=True, cwd=Path(__file__).parents[2]
    )
    assert (program.returncode, program.stderr) == (0, b"")
    assert program.stdout.endswith(b"bot: hello\n")


@pytest.mark.slow
def test_almost_no_descriptors(programs: Programs) -> None:
    """However few descriptors there are, the client works, or says that there are not enough, in a line."""
    codes = set()
    for most in (5, 7, 9):
        for options in ("", "--retry-for 0.1"):
            command = f"ulimit -n {most}; exec {sys.executable} -m client 127.0.0.1:{programs.port} {options}"
            program = subprocess.run(
                ["sh", "-c", command],
                input="hello\n",
                capture_output=True,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            told = program.stderr.splitlines()
            assert all(line.startswith("chatroom-client: ") for line in told), program.stderr
            assert not program.returncode or "too many open files" in told[-1]
            codes.add(program.returncode)
    assert codes == {0, 1}


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_for_a_full_disk(option: str, unbuffered: str) -> None:
    """What --help says and cannot be written is one line of error."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        program = subprocess.run(
            [sys.executable, "-m", "client", option],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
    assert (program.returncode, program.stderr) == (1, b"chatroom-client: no space left on device\n")


@pytest.mark.slow
def test_a_server_that_is_gone_for_good(both_programs: Programs) -> None:
    """After --retry-for the client gives up, with a line for each step and exit code 1."""
    program = both_programs.client("--name", "bot", "--follow", "--retry-for", "1")
    assert read_line(program).endswith("bot joined")
    both_programs.stop_server()
    write(program, b"lost\n")  # the client reads it long before it gives up
    _, err = program.communicate(timeout=PROGRAM_PATIENCE)
    assert program.returncode == 1
    lost, gone = err.decode().splitlines()
    assert lost.endswith("; trying to reconnect")
    assert "gave up after 1 s" in gone
    assert "1 line is not stored" in gone


def test_no_retry_is_one_line(both_programs: Programs) -> None:
    """With --retry-for 0, a lost server gives one clear line and exit code 1."""
    program = both_programs.client("--name", "bot", "--follow", "--retry-for", "0")
    assert read_line(program).endswith("bot joined")
    both_programs.stop_server()
    _, err = program.communicate(timeout=PROGRAM_PATIENCE)
    assert program.returncode == 1
    assert err.count(b"\n") == 1


def test_an_interrupt_while_the_server_is_away(both_programs: Programs) -> None:
    """Ctrl-C stops the retries at once; exit code 130 says that some lines were not stored."""
    program = both_programs.client("--name", "bot")
    assert read_line(program).endswith("bot joined")
    both_programs.stop_server()
    write(program, (b"x" * 999 + b"\n") * 200)  # more than a pipe holds: some of it was said by now
    assert program.stderr is not None
    assert b"trying to reconnect" in program.stderr.readline()
    program.send_signal(signal.SIGINT)
    assert program.wait(PROGRAM_PATIENCE) == 130


@pytest.mark.slow
def test_a_pipe_survives_a_server_that_is_killed(both_programs: Programs, tmp_path: Path) -> None:
    """Lines before, during and after an outage are stored once, in order; stderr reports the outage once."""
    both_programs.stop_server()
    data = str(tmp_path / "history.db")
    both_programs.serve(data)
    program = both_programs.client("--name", "bot")
    assert read_line(program).endswith("bot joined")
    write(program, b"".join(b"before %d\n" % number for number in range(500)))
    assert read_line(program).endswith("before 0")
    both_programs.stop_server()
    write(program, b"".join(b"during %d\n" % number for number in range(500)))
    both_programs.serve(data)
    out, err = program.communicate(
        b"".join(b"after %d\n" % number for number in range(500)), PROGRAM_PATIENCE
    )
    assert program.returncode == 0
    assert [line.split("; ")[-1] for line in err.decode().splitlines()] == [
        "trying to reconnect",
        "chatroom-client: connected again",
    ]
    given = [f"{when} {number}" for when in ("before", "during", "after") for number in range(500)]
    assert both_programs.said() == given
    printed = [line.split("bot: ", 1)[1] for line in out.decode().splitlines() if "bot: " in line]
    assert printed == given[1:]


def test_two_clients_and_a_bot_talk(programs: Programs) -> None:
    """The `Client` object and the program talk in one chatroom."""
    with Client(port=programs.port, name="echo") as bot:
        follower = programs.client("--name", "bob", "--follow", "--json")
        write(follower, b"hello\n")
        for event in bot:
            if event.kind is EventKind.SAID and event.author == "bob":
                assert bot.say(event.text + " yourself").wait(PROGRAM_PATIENCE)
                break
        while (printed := json.loads(read_line(follower)))["author"] != "echo":
            pass
        assert printed["text"] == "hello yourself"
        follower.send_signal(signal.SIGINT)
        assert follower.wait(PROGRAM_PATIENCE) == 0

"""The C++ twin, built once: vectors, conformance run, planted faults, rooms with both kinds of programs."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cpp.faults import FAULTS, SOURCE, THROWS, build_faulty
from tests.end_to_end.programs import ROOT
from tests.support.patience import PROGRAM_PATIENCE, eventually

pytestmark = pytest.mark.slow

BUILD_SECONDS = 230
"""Below the watchdog's bound. A build needs some thirty seconds of one core."""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built programs, outside the repository."""
    for tool in ("g++", "make"):
        if shutil.which(tool) is None:
            pytest.skip(f"the C++ twin is not built: there is no {tool}")
    folder = tmp_path_factory.mktemp("twin")
    targets = ["all", f"{folder}/vectors_test"]
    settings = [f"BUILD={folder}", f"PYTHON={sys.executable}", "CXXFLAGS=-O0"]
    subprocess.run(
        ["make", "-s", "-j2", "-C", SOURCE, *settings, *targets], check=True, timeout=BUILD_SECONDS
    )
    return folder


class Rooms:
    """Starts servers and clients of both kinds, and ends those that a test left running."""

    def __init__(self, build: Path, folder: Path) -> None:
        self._build, self._folder = build, folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._outputs: dict[str, tuple[Path, Path]] = {}
        self._port = 0

    def serve(self, kind: str) -> subprocess.Popen[bytes]:
        """Start a server, "C++" or "Python"; on the same port and with the same history as before."""
        data = ["--data", str(self._folder / "history")]
        command = (
            [str(self._build / "chat-server")] if kind == "C++" else [sys.executable, "-m", "server", *data]
        )
        server = self._start([*command, "--port", str(self._port)], subprocess.PIPE, subprocess.DEVNULL)
        assert server.stdout is not None
        self._port = int(server.stdout.readline().decode().rpartition(":")[2])
        server.stdout.close()
        return server

    def client(self, kind: str, name: str) -> subprocess.Popen[bytes]:
        """Start a client of a kind between pipes; it stays when its input ends."""
        address = f"127.0.0.1:{self._port}"
        command = [str(self._build / "chat-client")] if kind == "C++" else [sys.executable, "-m", "client"]
        self._outputs[name] = self._folder / f"{name}.out", self._folder / f"{name}.err"
        out, err = self._outputs[name]
        options = ["--follow", "--retry-for", "60"]
        with out.open("wb") as stdout, err.open("wb") as stderr:
            client = self._start([*command, address, "--name", name, *options], stdout, stderr)
        eventually(lambda: f"{name} joined" in out.read_text(), f"{name} did not come in", PROGRAM_PATIENCE)
        return client

    def _start(self, command: list[str], out: object, err: object) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err, cwd=ROOT)  # type: ignore[call-overload]
        self._running.append(program)
        return program  # type: ignore[no-any-return]

    def seen(self, name: str) -> list[str]:
        """The lines that the client has shown, each as "author: text"."""
        whole, _, _ = self._outputs[name][0].read_bytes().rpartition(b"\n")  # the client may be within a line
        return re.findall(r"^\d\d:\d\d (?!-- )(.*)$", whole.decode(), re.M)

    def told(self, name: str) -> str:
        """What the client has said to its user beside the events."""
        return self._outputs[name][1].read_text()

    def close(self) -> None:
        for program in self._running:
            program.kill()
            program.wait()
            assert program.stdin is not None
            try:
                program.stdin.close()
            except BrokenPipeError:
                pass  # it was killed with unread input


@pytest.fixture
def rooms(build: Path, tmp_path: Path) -> Iterator[Rooms]:
    found = Rooms(build, tmp_path)
    yield found
    found.close()


def say(client: subprocess.Popen[bytes], *lines: str) -> None:
    """Let the client say lines."""
    assert client.stdin is not None
    client.stdin.write("".join(f"{line}\n" for line in lines).encode())
    client.stdin.flush()


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.conformance", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)


def test_vectors(build: Path) -> None:
    """Packets, streams, the dialogue, names and channels are those of tests/vectors, in both directions."""
    program = [build / "vectors_test", ROOT / "tests" / "vectors"]
    found = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_conformance_of_the_server(build: Path) -> None:
    """The server keeps the rules of the levels basic and resume."""
    found = conformance("--server", f"{build}/chat-server --port {{port}}", "--level", "resume")
    assert found.returncode == 0, found.stdout


def test_conformance_of_the_client(build: Path) -> None:
    """The client keeps the rules of the levels basic and resume."""
    found = conformance("--client", f"{build}/chat-client {{address}} {{name}}", "--level", "resume")
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, build: Path, tmp_path: Path) -> None:
    """A copy with a fault breaks the rule that names it."""
    fault = FAULTS[name]
    program = build_faulty(fault, build, tmp_path)
    words = "--port {port}" if fault.program == "server" else "{address} {name}"
    found = conformance(f"--{fault.program}", f"{program} {words}", "--only", fault.rule, "--timeout", "3")
    assert found.returncode == 1, found.stdout
    assert re.search(rf"^rules that were broken: .*\b{fault.rule}\b", found.stdout, re.M), found.stdout


def test_a_burst_that_fails(build: Path, tmp_path: Path) -> None:
    """A burst whose processing throws passes its turn: the client says so, and ends at SIGTERM."""
    build_faulty(THROWS, build, tmp_path)
    rooms = Rooms(tmp_path, tmp_path)
    try:
        rooms.serve("Python")
        cpp, py = rooms.client("C++", "cpp"), rooms.client("Python", "py")
        say(py, "before", "boom")
        eventually(lambda: "processing failed: boom" in rooms.told("cpp"), "silent", PROGRAM_PATIENCE)
        eventually(lambda: "py: before" in rooms.seen("cpp"), "nothing is shown", PROGRAM_PATIENCE)
        cpp.send_signal(signal.SIGTERM)
        assert cpp.wait(PROGRAM_PATIENCE) == 0
    finally:
        rooms.close()


@pytest.mark.parametrize("kind", ["C++", "Python"])
def test_a_mixed_room(kind: str, rooms: Rooms) -> None:
    """Clients of both kinds in one room, whichever the server is: all see each line once, in one order."""
    rooms.serve(kind)
    names = {"cpp1": "C++", "py1": "Python", "cpp2": "C++", "py2": "Python"}
    clients = {name: rooms.client(of, name) for name, of in names.items()}
    long = "wide 漢字 " * 2000
    lines = {name: [*(f"line {at}" for at in range(200)), long] for name in names}
    talkers = [threading.Thread(target=say, args=(clients[name], *lines[name])) for name in names]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()
    said = sorted(f"{name}: {line}" for name in names for line in lines[name])
    for name in names:
        eventually(
            lambda name=name: len(rooms.seen(name)) >= len(said), f"{name} lacks lines", PROGRAM_PATIENCE
        )
    assert sorted(rooms.seen("cpp1")) == said
    assert all(rooms.seen(name) == rooms.seen("cpp1") for name in names)


def test_kill_9_of_the_python_server(rooms: Rooms) -> None:
    """Both kinds of clients come back to a Python server that was killed: no line is lost or doubled."""
    server = rooms.serve("Python")
    clients = {"cpp": rooms.client("C++", "cpp"), "py": rooms.client("Python", "py")}
    expected = []
    for stage in range(3):
        for name, client in clients.items():
            lines = [f"{stage} {at}" for at in range(100)]
            expected += [f"{name}: {line}" for line in lines]
            say(client, *lines)
        server.kill()
        server.wait()
        for name, client in clients.items():
            say(client, f"without a server {stage}")
            expected.append(f"{name}: without a server {stage}")
        server = rooms.serve("Python")
    for name in clients:
        eventually(lambda name=name: len(rooms.seen(name)) >= len(expected), f"{name} lacks lines", 60)
        assert sorted(rooms.seen(name)) == sorted(expected)
    assert rooms.seen("cpp") == rooms.seen("py")


def test_kill_9_of_the_cpp_server(rooms: Rooms) -> None:
    """A C++ server loses its history. Both kinds of clients come back, tell their user, and go on."""
    server = rooms.serve("C++")
    clients = {"cpp": rooms.client("C++", "cpp"), "py": rooms.client("Python", "py")}
    for name, client in clients.items():
        say(client, "before")
        eventually(
            lambda name=name: {f"{name}: before"} <= set(rooms.seen("cpp")) & set(rooms.seen("py")),
            "not said",
        )
    server.kill()
    server.wait()
    for client in clients.values():
        say(client, "without a server")
    rooms.serve("C++")
    expected = ["cpp: before", "cpp: without a server", "py: before", "py: without a server"]
    for name in clients:
        eventually(lambda name=name: "history" in rooms.told(name), f"{name} was not told", PROGRAM_PATIENCE)
        eventually(lambda name=name: len(rooms.seen(name)) >= 4, f"{name} lacks lines", PROGRAM_PATIENCE)
        assert sorted(rooms.seen(name)) == expected


@pytest.mark.parametrize("kind", ["C++", "Python"])
def test_kill_9_of_clients(kind: str, rooms: Rooms) -> None:
    """Killed clients of both kinds disturb nobody, and their names are held."""
    server = rooms.serve(kind)
    reader, other = rooms.client("C++", "reader"), rooms.client("Python", "other")
    for of, name in (("C++", "cpp"), ("Python", "py")):
        victim = rooms.client(of, name)
        say(victim, "last words")
        eventually(
            lambda name=name: f"{name}: last words" in rooms.seen("reader"), "not said", PROGRAM_PATIENCE
        )
        victim.kill()
        victim.wait()
    say(reader, "still here")
    say(other, "still here, too")
    for name in ("reader", "other"):
        eventually(lambda name=name: len(rooms.seen(name)) >= 4, f"{name} lacks lines", PROGRAM_PATIENCE)
    assert rooms.seen("reader") == rooms.seen("other")
    server.send_signal(signal.SIGTERM)
    assert server.wait(PROGRAM_PATIENCE) == 0

"""The servers that are measured: ours and the others. Each is started as a user would start it."""

from __future__ import annotations

import gzip
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chatroom.errors import ConfigError
from server.tls_files import TlsFiles, self_made
from tests.bench.build import HERE, ROOT, BuildFailed, NoCompiler, blast_program, build, compiler, twin_server

HISTORY = "history.db"
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class Unavailable(Exception):
    """A peer cannot be measured here; str() says why and what to install."""


@dataclass(frozen=True)
class Running:
    """A server that accepts connections.

    startup: seconds from the program's start until it is ready
    folder:  where its files are
    """

    pid: int
    port: int
    startup: float
    folder: Path = Path()

    def history_bytes(self) -> int:
        """Size of our server's history with the write-ahead log; 0 for a server that keeps none."""
        return sum(file.stat().st_size for file in self.folder.glob(f"{HISTORY}*"))


class Peer:
    """One server program. Subclasses say how it is started and how it tells its port.

    name:     as in the tables and on the command line
    protocol: what the load program speaks to it
    longest:  the longest text in bytes that it can carry
    parallel: how many newcomers the load program lets come at once
    """

    name = ""
    protocol = ""
    longest = 64 * 1024
    parallel = 512
    ready = re.compile(rb"listening on (?:\S+:)?(\d+)")

    def command(self, folder: Path, members: int, sizes: str) -> list[str]:
        """The command line. Raises Unavailable."""
        raise NotImplementedError

    def with_tls(self, files: TlsFiles) -> list[str]:
        """What is added to the command line for TLS. Raises Unavailable."""
        raise Unavailable(f"{self.name} has no TLS here")

    def version(self) -> str:
        """The exact version that was measured, for the JSON."""
        return ""

    @contextmanager
    def start(
        self, folder: Path, members: int = 0, sizes: str = "64", tls: bool = False
    ) -> Iterator[Running]:
        """The server, running in `folder`, for `members` members.

        sizes: of the texts in bytes, as on the command line of the load program
        """
        command = self.command(folder, members, sizes)
        if tls:
            command += self.with_tls(_certificate(folder))
        log = folder / "server.log"
        begin = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            port = self._wait(process, log, begin + START_SECONDS)
            yield Running(process.pid, port, time.monotonic() - begin, folder)
        finally:
            _stop(process)

    def _wait(self, process: subprocess.Popen[bytes], log: Path, deadline: float) -> int:
        """The port, once the server has written it to its log."""
        while time.monotonic() < deadline:
            if found := self.ready.search(log.read_bytes()):
                return int(found[1])
            if process.poll() is not None:
                break
            time.sleep(0.001)
        raise Unavailable(f"{self.name} did not start: {log.read_text(errors='replace')[-2000:]}")


def _certificate(folder: Path) -> TlsFiles:
    """One of the kind that our own server makes. Raises Unavailable."""
    try:
        return self_made(folder / "peer", "127.0.0.1")
    except ConfigError as missing:
        raise Unavailable(str(missing)) from None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Native(Peer):
    """Our server: history on, real admissions.

    python: the interpreter. The server needs the standard library only (colorama and wcwidth belong to the
            client), so an interpreter without any package will do: the source is that of this folder.
    """

    name = "native"
    protocol = "native"

    def __init__(self, python: str = sys.executable) -> None:
        self.python = python

    def command(self, folder: Path, members: int, sizes: str) -> list[str]:
        # As an operator whose members all come through one address.
        limits = [f"--address-{what}=100000" for what in ("members", "guests", "rate")]
        return [self.python, "-m", "server", "--port", "0", "--data", str(folder / HISTORY), *limits]

    def with_tls(self, files: TlsFiles) -> list[str]:
        return ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]

    def version(self) -> str:
        return _first_line([self.python, "--version"])


class Twin(Peer):
    """Our C++ twin: the same wire and the same load. It counts no channel: all hear of each newcomer."""

    name = "twin"
    protocol = "twin"
    parallel = 128  # its MAX_GUESTS: it sends others away

    def command(self, folder: Path, members: int, sizes: str) -> list[str]:
        try:
            program = twin_server()
        except NoCompiler as missing:
            raise Unavailable(str(missing)) from None
        except BuildFailed as error:
            raise Unavailable(f"notes/cpp cannot be built: {error}") from None
        # It has no limits for an address.
        return [str(program), "--port", "0", "--max-members", "100000"]

    def version(self) -> str:
        try:
            return _first_line([compiler(), "--version"])
        except NoCompiler as missing:
            raise Unavailable(str(missing)) from None


class Asio(Peer):
    """Boost.Asio's chat example, the standalone library's source as Debian packages it, compiled here."""

    name = "asio"
    protocol = "asio"
    longest = 512

    def command(self, folder: Path, members: int, sizes: str) -> list[str]:
        program = self._program()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        return [str(program), str(self._port)]

    def _wait(self, process: subprocess.Popen[bytes], log: Path, deadline: float) -> int:
        """It prints no port: it is ready when it accepts a connection."""
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
                return self._port
            except ConnectionRefusedError:
                time.sleep(0.001)
        raise Unavailable(f"asio did not start: {log.read_text(errors='replace')[-2000:]}")

    def _program(self) -> Path:
        if not Path("/usr/include/asio.hpp").exists():
            raise Unavailable("not installed: apt-get install libasio-dev libasio-doc")
        for folder in (
            Path("/usr/share/doc/libasio-dev/examples"),
            Path("/usr/share/doc/libasio-doc/examples"),
        ):
            for chat in (folder / "cpp11/chat", folder / "cpp03/chat"):
                if source := _unpacked(chat):
                    try:
                        return build(
                            source, "-std=c++11", "-DASIO_STANDALONE", "-pthread", f"-I{source.parent}"
                        )
                    except NoCompiler as missing:
                        raise Unavailable(str(missing)) from None
        raise Unavailable("the example's source is not here: apt-get install libasio-doc")

    def version(self) -> str:
        return _first_line(["dpkg-query", "-W", "-f", "${Version}", "libasio-dev"])


def _unpacked(chat: Path) -> Path | None:
    """chat_server.cpp in `chat`, or a copy beside its header when the package has compressed one of them."""
    source, header = chat / "chat_server.cpp", chat / "chat_message.hpp"
    if source.exists() and header.exists():
        return source
    if not (source.exists() or source.with_suffix(".cpp.gz").exists()):
        return None
    copy = Path.home() / ".cache/chatroom-bench/asio-chat"
    copy.mkdir(parents=True, exist_ok=True)
    for file in (source, header):
        packed = file.with_name(file.name + ".gz")
        text = file.read_bytes() if file.exists() else gzip.decompress(packed.read_bytes())
        (copy / file.name).write_bytes(text)
    return copy / source.name


class Nats(Peer):
    """nats-server, core NATS: one subject, no persistence."""

    name = "nats"
    protocol = "nats"
    ready = re.compile(rb"Listening for client connections on \S+:(\d+)[\s\S]*Server is ready")

    def command(self, folder: Path, members: int, sizes: str) -> list[str]:
        return [self._program(), "--addr", "127.0.0.1", "--port", "-1"]

    def with_tls(self, files: TlsFiles) -> list[str]:
        return ["--tls", "--tlscert", str(files.certificate), "--tlskey", str(files.key)]

    @staticmethod
    def _program() -> str:
        found = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")
        if not found:
            raise Unavailable("not installed: apt-get install nats-server")
        return found

    def version(self) -> str:
        return _first_line([self._program(), "--version"])


class Tutorial(Peer):
    """The usual tutorial server in Python, written for this benchmark."""

    name = "tutorial"
    protocol = "lines"

    def command(self, folder: Path, members: int, sizes: str) -> list[str]:
        return [sys.executable, str(HERE / "tutorial_server.py")]

    def version(self) -> str:
        return f"Python {sys.version.split()[0]}"


class Blast(Peer):
    """No chat: it sends premade bytes as fast as the sockets take them: the limit of the loopback."""

    name = "blast"
    protocol = "blast"
    chunk = 256 * 1024

    def command(self, folder: Path, members: int, sizes: str) -> list[str]:
        return [str(blast_program()), str(members), sizes, str(self.chunk)]


def all_peers(python: str = sys.executable) -> tuple[Peer, ...]:
    """Every server, in the order in which they are measured. python: the interpreter of ours."""
    return Native(python), Twin(), Asio(), Nats(), Tutorial(), Blast()


def _first_line(command: list[str]) -> str:
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    return next(iter(shown.strip().splitlines()), "")

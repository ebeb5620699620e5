"""The program under test, as a process: started by its command, driven by pipes, always stopped."""

from __future__ import annotations

import os
import random
import shlex
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from tests.conformance.check import Failed, NotChecked

STOP_SECONDS = 3.0
"""A program that has not ended so long after SIGTERM is killed."""
KEPT_BYTES = 1 << 20
"""Of what a program writes, so much is kept."""
SHOWN_LINES = 8
"""Last lines of stderr in a report."""


class WrongCommand(Exception):
    """The command cannot be started."""


def fill(command: str, **words: object) -> list[str]:
    """The command as a list, split as a shell does it, with {word} replaced in each item."""
    try:
        items = shlex.split(command)
    except ValueError as error:
        raise WrongCommand(f"{command!r} cannot be split: {error}") from None
    if not items:
        raise WrongCommand("the command is empty")
    for word, value in words.items():
        items = [item.replace(f"{{{word}}}", str(value)) for item in items]
    return items


PORTS = range(20000, 32000)
"""Below the ports that systems give to connections: none of those takes the server's port away."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses."""
    while True:
        port = random.choice(PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return port
        except OSError:
            continue


class Output:
    """What a program writes to a pipe; read by a thread of its own, so that the program never waits."""

    def __init__(self, pipe: IO[bytes], name: str) -> None:
        self._pipe = pipe
        # Guards _data and _ended.
        self._changed = threading.Condition()
        self._data = bytearray()
        self._ended = False
        self.thread = threading.Thread(target=self._read, name=name, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with self._pipe:
            while data := os.read(self._pipe.fileno(), 65536):
                with self._changed:
                    self._data += data[: max(0, KEPT_BYTES - len(self._data))]
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def data(self) -> bytes:
        with self._changed:
            return bytes(self._data)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    def wait_for(self, text: str, seconds: float) -> bool:
        """Whether the text is in the output, at latest after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while text.encode() not in self._data:
                left = deadline - time.monotonic()
                if left <= 0 or (self._ended and not self._changed.wait(min(left, 0.1))):
                    return text.encode() in self._data
                self._changed.wait(left)
            return True


class Program:
    """A process of its own process group, so that its children end with it."""

    def __init__(self, command: list[str], *, with_input: bool = False) -> None:
        self.command = command
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if with_input else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise WrongCommand(f"{command[0]}: {error.strerror}") from None
        assert self._process.stdout and self._process.stderr
        self.out = Output(self._process.stdout, "program-stdout")
        self.err = Output(self._process.stderr, "program-stderr")

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def say(self, *lines: str) -> None:
        """Write lines to stdin."""
        assert self._process.stdin
        try:
            self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        except OSError:
            pass  # it has ended; the check will notice

    def end_input(self) -> None:
        """Close stdin."""
        assert self._process.stdin
        self._process.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """The exit code, None when it does not end in time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.code is None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End it and its children: SIGTERM, and SIGKILL when that does not help."""
        self.signal(signal.SIGTERM)
        self.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and its children at once."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # nothing of it is left
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        for output in (self.out, self.err):
            output.thread.join(STOP_SECONDS)

    def story(self) -> list[str]:
        """How it stands, for a report."""
        code = self.code
        lines = ["" if code is None else f"the program has ended: {_ending(code)}"]
        lines += [f"stderr: {line[:200]}" for line in self.err.text.splitlines()[-SHOWN_LINES:]]
        return [line for line in lines if line]


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


class ServerProgram:
    """A running server. Raises Failed when it does not listen in time."""

    def __init__(self, command: str, folder: Path, data: str, dead_after: float, seconds: float) -> None:
        self._command = command
        self._words = {"data": folder / f"{data}.db", "dead_after": f"{dead_after:g}"}
        self._seconds = seconds
        self.start()

    def start(self) -> None:
        """Start it, with the same data as before."""
        self.port = free_port()
        self.program = Program(fill(self._command, port=self.port, **self._words))
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.program.stop()
            raise

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + self._seconds
        pause = threading.Event()
        while True:
            if self.program.code is not None:
                raise Failed("a server that listens", "; ".join(self.program.story()), "A1")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    story = "; ".join(self.program.story())
                    came = f"nobody at 127.0.0.1:{self.port} after {self._seconds:g} s; {story}".rstrip("; ")
                    raise Failed("a server that listens", came, "A1") from None
                pause.wait(0.02)

    def kill(self) -> None:
        """End it as a power loss does."""
        self.program.kill()

    def owner_code(self) -> str:
        """The one-time code that makes an owner, which it has written beside its data. Raises NotChecked."""
        try:
            return Path(f"{self._words['data']}.code").read_text().strip()
        except OSError:
            raise NotChecked("the server has written no owner's code beside its {data}") from None

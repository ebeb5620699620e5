"""Lab 12: a line that was acknowledged is in the file, even if the process is killed in that instant."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from pathlib import Path

from notes.labs.subject import NotYet, Subject

LINES = [f"ann: line {number}\n".encode() for number in range(5)]
PATIENCE = 5.0


class Deadly(socket.socket):
    """A socket whose process is killed in the instant in which it has sent so many acknowledgements."""

    left = -1

    def _sent(self, data: bytes) -> None:
        if self.left >= 0:
            self.left -= data.count(b"ok\n")
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]
        """As of a socket."""
        super().sendall(data, flags)
        self._sent(data)

    def send(self, data: bytes, flags: int = 0, /) -> int:  # type: ignore[override]
        """As of a socket."""
        count = super().send(data, flags)
        self._sent(data[:count])
        return count


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    subject.load("handle")
    with tempfile.TemporaryDirectory() as folder:
        for kill_after in (1, 2, 5):
            path = Path(folder, f"history{kill_after}")
            count = _run(subject, path, LINES, kill_after)
            _compare(path, LINES[:count], f"killed when {count} lines were acknowledged")
        _goes_on(subject, Path(folder, "history"))
    if os.path.exists("/dev/full") and _run(subject, Path("/dev/full"), LINES[:1], 0, leave=True):
        raise NotYet("the disk is full (/dev/full), the line cannot be stored, and it is acknowledged")


def _goes_on(subject: Subject, path: Path) -> None:
    """A normal end, and another start with the same file."""
    for count in (1, 2):
        if _run(subject, path, LINES, 0, leave=True) != len(LINES):
            raise NotYet("a client says five lines and leaves: not all were acknowledged")
        _compare(path, LINES * count, "after a normal end", exact=True)


def _compare(path: Path, wanted: list[bytes], when: str, exact: bool = False) -> None:
    whole = b"".join(wanted)
    stored = path.read_bytes() if path.exists() else b""
    if stored != whole if exact else not stored.startswith(whole):
        raise NotYet(f"{when}, the file has {len(stored.splitlines())} lines, or others: {stored[:60]!r}")


def _run(subject: Subject, path: Path, lines: list[bytes], kill_after: int, leave: bool = False) -> int:
    """Run handle() in a child process; how many lines it has acknowledged.

    kill_after: so many acknowledgements; 0: never
    leave:      whether the client leaves behind its lines
    """
    ann, client = socket.socketpair()
    child = os.fork()
    if not child:
        ann.close()
        _serve(subject, path, client, kill_after)
    client.close()
    ann.settimeout(PATIENCE)
    ann.sendall(b"".join(lines))
    if leave:
        ann.shutdown(socket.SHUT_WR)
    answers = b""
    try:
        while data := ann.recv(4096):
            answers += data
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        raise NotYet(f"{len(lines)} lines were sent, and only {answers.count(b'ok')} acknowledged") from None
    except ConnectionError:
        pass  # killed before it had read all
    finally:
        ann.close()
        os.waitpid(child, 0)
    return answers.count(b"ok\n")


def _serve(subject: Subject, path: Path, client: socket.socket, kill_after: int) -> None:
    """The child process. Does not return."""
    try:
        deadly = Deadly(fileno=client.detach())
        deadly.left = kill_after or -1
        subject.load("handle").handle(deadly, str(path))
    except Exception:  # noqa: BLE001  a full disk may end the process
        os._exit(1)
    os._exit(0)

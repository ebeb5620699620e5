"""The real programs as child processes, and the system's figures about them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from tests.support.patience import PROGRAM_PATIENCE

ROOT: Final = Path(__file__).resolve().parents[2]

_TICKS: Final = os.sysconf("SC_CLK_TCK")


CROWDED: Final = ("--address-members=100000", "--address-guests=100000", "--address-rate=100000")
"""Options of a server for a test in which more peers than a school class come from one address."""


class ServerProcess:
    """A running `python -m server`, or another module; its stderr goes to the file `log`."""

    def __init__(
        self,
        log: Path,
        *options: str,
        host: str = "127.0.0.1",
        port: int = 0,
        module: tuple[str, ...] = ("server",),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *module, "--host", host, "--port", str(port), *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=env,
            )
        try:
            self.first_line = self._read_line()
            assert self.first_line.startswith("listening on "), self.first_line + self.errors()
        except BaseException:
            self.kill()
            raise
        self.port = int(self.first_line.rpartition(":")[2])

    def _read_line(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PROGRAM_PATIENCE)
        return self.process.stdout.readline().decode().strip() if ready else "nothing was printed"

    def stop(self, number: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> tuple[int, float]:
        """Send a signal; the exit code, and how many seconds the end took. Fails after `patience`."""
        began = monotonic()
        self.process.send_signal(number)
        code = self.process.wait(patience)
        return code, monotonic() - began

    def kill(self) -> None:
        """kill -9, if it still runs."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def errors(self) -> str:
        """The text on its stderr so far."""
        return self.log.read_text(errors="replace")

    # --- what the system tells about it (Linux: proc(5)) --------------------------------------------------

    def _status(self, field: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {field} in /proc")

    def resident(self) -> int:
        """Resident memory in KiB."""
        return self._status("VmRSS")

    def threads(self) -> int:
        """How many threads it has."""
        return self._status("Threads")

    def descriptors(self) -> dict[str, str]:
        """Its open descriptors and their targets."""
        found: dict[str, str] = {}
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                found[entry.name] = os.readlink(entry)
            except OSError:  # closed in the meantime
                continue
        return found

    def processor_seconds(self) -> float:
        """User and system time that it has used."""
        return processor_seconds(self.process.pid)


def processor_seconds(pid: int) -> float:
    """User and system time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def server(
    folder: Path, *options: str, host: str = "127.0.0.1", port: int = 0, data: str = ":memory:"
) -> Iterator[ServerProcess]:
    """A server for one test. It is killed at the end in any case, and must not have printed a traceback."""
    process = ServerProcess(folder / "server.log", "--data", data, *options, host=host, port=port)
    try:
        yield process
        assert "Traceback" not in process.errors(), process.errors()
        assert '"event": "failed"' not in process.errors(), process.errors()
    finally:
        process.kill()


def run_program(*arguments: str, seconds: float = 15.0, input: str = "") -> subprocess.CompletedProcess[str]:
    """Run `python -m …` to its end; killed, and the test fails, when it takes longer than `seconds`."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        input=input,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )

"""What the system and the server say of the server, every few seconds."""

from __future__ import annotations

import csv
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple
from urllib.request import urlopen

from tests.end_to_end.programs import ServerProcess
from tests.long_run.probe import Probe

_METRICS_SECONDS: Final = 5.0


class Sample(NamedTuple):
    """The server at one moment. at: seconds since the crowd began to come

    resident:   memory in KiB
    descriptors, threads: how many
    data, log:  bytes of the history, and of the log beside it
    members, connections, newcomers, channels: people, their connections, those in the handshake
    arrivals:   connections that came in anew, since the start
    events, lines: since the start
    backlog:    bytes that wait for readers
    processor:  seconds of the server since its start
    p50, p99:   milliseconds of the probe's lines since the sample before; -1: there were none
    load:       the machine's load, all programs together
    """

    at: float
    resident: int
    descriptors: int
    threads: int
    data: int
    log: int
    members: int
    connections: int
    newcomers: int
    channels: int
    arrivals: int
    events: int
    lines: int
    backlog: int
    processor: float
    p50: float
    p99: float
    load: float


class Sampler:
    """Takes the samples, in the caller's thread."""

    def __init__(self, server: ServerProcess, metrics: str, data: Path, probe: Probe, file: Path) -> None:
        self._server, self._metrics, self._data, self._probe = server, metrics, data, probe
        self._file = file
        self.samples: list[Sample] = []

    def run(self, seconds: float, every: float, stop: threading.Event) -> None:
        """Sample for so long; each sample is in the file at once."""
        began = time.monotonic()
        with self._file.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(Sample._fields)
            for number in range(1, int(seconds / every) + 1):
                if stop.wait(max(0.0, began + number * every - time.monotonic())):
                    return
                self.samples.append(self._take(time.monotonic() - began))
                rows.writerow(self.samples[-1])
                file.flush()

    def _take(self, at: float) -> Sample:
        told = figures(self._metrics)
        took = self._probe.take()
        server = self._server
        log = self._data.with_name(self._data.name + "-wal")
        return Sample(
            at=round(at, 1),
            resident=server.resident(),
            descriptors=len(server.descriptors()),
            threads=server.threads(),
            data=self._data.stat().st_size,
            log=log.stat().st_size if log.exists() else 0,
            members=int(told["chatroom_members"]),
            connections=int(told["chatroom_connections"]),
            newcomers=int(told["chatroom_newcomers"]),
            channels=int(told["chatroom_channels"]),
            arrivals=int(told["chatroom_arrivals_total"]),
            events=int(told["chatroom_history_events_total"]),
            lines=int(told["chatroom_lines_total"]),
            backlog=int(sum(value for name, value in told.items() if name.startswith("chatroom_backlog"))),
            processor=server.processor_seconds(),
            p50=percentile(took, 50),
            p99=percentile(took, 99),
            load=os.getloadavg()[0],
        )


def figures(address: str) -> dict[str, float]:
    """The page of metrics, by name with labels."""
    with urlopen(address, timeout=_METRICS_SECONDS) as page:
        rows = [
            line.rpartition(" ") for line in page.read().decode().splitlines() if not line.startswith("#")
        ]
    return {name: float(value) for name, _, value in rows}


def percentile(seconds: Iterable[float], which: int) -> float:
    """In milliseconds; -1: there are none."""
    found = sorted(seconds)
    return round(1000 * found[(len(found) - 1) * which // 100], 2) if found else -1.0


def read(file: Path) -> list[Sample]:
    """The samples of a file."""
    with file.open(newline="") as lines:
        return [Sample._make(_number(row[name]) for name in Sample._fields) for row in csv.DictReader(lines)]


def _number(text: str) -> float | int:
    return float(text) if "." in text else int(text)

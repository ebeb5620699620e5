"""Runs the load program (load.cpp) against one running server and reads its figures."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from tests.bench.build import NoCompiler, load_program
from tests.bench.peers import Peer, Running, Unavailable

LONGEST_RUN = 900.0


class Refused(Exception):
    """A run that must not be reported; str() says why."""


class DeliveryMissing(Refused):
    """A receiver did not get every message, or not in order."""


@dataclass(frozen=True)
class Result:
    """The figures of the load program; times in seconds, memory in KiB.

    deliveries:      messages × receivers of the measured part
    missing:         deliveries that did not come (or came too often), at all receivers together
    disorder:        messages that came out of their talker's order, or events whose seq did not rise by one
    lost:            connections that ended
    server_cpu:      CPU time of the server's process in the measured part
    load_cpu:        the same of the load program, which tells whether it was the bottleneck
    connect_seconds: until every member was admitted
    settled_seconds: until every member also had everything said before
    rates:           deliveries a second in each part of a sustained run
    """

    seconds: float
    sent: int
    deliveries: int
    missing: int
    disorder: int
    lost: int
    complaint: str
    server_cpu: float
    load_cpu: float
    connect_seconds: float
    settled_seconds: float
    rss_before: int
    rss_after: int
    rss_peak: int
    other_events: int
    latency: dict[str, float] | None = None
    replayed: int = 0
    fill_seconds: float = 0.0
    rates: tuple[float, ...] = ()


def check(result: Result) -> Result:
    """The result, if no delivery is missing. Raises DeliveryMissing."""
    if result.missing or result.disorder or result.lost:
        raise DeliveryMissing(
            f"{result.missing} deliveries missing, {result.disorder} out of order, "
            f"{result.lost} connections lost; {result.complaint}"
        )
    return result


def drive(peer: Peer, server: Running, **options: str | float) -> Result:
    """Run the load program with `options` (as on its command line). Raises Refused, Unavailable."""
    try:
        program = load_program(bool(options.get("tls")))
    except NoCompiler as missing:
        raise Unavailable(str(missing)) from None
    command = [
        str(program),
        "--protocol",
        peer.protocol,
        "--port",
        str(server.port),
        "--pid",
        str(server.pid),
        "--parallel",
        str(peer.parallel),
    ]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_RUN, check=False)
    except subprocess.TimeoutExpired:
        raise Refused(f"not done after {LONGEST_RUN:.0f} s") from None
    if run.returncode:
        raise Refused(run.stderr.strip() or f"the load program ended with {run.returncode}")
    return check(Result(**json.loads(run.stdout)))

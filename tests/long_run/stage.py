"""The server as an operator runs it, the crowd, the probe, and the samples."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.end_to_end.programs import ROOT, ServerProcess, run_program
from tests.long_run.picture import draw
from tests.long_run.probe import Probe
from tests.long_run.samples import Sample, Sampler
from tests.long_run.verdict import HEAD, Finding, compare, compare_lines, faults
from tests.support.patience import PROGRAM_PATIENCE, eventually

_OPTIONS: Final = (
    *("--max-members", "400", "--address-members", "60", "--address-guests", "32", "--address-rate", "16"),
    *("--address-accounts", "40", "--keep", "90d", "--metrics", "0"),
)
"""As the operator of a school with some houses would set them: no address has all members."""
_EXPORT_SECONDS: Final = 300.0


class Size(NamedTuple):
    """rate: things done a second, by all together; stay: of a visit; every: between samples; in seconds"""

    seconds: float = 3600.0
    members: int = 200
    rate: float = 30.0
    stay: float = 180.0
    every: float = 5.0
    seed: int = 1


class Outcome(NamedTuple):
    """faults: what is wrong whatever grows"""

    samples: list[Sample]
    findings: list[Finding]
    counts: dict[str, int]
    faults: list[str]

    @property
    def is_good(self) -> bool:
        return not self.faults and all(one.is_good for one in self.findings)

    def words(self) -> str:
        """The verdict, as a table and some lines."""
        counts = ", ".join(f"{what} {count}" for what, count in sorted(self.counts.items()))
        wrong = [f"WRONG: {fault}" for fault in self.faults]
        return "\n".join([HEAD, *(one.row() for one in self.findings), "", f"The crowd: {counts}.", *wrong])


def run(folder: Path, size: Size, stop: threading.Event | None = None) -> Outcome:
    """A run. The folder gets samples.csv, long-run.svg, verdict.md, and the files of the server."""
    folder.mkdir(parents=True, exist_ok=True)
    data, lines = folder / "history.db", folder / "confirmed.txt"
    with ExitStack() as stack:
        server = ServerProcess(folder / "server.log", "--data", str(data), *_OPTIONS)
        stack.callback(server.kill)
        probe = Probe(server.port)
        stack.callback(probe.close)
        sampler = Sampler(server, _metrics(server), data, probe, folder / "samples.csv")
        with _crowd(server.port, size, lines) as counts:
            sampler.run(size.seconds, size.every, stop or threading.Event())
            assert probe.is_in, f"the probe was put out: {server.errors()[-2000:]}"
        probe.close()
        code, seconds = server.stop()
        counts["exit code"], counts["ms to stop"] = code, int(1000 * seconds)
        errors = server.errors()
    exported = folder / "export.jsonl"
    exporting = run_program("server", "--export", str(data), "--with-direct", seconds=_EXPORT_SECONDS)
    exported.write_text(exporting.stdout, encoding="utf-8")
    missing, doubled = compare_lines(lines, exported)
    outcome = Outcome(
        sampler.samples,
        compare(sampler.samples, counts["amendments"]),
        counts,
        faults(counts, missing, doubled, errors),
    )
    minutes = size.seconds / 60
    title = f"{size.members} people who come and go, for {minutes:.3g} minutes"
    (folder / "long-run.svg").write_text(draw(title, outcome.samples), encoding="utf-8")
    (folder / "verdict.md").write_text(outcome.words() + "\n", encoding="utf-8")
    return outcome


def _metrics(server: ServerProcess) -> str:
    """Where the server tells its figures."""
    wanted = re.compile(r"metrics at (http://\S+)")
    eventually(lambda: wanted.search(server.errors()), "the server has no metrics", PROGRAM_PATIENCE)
    found = wanted.search(server.errors())
    assert found is not None
    return found[1]


@contextmanager
def _crowd(port: int, size: Size, lines: Path) -> Iterator[dict[str, int]]:
    """The crowd, in a process of its own; its counts, at the end."""
    arguments = [port, size.members, size.rate, size.stay, size.seed, lines]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.long_run.crowd", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    counts: dict[str, int] = {}
    try:
        yield counts
        assert process.poll() is None, "the crowd has ended by itself"
        told, _ = process.communicate(timeout=3 * PROGRAM_PATIENCE)
        counts.update(json.loads(told))
    finally:
        process.kill()
        process.communicate()

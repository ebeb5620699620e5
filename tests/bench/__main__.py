"""python -m tests.bench: measure our server and its peers under the same conditions, one after the other."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.bench import machine, svg
from tests.bench.build import NoCompiler, load_program
from tests.bench.load import Refused
from tests.bench.peers import Peer, Unavailable, all_peers
from tests.bench.report import OURS, Ratio, Run, Summary, ratio_table, ratios, summarize, table, targets
from tests.bench.workloads import FULL, QUICK, SMOKE, Workload, workloads

PICTURES = (
    ("deliveries", "Saturated fan-out", "saturated", "rate", "deliveries a second", True),
    ("cpu", "CPU time of the server for one delivery", "saturated", "cpu_us", "microseconds", True),
    ("median", "Latency, median", "latency", "median_ms", "milliseconds", True),
    ("p99", "Latency, 99th percentile", "latency", "p99_ms", "milliseconds", True),
    ("memory", "Memory of an idle member", "idle", "kib_per_member", "KiB", False),
    ("connect", "Until every member is admitted", "connect", "connect_s", "seconds", False),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. 0: all reported; 1: a run of our server was refused; 2: nothing could be measured."""
    options = _options(arguments)
    scale = QUICK if options.quick else SMOKE if options.smoke else FULL
    if options.seconds:
        scale = replace(scale, seconds=options.seconds)
    if options.events:
        grep = (options.events, *scale.grep[1:])
        scale = replace(scale, catch_up=options.events, coming_back=options.events, grep=grep)
    # Absolute: the server runs in another folder. Not resolved: the link of a venv leads out of it.
    python = os.path.abspath(shutil.which(options.python) or options.python)
    known = all_peers(python)
    names = options.peers or ([OURS, "blast"] if options.smoke else [peer.name for peer in known])
    chosen = [
        w for w in workloads(scale) if not options.only or any(w.name.startswith(o) for o in options.only)
    ]
    if options.list or not chosen:
        print("\n".join(workload.name for workload in workloads(scale)))
        return 0 if options.list else 2
    try:
        load_program()
        before = machine.interpreter(python)
    except NoCompiler as missing:
        print(f"nothing measured: the load program is C++, and {missing}", file=sys.stderr)
        return 2
    except machine.NoInterpreter as wrong:
        print(f"nothing measured: {wrong}", file=sys.stderr)
        return 2
    print(machine.in_words(before), flush=True)
    _raise_descriptor_limit()
    peers = [peer for peer in known if peer.name in names]
    runs = list(measure(chosen, peers, options.repeat or scale.repeat))
    after = machine.interpreter(python)
    summaries, compared = summarize(runs), ratios(runs)
    print("\n" + table(summaries))
    if compared:
        print("\n" + ratio_table(compared))
    if reached := targets(summaries):
        print("\ntargets\n" + reached)
    print("\nat the end, " + machine.in_words(after))
    if options.out:
        about = machine.describe(known) | {"interpreter": before, "interpreter_at_the_end": after}
        _write(options.out, about, runs, summaries, compared)
    return int(any(run.peer == OURS and run.figures is None for run in runs))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a minute or two instead of everything")
    size.add_argument("--smoke", action="store_true", help="seconds: only whether it works")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only workloads whose name begins so")
    parser.add_argument("--peers", type=lambda text: text.split(","), help="comma-separated, default: all")
    parser.add_argument("--repeat", type=int, help="repetitions, interleaved between workloads and peers")
    parser.add_argument("--seconds", type=float, help="length of one measurement")
    parser.add_argument("--events", type=int, help="length of the histories that a member catches up")
    parser.add_argument(
        "--python", default=sys.executable, help="interpreter of our server (default: this one)"
    )
    parser.add_argument("--out", type=Path, help="folder for results.json and the pictures")
    parser.add_argument("--list", action="store_true", help="print the names of the workloads")
    return parser.parse_args(arguments)


def measure(chosen: Sequence[Workload], peers: Sequence[Peer], repeat: int) -> Iterable[Run]:
    """Every run: in each repetition all workloads, in each workload all peers.

    So a busy minute affects all peers, and a busy hour all workloads.
    """
    absent: set[tuple[str, bool]] = set()  # a peer may lack only TLS
    for repetition, workload, peer in itertools.product(range(repeat), chosen, peers):
        if workload.once and repetition:
            continue
        if (
            peer.name not in workload.peers
            or workload.longest > peer.longest
            or (peer.name, workload.tls) in absent
        ):
            continue
        begin = time.monotonic()
        try:
            run = Run(workload.name, peer.name, repetition, workload.measure(peer))
        except Unavailable as missing:
            absent.add((peer.name, workload.tls))
            print(f"{peer.name}{', TLS' if workload.tls else ''}: not measured: {missing}", flush=True)
            if peer.name == OURS and not workload.tls:
                yield Run(workload.name, peer.name, repetition, None, str(missing))
            continue
        except Refused as reason:
            run = Run(workload.name, peer.name, repetition, None, str(reason))
        print(_progress(run, time.monotonic() - begin), flush=True)
        yield run


def _progress(run: Run, seconds: float) -> str:
    figures = ", ".join(f"{name} {value:.4g}" for name, value in (run.figures or {}).items())
    outcome = figures or f"REFUSED: {run.refused}"
    return f"{run.workload} {run.peer} #{run.repetition + 1} ({seconds:.1f} s): {outcome}"


def _raise_descriptor_limit() -> None:
    """10,000 members need as many descriptors, here and in the servers, which inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _write(
    folder: Path, about: dict[str, object], runs: list[Run], summaries: list[Summary], compared: list[Ratio]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    everything = {
        "machine": about,
        "summaries": [asdict(summary) for summary in summaries],
        "ratios": [asdict(ratio) for ratio in compared],
        "runs": [asdict(run) for run in runs],
    }
    (folder / "results.json").write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    text = table(summaries) + (f"\n\n{ratio_table(compared)}" if compared else "")
    (folder / "table.txt").write_text(text + "\n", encoding="utf-8")
    series = [peer.name for peer in all_peers()]
    for file, title, kind, figure, unit, logarithmic in PICTURES:
        groups: dict[str, dict[str, float]] = {}
        for summary in summaries:
            if summary.workload.startswith(kind) and summary.figures:
                groups.setdefault(summary.workload, {})[summary.peer] = summary.figures[figure]
        if groups:
            picture = svg.bars(title, groups, unit, series, logarithmic)
            (folder / f"{file}.svg").write_text(picture, encoding="utf-8")
    print(f"\nwritten to {folder}")


if __name__ == "__main__":
    sys.exit(main())

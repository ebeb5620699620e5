"""`python -m tests.chaos --minutes N --seed S`: one run after the other, each with the next seed."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.chaos.report import Report
from tests.chaos.run import run
from tests.chaos.sabotage import BUGS
from tests.chaos.schedule import make_plan


def main() -> int:
    """Exit code 0: no violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long in all (default 5)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run (default 1)")
    parser.add_argument("--talkers", type=int, default=8, help="clients at once (default 8)")
    parser.add_argument("--seconds", type=float, default=30.0, help="load and faults of one run (default 30)")
    parser.add_argument("--bug", default="none", choices=("none", *BUGS), help="plant a bug")
    parser.add_argument("--keep", type=Path, help="folder for records, logs and history of runs that failed")
    options = parser.parse_args()
    total, began, seed, runs = Report(options.seed), time.monotonic(), options.seed, 0
    while runs == 0 or time.monotonic() - began < options.minutes * 60:
        report = run(make_plan(seed, options.seconds, options.talkers), bug=options.bug, keep=options.keep)
        print(report, flush=True)
        for violation in report.violations:
            print(violation, flush=True)
        total.counts.update(report.counts)
        total.violations += report.violations
        seed, runs = seed + 1, runs + 1
    minutes = (time.monotonic() - began) / 60
    print(
        f"\n{runs} runs, seeds {options.seed} to {seed - 1}, {minutes:.1f} minutes, {options.talkers} talkers"
    )
    for name, number in sorted(total.counts.items()):
        print(f"{number:12,}  {name}")
    print(f"{len(total.violations):12,}  violations")
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())

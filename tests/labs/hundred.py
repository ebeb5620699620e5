"""Runs every lab a hundred times, its program and its check, and prints a table for the labs' page.

python -m tests.labs.hundred [--times 100] [NUMBER...]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from notes.labs.catalogue import Lab, all_labs, find
from tests.labs.files import solution

SIDE_BY_SIDE = 4
"""Programs at once: they wait more than they work."""

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str | Path) -> str:
    """What Python prints with these arguments, in the top folder."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def bugs(lab: Lab, times: int, pool: Executor) -> tuple[int, float]:
    """How often the program shows its bug, and how many seconds the slowest run took."""

    def once(_: int) -> tuple[bool, float]:
        began = time.monotonic()
        return run(lab.program).splitlines()[-1].startswith("bug: "), time.monotonic() - began

    shown, seconds = zip(*pool.map(once, range(times)), strict=True)
    return sum(shown), max(seconds)


def cures(lab: Lab, times: int, pool: Executor) -> tuple[int, int]:
    """How often the check accepts the solution, and how often it refuses the unchanged program."""
    with tempfile.TemporaryDirectory() as folder:
        cured = Path(folder, "cured.py")
        cured.write_text(solution(lab))

        def once(_: int) -> tuple[bool, bool]:
            of_cure, of_bug = json.loads(run("-m", "tests.labs.judge", lab.number, "60", cured, lab.program))
            return not of_cure, bool(of_bug)

        accepted, refused = zip(*pool.map(once, range(times)), strict=True)
    return sum(accepted), sum(refused)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="Run every lab many times.")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("numbers", nargs="*")
    options = parser.parse_args()
    labs = [find(number) for number in options.numbers] or all_labs()
    print("| lab | bug shown | slowest run | solution accepted | unchanged program refused |")
    print("|---|---|---|---|---|")
    of = f"of {options.times}"
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for lab in labs:
            count, slowest = bugs(lab, options.times, pool)
            accepted, refused = cures(lab, options.times, pool)
            results = f"{count} {of} | {slowest:.1f} s | {accepted} {of} | {refused} {of}"
            print(f"| {lab.number} | {results} |", flush=True)


if __name__ == "__main__":
    main()

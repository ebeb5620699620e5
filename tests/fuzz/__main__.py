"""Throws random and mutated input at every part that reads what strangers send.

python -m tests.fuzz TARGET --count 100000 --seed 1

The exit code is 1 after a finding: something else than a declared error came, or an input took too long. The
input is saved; --repeat runs it again. --guided lets atheris choose the mutations by what they reach (`pip
install -e .[fuzz]`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.loop import bounded, fuzz
from tests.fuzz.targets import TARGETS


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("target", choices=TARGETS)
    options.add_argument("--count", type=int, default=100_000, help="how many inputs")
    options.add_argument("--seed", type=int, default=1, help="of the random numbers")
    options.add_argument("--findings", type=Path, default=Path("findings"), help="where findings are saved")
    options.add_argument("--repeat", type=Path, nargs="+", metavar="FILE", help="run these inputs only")
    options.add_argument("--guided", action="store_true", help="with atheris, for targets without threads")
    chosen = options.parse_args(arguments)
    if chosen.guided:
        from tests.fuzz.guided import fuzz_guided  # instruments the program, before it is imported

        return fuzz_guided(chosen.target, chosen.count, chosen.seed, chosen.findings)
    with TARGETS[chosen.target]() as target:
        if chosen.repeat:
            with bounded(target.waits) as begin:
                for path in chosen.repeat:
                    begin()
                    print(f"{path}: {target.run(path.read_bytes())}")
                target.settle()
            return 0
        report = fuzz(chosen.target, target, chosen.count, chosen.seed, chosen.findings)
        print(report, flush=True)  # here, because closing the target may raise, too
    return 1 if report.tracebacks or report.hangs else 0


if __name__ == "__main__":
    sys.exit(main())

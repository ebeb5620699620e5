"""Runs attacks one after the other, and prints a table of what honest members felt.

python -m tests.attacks [NAME …] [--seconds 10]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.attacks.attacks import ATTACKS
from tests.attacks.stage import feel


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ATTACKS))
    options.add_argument("--seconds", type=float, default=10.0, help="how long each attack lasts")
    options.add_argument("--attacker", nargs=3, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.attacker:
        name, port, seconds = chosen.attacker
        ATTACKS[name].run(int(port), float(seconds))
        return 0
    print("| attack | lines | p50 ms | p99 ms | worst ms | server MB | recovery s |")
    print("|---|---|---|---|---|---|---|")
    for name in chosen.names or ("none", *ATTACKS):
        with tempfile.TemporaryDirectory() as folder:
            attack = ATTACKS.get(name)
            options_of = attack.options if attack else ()
            felt = feel(Path(folder), name if attack else None, chosen.seconds, options=options_of)
            print(felt.row(name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""python -m tests.long_run: does a server grow that people use for an hour? Exit code 1: it does."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.long_run.stage import Size, run


def main() -> int:
    usual = Size()
    parser = argparse.ArgumentParser(prog="python -m tests.long_run", description=__doc__)
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--members", type=int, default=usual.members, help="who come and go")
    parser.add_argument("--rate", type=float, default=usual.rate, help="what all do in a second, together")
    parser.add_argument("--stay", type=float, default=usual.stay, help="seconds of a visit, on average")
    parser.add_argument("--every", type=float, default=usual.every, help="seconds between two samples")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--folder", type=Path, help="where all files go; default: a new one, which is told")
    options = vars(parser.parse_args())
    folder = options.pop("folder") or Path(tempfile.mkdtemp(prefix="chatroom-long-run-"))
    print(f"files: {folder}", flush=True)
    outcome = run(folder, Size(**options))
    print(outcome.words(), flush=True)
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())

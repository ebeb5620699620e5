"""python -m tests.raid: what thirty members feel before, during and after a raid; a table per command."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.raid.stage import Size, raid

COMMANDS = ("/guard newcomers 0", "/guard accounts")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.raid", description=__doc__)
    parser.add_argument(
        "--against", action="append", metavar="COMMAND", help="default: " + ", ".join(COMMANDS)
    )
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--addresses", type=int, default=20)
    parser.add_argument("--members", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each phase")
    options = parser.parse_args()
    newcomer = 4 * options.seconds + 10.0
    size = Size(options.connections, options.addresses, options.members, newcomer, options.seconds)
    for command in options.against or COMMANDS:
        with tempfile.TemporaryDirectory(prefix="chatroom-raid-") as folder:
            print(raid(Path(folder), command, size).table(command) + "\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

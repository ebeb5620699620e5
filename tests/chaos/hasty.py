"""The server as chaos runs it: `python -m tests.chaos.hasty BUG ENTRIES …`.

BUG is one of `sabotage.py`, or "none"; ENTRIES the file in which the order keeps its entries, or "none".

Its hold is HOLD_SECONDS of the schedule: with the server's own, a run would take minutes to see its end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.chaos.sabotage import BUGS
from tests.chaos.schedule import HOLD_SECONDS
from tests.support.recorder import record


def main() -> int:
    bug, entries = sys.argv.pop(1), sys.argv.pop(1)
    sys.argv += ["--hold", f"{HOLD_SECONDS:g}"]
    if bug != "none":
        BUGS[bug]()
    if entries != "none":
        record(Path(entries))
    from server.__main__ import main as server

    return server()


if __name__ == "__main__":
    sys.exit(main())

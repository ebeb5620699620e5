"""The server as a raid meets it: `python -m tests.raid.host SECONDS …`.

SECONDS: how long somebody is a newcomer. With the server's own ten minutes the members, whose accounts are
new, would be newcomers, too.
"""

from __future__ import annotations

import sys

from chatroom import limits


def main() -> int:
    vars(limits)["NEWCOMER_SECONDS"] = float(sys.argv.pop(1))
    from server.__main__ import main as server

    return server()


if __name__ == "__main__":
    sys.exit(main())

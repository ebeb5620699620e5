"""The table of sizes in notes/cpp/README.md: the lines of the C++ twin and of the Python beside each other.

python -m tests.cpp.sizes          writes the table into the page
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "notes" / "cpp" / "README.md"
_BEGIN, _END = "<!-- sizes -->\n", "<!-- end -->\n"

# part → the C++ files (.hpp and .cpp of each name), the Python files beside them (patterns)
PARTS: Final = {
    "packets": ("packets", "chatroom/packets/*.py chatroom/events.py chatroom/outcomes.py"),
    "handshake": ("handshake", "chatroom/handshake.py"),
    "names, text": (
        "names text lookup",
        "chatroom/names.py chatroom/lookalikes.py chatroom/shown.py chatroom/printable.py",
    ),
    "reaper": ("reaper", "chatroom/reaper.py"),
    "queue": ("queue", "chatroom/queue.py chatroom/pace.py"),
    "transport": (
        "transport",
        "server/transport.py client/connection.py chatroom/exchange.py chatroom/deadline.py "
        "server/address.py",
    ),
    "connection": (
        "connection",
        "server/connection.py server/stream.py server/send_buffer.py server/flusher.py "
        "server/bucket.py server/backlogs.py server/words.py chatroom/batch.py",
    ),
    "state": (
        "state",
        "chatroom/state.py chatroom/session.py chatroom/places.py chatroom/presence.py "
        "chatroom/newcomers.py chatroom/tail.py chatroom/catch_up.py chatroom/command*.py "
        "chatroom/effects.py chatroom/proposals.py chatroom/bounds.py chatroom/ledger.py "
        "chatroom/sessions.py chatroom/holders.py chatroom/entrance.py chatroom/channels.py "
        "chatroom/conversations.py chatroom/direct.py chatroom/lines.py "
        "chatroom/amendments.py",
    ),
    "accounts": (
        "",
        "chatroom/accounts.py chatroom/rights.py chatroom/act.py chatroom/acts.py chatroom/account_acts.py",
    ),
    "moderation": (
        "",
        "chatroom/moderation*.py chatroom/masks.py chatroom/whom.py chatroom/audit.py chatroom/speaking.py "
        "chatroom/speech_*.py chatroom/classroom*.py chatroom/guard*.py chatroom/erasing.py "
        "chatroom/erase_*.py chatroom/blanking.py",
    ),
    "chatroom": (
        "chatroom",
        "chatroom/chatroom.py chatroom/forwarder.py chatroom/flow.py chatroom/arrivals.py chatroom/order*.py",
    ),
    "server": (
        "server server_main options",
        "server/server.py server/app.py server/__main__.py server/lobby.py server/guest.py "
        "server/admission.py server/ports.py server/waiting.py server/crowd.py server/quotas.py "
        "server/refusals.py server/lapses.py",
    ),
    "history on disk, log": (
        "",
        "chatroom/history.py chatroom/records.py server/storage.py server/history_*.py "
        "server/database.py server/file_lock.py server/maintenance.py server/readers.py "
        "server/retention.py server/schema.py server/log_writer.py chatroom/log_formatter.py",
    ),
    "encryption": (
        "",
        "server/tls*.py server/certificate.py client/tls*.py client/server_trust.py client/known_servers.py",
    ),
    "client": ("client client_main", "client/*.py"),
    "views": ("views", "views/*.py"),
}


def lines(paths: list[Path]) -> int:
    """How many lines the files have, without blank ones."""
    return sum(sum(1 for line in path.read_text().splitlines() if line.strip()) for path in paths)


def table() -> str:
    """The table, as the page has it."""
    rows, sums = [], [0, 0]
    for part, (names, patterns) in PARTS.items():
        ours = [
            path for name in names.split() for path in sorted((ROOT / "notes" / "cpp").glob(f"{name}.[ch]pp"))
        ]
        theirs = [path for pattern in patterns.split() for path in sorted(ROOT.glob(pattern))]
        if part == "client":
            elsewhere = {"connection.py", "tls.py", "tls_socket.py", "server_trust.py", "known_servers.py"}
            theirs = [path for path in theirs if path.name not in elsewhere]  # in other rows
        sums = [sums[0] + lines(ours), sums[1] + lines(theirs)]
        shown = " ".join(f"`{path.name}`" for path in ours) or "–"
        beside = ", ".join(f"`{pattern}`" for pattern in patterns.split())
        rows.append(f"| {part} | {shown} | {lines(ours)} | {beside} | {lines(theirs)} |")
    head = "| part | C++ | lines | Python | lines |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows) + f"\n| **together** | | **{sums[0]}** | | **{sums[1]}** |\n"


def parts_of(page: str) -> tuple[str, str, str]:
    """The page before the table, the table, and the page behind it."""
    before, begin, rest = page.partition(_BEGIN)
    found, end, behind = rest.partition(_END)
    assert begin and end, "the page has no table of sizes"
    return before + begin, found, end + behind


def files_in_the_table() -> set[str]:
    """The C++ files that the table names."""
    return set(re.findall(r"`(\w+\.[ch]pp)`", table()))


if __name__ == "__main__":
    head, _, tail = parts_of(PAGE.read_text())
    PAGE.write_text(head + table() + tail)

"""Every part of the original has its section in notes/porting.md, and its test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "notes" / "porting.md").read_text()
TESTS = (ROOT / "tests" / "end_to_end" / "test_original.py").read_text()

# part of the original → the test with its name
ROWS = {
    "several messages from one client": "several_messages_from_one_client",
    "several messages from several clients": "several_messages_from_several_clients",
    "packet outlines the sending of multiple packets": "packet_outlines_the_sending_of_multiple_packets",
    "thread logic moves from server to chatroom": "thread_logic_moves_from_server_to_chatroom",
    "connect, send new port, disconnect, listen on the new port, admit": (
        "connect_send_new_port_disconnect_listen_admit"
    ),
    "listen on all open sockets and forward to the others under a lock": "listen_and_forward_under_a_lock",
    "handshake: status, pass, end on both sides": "handshake_status_pass_end",
    "client: a thread per burst, and one that removes the dead": "client_thread_per_burst_and_reaper",
    "the same on the server side": "same_on_server",
    "reprint the whole chat around the input": "reprint_chat_around_input",
}


@pytest.mark.parametrize(("row", "test"), ROWS.items(), ids=ROWS.values())
def test_row(row: str, test: str) -> None:
    """Each part of the original has its own section, which names an existing test."""
    section = PAGE.split(f"\n## {row}\n", 1)
    assert len(section) == 2, f"no section {row!r}"
    text = section[1].split("\n## ", 1)[0]
    assert f"test_{test}" in text
    assert f"def test_{test}(" in TESTS
    for part in ("**The original.**", "**Here.**", "**In C++.**", "**What differs, and why.**"):
        assert part in text, f"{row!r} does not say {part}"


def test_no_other_rows() -> None:
    """Every section about a part of the original has a test."""
    headings = set(re.findall(r"^## (.*)$", PAGE, re.M))
    assert headings - {"Word by word", "Porting a change: a new kind of packet"} == set(ROWS)

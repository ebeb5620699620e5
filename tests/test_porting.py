"""notes/porting.md: each part of the original has its row and its test, each idea its answer."""

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

OTHERS = {
    "Reading Python",
    "C++ signs",
    "Word by word",
    "The original's notes, row by row",
    "Side by side",
    "Porting a change: a new kind of packet",
    "Answers",
}
"""Sections that are not about one part of the original."""


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
    assert headings - OTHERS == set(ROWS)


def test_the_table_of_the_rows() -> None:
    """Each part of the original has its row in the table: where it is in both languages, and its test."""
    table = PAGE.split("<!-- rows -->\n")[1].split("\n\n")[0]
    rows = re.findall(
        r"^\| ([^|]+) \| `([\w/.]+)`: ([^|]+) \| `[\w/.]+\.py`: `\w+` \| `test_(\w+)` \|$", table, re.M
    )
    assert {name: test for name, _, _, test in rows} == ROWS
    for name, path, definitions, _ in rows:
        text = (ROOT / path).read_text()
        for definition in re.findall(r"`([\w:]+)`", definitions):
            assert re.search(rf"\b{definition}\b", text), f"{name}: {definition} is not in {path}"


def test_every_idea_is_complete() -> None:
    """Each idea has code of both sides, says what differs and why, and asks a question that is answered."""
    ideas = re.split(r"^### (\d+)\. ", PAGE.split("\n## Side by side\n")[1].split("\n## ")[0], flags=re.M)[1:]
    numbers = ideas[::2]
    assert numbers == [str(number + 1) for number in range(len(numbers))]
    for number, idea in zip(numbers, ideas[1::2], strict=True):
        for part in ("<!-- cut: notes/cpp/", "```cpp\n", "```python\n", "**What differs.**", "**Why.**"):
            assert part in idea, f"idea {number} has no {part}"
        assert re.search(r"\*\*To think about\.\*\* [^*]*\?", idea), f"idea {number} asks nothing"
    assert re.findall(r"^(\d+)\. ", PAGE.split("\n## Answers\n")[1], re.M) == numbers

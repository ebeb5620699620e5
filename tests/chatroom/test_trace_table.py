"""The way of a line as a table: what a person reads of the rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatroom.outcomes import Code, Outcome
from chatroom.packets import Answer
from chatroom.trace import Step
from chatroom.trace_table import _STEPS, own_steps, trace
from client.answer_words import answer_words
from server import words

ROWS: list[Any] = [
    [0, "handler ann", "read"],
    [102, "forwarder", "allowed"],
    [155, "handler ann", "queued"],
    [1210, "forwarder", "taken", 1055, 3],
    [1234, "forwarder", "applied", 1017],
    [1241, "forwarder", "encoded", 62],
    [1905, "forwarder", "stored", 660],
    [1921, "forwarder", "sent", ["ann"], 1],
    [1935, "forwarder", "waits", ["eve"], 1, 1_240_000],
    [2600, "flusher", "rest", ["eve"], 1],
]
OWN = [[0, "MainThread", "typed"], [210, "client-sender", "handed"], [2400, "client-burst-4", "came"]]


def test_the_way_of_a_line() -> None:
    """Each row has the time, the thread, and what it did; the server's words begin with the command."""
    said, _ = words.answer("/trace", Outcome(Code.OK, tuple(ROWS)))
    assert said.splitlines() == [
        "/trace: line 1,017: all have it in 2.6 ms; µs since it was read:",
        "      0  handler ann  reads its bytes from the socket",
        "    102  forwarder    lets you follow it",
        "    155  handler ann  puts it into the queue",
        "  1,210  forwarder    takes it after 1,055 in the queue,",
        "                      with 2 other lines",
        "  1,234  forwarder    applies it: it is line 1,017",
        "  1,241  forwarder    encodes it once for all: 62 bytes",
        "  1,905  forwarder    stores it, which takes 660",
        "  1,921  forwarder    sends it to ann",
        "  1,935  forwarder    sends it to eve, behind 1.2 MB",
        "  2,600  flusher      sends the rest to eve",
    ]


def test_on_a_narrow_screen_and_to_a_listener() -> None:
    """Thread and words share a column; for whoever listens each row is a sentence."""
    assert trace(ROWS[:3], 36).splitlines()[1:] == [
        "    0  handler ann reads its bytes",
        "       from the socket",
        "  102  forwarder lets you follow it",
        "  155  handler ann puts it into the",
        "       queue",
    ]
    assert trace(ROWS[1:2], None).splitlines()[1:] == ["102, forwarder lets you follow it"]


@pytest.mark.parametrize(
    ("row", "head", "said"),
    [
        ([2_009_788, "handler ann", "unsent", ["bob"], 4], "1 of 5 have it in 2.0 s", "bob and 3 more"),
        ([120_000, "flusher", "lost", [], 2], "1 of 3 have it in 0.1 s", "loses 2 connections"),
        ([5_000, "forwarder", "sent", [], 92], "all have it in 5.0 ms", "sends it to 92 connections"),
        ([5_000, "forwarder", "given", 744], "all have it in 5.0 ms", "744 more, who are only counted"),
        ([5_000, "forwarder", "dreamt", "of"], "all have it in 5.0 ms", "dreamt"),
    ],
)
def test_who_has_it(row: list[Any], head: str, said: str) -> None:
    """The head counts who has the line and who has not; a step that is not known is shown as it is."""
    first, *_, last = trace([*ROWS[:8], row], 100).splitlines()
    assert first == f"line 1,017: {head}; µs since it was read:"
    assert last.endswith(said)


def test_a_line_that_is_stuck() -> None:
    """As long as it is not sent to all, the head says that, with its number if it has one."""
    end = [2_000_000, "handler ann", "unfinished"]
    assert trace([*ROWS[:3], end]).startswith("your line is not through after 2.0 s; ")
    lines = trace([*ROWS[:6], end]).splitlines()
    assert lines[0].startswith("line 1,017 is not through after 2.0 s; ")
    assert lines[-1] == "  2.0 s  handler ann  waits no longer"


def test_every_step_has_words() -> None:
    """Those of the server, and those that a client adds."""
    assert {*map(str, Step), "typed", "handed", "came", "shown"} == _STEPS.keys()


def test_the_clients_own_steps() -> None:
    """They have a head of their own: their clock is another one."""
    assert own_steps(OWN).splitlines() == [
        "this program, by its own clock, µs since Enter:",
        "      0  main            reads Enter",
        "    210  client-sender   sends it to the server",
        "  2,400  client-burst-4  has it back: so it is stored",
    ]


@pytest.mark.parametrize(
    "rows", [[[1]], [["x", "y", "read"]], [[1, "x", "applied"]], [[1, "x", "sent", 3]], [1]]
)
def test_rows_of_a_newer_server(rows: list[Any]) -> None:
    """Rows that this client does not know fail no client: the server's words count."""
    answer = Answer(1, Code.OK, "/trace: as the server says it", json.dumps(rows))
    assert answer_words("/trace", answer, 80, 0) == "as the server says it"

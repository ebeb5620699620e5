"""Words and tables about who is where, the channels, and the server's numbers."""

from __future__ import annotations

import pytest

from chatroom.events import Setting
from chatroom.limits import MAX_LISTED, MAX_TEXT
from chatroom.outcomes import Code, Outcome
from server import words
from server.room_words import TOPIC_COLUMNS, duration


def said(command: str, *rows: object) -> list[str]:
    return words.answer(command, Outcome(Code.OK, rows))[0].splitlines()


# --- who ---------------------------------------------------------------------------------------------------


def test_who() -> None:
    """The members are counted and named; those whose connection is lost, and who are out, stand apart."""
    rows = ("#tea", ("ann", "here"), ("bob", "lost"), ("cid", "here"), ("dora", "absent"), ("eve", "absent"))
    assert said("/who", *rows) == [
        "/who #tea: 3 here, 2 not here",
        "  ann  cid",
        *("  connection lost:", "  bob", "  not here:", "  dora  eve"),
    ]


def test_names_stand_below_each_other() -> None:
    """Wide letters take two columns, and marks none."""
    names = ("李雷", "e\u0301va", "longest-name", *(f"m{number}" for number in range(4)))
    assert said("/who", "#tea", *((name, "here") for name in names))[1:] == [
        "  李雷          e\u0301va           longest-name  m0",
        "  m1            m2            m3",
    ]


def test_who_of_a_counted_channel() -> None:
    """Where nobody is listed, the number is all that is said."""
    assert said("/who", "#tea", 12_345) == ["/who #tea: 12,345 here"]


def test_who_of_an_empty_channel() -> None:
    """A channel without members is empty for a person."""
    assert said("/who", "#tea") == ["/who #tea: nobody is in it"]


def test_who_of_a_large_channel() -> None:
    """When the last row is a number, it is that of members who are not listed."""
    assert said("/who", "#tea", ("ann", "here"), 3) == ["/who #tea: 4 here", "  ann", "  and 3 more"]


@pytest.mark.parametrize("name", ["x" * 24, "漢" * 12, "é" * 23 + "x", "😀" * 24], ids=ascii)
def test_a_long_answer_is_not_cut_within_a_name(name: str) -> None:
    """As many members are named as fit, each whole; the others are counted."""
    members = [(f"{name}{number}", "lost" if number % 2 else "here") for number in range(MAX_LISTED)]
    text, _ = words.answer("/who", Outcome(Code.OK, ("#tea", *members, 1500 - MAX_LISTED)))
    head, *_, more = text.splitlines()
    named = [word for word in text.split() if word.startswith(name)]
    assert head == "/who #tea: 1,500 here" and more == f"  and {1500 - len(named):,} more"
    assert set(named) <= {name for name, _ in members}
    assert len(named) == MAX_LISTED or MAX_TEXT - 400 < len(text.encode()) <= MAX_TEXT


# --- channels ----------------------------------------------------------------------------------------------


def test_channels() -> None:
    """A line for each channel; how many are not listed."""
    rows = (
        ("#tea", 1003, "Earl Grey", int(Setting.KEYED | Setting.KEPT), True),
        ("#茶", 1, "", int(Setting.INVITE_ONLY | Setting.MODERATED), False),
    )
    assert said("/channels", *rows, 7) == [
        "/channels: 9 channels",
        "  #tea  1,003 here  you are in  key                     Earl Grey",
        "  #茶       1 here              invite-only, moderated",
        "  and 7 more",
    ]
    assert said("/channels", rows[0])[0] == "/channels: 1 channel"
    assert said("/channels") == ["/channels: there are none"]


@pytest.mark.parametrize("topic", ["x" * 500, "漢" * 170, "e\u0301" * 100])
def test_a_long_topic_is_cut(topic: str) -> None:
    """A topic takes a part of its line; a mark stays with its letter or goes with it."""
    line = said("/channels", ("#tea", 1, topic, 0, False))[1]
    assert line.endswith("…") and line.count(topic[0]) <= TOPIC_COLUMNS


# --- stats -------------------------------------------------------------------------------------------------


def test_stats() -> None:
    """The numbers stand below each other, each behind what it means; unknown ones behind their name."""
    assert said("/stats", ("members", 1234), ("up", "12000 s"), ("fast", True), ("odd", "x")) == [
        "/stats: how this server is doing",
        "  people connected  1,234",
        "  running for       3 h 20 min",
        "  fast              1",
        "  odd               x",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3661, "1 h 1 min"),
        (90_000, "1 d 1 h"),
        (10**9, "11,574 d 1 h"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    """A time has the two largest units."""
    assert duration(seconds) == text

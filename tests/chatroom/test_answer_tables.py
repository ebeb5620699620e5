"""The answers that are tables: who is where, the channels, the server's numbers, bans, programs, the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chatroom import table
from chatroom.answer_tables import (
    TOPIC_COLUMNS,
    bans,
    channels,
    duration,
    log,
    sessions,
    stats,
    who,
)
from chatroom.events import Setting
from chatroom.limits import MAX_LISTED, MAX_TEXT
from chatroom.names import columns
from chatroom.outcomes import Code, Outcome
from chatroom.picture import Backlog, Group, Numbers, Picture
from server import words


def said(command: str, *rows: object) -> list[str]:
    """As the server says it, which does not know the screen."""
    return words.answer(command, Outcome(Code.OK, rows))[0].splitlines()


# --- who ---------------------------------------------------------------------------------------------------


def test_who() -> None:
    """The members are counted and named; those whose connection is lost, and who are out, stand apart."""
    rows = ("#tea", ("ann", "here"), ("bob", "lost"), ("cid", "here"), ("dora", "absent"), ("eve", "absent"))
    assert said("/who", *rows) == [
        "/who #tea: 3 here, 2 not here",
        "  ann, cid",
        *("  connection lost: bob", "  not here: dora, eve"),
    ]


def test_names_are_a_running_text() -> None:
    """One long name takes no room from the others."""
    names = ("李雷", "maximilian-schmidt", *(f"member{number}" for number in range(30)))
    lines = said("/who", "#tea", *((name, "here") for name in names))[1:]
    assert lines[0] == "  李雷, maximilian-schmidt, member0, member1, member2,"
    assert len(lines) == 7 and lines[-1] == "  member29"


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
    named = [word.rstrip(",") for word in text.split() if word.startswith(name)]
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
        "  #tea  1,003 here  you are in  key",
        "      Earl Grey",
        "  #茶       1 here              invite-only, quiet",
        "  and 7 more",
    ]
    assert said("/channels", rows[0])[0] == "/channels: 1 channel"
    assert said("/channels") == ["/channels: there are none"]


@pytest.mark.parametrize("topic", ["x" * 500, "漢" * 170, "e\u0301" * 100])
def test_a_long_topic_is_cut(topic: str) -> None:
    """A topic takes a part of its line; a mark stays with its letter or goes with it."""
    line = "".join(said("/channels", ("#tea", 1, topic, 0, False))[1:])
    assert line.endswith("…") and line.count(topic[0]) <= TOPIC_COLUMNS


# --- stats -------------------------------------------------------------------------------------------------


def test_stats() -> None:
    """The numbers stand below each other, each before what it means; unknown ones before their name."""
    assert said("/stats", ("members", 1234), ("up", "12000 s"), ("fast", True), ("odd", "x")) == [
        "/stats: how this server is doing",
        "       1,234  people connected",
        "  3 h 20 min  since the start",
        "           1  fast",
        "           x  odd",
    ]


def test_inspect() -> None:
    """A line for each group of threads; the largest backlog, if there is one; how to see it live."""
    groups = (Group("forwarder", "condition", "work in the queue"), Group("handler", "recv", "bytes", 1200))
    members = (Backlog("mallory", "recv", "bytes", 1.0, 3_400_000), Backlog("ann", "recv", "bytes"))
    picture = Picture(Numbers(waiting=7, joined=24), groups, members)
    assert said("/inspect", picture.row()) == [
        "/inspect: 1,201 threads, 7 in the queue; the largest backlog: 3,400,000 bytes, of mallory",
        "  forwarder      1  condition: work in the queue",
        "  handler    1,200  recv: bytes",
        "joined since the start: 24; live: chatroom-client --watch",
    ]
    assert said("/inspect", Picture().row())[0] == "/inspect: 0 threads, 0 in the queue"


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


# --- moments -----------------------------------------------------------------------------------------------

BANS = (
    ("ban", "李雷", "ann", 5, 9, "flooding the channel"),
    ("mute", "a-very-long-name-of-24-xx", "", 5, 0, ""),
)
SESSIONS = (
    (1, "here", True, True, 5, "chatroom-client 1", "192.0.2.7", "laptop"),
    (2, "lost", False, False, 5, "", "192.0.2.8", ""),
)
LOG = ((7, 5, "ann", "#tea", "/kick 李雷 spam", "192.0.2.7"), (8, 6, "bob", "#general", "/topic x", ""), 7)


def at(milliseconds: int) -> str:
    return f"day {milliseconds}"


def test_bans() -> None:
    """Who, until when; by whom, since when and why."""
    assert bans(BANS, at, 57).splitlines() == [
        "banned, muted or exempt: 2",
        "  ban   李雷                       until day 9",
        "      by ann, day 5: flooding the channel",
        "  mute  a-very-long-name-of-24-xx  for ever",
        "      day 5",
    ]
    assert bans(BANS, at, None).splitlines()[1:] == [
        "ban, 李雷, until day 9, by ann, day 5: flooding the channel",
        "mute, a-very-long-name-of-24-xx, for ever, day 5",
    ]
    assert bans((), at) == "nobody is banned, muted or exempt"
    assert bans((*BANS, 3), at).endswith("\n  and 3 more")


def test_sessions() -> None:
    """Each program has its number; the one that asks is marked."""
    assert sessions(SESSIONS, at, 90).splitlines() == [
        "your programs: 2",
        "  1  this program     since day 5  from 192.0.2.7, encrypted, chatroom-client 1,",
        "                                   remembered as laptop",
        "  2  connection lost  since day 5  from 192.0.2.8, not encrypted",
    ]


def test_log() -> None:
    """The latest last; how to get what was earlier stands above."""
    assert log(LOG, at, 57).splitlines() == [
        "what those with a role did; earlier: /log before:7",
        "  day 5  #tea      ann from 192.0.2.7  /kick 李雷 spam",
        "  day 6  #general  bob                 /topic x",
    ]
    assert log((), at) == "nobody with a role has done anything here yet"


# --- any screen --------------------------------------------------------------------------------------------

WHO = ("#茶", ("ann", "here"), ("李雷", "here"), ("maximilian", "lost"), ("e\u0301va", "absent"))
CHANNELS = (
    ("#general", 12, "Homework is due on Friday", 0, True),
    ("#茶室", 3, "", int(Setting.KEYED), False),
)
STATS = (("up", "12000 s"), ("members", 12), ("waiting", 0), ("events", 1234))


def test_who_on_a_narrow_screen() -> None:
    """As many names in a row as fit; in words all of it is one line."""
    assert who(WHO, 20).splitlines() == [
        "#茶: 3 here, 1 not here",
        "  ann, 李雷",
        "  connection lost:",
        "  maximilian",
        "  not here: e\u0301va",
    ]
    assert who(WHO, None) == (
        "#茶: 3 here, 1 not here; ann, 李雷; connection lost: maximilian; not here: e\u0301va"
    )
    assert who(("#tea", ("ann", "here"), 3), None) == "#tea: 4 here; ann; and 3 more"


@pytest.mark.parametrize("width", [33, 37, 57, 96])
def test_no_table_is_wider_than_its_screen(width: int) -> None:
    """At 40, 60, 80 and 120 columns every row of every table fits beside what stands before it."""
    tables = [
        *(who(WHO, width), channels(CHANNELS, width), stats(STATS, width)),
        *(bans(BANS, at, width), sessions(SESSIONS, at, width), log(LOG, at, width)),
    ]
    rows = [row for text in tables for row in text.split("\n")[1:]]
    assert all(columns(row) <= width for row in rows), rows


def test_numbers_in_words() -> None:
    """A figure and what it means."""
    assert stats(STATS, None).splitlines()[1:3] == ["3 h 20 min since the start", "12 people connected"]
    assert channels(CHANNELS, None).splitlines()[1] == (
        "#general, 12 here, you are in, Homework is due on Friday"
    )


@pytest.mark.parametrize(
    ("make", "long", "short"),
    [
        (stats, ("name", "9" * 30_000), ("events", 1)),
        (stats, ("n" * 30_000, 9), ("events", 1)),
        (channels, ("#a", 10**4200, "", 0, 0), ("#b", 1, "", 0, 0)),
        (channels, ("#" + "a" * 30_000, 1, "", 0, 0), ("#b", 1, "", 0, 0)),
    ],
    ids=["figure", "name", "number", "channel"],
)
def test_one_long_cell_makes_no_other_row_long(
    make: Callable[..., str], long: object, short: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may send any rows: the work grows with their length, not with its square."""
    measured = 0

    def counted(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return columns(text)

    monkeypatch.setattr(table, "width_of", counted)
    make((long, *[short] * 100), 57)
    assert measured < 400_000

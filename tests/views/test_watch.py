"""The screen of `--watch`, as rows: what stands where, at every size, whatever the names are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import BEHIND_BYTES, SIZE_STEPS
from chatroom.picture import UNKNOWN, Backlog, Group, Lately, Numbers, Picture
from tests.views.attacks import DECEIVING, DRIVING, WIDE_AND_NARROW
from tests.views.screen import Screen
from views.palette import Depth, Ground, palette_of
from views.text import text_width
from views.watch import Watched, block, rows

PLAIN = palette_of(Ground.EITHER, Depth.NONE)
COLOURED = palette_of(Ground.DARK, Depth.MANY)
GROUPS = (
    Group("main", "recv", "a signal"),
    Group("accept", "accept", "a connection"),
    Group("forwarder", "condition", "work in the queue", 1, 0.25),
    Group("flusher", "select", "a socket with room"),
    Group("catch-up", "condition", "somebody to catch up"),
    Group("history", "flag", "its next look"),
    Group("disk", "flag", "its next look"),
    Group("log", "condition", "a line for the log"),
    Group("server-reaper", "flag", "its next second"),
    Group("connection", "recv", "bytes from the peer", 2),
    Group("handler", "recv", "bytes from the peer", 18, 61.0),
    Group("handler", "runs", "Presence._send", 1, 0.0),
    Group("handler", "condition", "room in the queue", 1, 0.1),
)
MEMBERS = (
    Backlog("mallory", "recv", "bytes from the peer", 61.0, 3_400_000),
    Backlog("李雷", "runs", "Presence._send", 0.0, 0),
    Backlog("ann", "recv", "bytes from the peer", 1.5, 0),
)
NUMBERS = Numbers(
    up=3725.0, members=20, connections=21, newcomers=2, waiting=7, blocked=1, behind=1, shared=3_000_000,
    own=400_000, owned=30, ended=1, joined=24, reaped=12.0, given_up=1,
)  # fmt: skip
LATELY = Lately(
    1.0, 212, 4452, 428_000, 118, 0, 1.8, 0.0004, 0.0009, 0.0016, (60, 20, *([0] * (len(SIZE_STEPS) - 1)))
)
SEEN = Watched("127.0.0.1:5050", Picture(NUMBERS, GROUPS, MEMBERS), LATELY)

ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\r\x1b\[[0-9]+C")
"""Colours of ours, and pins."""

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def painted(seen: Watched, columns: int, lines: int) -> list[str]:
    """The rows as a screen of this size shows them."""
    screen = Screen(columns, lines)
    made = rows(seen, columns, lines, COLOURED)
    assert len(made) <= lines
    for number, row in enumerate(made):
        screen.feed(f"\x1b[{number + 1};1H{row}")
        assert screen.cursor.y == number and screen.cursor.x < columns
    assert screen.obeyed == [] and not screen.scrollback
    return screen.rows()


def test_the_usual_screen() -> None:
    """80 by 24: figures, threads with what they wait for, members. Who is at rest makes room."""
    assert painted(SEEN, 80, 24) == [
        "127.0.0.1:5050  up 62 min  20 in  21 connections  2 coming in           q: quit",
        "lines          212/s     4,452/s deliveries     428 kB/s",
        "queue            7    wait     0.4 ms  1 wait for room",
        "batches        118/s  of   1.8  stored     0.9 ms  sent     1.6 ms",
        "reaper          24    joined  1 to join  30 owned  the last 12 s ago",
        "backlogs     3.4 MB   1 behind  0 pauses  1 ended",
        "",
        "threads           31  wait for                               longest",
        "accept             1  accept    a connection",
        "forwarder          1  condition work in the queue              0.2 s",
        "flusher            1  select    a socket with room",
        "catch-up           1  condition somebody to catch up",
        "history            1  flag      its next look",
        "disk               1  flag      its next look",
        "server-reaper      1  flag      its next second",
        "connection         2  recv      bytes from the peer",
        "handler           18  recv      bytes from the peer             61 s",
        "handler            1  runs      Presence._send                 0.0 s",
        "handler            1  condition room in the queue              0.1 s",
        "",
        "members             backlog  wait for                                 quiet",
        "mallory              3.4 MB  recv      bytes from the peer             61 s",
        "李雷                    0 B  runs      Presence._send                 0.0 s",
        "ann                     0 B  recv      bytes from the peer            1.5 s",
    ]


def test_a_small_screen() -> None:
    """40 by 12: no headings and no members, and the columns that matter."""
    assert painted(SEEN, 40, 12) == [
        "127.0.0.1:5050  up 62 min       q: quit",
        "lines          212/s",
        "queue            7    wait     0.4 ms",
        "batches        118/s  of   1.8",
        "accept           1  a connection",
        "forwarder        1  work in the queue",
        "flusher          1  a socket with room",
        "server-reaper    1  its next second",
        "connection       2  bytes from the peer",
        "handler         18  bytes from the peer",
        "handler          1  runs Presence._send",
        "handler          1  room in the queue",
    ]


def test_a_large_screen() -> None:
    """120 by 40: members beside the threads, and how large batches were."""
    shown = painted(SEEN, 120, 40)
    assert shown[6].startswith("sizes     1: 60    2-3: 20    4-10: –")
    assert shown[8].startswith("threads           31  wait for") and "members " in shown[8]
    assert "main " in shown[9] and "mallory " in shown[9] and "somebody to catch up" in shown[13]


def test_what_keeps_its_place() -> None:
    """Whatever the numbers are, each stands where it stood: the eye finds what has changed."""
    quiet = SEEN._replace(lately=LATELY._replace(lines=0, deliveries=9, delivered=0, rounds=0, waited=1.5))
    loud = SEEN._replace(lately=LATELY._replace(lines=9999, deliveries=999_999, delivered=9e7, rounds=999))
    for one, other in zip(painted(quiet, 80, 24), painted(loud, 80, 24), strict=True):
        assert [match.start() for match in re.finditer("deliveries|wait |of |stored |sent ", one)] == [
            match.start() for match in re.finditer("deliveries|wait |of |stored |sent ", other)
        ]
    fewer = SEEN._replace(picture=Picture(NUMBERS, GROUPS[:9], MEMBERS))
    assert painted(fewer, 80, 24)[19:] == painted(SEEN, 80, 24)[19:]


def test_trouble_takes_the_first_row() -> None:
    """Why no new picture comes stands above the latest one; before the first one there is nothing else."""
    lost = SEEN._replace(trouble="no answer for 3 s")
    assert painted(lost, 80, 24)[0].split("  ")[:2] == ["127.0.0.1:5050", "no answer for 3 s"]
    assert painted(lost, 80, 24)[1:] == painted(SEEN, 80, 24)[1:]
    away = SEEN._replace(trouble="cannot connect to 127.0.0.1:5050")
    assert painted(away, 50, 24)[0] == "cannot connect to 127.0.0.1:5050          q: quit"
    assert painted(Watched("here:1"), 30, 24)[0] == "here:1  looking       q: quit"


def test_a_large_backlog_is_coloured() -> None:
    """A member who is behind has the colour of what must not be missed; its bytes say it, too."""
    for count, coloured in ((BEHIND_BYTES + 1, True), (BEHIND_BYTES, False)):
        members = (Backlog("bob", "recv", "bytes from the peer", UNKNOWN, count),)
        made = rows(SEEN._replace(picture=Picture(NUMBERS, GROUPS, members)), 80, 24, COLOURED)
        (row,) = [row for row in made if "bob" in row]
        assert (COLOURED.notice in row) is coloured


@pytest.mark.parametrize("text", [*DRIVING, *DECEIVING, *WIDE_AND_NARROW], ids=ascii)
def test_no_name_drives_the_terminal(text: str) -> None:
    """Whatever stands where a name, a kind or a function should, the screen obeys nothing of it."""
    picture = Picture(NUMBERS, (Group(text, text, text), *GROUPS), (Backlog(text, text, text), *MEMBERS))
    seen = Watched(text, picture, LATELY, "")
    assert painted(seen, 60, 24)[4:6] == painted(SEEN, 60, 24)[4:6]
    painted(seen._replace(trouble=text), 30, 8)
    assert not CONTROL.search("".join(block(seen, 60)))


NAMES = st.text(max_size=30)
GROUP = st.builds(Group, NAMES, NAMES, NAMES, st.integers(0, 10**9), st.floats(-1, 1e12))
MEMBER = st.builds(Backlog, NAMES, NAMES, NAMES, st.floats(-1, 1e12), st.integers(0, 2**62))
PICTURES = st.builds(
    lambda numbers, group, member, many: Picture(
        numbers, (group,) * many + GROUPS, (member,) * (many % 7) + MEMBERS
    ),
    st.sampled_from([NUMBERS, Numbers(up=1e12, members=2**62, lines=2**62, own=2**62)]),
    GROUP,
    MEMBER,
    st.integers(0, 30),
)


@given(PICTURES, st.sampled_from([None, LATELY]), st.integers(1, 130), st.integers(1, 45))
def test_no_row_is_longer_than_the_screen(
    picture: Picture, lately: Lately | None, columns: int, lines: int
) -> None:
    """At every size, rows are as many and as wide as fit."""
    made = rows(Watched("here:1", picture, lately), columns, lines, COLOURED)
    assert len(made) <= lines
    for row in made:
        shown = ESCAPES.sub("", row)
        assert not CONTROL.search(shown) and text_width(shown) <= max(1, columns - 1)


@given(st.integers(1, 130), st.integers(1, 45))
def test_it_fills_the_screen_in_steps(columns: int, lines: int) -> None:
    """A larger screen never shows fewer rows, and no two rows are the same by mistake."""
    made = [row for row in rows(SEEN, columns, lines, PLAIN) if row]
    assert len(made) >= min(lines, 4)
    if columns > 45:
        assert len(set(made)) == len(made)


def test_lines_for_a_pipe() -> None:
    """Between pipes all threads and members are told, without an escape sequence."""
    lines = block(SEEN, 100)
    assert lines[0] == "127.0.0.1:5050  up 62 min  20 in  21 connections  2 coming in"
    assert len(lines) == 1 + 6 + len(GROUPS) + len(MEMBERS)
    assert all(line.isprintable() and line == line.rstrip() for line in lines)

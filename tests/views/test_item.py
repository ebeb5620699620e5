"""Tests of the words, colours and rows of an item."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from colorama import Fore
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import SET_COUNTED, Event, EventKind
from tests.views.attacks import texts
from tests.views.screen import readable
from views.item import (
    Theme,
    describe,
    format_item,
    format_pending,
    item_of,
    local_time,
    name_colour,
    plain_line,
)
from views.text import Style

DAY = 24 * 3600 * 1000
PLAIN, COLOURED = Theme(False), Theme(True)


def utc(milliseconds: int) -> datetime:
    """The time in UTC, so that a test does not depend on the local time zone."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def said(text: str, author: str = "bob", time: int = 0) -> Event:
    return Event(1, time, EventKind.SAID, "#general", author, text)


def test_a_channel_that_becomes_counted_has_its_words() -> None:
    """Whoever is in is told why nobody is said to come or go any more."""
    event = Event(1, 0, EventKind.SET, "#general", "", "", extra=SET_COUNTED)
    assert describe(event) == "#general is large: from now on its members are only counted; see /who"


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (EventKind.JOINED, "", "bob joined"),
        (EventKind.LEFT, "", "bob left"),
        (EventKind.LEFT, "gone home", "bob left (gone home)"),
        (EventKind.QUIT, "", "bob left"),
        (EventKind.QUIT, "gone home", "bob left (gone home)"),
        (EventKind.RESTARTED, "", "the server was restarted"),
        (EventKind.RENAMED, "rob", "bob is now rob"),
        (EventKind.SET, "", "the settings of #general have changed"),
        (EventKind.TOPIC, "tea", "bob set the topic: tea"),
        (EventKind.TOPIC, "", "bob removed the topic"),
        (EventKind.KICKED, "eve", "bob removed eve"),
        (EventKind.KICKED, "eve too loud", "bob removed eve: too loud"),
    ],
)
def test_each_kind_has_its_words(kind: EventKind, text: str, words: str) -> None:
    """Each kind of event has its sentence, the same on a terminal and in a pipe."""
    event = Event(1, 0, kind, "#general", "bob", text)
    assert describe(event) == words
    [row] = format_item(item_of(event, "ann", utc), 80, PLAIN)
    assert row == f"00:00 -- {words}"
    assert plain_line(event, utc) == f"00:00 -- {words}"


def test_a_line_is_time_name_and_text() -> None:
    """A said line is shown as time (dim), name (in its colour) and text."""
    [row] = format_item(item_of(said("hi"), "ann", utc), 80, COLOURED)
    assert row == f"{Style.DIM}00:00 {Style.RESET}{name_colour('bob')}bob{Style.RESET}: hi"
    assert format_item(item_of(said("hi"), "ann", utc), 80, PLAIN) == ["00:00 bob: hi"]


def test_long_lines_go_on_below_their_text() -> None:
    """Later rows are indented to the text, or less below a long name, so that none looks like a new line."""
    assert format_item(item_of(said("a b " * 10), "", utc), 36, PLAIN)[1].startswith(" " * 11 + "a")
    rows = format_item(item_of(said("word " * 20, "averyverylongname"), "", utc), 36, PLAIN)
    assert rows[1].startswith(" " * 6 + "word")
    rows = format_item(item_of(said("one\n12:00 eve: two"), "", utc), 80, PLAIN)
    assert rows == ["00:00 bob: one", "           12:00 eve: two"]


def test_a_narrow_screen_has_no_room_for_the_time() -> None:
    """A screen of fewer than 24 columns shows the name and the text, but no time."""
    assert format_item(item_of(said("hi"), "", utc), 20, PLAIN) == ["bob: hi"]


def test_names_keep_their_colour() -> None:
    """A name has the same colour in every process and in any case; different names have several colours."""
    assert name_colour("Bob") == name_colour("bob")
    assert name_colour("ann") == Fore.LIGHTBLUE_EX  # crc32 is the same in every process, unlike hash()
    assert len({name_colour(f"name{n}") for n in range(50)}) > 5


def test_own_lines_mention_nobody() -> None:
    """A line of another person mentions the reader; the reader's own line does not."""
    assert item_of(said("ann"), "ann", utc).mention
    assert not item_of(said("ann", author="ann"), "ann", utc).mention


def test_pending_lines_look_like_stored_lines() -> None:
    """A pending line has the layout of a stored one, but it is dim and has no time."""
    text = "word " * 20
    pending = [readable(row) for row in format_pending("ann", text, 40, COLOURED)]
    stored = [readable(row) for row in format_item(item_of(said(text, "ann"), "ann", utc), 40, COLOURED)]
    assert pending == [stored[0].replace("00:00", "--:--"), *stored[1:]]
    assert all(Style.DIM in row for row in format_pending("ann", text, 40, COLOURED))


@given(texts, texts, st.sampled_from(list(EventKind)))
def test_plain_lines_are_plain(author: str, text: str, kind: EventKind) -> None:
    """Any event is printed to a pipe as one line without escape sequences."""
    line = plain_line(Event(1, 0, kind, "#general", author, text), utc)
    assert "\x1b" not in line
    assert "\x9b" not in line
    assert "\n" not in line
    assert "\r" not in line


@pytest.mark.parametrize("time", [0, 2**63, 2**64 - 1])
def test_any_time_can_be_shown(time: int) -> None:
    """Any time that the wire can carry is shown; one beyond the calendar is clamped."""
    assert local_time(time)
    assert plain_line(said("x", time=time)).endswith("bob: x")

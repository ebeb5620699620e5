"""Tests of the words of an item."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import SET_COUNTED, Event, EventKind
from chatroom.moments import local_time
from tests.views.attacks import texts
from views.describe import describe
from views.formatting import Theme, format_item
from views.item import item_of, plain_line
from views.palette import Depth

DAY = 24 * 3600 * 1000
PLAIN = Theme(depth=Depth.NONE)


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
        (EventKind.ACCOUNT, "rob", "bob has registered the name rob"),
        (EventKind.ACCOUNT, "", "bob has no registered name any more"),
        (EventKind.SET, "", "the settings of #general have changed"),
        (EventKind.TOPIC, "tea", "bob set the topic: tea"),
        (EventKind.TOPIC, "", "bob removed the topic"),
        (EventKind.KICKED, "", "bob removed somebody"),
        (EventKind.KICKED, "too loud", "bob removed somebody: too loud"),
    ],
)
def test_each_kind_has_its_words(kind: EventKind, text: str, words: str) -> None:
    """Each kind of event has its sentence, the same on a terminal and in a pipe."""
    event = Event(1, 0, kind, "#general", "bob", text)
    assert describe(event) == words
    [row] = format_item(item_of(event, "ann", utc), 130, PLAIN)
    assert row == f"00:00 --              {words}"
    assert plain_line(event, utc) == f"00:00 -- {words}"


def test_own_lines_mention_nobody() -> None:
    """A line of another person mentions the reader; the reader's own line does not."""
    assert item_of(said("ann"), "ann", utc).mention
    assert not item_of(said("ann", author="ann"), "ann", utc).mention


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

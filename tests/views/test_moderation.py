"""views/moderation.py"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatroom.events import (
    BAN_LIST,
    EXEMPT_LIST,
    INVITED_LIST,
    MUTE_LIST,
    Event,
    EventKind,
    Extra,
    Setting,
    extra_row,
)
from chatroom.packets import Role
from tests.support.events import NOON
from tests.views.screen import readable
from views import plain_line
from views.describe import describe
from views.formatting import Theme, format_item
from views.item import item_of
from views.palette import Depth

PLAIN, COLOURED = Theme(depth=Depth.NONE), Theme()
QUIET = COLOURED.palette.quiet

ANN, BOB, LAB = 1, 2, 3
TARGET = extra_row(Extra.TARGET, BOB, 4) + extra_row(Extra.TARGET_NAME, "bob")
GONE = extra_row(Extra.REMOVED, 1, 1)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def event(kind: EventKind, text: str = "", *rows: bytes, place: int = LAB) -> Event:
    channel = "#lab" if place else ""
    return Event(9, NOON, kind, channel, "ann", text, 0, ANN, place, b"".join(rows))


def listed(which: int, *rows: bytes, text: str = "", place: int = LAB) -> Event:
    return event(EventKind.LISTED, text, extra_row(Extra.LIST, which, 1), *rows, place=place)


def until(seconds: int) -> bytes:
    return extra_row(Extra.UNTIL, NOON + 1000 * seconds)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (event(EventKind.KICKED, "", TARGET), "ann removed bob"),
        (event(EventKind.KICKED, "too loud", TARGET), "ann removed bob: too loud"),
        (listed(MUTE_LIST, TARGET, until(600), text="too loud"), "ann muted bob for 10 minutes: too loud"),
        (listed(MUTE_LIST, TARGET), "ann muted bob"),
        (listed(MUTE_LIST, TARGET, GONE), "ann lets bob speak again"),
        (listed(BAN_LIST, TARGET, until(7 * 86400)), "ann banned bob until 2023-11-21 22:13"),
        (listed(BAN_LIST, TARGET, text="spam", place=0), "ann banned bob from the chatroom: spam"),
        (listed(BAN_LIST, TARGET, GONE), "ann lifted the ban of bob"),
        (listed(BAN_LIST, extra_row(Extra.WHOM, "+bob")), "ann banned the network of bob"),
        (listed(BAN_LIST, extra_row(Extra.WHOM, "bobby")), "ann banned bobby"),
        (listed(BAN_LIST), "ann banned somebody"),
        (listed(EXEMPT_LIST, TARGET), "ann exempts bob from bans and mutes"),
        (listed(EXEMPT_LIST, TARGET, GONE), "ann no longer exempts bob from bans and mutes"),
        (listed(INVITED_LIST, TARGET), "ann invited bob"),
        (listed(Role.OPERATOR, TARGET), "ann made bob operator"),
        (listed(Role.OPERATOR, TARGET, place=0), "ann made bob operator of the chatroom"),
        (listed(Role.OPERATOR, TARGET, GONE, place=0), "bob is no longer operator of the chatroom"),
        (event(EventKind.SET, "", bytes((Setting.SLOW, 2, 0, 30))), "ann set #lab: slow, one line in 30 s"),
        (event(EventKind.SET, "", bytes((Setting.SLOW, 2, 0, 0))), "ann set #lab: slow off"),
        (event(EventKind.HAND), "ann raised a hand"),
        (event(EventKind.HAND, "", GONE), "ann took the hand down"),
        (event(EventKind.CALLED, "", TARGET), "bob has the word"),
        (event(EventKind.CALLED), "nobody has the word any more"),
        (event(EventKind.ERASED)._replace(person=0), "all that one person had said is erased"),
        (event(EventKind.ASKED, "why?")._replace(person=0, author=""), "somebody asks: why?"),
        (event(EventKind.AUDITED, "/ban bob"), "ann: /ban bob"),
        (event(EventKind.SAID)._replace(author=""), "this was erased"),
        (event(EventKind.SAID, "", extra_row(Extra.DELETED, 5))._replace(author="erased"), "this was erased"),
        (event(EventKind.JOINED)._replace(author=""), "this was erased"),
    ],
)
def test_acts_in_words(event: Event, words: str) -> None:
    """Each act is a sentence that says who did what to whom, for how long, and why; also in a pipe."""
    assert describe(event, time_of=utc) == words
    assert plain_line(event, utc).endswith(f" -- {words}")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (event(EventKind.KICKED, "too loud", TARGET), "-- ann removed you: too loud"),
        (listed(MUTE_LIST, TARGET, until(600)), "-- ann muted you for 10 minutes"),
        (listed(Role.VOICE, TARGET, GONE), "-- you are no longer voice"),
        (event(EventKind.CALLED, "", TARGET), "*** it is your turn to speak"),
    ],
)
def test_who_is_concerned_is_told_so(event: Event, words: str) -> None:
    """An act against the reader, or for it, says `you`, and is not quiet."""
    [row] = format_item(item_of(event, "bob", utc), 59, PLAIN)
    assert row == f"22:13 {words}"
    [row] = format_item(item_of(event, "bob", utc), 80, COLOURED)
    assert " ".join(readable(row).split()) == f"22:13 {words}"
    assert QUIET not in row.removeprefix(QUIET)
    assert plain_line(event, utc, own_name="bob") == f"22:13 {words}"


def test_an_announcement_is_set_apart() -> None:
    """It begins with three stars, as no line of a person can, and has the colour of what nobody must miss."""
    announced = event(EventKind.ANNOUNCED, "back at noon", place=0)
    words = "*** ann to all: back at noon"
    assert plain_line(announced, utc) == f"22:13 {words}"
    assert format_item(item_of(announced, "bob", utc), 59, PLAIN) == [f"22:13 {words}"]
    [row] = format_item(item_of(announced, "bob", utc), 80, COLOURED)
    assert row.endswith(f"{COLOURED.palette.notice}***{' ' * 13}ann to all: back at noon\x1b[0m")


def test_bad_rows_break_nothing() -> None:
    """A server may send rows that do not add up, or bytes that are no text."""
    rows = extra_row(Extra.LIST, b""), extra_row(Extra.WHOM, b"\xff+"), b"\x0e\xff"
    assert describe(event(EventKind.LISTED, "", *rows)) == "ann made \ufffd+ role"

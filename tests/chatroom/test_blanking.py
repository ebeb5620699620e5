"""Blanking: nothing of what an erased person said is left in its events, and nothing else is changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.blanking import blank
from chatroom.blocks import Block, blanked, encoded, events_of
from chatroom.errors import ProtocolError
from chatroom.events import ERASED_NAME, EXTRA_ROLE, Event, EventKind, Extra, Setting, extra_row, joined_extra
from chatroom.limits import TEXT_PART
from chatroom.packets import encode_event
from tests.chatroom.strategies import events as any_events
from tests.support.events import NOON, said

ANN, BOB = 7, 2
UNTIL = 90
ERASED = {ANN: UNTIL}


def event(
    kind: EventKind, text: str = "", person: int = ANN, extra: bytes = b"", channel: str = "#x"
) -> Event:
    author = {ANN: "ann", BOB: "bob"}[person]
    return Event(9, NOON, kind, channel, author, text, person=person, place=1, extra=extra)


@pytest.mark.parametrize("kind", EventKind)
def test_what_the_person_did(kind: EventKind) -> None:
    """Name and words go. What stays are names of channels, and what somebody with a role did to others."""
    kept = (EventKind.KICKED, EventKind.LISTED, EventKind.INVITED, EventKind.MOVED, EventKind.AUDITED)
    names = (EventKind.RENAMED, EventKind.ACCOUNT)
    now = blank(event(kind, "words"), ERASED)
    assert now.author == ERASED_NAME
    assert now.text == ("words" if kind in kept else ERASED_NAME if kind in names else "")
    assert now._replace(author="ann", text="words", extra=b"") == event(kind, "words")
    assert blank(now, ERASED) == now
    assert blank(event(kind, "words")._replace(seq=UNTIL + 1), ERASED).text == "words"
    assert blank(event(kind, "words", BOB), ERASED) == event(kind, "words", BOB)


def test_a_line_counts_as_deleted() -> None:
    """So every client knows how to show it. What it answers, and to whom it was said, stays."""
    answers = extra_row(Extra.FORM, 1, 1) + extra_row(Extra.REPLY_TO, 3)
    edited = answers + extra_row(Extra.EDITED, 12)
    assert blank(event(EventKind.SAID, "x", extra=edited), ERASED).extra == answers + extra_row(
        Extra.DELETED, UNTIL
    )
    deleted = answers + extra_row(Extra.DELETED, 12)
    assert blank(event(EventKind.SAID, "", extra=deleted), ERASED).extra == deleted


def test_names_in_the_extra() -> None:
    """Those of an account that has joined, of whom somebody did something to; and an operator's network."""
    joined = blank(event(EventKind.JOINED, extra=joined_extra("ann", 2)), ERASED)
    assert joined.extra == joined_extra(ERASED_NAME, 2) and EXTRA_ROLE in joined.extra
    about = extra_row(Extra.LIST, 17, 1) + extra_row(Extra.TARGET, ANN, 4)
    by_bob = event(
        EventKind.LISTED,
        "rude",
        BOB,
        about + extra_row(Extra.TARGET_NAME, "ann") + extra_row(Extra.WHOM, "+ann"),
    )
    now = blank(by_bob, ERASED)
    assert now.extra == about + extra_row(Extra.TARGET_NAME, ERASED_NAME) + extra_row(Extra.WHOM, ERASED_NAME)
    assert now._replace(extra=by_bob.extra) == by_bob
    extra = extra_row(Extra.TARGET, ANN, 4) + extra_row(Extra.TARGET_NAME, "ann")
    audited = blank(event(EventKind.AUDITED, "banned ann: an annoying ann", BOB, extra), ERASED)
    assert audited.text == "banned erased: an annoying erased"
    own = extra_row(Extra.FROM, "192.0.2.7") + extra_row(Extra.IN, 1, 4)
    now = blank(event(EventKind.AUDITED, "asked in #x: why me?", extra=own), ERASED)
    assert (now.text, now.extra) == ("asked", extra_row(Extra.IN, 1, 4))


def test_the_conversation_of_another_one() -> None:
    """What the other one wrote to the person stays, without the person's name."""
    extra = extra_row(Extra.RECEIVER, ANN, 4)
    written = event(EventKind.SAID, "hello ann", BOB, extra, "@ann")
    assert blank(written, ERASED) == written._replace(channel="@erased")


def test_settings_are_no_rows_about_persons() -> None:
    """The keys in the extra of SET are other ones."""
    extra = extra_row(Setting.MODERATED, ANN, 4) + extra_row(5, ANN, 4)
    setting = event(EventKind.SET, person=BOB, extra=extra)
    assert blank(setting, ERASED) == setting
    assert blanked(encoded([setting]), ERASED) == encoded([setting])


@given(st.lists(any_events, min_size=1, max_size=6), st.dictionaries(st.integers(1, 9), st.integers(1, 99)))
def test_a_block(events: list[Event], erased: dict[int, int]) -> None:
    """A block is blanked event by event; one with nothing of the persons is the same object."""
    events = [one._replace(seq=seq, place=1, places=()) for seq, one in enumerate(events, 1)]
    block = encoded(events)
    now = blanked(block, erased)
    assert events_of(now) == [blank(one, erased) for one in events]
    assert now._replace(packets=b"") == block._replace(packets=b"")
    if now.packets == block.packets:
        assert now is block
    assert blanked(now, erased) is now


def test_a_long_line_and_many_persons() -> None:
    """Several packets of one event become one."""
    long = said(5, "x" * (2 * TEXT_PART + 1), person=ANN)
    block = encoded([said(4), long, said(6, person=ANN)._replace(seq=UNTIL + 6)])
    for erased in (ERASED, ERASED | dict.fromkeys(range(100, 120), 50)):
        first, second, third = events_of(blanked(block, erased))
        assert (first, second.text, third.text) == (said(4), "", "line 6")


def test_damage() -> None:
    """What is cut short is not taken for an event."""
    data = encode_event(said(5, person=ANN))
    with pytest.raises(ProtocolError):
        blanked(Block(5, 5, NOON, 1, 1, (), data[:-1]), ERASED)

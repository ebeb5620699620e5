"""The judge of a lesson: it is silent about a right one, and names what is wrong."""

from __future__ import annotations

import pytest

from chatroom.events import Event, EventKind, Extra, Setting, extra_row
from tests.classes.judge import judge

TEACHER, ANN, BOB = 1, 2, 3
NAMES = {0: "", TEACHER: "tess", ANN: "ann", BOB: "bob"}
HUSH, LOUD = extra_row(Setting.MODERATED, 1, 1), extra_row(Setting.MODERATED, 0, 1)


def of(person: int) -> bytes:
    return extra_row(Extra.TARGET, person, 4)


def lesson(*changes: tuple[int, Event]) -> list[Event]:
    """A right lesson; with other events in the places of some."""

    def event(kind: EventKind, person: int, text: str = "", extra: bytes = b"") -> Event:
        return Event(0, 0, kind, "#general", NAMES[person], text, 0, person, 1, extra)

    down = extra_row(Extra.REMOVED, 1, 1)
    events = [
        event(EventKind.SAID, ANN, "hello"),
        event(EventKind.SET, TEACHER, "", HUSH),
        event(EventKind.HAND, ANN),
        event(EventKind.HAND, BOB),
        event(EventKind.CALLED, TEACHER, "", of(ANN)),
        event(EventKind.SAID, ANN, "four"),
        event(EventKind.POLL, TEACHER, "tea? | yes | no"),
        event(EventKind.REVEALED, TEACHER, "tea? | yes | no", extra_row(Extra.VOTES, b"\0\1\0\1")),
        event(EventKind.CALLED, TEACHER, "", of(BOB)),
        event(EventKind.SAID, BOB, "five"),
        event(EventKind.ASKED, 0, "why?"),
        event(EventKind.HAND, ANN),
        event(EventKind.HAND, ANN, "", down),
        event(EventKind.KICKED, TEACHER, "", of(BOB)),
        event(EventKind.SET, TEACHER, "", LOUD),
        event(EventKind.SAID, ANN, "thanks"),
    ]
    for at, other in changes:
        events[at] = other
    return [event._replace(seq=number) for number, event in enumerate(events, 1)]


def wrongs(*changes: tuple[int, Event]) -> list[str]:
    return judge(lesson(*changes), TEACHER, {ANN: 1, BOB: 2}, 2)


def test_silent_about_what_is_right() -> None:
    assert wrongs() == []


GOOD = lesson()


@pytest.mark.parametrize(
    ("at", "other", "said"),
    [
        (5, GOOD[5]._replace(person=BOB, author="bob"), "bob spoke while it was hushed"),
        (9, GOOD[9]._replace(person=ANN, author="ann"), "ann spoke while it was hushed"),
        (4, GOOD[4]._replace(extra=of(BOB)), "person 3 was called, and person 2 had the first hand"),
        (7, GOOD[7]._replace(extra=extra_row(Extra.VOTES, b"\0\1\0\2")), "the votes were [1, 1]"),
        (7, GOOD[7]._replace(kind=EventKind.TOPIC), "1 polls and 0 results"),
        (10, GOOD[10]._replace(person=ANN), "tells who asked"),
        (3, GOOD[3]._replace(person=ANN, author="ann"), "ann raised a hand twice"),
        (15, GOOD[15]._replace(person=BOB, author="bob"), "bob was kicked, and did something"),
    ],
)
def test_what_is_wrong_is_named(at: int, other: Event, said: str) -> None:
    assert any(said in wrong for wrong in wrongs((at, other))), wrongs((at, other))


def test_what_came_twice_is_named() -> None:
    assert judge([*GOOD, GOOD[0]], TEACHER, {ANN: 1, BOB: 2}, 2)

"""Events: immutable, and with one form in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import MUTE_LIST, Event, EventKind, Extra, Talk, extra_row, iso_time
from chatroom.limits import MAX_TIME
from chatroom.packets import EVENT_KINDS
from tests.chatroom import strategies

SAID = Event(3, 1_769_862_896_789, EventKind.SAID, "#general", "ann", "hi", 7)


def test_as_json() -> None:
    """An event in JSON has seq, time, kind, channel, author and text, in this order, and nothing else."""
    assert json.dumps(SAID.as_json()) == (
        '{"seq": 3, "time": "2026-01-31T12:34:56.789Z", "kind": "said", '
        '"channel": "#general", "author": "ann", "text": "hi"}'
    )


@given(strategies.events)
def test_every_event_can_be_json(event: Event) -> None:
    """Every event that the wire allows can be printed as JSON, with the same time."""
    fields = json.loads(json.dumps(event.as_json()))
    assert fields["kind"] == event.kind.name.lower()
    assert fields["text"] == event.text
    moment = datetime.fromisoformat(fields["time"])
    assert (moment - datetime.fromtimestamp(0, UTC)).total_seconds() == pytest.approx(
        event.time / 1000, abs=2e-4
    )


@given(st.integers(0, MAX_TIME), st.integers(0, MAX_TIME))
def test_times_sort_as_text(one: int, other: int) -> None:
    """ISO times sort as text in the order of time: all have the same length and zone."""
    assert (iso_time(one) < iso_time(other)) == (one < other)


@given(strategies.events)
def test_when(event: Event) -> None:
    """The time as programs want it: in UTC, aware of that, to the millisecond."""
    assert event.when.utcoffset() == timedelta(0)
    assert (event.when - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1) == event.time


def test_the_form_of_a_line() -> None:
    """Of a SAID with one; in other events that key may mean something else."""
    extra = extra_row(Extra.FORM, 2, 1)
    assert SAID.form == 0 and SAID._replace(extra=extra).form == 2
    assert SAID._replace(extra=extra, kind=EventKind.SET).form == 0


def test_an_event_cannot_be_changed() -> None:
    """The fields of an event cannot be changed."""
    with pytest.raises(AttributeError):
        SAID.text = "bye"  # type: ignore[misc]


def test_the_events_of_a_talk() -> None:
    """Lines said together are SAID events with consecutive seqs, each with its own id and text."""
    talk = Talk(3, SAID.time, "#general", "ann", 5, 1, [7, 9], [b"hi", "é".encode()])
    first = SAID._replace(person=5, place=1)
    assert talk.events() == [first, first._replace(seq=4, id=9, text="é")]


def test_kind_numbers_are_kept() -> None:
    """The numbers of the kinds are stored in histories and sent on the wire, so they must not change."""
    kept = {
        "said": 0x20,
        "joined": 0x21,
        "left": 0x22,
        "renamed": 0x23,
        "topic": 0x24,
        "kicked": 0x25,
        "quit": 0x28,
        "set": 0x29,
        "restarted": 0x37,
        "counted": 0x61,
    }
    assert kept.items() <= {kind.word: int(kind) for kind in EventKind}.items()
    assert set(EventKind) <= set(EVENT_KINDS)


ABOUT = extra_row(Extra.TARGET, 2, 4) + extra_row(Extra.TARGET_NAME, "bob")
MUTED = extra_row(Extra.LIST, MUTE_LIST, 1) + ABOUT + extra_row(Extra.UNTIL, 1_769_862_900_000)


@pytest.mark.parametrize(
    ("kind", "extra", "more"),
    [
        (EventKind.KICKED, ABOUT, {"target": "bob"}),
        (EventKind.LISTED, MUTED, {"target": "bob", "list": "mute", "until": "2026-01-31T12:35:00.000Z"}),
        (
            EventKind.LISTED,
            extra_row(Extra.LIST, 17, 1) + extra_row(Extra.WHOM, "+bob") + extra_row(Extra.REMOVED, 1, 1),
            {"whom": "+bob", "list": "ban", "removed": True},
        ),
        (EventKind.HAND, extra_row(Extra.REMOVED, 1, 1), {"removed": True}),
        (EventKind.CALLED, ABOUT, {"target": "bob"}),
        (EventKind.REVEALED, extra_row(Extra.VOTES, bytes((1, 44, 0, 0))), {"votes": [300, 0]}),
        (
            EventKind.AUDITED,
            ABOUT + extra_row(Extra.FROM, "192.0.2.7"),
            {"target": "bob", "from": "192.0.2.7"},
        ),
        (EventKind.SAID, extra_row(Extra.REPLY_TO, 2), {}),
        (EventKind.SET, bytes((Extra.TARGET_NAME, 1, 1)), {}),
    ],
)
def test_details_in_json(kind: EventKind, extra: bytes, more: dict[str, object]) -> None:
    """Events about somebody, or with an end or numbers, have these in fields of their own."""
    found = SAID._replace(kind=kind, extra=extra).as_json()
    assert {key: found[key] for key in found.keys() - SAID.as_json().keys()} == more
    assert [*found][:6] == [*SAID.as_json()]


def test_what_programs_ask_of_acts() -> None:
    """Person, name, list, end and numbers, without reading the extra; and what is not there."""
    muted = SAID._replace(kind=EventKind.LISTED, extra=MUTED)
    assert (muted.target, muted.target_name, muted.list) == (2, "bob", "mute")
    assert muted.until == 1_769_862_900_000 and not muted.removed
    nothing = SAID._replace(kind=EventKind.LISTED)
    assert (nothing.target, nothing.target_name, nothing.list, nothing.until) == (0, "", "", 0)
    masked = nothing._replace(extra=extra_row(Extra.LIST, 99, 1) + extra_row(Extra.WHOM, "+bob"))
    assert (masked.target_name, masked.list) == ("+bob", "99")
    edited = SAID._replace(kind=EventKind.EDITED, extra=extra_row(Extra.MESSAGE, 7))
    assert (edited.message, SAID.message) == (7, 0)
    revealed = SAID._replace(kind=EventKind.REVEALED, extra=extra_row(Extra.VOTES, bytes((0, 3, 1))))
    assert revealed.votes == (3,)  # half a number counts for nothing
    far = nothing._replace(extra=extra_row(Extra.UNTIL, 2**63))
    assert far.as_json()["until"] == iso_time(MAX_TIME)
    assert SAID._replace(kind=EventKind.JOINED, extra=ABOUT).target == 0


def test_what_a_line_answers() -> None:
    """The seq of the line; 0: nothing."""
    line = Event(7, 0, EventKind.SAID, "#general", "ann", "yes", 0, 1)
    assert line.reply_to == 0
    assert line._replace(extra=extra_row(Extra.REPLY_TO, 5, 8)).reply_to == 5

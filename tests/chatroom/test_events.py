"""Events: immutable, and with one form in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import Event, EventKind, Talk, iso_time
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

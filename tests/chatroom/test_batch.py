"""The batch: events of one round, encoded once."""

from __future__ import annotations

from unittest import mock

from chatroom.batch import Batch
from chatroom.events import Event, EventKind
from chatroom.packets import Decoder, encode_event
from tests.chatroom.fakes import FakeDoor
from tests.support.events import BOB, NOON, said

ANN = 1
EVENTS = [
    said(1),
    said(2, channel="#quiet", place=2),
    Event(3, NOON, EventKind.QUIT, "", "ann", "bye", 0, ANN, 0, b"", (1, 2)),
    said(4, author="ann", person=ANN),
    Event(5, NOON, EventKind.RESTARTED, "", "", ""),
]
SCOPES = (1, 2, (1, 2), 0)


def test_events_are_grouped_by_whom_they_are_for() -> None:
    """An event of one place, of several places, and of the whole chatroom are groups of their own."""
    assert Batch(EVENTS).groups == {1: [0, 3], 2: [1], (1, 2): [2], 0: [4]}


def test_each_event_is_encoded_once_a_door() -> None:
    """However many audiences a door has, it encodes each event once."""
    native, other = FakeDoor(), FakeDoor()
    batch = Batch(EVENTS)
    for scopes in ((1,), (2,), (1, 2), (1, (1, 2)), SCOPES):
        batch.bytes_for(native, scopes)
        batch.bytes_without(native, scopes, BOB)
    batch.bytes_for(other, (1,))
    assert (native.encoded, other.encoded) == (5, 5)


def test_groups_are_merged_in_order() -> None:
    """An audience gets the bytes of the events of its groups, in order of seq, and of no others."""
    batch, door = Batch(EVENTS), FakeDoor()
    one, two, three, four, five = map(encode_event, EVENTS)
    assert batch.bytes_for(door, (1,)) == [one + four]
    assert batch.bytes_for(door, (0, 2)) == [two + five]
    assert batch.bytes_for(door, (1, (1, 2))) == [one + three + four]
    assert batch.bytes_for(door, SCOPES) == [one + two + three + four + five]


def test_without_the_lines_of_one_author() -> None:
    """For a door that does not echo, an author's own lines are left out, and nothing else of the author."""
    batch, door = Batch(EVENTS), FakeDoor(echoes=False)
    one, two, three, four, five = map(encode_event, EVENTS)
    assert batch.bytes_without(door, SCOPES, ANN) == [one + two + three + five]
    assert batch.bytes_without(door, SCOPES, BOB) == [three + four + five]
    assert batch.bytes_without(door, (2,), BOB) == []


def test_a_large_batch_is_cut_between_events() -> None:
    """A large batch comes in pieces of whole events, none much longer than the bound; nothing is lost."""
    batch, door = Batch(EVENTS * 10), FakeDoor()
    encoded = list(map(encode_event, EVENTS * 10))
    with mock.patch("chatroom.batch.BATCH_PIECE", 200):
        pieces = batch.bytes_for(door, SCOPES)
    assert b"".join(pieces) == b"".join(encoded) and len(pieces) > 5
    assert max(map(len, pieces)) <= 200 + max(map(len, encoded))
    assert all(Decoder().feed(piece) for piece in pieces)

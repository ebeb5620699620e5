"""The batch: events of one round, encoded once."""

from __future__ import annotations

import time
from itertools import pairwise
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from chatroom.batch import Batch
from chatroom.events import Event, EventKind, Talk
from chatroom.packets import Decoder, encode_event
from tests.chatroom import strategies
from tests.chatroom.fakes import FakeDoor
from tests.support.blocks import flat
from tests.support.events import BOB, NOON, said

ANN = 1
EVENTS = [
    said(1),
    said(2, channel="#quiet", place=2),
    Event(3, NOON, EventKind.QUIT, "", "ann", "bye", 0, ANN, 0, b"", (1, 2)),
    said(4, author="ann", person=ANN),
    Event(5, NOON, EventKind.RESTARTED, "", "", ""),
]
SCOPES = ((1,), (2,), (1, 2), (0,))


def talk(first: int, *texts: bytes, person: int = BOB, place: int = 1) -> Talk:
    """Lines that came together."""
    ids = range(10 * first, 10 * first + len(texts))
    return Talk(first, NOON, "#general", "bob", person, place, ids, texts)


def test_events_are_grouped_by_whom_they_are_for() -> None:
    """An event of one place, of several places, and of the whole chatroom are blocks of their own."""
    batch = Batch(EVENTS)
    assert batch.scopes == SCOPES and batch.last == 5
    assert [block.scope for block in batch.blocks()] == list(SCOPES)
    assert [flat([block]) for block in batch.blocks()] == [
        [EVENTS[0], EVENTS[3]],
        [EVENTS[1]],
        [EVENTS[2]],
        [EVENTS[4]],
    ]


def test_blocks_of_one_scope_are_one() -> None:
    """A batch of one channel is one block, with the lines counted, and the highest id of each talker."""
    joined = Event(3, NOON, EventKind.JOINED, "#general", "eve", "", 0, 9, 1)
    first, line, last = talk(1, b"a", b"b"), said(4, id=7, person=ANN), talk(5, b"c")._replace(time=NOON + 1)
    (block,) = Batch([first, joined, line, last]).blocks()
    assert (block.first, block.last, block.time, block.lines) == (1, 5, NOON + 1, 4)
    assert dict(block.talkers) == {BOB: 50, ANN: 7}
    assert flat([block]) == [*first.events(), joined, line, *last.events()]


def test_no_block_goes_on_behind_what_the_records_know() -> None:
    """Lines that the records know, and lines that a start has to look at, are in different blocks."""
    batch = Batch([talk(1, b"a", b"b"), talk(3, b"c"), talk(4, b"d")])
    borders = {noted: [(block.first, block.last) for block in batch.blocks(noted)] for noted in (0, 2, 4)}
    assert borders == {0: [(1, 4)], 2: [(1, 2), (3, 4)], 4: [(1, 4)]}


def test_a_quit_of_one_place_among_its_lines() -> None:
    """Who was in one channel only leaves in the same block as the lines of that channel: no place is lost."""
    quit = Event(2, NOON, EventKind.QUIT, "", "ann", "bye", 0, ANN, 0, b"", (1,))
    for events in ([said(1), quit], [quit, said(3)], [said(1), quit, said(3)]):
        (block,) = Batch(events).blocks()
        assert (block.place, block.places) == (1, ()) and flat([block]) == events


def test_nothing_happened() -> None:
    """A batch without events has no block and no bytes, for nobody."""
    batch = Batch([])
    assert (batch.pieces, batch.scopes, batch.last, batch.blocks()) == ([], (), 0, [])
    assert batch.bytes_for(FakeDoor(), ()) == [] and batch.authors() == frozenset()


@given(strategies.talks, st.integers(1, 400))
def test_the_pieces_of_a_talk(talk: Talk, size: int) -> None:
    """Lines that came together are cut into pieces of whole lines, which say what they have; none is lost."""
    with mock.patch("chatroom.batch.BLOCK_BYTES", size):
        pieces = Batch([talk]).pieces
    assert [event for piece in pieces for event in flat([piece])] == talk.events()
    for piece in pieces:
        events = flat([piece])
        assert (piece.first, piece.last, piece.lines) == (events[0].seq, events[-1].seq, len(events))
        assert (piece.time, piece.place, piece.places) == (talk.time, talk.place, ())
        assert piece.talkers == ((talk.person, events[-1].id),)


def test_the_size_of_the_pieces_of_a_talk() -> None:
    """Lines of equal length are cut into pieces of at most BLOCK_BYTES; what fits is one piece."""
    (one,) = Batch([talk(1, b"x" * 100)]).pieces
    with mock.patch("chatroom.batch.BLOCK_BYTES", 4 * len(one.packets)):
        assert [piece.lines for piece in Batch([talk(1, *[b"x" * 100] * 4)]).pieces] == [4]
        assert [piece.lines for piece in Batch([talk(1, *[b"x" * 100] * 10)]).pieces] == [4, 4, 2]
    with mock.patch("chatroom.batch.BLOCK_BYTES", 1):
        assert [piece.lines for piece in Batch([talk(1, *[b"x" * 100] * 3)]).pieces] == [1, 1, 1]


@given(st.lists(st.tuples(st.sampled_from([1, 2, (1, 2), 0]), st.integers(0, 3)), max_size=8), st.booleans())
def test_talks_are_the_same_as_their_events(
    made: list[tuple[int | tuple[int, ...], int]], echoes: bool
) -> None:
    """Whether lines come together or as an event each: the same bytes for each audience, the same blocks."""
    happened: list[Event | Talk] = []
    seq = 1
    for scope, lines in made:
        if isinstance(scope, tuple):
            happened.append(Event(seq, NOON, EventKind.QUIT, "", "ann", "bye", 0, ANN, 0, b"", scope))
        elif lines and scope:
            texts = [f"é{number}".encode() for number in range(lines)]
            happened.append(talk(seq, *texts, person=ANN if seq % 2 else BOB, place=scope))
        else:
            happened.append(Event(seq, NOON, EventKind.RESTARTED, "", "", "", place=scope))
        seq += lines if isinstance(happened[-1], Talk) else 1
    events = [event for one in happened for event in (one.events() if isinstance(one, Talk) else [one])]
    together, apart, door = Batch(happened), Batch(events), FakeDoor(echoes)
    assert together.last == apart.last == seq - 1
    assert together.scopes == apart.scopes and together.authors() == apart.authors()
    assert together.blocks() == apart.blocks() and flat(together.blocks()) == events
    for scopes in [together.scopes, *[(scope,) for scope in together.scopes]]:
        wanted = [event for event in events if (event.places or (event.place,)) in scopes]
        encoded = b"".join(map(encode_event, wanted))
        assert b"".join(together.bytes_for(door, scopes)) == encoded
        for author in (ANN, BOB):
            others = [e for e in wanted if e.kind is not EventKind.SAID or e.person != author]
            assert b"".join(together.bytes_without(door, scopes, author)) == b"".join(
                map(encode_event, others)
            )


def test_each_piece_is_translated_once_a_door() -> None:
    """However many audiences a door has, it translates what happened once; lines of one author together."""
    native, other = FakeDoor(), FakeDoor()
    batch = Batch(EVENTS)
    for scopes in (((1,),), ((2,),), ((1, 2),), ((1,), (1, 2)), SCOPES):
        batch.bytes_for(native, scopes)
        batch.bytes_without(native, scopes, BOB)
    batch.bytes_for(other, ((1,),))
    assert (native.translated, other.translated) == (5, 5)
    Batch([talk(1, b"a", b"b", b"c")]).bytes_for(native, ((1,),))
    assert native.translated == 6


def test_a_door_gets_its_own_bytes() -> None:
    """A door that speaks another protocol sends what it has made of the packets, also without an author."""

    class Hex(FakeDoor):
        def translate(self, packets: bytes) -> bytes:
            return packets.hex().encode()

    batch, door = Batch(EVENTS), Hex()
    encoded = [encode_event(event).hex().encode() for event in EVENTS]
    assert batch.bytes_for(door, SCOPES) == [b"".join(encoded)]
    assert batch.bytes_for(door, ((2,),)) == [encoded[1]]
    assert batch.bytes_without(door, SCOPES, BOB) == [b"".join(encoded[2:])]
    assert batch.bytes_for(FakeDoor(), ((2,),)) == [encode_event(EVENTS[1])]


def test_who_talked() -> None:
    """authors() has who said something, and nobody who came or went."""
    assert Batch([EVENTS[2], EVENTS[4]]).authors() == frozenset()
    assert Batch([EVENTS[2], talk(6, b"x"), said(7, person=ANN)]).authors() == {ANN, BOB}


def test_groups_are_merged_in_order() -> None:
    """An audience gets the bytes of the events of its groups, in order of seq, and of no others."""
    batch, door = Batch(EVENTS), FakeDoor()
    one, two, three, four, five = map(encode_event, EVENTS)
    assert batch.bytes_for(door, ((1,),)) == [one + four]
    assert batch.bytes_for(door, ((0,), (2,))) == [two + five]
    assert batch.bytes_for(door, ((1,), (1, 2))) == [one + three + four]
    assert batch.bytes_for(door, SCOPES) == [one + two + three + four + five]


def test_without_the_lines_of_one_author() -> None:
    """For a door that does not echo, an author's own lines are left out, and nothing else of the author."""
    batch, door = Batch(EVENTS), FakeDoor(echoes=False)
    one, two, three, four, five = map(encode_event, EVENTS)
    assert batch.bytes_without(door, SCOPES, ANN) == [one + two + three + five]
    assert batch.bytes_without(door, SCOPES, BOB) == [three + four + five]
    assert batch.bytes_without(door, ((2,),), BOB) == []


def test_a_large_batch_is_cut_between_events() -> None:
    """A large batch comes in pieces of whole events, none much longer than the bound; nothing is lost."""
    batch, door = Batch(EVENTS * 10), FakeDoor()
    encoded = list(map(encode_event, EVENTS * 10))
    with mock.patch("chatroom.batch.BATCH_PIECE", 200):
        pieces = batch.bytes_for(door, SCOPES)
    assert b"".join(pieces) == b"".join(encoded) and len(pieces) > 5
    assert max(map(len, pieces)) <= 200 + max(map(len, encoded))
    assert all(Decoder().feed(piece) for piece in pieces)


def test_a_large_batch_is_stored_in_several_blocks() -> None:
    """The blocks of a scope are in order and bounded; together they are all of it."""
    with mock.patch("chatroom.batch.BLOCK_BYTES", 300):
        batch = Batch([event._replace(seq=seq) for seq, event in enumerate(EVENTS * 10, 1)])
        blocks = batch.blocks()
    assert len(blocks) > len(batch.scopes) and max(len(block.packets) for block in blocks) <= 300
    for scope in batch.scopes:
        mine = [block for block in blocks if block.scope == scope]
        assert all(one.last < other.first for one, other in pairwise(mine))
        pieces = [piece for piece in batch.pieces if piece.scope == scope]
        assert b"".join(block.packets for block in mine) == b"".join(piece.packets for piece in pieces)


def test_thousands_are_amended_at_once() -> None:
    """The time does not rise with events and amendments multiplied: both may be thousands in one round."""
    batch = Batch([said(seq) for seq in range(1, 4001)])
    packets = {seq: encode_event(said(seq, text="new")) for seq in range(1, 4001)}
    began = time.thread_time()
    batch.amend(packets)
    assert time.thread_time() - began < 0.3
    assert [event.text for event in flat(batch.blocks())] == ["new"] * 4000

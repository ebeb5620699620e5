"""Blocks: cut, joined, merged and amended, they are what a list of events would be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.blocks import (
    FROM_SAY,
    Block,
    amended,
    cut,
    encoded,
    events_of,
    joined,
    lines_of,
    merged,
    times_of,
)
from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.limits import MAX_NUMBER, TEXT_PART
from chatroom.packets import Ping, encode, encode_event
from chatroom.places import Reach
from tests.chatroom.strategies import LETTERS

SHORT = "x" * 20
LONG = "\u00e9" * (TEXT_PART * 2)
"""A text that makes three packets."""


def event(seq: int, place: int = 1, kind: EventKind = EventKind.SAID, text: str = SHORT) -> Event:
    return Event(seq, 1000 + seq, kind, f"#{place}", "ann", text, seq * 7 % 11, seq % 3 + 1, place)


kinds = st.sampled_from([EventKind.SAID, EventKind.SAID, EventKind.JOINED, EventKind.TOPIC])
texts = st.one_of(st.text(LETTERS, max_size=10), st.just(LONG))
happenings = st.lists(st.tuples(st.integers(1, 4), kinds, texts), min_size=1, max_size=30).map(
    lambda rows: [event(seq, place, kind, text) for seq, (place, kind, text) in enumerate(rows, 1)]
)
"""Events of four places in one order."""

cuts = st.lists(st.integers(1, 30), max_size=5).map(sorted)
seqs = st.integers(0, 31)
intervals = st.lists(st.tuples(seqs, seqs), max_size=3).map(
    lambda pairs: sorted((min(pair), max(pair)) for pair in pairs)
)


def in_batches(events: list[Event], cuts: list[int]) -> list[Block]:
    """The events in blocks: one for each place and each batch, which ends at a seq of `cuts`."""
    found: list[Block] = []
    for after, until in zip([0, *cuts], [*cuts, MAX_NUMBER], strict=True):
        for place in range(1, 5):
            if group := [one for one in events if one.place == place and after < one.seq <= until]:
                found.append(encoded(group))
    return found


def packets(events: list[Event]) -> bytes:
    return b"".join(map(encode_event, events))


@given(events=happenings)
def test_what_is_encoded_is_decoded(events: list[Event]) -> None:
    """A block has its events, and says how many lines it has, and who has said them up to which id."""
    mine = [one._replace(place=1) for one in events]
    block = encoded(mine)
    assert events_of(block) == mine
    assert (block.first, block.last, block.time) == (1, len(mine), mine[-1].time)
    lines = [one for one in mine if one.kind is EventKind.SAID]
    assert block.lines == len(lines) and lines_of(block) == [one.seq for one in lines]
    assert times_of(block) == {one.seq: one.time for one in mine}
    ids = [(one.person, one.id) for one in mine if one.kind in FROM_SAY]
    assert dict(block.talkers) == {
        who: max(id for person, id in ids if person == who) for who in {person for person, _ in ids}
    }


def test_the_scope() -> None:
    """The places of a block are `place`, or `places`, which its events get when they are decoded."""
    quit = Event(1, 2, EventKind.QUIT, "", "ann", "", person=1, places=(2, 5))
    assert encoded([event(1)]).scope == (1,)
    assert encoded([quit]).scope == (2, 5)
    assert events_of(encoded([quit])) == [quit]


@given(events=happenings, cuts=cuts)
def test_joined_blocks_are_one(events: list[Event], cuts: list[int]) -> None:
    """Blocks of one scope, put together, are the block of all their events."""
    mine = [one._replace(place=1) for one in events]
    one, whole = joined(in_batches(mine, cuts)), encoded(mine)
    assert one._replace(talkers=()) == whole._replace(talkers=())
    assert dict(one.talkers) == dict(whole.talkers)


@given(events=happenings, after=seqs, until=seqs)
def test_a_cut(events: list[Event], after: int, until: int) -> None:
    """A cut has exactly the events in an interval; a long event is never torn."""
    assert cut(encoded(events), after, until) == packets([one for one in events if after < one.seq <= until])


def test_what_is_taken_whole_is_no_copy() -> None:
    """A block that is taken as a whole is not copied."""
    block = encoded([event(seq) for seq in range(3, 6)])
    assert cut(block, 2, 5) is not None and merged([block], Reach({1: [(2, 5)]}))[0] is block.packets


@given(
    events=happenings,
    cuts=cuts,
    reach=st.dictionaries(st.integers(1, 4), intervals),
    after=seqs,
    until=seqs,
    seed=st.randoms(),
)
def test_merged_blocks_are_in_order(
    events: list[Event],
    cuts: list[int],
    reach: dict[int, list[tuple[int, int]]],
    after: int,
    until: int,
    seed: st.DrawFn,
) -> None:
    """What is merged has each event within reach once, in order of seq, from blocks in any order."""
    blocks = in_batches(events, cuts)
    seed.shuffle(blocks)  # type: ignore[attr-defined]
    wanted = [
        one
        for one in events
        if after < one.seq <= until and any(begin < one.seq <= end for begin, end in reach.get(one.place, []))
    ]
    assert b"".join(merged(blocks, Reach(reach), after, until)) == packets(wanted)


@given(events=happenings, changed=st.dictionaries(seqs, texts))
def test_amended_packets(events: list[Event], changed: dict[int, str]) -> None:
    """Packets take the place of those of their event, whatever their lengths; other seqs do not count."""
    new = {seq: event(seq, text=text) for seq, text in changed.items()}
    block = amended(encoded(events), {seq: encode_event(one) for seq, one in new.items()})
    assert block.packets == packets([new.get(one.seq, one) for one in events])


@pytest.mark.parametrize(
    "stored", [b"\0", b"\xc7\2\x20", packets([event(2)])[:-1], encode(Ping(1)), packets([event(2)])[:30]]
)
def test_what_is_no_event_is_damage(stored: bytes) -> None:
    """Packets that are not whole, or not those of events, raise ProtocolError."""
    block = encoded([event(1)])
    block = block._replace(packets=block.packets + stored, last=2)
    with pytest.raises(ProtocolError):
        events_of(block)

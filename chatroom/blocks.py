"""Blocks: the packets of events that follow one another, as they are sent, stored, and sent again.

An event is turned to bytes once. The same bytes go to the members, into the history, and from there to those
who missed them. A block belongs to one scope: between its seqs there may be events of other scopes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter, itemgetter
from struct import Struct
from typing import Final, NamedTuple

from chatroom.blanking import Erased, blank, is_about
from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.limits import MAX_NUMBER
from chatroom.packets import HEADER, Decoder, encode_event
from chatroom.places import AUDIT_PLACE, WHOLE_CHATROOM, Interval, Reach

_LENGTH_AND_SEQ = Struct("!4xI12xQ")
"""Of an event's packet: the length of its payload, and the seq with which that begins."""

_LENGTH_SEQ_AND_TIME = Struct("!4xI12xQQ")
_KIND_LENGTH_AND_SEQ = Struct("!2xBxI12xQ")

_BY_WHOM = Struct("!2xBxI12xQ8xI4xHBB")
"""Kind, length of the payload; seq, person, bytes of extra, of author, of channel."""

_FEW_PERSONS: Final = 4
"""Of so few persons it is faster to look for their numbers in the bytes of a block first."""


FROM_SAY: Final = frozenset({EventKind.SAID, EventKind.EDITED, EventKind.DELETED, EventKind.REACTED})
"""The events that come from a SAY, and have its message id."""


class Block(NamedTuple):
    """Some events of one scope.

    first:   seq of the first event
    last:    seq of the last event
    time:    of the last event, in milliseconds since 1970
    lines:   how many of the events are lines (SAID)
    place:   of all events; 0: the whole chatroom, or see `places`
    places:  for events of several places: their numbers
    packets: of the events, in order of seq, in the present version of the protocol
    talkers: for each person that has said some of the lines, or amended lines: the highest message id
    """

    first: int
    last: int
    time: int
    lines: int
    place: int
    places: tuple[int, ...]
    packets: bytes
    talkers: tuple[tuple[int, int], ...] = ()

    @property
    def scope(self) -> tuple[int, ...]:
        """The places to which the events belong."""
        return self.places or (self.place,)


def events_of(block: Block) -> list[Event]:
    """The events of a block. Raises ProtocolError if the packets are not those of events."""
    decoder = Decoder()
    packets = decoder.feed(block.packets)
    decoder.check()
    if decoder.held:
        raise ProtocolError("the last packet of a block is cut short")
    events = [_in_places(packet, block.scope) for packet in packets if isinstance(packet, Event)]
    if len(events) < len(packets):
        raise ProtocolError("a packet of another kind, or of an unknown event, is stored")
    return events


def encoded(events: Sequence[Event]) -> Block:
    """The block of some events of one scope, in order of seq."""
    first, latest = events[0], events[-1]
    highest: dict[int, int] = {}
    lines = 0
    for event in events:
        lines += event.kind is EventKind.SAID
        if event.kind in FROM_SAY:
            highest[event.person] = max(event.id, highest.get(event.person, 0))
    packets = b"".join(map(encode_event, events))
    talkers = tuple(highest.items())
    return Block(first.seq, latest.seq, latest.time, lines, first.place, first.places, packets, talkers)


def event_in(blocks: Iterable[Block], seq: int) -> Event | None:
    """The event `seq`, which one of these blocks may have. Only its own packets are decoded."""
    for block in blocks:
        if block.first <= seq <= block.last and (packets := cut(block, seq - 1, seq)):
            return events_of(block._replace(packets=packets))[0]
    return None


def _in_places(event: Event, scope: tuple[int, ...]) -> Event:
    """The event with the places that its packet does not have."""
    return event if event.place or scope == (WHOLE_CHATROOM,) else event._replace(places=scope)


def joined(blocks: Sequence[Block]) -> Block:
    """Some blocks of one scope as one, in order of seq."""
    if len(blocks) == 1:
        return blocks[0]
    highest: dict[int, int] = {}
    for block in blocks:
        for person, id in block.talkers:
            highest[person] = max(id, highest.get(person, 0))
    first, latest = blocks[0], blocks[-1]
    packets = b"".join([block.packets for block in blocks])
    lines = sum([block.lines for block in blocks])
    talkers = tuple(highest.items())
    return Block(first.first, latest.last, latest.time, lines, first.place, first.places, packets, talkers)


def merged(blocks: Iterable[Block], reach: Reach, after: int = 0, until: int = MAX_NUMBER) -> list[bytes]:
    """The packets of the events after `after` and up to `until` that are within reach, in order of seq.

    blocks: in any order; no event is in two of them
    What is taken whole is the same object as in the block.
    """
    of_scope: dict[tuple[int, ...], list[Interval]] = {}
    wanted: list[tuple[Block, list[Interval]]] = []
    for block in sorted(blocks, key=attrgetter("first")):
        scope = block.scope
        if scope not in of_scope:
            of_scope[scope] = reach.within(scope, after, until)
        if any(begin < block.last and end >= block.first for begin, end in of_scope[scope]):
            wanted.append((block, of_scope[scope]))
    if all(one.last < other.first for (one, _), (other, _) in pairwise(wanted)):
        return [data for block, intervals in wanted for data in parts_in(block, intervals)]
    found: list[tuple[int, bytes]] = []
    for block, intervals in wanted:
        for packets in parts_in(block, intervals):
            found += _split(packets)
    found.sort(key=itemgetter(0))  # merges parts that are sorted already, and keeps the order of parts
    return [b"".join([data for _, data in found])]


def parts_in(block: Block, intervals: Sequence[Interval]) -> list[bytes]:
    """The packets of the events in the intervals (in order, disjoint): the block's own object if it is all.

    At most one object: a list, because there may be none.
    """
    for after, until in intervals:
        if after < block.last and until >= block.first:
            if after < block.first and until >= block.last:
                return [block.packets]
            data = b"".join([data for seq, data in _split(block.packets) if _is_in(seq, intervals)])
            return [data] if data else []
    return []


def cut(block: Block, after: int, until: int) -> bytes:
    """The packets of the events after `after` and up to `until`."""
    return b"".join(parts_in(block, [(after, until)]))


def amended(block: Block, packets: Mapping[int, bytes]) -> Block:
    """The block with other packets for some of its events. Seqs that it does not have do not count."""
    parts: list[bytes] = []
    done: set[int] = set()
    for seq, data in _split(block.packets):
        if seq not in packets:
            parts.append(data)
        elif seq not in done:  # a long event has several packets
            parts.append(packets[seq])
            done.add(seq)
    return block._replace(packets=b"".join(parts)) if done else block


def blanked(block: Block, erased: Erased, asked: Collection[int] = ()) -> Block:
    """The block without what these persons said, and without their names; the same one if it has nothing.

    asked: seqs of their questions, which have no author: see `asked_by`
    Raises ProtocolError as events_of().
    """
    if not erased:
        return block
    block = _without_questions(block, asked) if asked else block
    if len(erased) <= _FEW_PERSONS and not any(
        person.to_bytes(4, "big") in block.packets for person in erased
    ):
        return block
    packets = _concerned(block, erased)
    if not packets:
        return block
    events = events_of(block._replace(packets=b"".join(packets)))
    changed = amended(block, {event.seq: encode_event(blank(event, erased)) for event in events})
    return block if changed.packets == block.packets else changed


def asked_by(block: Block, erased: Erased) -> set[int]:
    """The seqs of the questions of these persons: AUDITED says who asked, and stands directly behind ASKED.

    Whether there is an ASKED, is looked at later. Raises ProtocolError as events_of().
    """
    if block.place != AUDIT_PLACE:
        return set()
    trail = events_of(block)
    return {one.seq - 1 for one in trail if one.person in erased and one.seq <= erased[one.person]}


def questions_in(block: Block) -> list[int]:
    """The seqs of the questions without an author, in order."""
    return _of_kind(block, EventKind.ASKED)


def _without_questions(block: Block, asked: Collection[int]) -> Block:
    seqs = [seq for seq in questions_in(block) if seq in asked]
    events = [event for event in (event_in([block], seq) for seq in seqs) if event is not None and event.text]
    return amended(block, {event.seq: encode_event(event._replace(text="")) for event in events})


def _concerned(block: Block, erased: Erased) -> list[bytes]:
    """The packets of the events by these persons, or about them."""
    data, end, latest = block.packets, len(block.packets), max(erased.values())
    found, start = list[bytes](), 0
    while start < end:
        kind, length, seq, person, extra, author, channel = _BY_WHOM.unpack_from(data, start)
        after = start + HEADER.size + length
        if seq <= latest:
            rows = start + _BY_WHOM.size + author + channel
            if person in erased or (extra and is_about(kind, data[rows : rows + extra], erased)):
                found.append(data[start:after])
        start = after
    _check_end(data, start)
    return found


def split_block(block: Block, size: int) -> list[Block]:
    """The block in parts of at most `size` bytes, or of one event. Raises ProtocolError as events_of()."""
    if len(block.packets) <= size:
        return [block]
    groups, left = list[list[Event]](), 0
    for event in events_of(block):
        length = len(encode_event(event))
        if length > left or not groups:
            groups.append([])
            left = size
        groups[-1].append(event)
        left -= length
    return list(map(encoded, groups))


def lines_of(block: Block) -> list[int]:
    """The seqs of the lines, in order. The packets are not looked at otherwise."""
    return _of_kind(block, EventKind.SAID)


def _of_kind(block: Block, wanted: EventKind) -> list[int]:
    found, start, size, unpack = dict[int, None](), 0, HEADER.size, _KIND_LENGTH_AND_SEQ.unpack_from
    packets, number = block.packets, int(wanted)
    while start < len(packets):
        kind, length, seq = unpack(packets, start)
        if kind == number:
            found[seq] = None  # a long line has several packets
        start += size + length
    _check_end(packets, start)
    return list(found)


def times_of(block: Block) -> dict[int, int]:
    """Time of each event by its seq, in order. The packets are not looked at otherwise."""
    found, start, size, unpack = {}, 0, HEADER.size, _LENGTH_SEQ_AND_TIME.unpack_from
    packets = block.packets
    while start < len(packets):
        length, seq, time = unpack(packets, start)
        found[seq] = time
        start += size + length
    _check_end(packets, start)
    return found


def _split(packets: bytes) -> list[tuple[int, bytes]]:
    """Each packet with the seq of its event. A long event has several packets."""
    found, start, size, unpack = [], 0, HEADER.size, _LENGTH_AND_SEQ.unpack_from
    while start < len(packets):
        length, seq = unpack(packets, start)
        end = start + size + length
        found.append((seq, packets[start:end]))
        start = end
    _check_end(packets, start)
    return found


def _check_end(packets: bytes, end: int) -> None:
    if end != len(packets):
        raise ProtocolError("the last packet of a block is cut short")


def _is_in(seq: int, intervals: Sequence[Interval]) -> bool:
    return any(after < seq <= until for after, until in intervals)

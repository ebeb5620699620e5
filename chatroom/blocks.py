"""Blocks: the packets of events that follow one another, as they are sent, stored, and sent again.

An event is turned to bytes once. The same bytes go to the members, into the history, and from there to those
who missed them. A block belongs to one scope: between its seqs there may be events of other scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter, itemgetter
from struct import Struct
from typing import NamedTuple

from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.limits import MAX_NUMBER
from chatroom.packets import HEADER, Decoder, encode_event
from chatroom.places import WHOLE_CHATROOM, Interval, Reach

_LENGTH_AND_SEQ = Struct("!4xI12xQ")
"""Of an event's packet: the length of its payload, and the seq with which that begins."""

_LENGTH_SEQ_AND_TIME = Struct("!4xI12xQQ")
_KIND_LENGTH_AND_SEQ = Struct("!2xBxI12xQ")


class Block(NamedTuple):
    """Some events of one scope.

    first:   seq of the first event
    last:    seq of the last event
    time:    of the last event, in milliseconds since 1970
    lines:   how many of the events are lines (SAID)
    place:   of all events; 0: the whole chatroom, or see `places`
    places:  for events of several places: their numbers
    packets: of the events, in order of seq, in the present version of the protocol
    talkers: for each person that has said some of the lines: the highest message id
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
        if event.kind is EventKind.SAID:
            lines += 1
            highest[event.person] = max(event.id, highest.get(event.person, 0))
    packets = b"".join(map(encode_event, events))
    talkers = tuple(highest.items())
    return Block(first.seq, latest.seq, latest.time, lines, first.place, first.places, packets, talkers)


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
        found += [(seq, data) for seq, data in _split(block.packets) if _is_in(seq, intervals)]
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


def lines_of(block: Block) -> list[int]:
    """The seqs of the lines, in order. The packets are not looked at otherwise."""
    found, start, size, unpack = dict[int, None](), 0, HEADER.size, _KIND_LENGTH_AND_SEQ.unpack_from
    packets, said = block.packets, int(EventKind.SAID)
    while start < len(packets):
        kind, length, seq = unpack(packets, start)
        if kind == said:
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

"""A batch: what happened in one round of the forwarder, in blocks, and the bytes for each audience."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from chatroom.blanking import Erased
from chatroom.blocks import FROM_SAY, Block, amended, asked_by, blanked, joined
from chatroom.door import Door
from chatroom.events import Event, EventKind, Talk
from chatroom.limits import BATCH_PIECE, BLOCK_BYTES
from chatroom.packets import encode_event, encode_said

Scope = tuple[int, ...]
"""For whom an event is: who is in at least one of these places; 0: the whole chatroom."""


class Batch:
    """Events in order of seq. Each is turned to bytes once, and once more for each door that needs others.

    pieces: what happened, in order of seq; several pieces may be of one scope
    scopes: of all pieces
    last:   seq of the last event
    """

    def __init__(self, happened: Iterable[Event | Talk]) -> None:
        self.pieces: list[Block] = []
        for one in happened:
            if isinstance(one, Talk):
                self.pieces += _pieces_of(one)
            else:
                self.pieces.append(_block_of(one))
        self._indices: dict[Scope, list[int]] = {}  # of the pieces of each scope
        for index, piece in enumerate(self.pieces):
            self._indices.setdefault(piece.scope, []).append(index)
        self.scopes = tuple(self._indices)
        self.last = self.pieces[-1].last if self.pieces else 0
        self._bytes: dict[Door, list[bytes]] = {}

    def blocks(self, noted: int = 0) -> list[Block]:
        """The blocks for the history: as few as can be, but none much larger than BLOCK_BYTES.

        noted: the records know all that was said up to this seq. No block goes on behind it: a start looks
               only at the talkers of those that come after it
        """
        of_scopes = ([self.pieces[index] for index in indices] for indices in self._indices.values())
        return [joined(group) for pieces in of_scopes for group in _groups(pieces, noted)]

    def bytes_of_each(self, door: Door) -> list[bytes]:
        """The bytes of each piece. Everybody gets the same objects, live or in a replay."""
        found = self._bytes.get(door)
        if found is None:
            found = self._bytes[door] = [door.translate(piece.packets) for piece in self.pieces]
        return found

    def bytes_for(self, door: Door, scopes: Sequence[Scope]) -> list[bytes]:
        """The pieces of some scopes, in order of seq, put together anew: the batch keeps no copy.

        Mostly one. A large batch is cut between events, so that a connection can end between pieces.
        """
        encoded = self.bytes_of_each(door)
        if len(scopes) < len(self.scopes):
            encoded = [encoded[index] for index in self._merged(scopes)]
        return _joined(encoded)

    def bytes_without(self, door: Door, scopes: Sequence[Scope], author: int) -> list[bytes]:
        """As bytes_for(), without the lines of one author: for doors that do not echo."""
        encoded, pieces = self.bytes_of_each(door), self.pieces
        return _joined(
            [
                encoded[index]
                for index in self._merged(scopes)
                if all(person != author for person, _ in pieces[index].talkers)
            ]
        )

    def amend(self, packets: Mapping[int, bytes]) -> int:
        """Take other packets for some of the events; by how many bytes the pieces have grown.

        packets: by seq; seqs that the batch does not have do not count
        """
        grown, seqs = 0, sorted(packets)  # there may be thousands, and as many pieces
        for index, piece in enumerate(self.pieces):
            first, end = bisect_left(seqs, piece.first), bisect_right(seqs, piece.last)
            mine = {seq: packets[seq] for seq in seqs[first:end]}
            if mine:
                grown += self._replace(index, amended(piece, mine))
        return grown

    def erase(self, erased: Erased) -> int:
        """Keep nothing of what these persons said, nor their names; by how many bytes it has grown."""
        asked = set[int]().union(*(asked_by(piece, erased) for piece in self.pieces))
        pieces = enumerate(self.pieces)
        return sum([self._replace(index, blanked(piece, erased, asked)) for index, piece in pieces])

    def _replace(self, index: int, changed: Block) -> int:
        """Put a changed piece in the place of another one; by how many bytes it has grown."""
        piece = self.pieces[index]
        if changed is piece:
            return 0
        self.pieces[index] = changed
        for door, encoded in self._bytes.items():
            encoded[index] = door.translate(changed.packets)
        return len(changed.packets) - len(piece.packets)

    def _merged(self, scopes: Sequence[Scope]) -> list[int]:
        """Indices of the pieces of several scopes. Sorting merges lists that are sorted already."""
        if len(scopes) == 1:
            return self._indices[scopes[0]]
        return sorted(chain.from_iterable(self._indices[scope] for scope in scopes))

    def authors(self) -> frozenset[int]:
        """The persons who said something."""
        return frozenset(person for piece in self.pieces for person, _ in piece.talkers)


def _block_of(event: Event) -> Block:
    seq, place, places, packets = event.seq, event.place, event.places, encode_event(event)
    if len(places) == 1:  # it goes into one block with the lines of its place
        place, places = places[0], ()
    lines = int(event.kind is EventKind.SAID)
    talkers = ((event.person, event.id),) if event.kind in FROM_SAY else ()
    return Block(seq, seq, event.time, lines, place, places, packets, talkers)


def _pieces_of(talk: Talk) -> list[Block]:
    """Lines of one author in pieces of about BLOCK_BYTES, so that a replay copies little when it cuts one."""
    first, time, channel, author, person, place, ids, texts = talk
    packets = encode_said(first, time, channel, author, person, place, ids, texts)
    count = len(packets)
    size = sum(map(len, packets))
    step = count if size <= BLOCK_BYTES else max(1, count * BLOCK_BYTES // size)
    return [
        Block(
            first + start,
            first + end - 1,
            time,
            end - start,
            place,
            (),
            b"".join(packets[start:end]),
            ((person, ids[end - 1]),),
        )
        for start in range(0, count, step)
        for end in (min(start + step, count),)
    ]


def _groups(pieces: list[Block], noted: int) -> Iterator[list[Block]]:
    """The pieces in groups of at most BLOCK_BYTES, or of one piece, on one side of `noted`."""
    group, size = list[Block](), 0
    for piece in pieces:
        size += len(piece.packets)
        if group and (size > BLOCK_BYTES or group[-1].last <= noted < piece.first):
            yield group
            group, size = [], len(piece.packets)
        group.append(piece)
    yield group


def _joined(encoded: list[bytes]) -> list[bytes]:
    """The same bytes in pieces of about BATCH_PIECE."""
    data = b"".join(encoded)
    if len(data) <= BATCH_PIECE:
        return [data] if data else []
    pieces, part, size = [], list[bytes](), 0
    for one in encoded:
        part.append(one)
        size += len(one)
        if size > BATCH_PIECE:
            pieces.append(b"".join(part))
            part, size = [], 0
    return [*pieces, b"".join(part)] if part else pieces

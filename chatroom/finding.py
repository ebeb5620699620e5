"""Finding what was said: which lines are wanted, and how a page of them is put together, the latest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from struct import Struct
from typing import NamedTuple

from chatroom.blocks import Block
from chatroom.errors import ProtocolError
from chatroom.events import EventKind
from chatroom.limits import MAX_NUMBER, SEARCH_PIECE
from chatroom.names import name_key
from chatroom.packets import HEADER
from chatroom.places import Interval, Reach
from chatroom.search_words import words_of

_FIELDS = Struct("!2xBxI12xQQIIHBB")
"""Of an event's packet: kind, length of the payload; seq, time, person, place, bytes of extra, of author, of
channel."""

_HEAD = Struct("!2xBxI12xQ")
"""The beginning of it: kind, length of the payload, seq."""

_NEVER: Interval = (MAX_NUMBER, 0)
"""Behind the last interval."""


class Line(NamedTuple):
    """A line that was said, as it is stored.

    time:    milliseconds since 1970
    person:  who said it
    place:   where
    author:  the name that the person had, in UTF-8
    extra:   see `Event`
    text:    in UTF-8
    packets: what is sent: a long line has several
    """

    seq: int
    time: int
    person: int
    place: int
    author: bytes
    extra: bytes
    text: bytes
    packets: bytes


def lines_in(block: Block, intervals: Sequence[Interval], kind: EventKind = EventKind.SAID) -> Iterator[Line]:
    """The lines of a block in the intervals (in order, disjoint), in order. Raises ProtocolError.

    kind: of the events; those of other kinds have texts and authors, too
    """
    packets, end, wanted = block.packets, len(block.packets), int(kind)
    start, parts = 0, list[tuple[int, int]]()
    coming = iter(intervals)
    low, high = next(coming, _NEVER)
    while start < end and high:
        found, length, seq = _HEAD.unpack_from(packets, start)
        after = start + HEADER.size + length
        if seq > low:  # most packets come before what is wanted, when it is a single line
            while high and seq > high:
                low, high = next(coming, _NEVER)
            if found == wanted and low < seq <= high:
                if parts and seq != _seq_at(packets, parts[0][0]):
                    yield _line(packets, parts)
                    parts.clear()
                parts.append((start, after))
        start = after
    if start > end:
        raise ProtocolError("the last packet of a block is cut short")
    if parts:
        yield _line(packets, parts)


def _seq_at(packets: bytes, start: int) -> int:
    found: int = _HEAD.unpack_from(packets, start)[2]
    return found


def _line(packets: bytes, parts: Sequence[tuple[int, int]]) -> Line:
    """The line whose packets lie there. Each part repeats the fields."""
    texts = []
    for start, end in parts:
        _, _, seq, time, person, place, extra, author, channel = _FIELDS.unpack_from(packets, start)
        name = start + _FIELDS.size
        rows = name + author + channel
        texts.append(packets[rows + extra : end])
        written, more = packets[name : name + author], packets[rows : rows + extra]
    return Line(seq, time, person, place, written, more, b"".join(texts), packets[parts[0][0] : parts[-1][1]])


@dataclass(frozen=True)
class Wanted:
    """Which lines are wanted.

    reach:  what may be seen of the places that are meant
    words:  all of them are in the line, see `query_words`
    person: who said it, 0: anybody
    author: key of the name that its author had, "": any
    since:  milliseconds since 1970, before which no line is wanted
    after, until: seqs: lines after the first one, up to and with the second one
    """

    reach: Reach
    words: frozenset[str] = frozenset()
    person: int = 0
    author: str = ""
    since: int = 0
    after: int = 0
    until: int = MAX_NUMBER

    @property
    def is_sifted(self) -> bool:
        """Whether an index of words and authors helps."""
        return bool(self.words or self.person or self.author)

    def narrowed(self) -> Wanted:
        """The same without the seqs before and behind everything within reach: nobody looks there."""
        parts = self.reach.within(self.reach.places, self.after, self.until)
        if not parts:
            return replace(self, until=self.after)
        return replace(self, after=parts[0][0], until=parts[-1][1])

    @cached_property
    def _plain(self) -> tuple[bytes, ...]:
        """Words as they stand in a text in ASCII: comparing those first is ten times as fast."""
        return tuple(word.encode() for word in sorted(self.words))

    def matches(self, line: Line) -> bool:
        """Whether the line is wanted, wherever it was said."""
        if self.person and line.person != self.person:
            return False
        if self.author and name_key(line.author.decode(errors="replace")) != self.author:
            return False
        if not self.words:
            return True
        if line.text.isascii():
            lower = line.text.lower()
            if not all(word in lower for word in self._plain):
                return False
        return self.words <= words_of(line.text.decode(errors="replace"))


class Page(NamedTuple):
    """Some lines that were found.

    lines:   in order of seq
    more:    whether there may be earlier ones
    before:  no line from this seq on is missing: the next page has those before it
    indexed: later lines are not in the index yet, so finding them takes longer; 0: there is no index
    """

    lines: list[Line]
    more: bool
    before: int
    indexed: int = 0


_seq = attrgetter("seq")


class Gathering:
    """Puts a page together: it gets blocks or lines, the latest first, until it has enough.

    most:    lines of the page
    size:    bytes of their packets
    expired: whether the time for it is over. It is asked after each SEARCH_PIECE of text

    done: whether it needs no more. Then it has all lines of the page, and knows whether there are more
    """

    def __init__(self, wanted: Wanted, most: int, size: int, expired: Callable[[], bool]) -> None:
        self.wanted = wanted = wanted.narrowed()
        self._most = most
        self._left = size
        self._expired = expired
        self._after = wanted.after  # nothing up to here is wanted
        self._found: list[Line] = []  # the latest first
        self._before = wanted.until + 1
        self.done = False
        self._more = False

    def page(self, indexed: int = 0) -> Page:
        """What was found."""
        before = self._before if self._more else self._found[-1].seq if self._found else self._before
        return Page(self._found[::-1], self._more, before, indexed)

    def scan(self, blocks: Iterable[Block], span: int | None = None, after: int = 0) -> None:
        """Look through blocks that come in order of their first events, the latest first.

        span:  none of them reaches over more seqs; they may overlap. None: they do not overlap
        after: only for lines after this seq
        """
        waiting: list[Line] = []  # lines that a block may come before which is still to come
        for block in blocks:
            # This block, and all that come, have no line from here on.
            bound = block.last + 1 if span is None else block.first + span
            waiting = self._settle(waiting, bound)
            if self.done or self.stop_in_time(bound):
                return
            if bound <= max(self._after, after) + 1:
                break
            if block.time < self.wanted.since:
                self._after = max(self._after, block.last)  # times rise with the seqs
                continue
            waiting += self.matching(block, max(self._after, after))
        self._settle(waiting, 0)

    def matching(self, block: Block, after: int) -> list[Line]:
        """The lines of a block after `after` that are wanted, in order."""
        wanted = self.wanted
        if not block.lines:
            return []
        intervals = wanted.reach.within(block.scope, max(after, wanted.after), wanted.until)
        found, read = list[Line](), 0
        for line in lines_in(block, intervals):
            read += len(line.text)
            if read > SEARCH_PIECE:
                self._expired()  # it lets others go on; the block is read to its end
                read = 0
            if wanted.matches(line):
                found.append(line)
        return found

    def stop_in_time(self, before: int) -> bool:
        """Whether the time is over. before: no line from this seq on is missing.

        It never stops before it has got somewhere: the next page would be the same one again.
        """
        if before > self.wanted.until or not self._expired():
            return False
        self._before, self._more, self.done = before, True, True
        return True

    def _settle(self, waiting: list[Line], bound: int) -> list[Line]:
        """Take the lines from `bound` on; the others."""
        waiting.sort(key=_seq)
        while waiting and waiting[-1].seq >= bound and not self.done:
            self.add(waiting.pop())
        return waiting

    def add(self, line: Line) -> None:
        """Take the next line, the latest first."""
        if self.done:
            return
        if line.time < self.wanted.since:
            self._after, self.done = line.seq, True
            return
        size = len(line.packets)
        if len(self._found) == self._most or (self._found and size > self._left):
            self._more, self.done = True, True
            return
        self._found.append(line)
        self._before = line.seq
        self._left -= size


def gather_following(
    slices: Iterable[Sequence[Block]], wanted: Wanted, most: int, size: int
) -> tuple[list[Line], bool]:
    """The first lines of one place that are wanted, and whether there are more.

    slices: of the place's blocks, the earliest first
    """
    found: list[Line] = []
    for blocks in slices:
        lines = [
            line
            for block in blocks
            for line in lines_in(block, wanted.reach.within(block.scope, wanted.after, wanted.until))
            if wanted.matches(line)
        ]
        for line in sorted(lines, key=_seq):
            if found and line.seq <= found[-1].seq:  # a block that goes on comes again with the next slice
                continue
            size -= len(line.packets)
            if len(found) == most or (found and size < 0):
                return found, True
            found.append(line)
    return found, False

"""Finding: lines in blocks, what matches, pages. What SQLite adds is in tests/server/test_search.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.blocks import Block, encoded
from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.finding import Gathering, Wanted, gather_following, lines_in
from chatroom.limits import MAX_NUMBER, SEARCH_PIECE, TEXT_PART
from chatroom.packets import encode_event
from chatroom.places import Interval, Reach
from chatroom.search_words import query_words

ALL: list[Interval] = [(0, MAX_NUMBER)]


def said(seq: int, text: str = "", place: int = 1, **more: object) -> Event:
    event = Event(seq, 1000 + seq, EventKind.SAID, "#a", "ann", text or f"line {seq}", seq, 7, place, b"")
    return event._replace(**more)  # type: ignore[arg-type]


def block(*seqs: int, place: int = 1) -> Block:
    return encoded([said(seq, place=place) for seq in seqs])


def test_a_line_is_read_as_it_was_sent() -> None:
    """Every field of a line is that of its event, also of one in several packets; others are left out."""
    long = said(2, "é" * TEXT_PART, author="Zoë", extra=b"\x01\x01\x02")
    joined = said(3, kind=EventKind.JOINED)
    plain, other = lines_in(encoded([said(1), long, joined]), ALL)
    assert (plain.seq, plain.time, plain.person, plain.place, plain.text) == (1, 1001, 7, 1, b"line 1")
    assert (other.author.decode(), other.extra, other.text.decode()) == ("Zoë", long.extra, long.text)
    assert (plain.packets, other.packets) == (encode_event(said(1)), encode_event(long))


def test_only_lines_in_the_intervals() -> None:
    """Each interval gets its lines; the last seq of one is in it, the first is not."""
    found = lines_in(block(1, 2, 3, 4, 5, 6), [(0, 1), (2, 4), (5, 5)])
    assert [line.seq for line in found] == [1, 3, 4]
    assert [line.seq for line in lines_in(block(1, 2), [])] == []


def test_a_block_that_is_cut_short() -> None:
    """A packet that is not whole is damage, not a shorter line."""
    whole = block(1, 2)
    with pytest.raises(ProtocolError):
        list(lines_in(whole._replace(packets=whole.packets[:-1]), ALL))


def gather(blocks: list[Block], most: int = 9, size: int = 10**6, **more: object) -> Gathering:
    wanted = Wanted(Reach({1: ALL, 2: ALL}), **more)  # type: ignore[arg-type]
    gathering = Gathering(wanted, most, size, lambda: False)
    gathering.scan(sorted(blocks, reverse=True), 100)
    return gathering


def seqs(gathering: Gathering) -> list[int]:
    return [line.seq for line in gathering.page().lines]


def test_blocks_that_overlap() -> None:
    """The latest lines of all blocks, in order, although each block has earlier and later ones."""
    blocks = [block(1, 5, 9), block(2, 4, 8, place=2), block(3, place=3), block(10, 11, place=2)]
    assert seqs(gather(blocks, 5)) == [5, 8, 9, 10, 11]
    page = gather(blocks, 5).page()
    assert (page.more, page.before) == (True, 5)
    assert seqs(gather(blocks, 5, until=4)) == [1, 2, 4]
    assert not gather(blocks, 5, until=4).page().more


def test_a_page_is_bounded_in_bytes() -> None:
    """A page ends before the line that would be too much; but one line is always there."""
    size = len(encode_event(said(1)))
    assert seqs(gather([block(1, 2, 3)], size=2 * size)) == [2, 3]
    assert seqs(gather([block(1, 2, 3)], size=1)) == [3]


def test_it_stops_at_a_time() -> None:
    """Blocks and lines of an earlier time end the search: earlier ones are not even looked at."""
    looked: list[int] = []

    def blocks() -> Iterator[Block]:
        for one in (block(301, 302), block(201, 202), block(101, 102), block(1, 2)):
            looked.append(one.first)
            yield one

    gathering = Gathering(Wanted(Reach({1: ALL}), since=1202), 9, 10**6, lambda: False)
    gathering.scan(blocks(), 10)
    assert seqs(gathering) == [202, 301, 302] and not gathering.page().more
    assert looked == [301, 201, 101]


def test_nobody_looks_beyond_reach() -> None:
    """Of a long history only the part is looked at that somebody may see."""
    reach = Reach({1: [(10, 20), (30, 40)], 2: [(15, 50)]})
    narrowed = Wanted(reach).narrowed()
    assert (narrowed.after, narrowed.until) == (10, 50)
    narrowed = Wanted(reach, after=12, until=45).narrowed()
    assert (narrowed.after, narrowed.until) == (12, 45)
    narrowed = Wanted(reach, after=60).narrowed()
    assert narrowed.after == narrowed.until


def test_following() -> None:
    """The first lines after a seq, each once, although a block that goes on comes again."""
    wanted = Wanted(Reach({1: ALL}), after=2)
    lines, more = gather_following([[block(1, 2, 3, 4)], [block(3, 4, 5), block(6)]], wanted, 3, 10**6)
    assert ([line.seq for line in lines], more) == ([3, 4, 5], True)
    lines, more = gather_following([[block(1, 2, 3)]], wanted, 3, 10**6)
    assert ([line.seq for line in lines], more) == ([3], False)
    lines, more = gather_following([[block(3, 4)]], wanted, 3, 1)
    assert ([line.seq for line in lines], more) == ([3], True)


def test_matching() -> None:
    """Text, author's number and name are compared; ASCII takes a shorter way to the same answer."""
    (line,) = lines_in(encoded([said(1, "Hello, big World")]), ALL)
    (umlaut,) = lines_in(encoded([said(2, "Zürich", author="Bob")]), ALL)

    def matches(words: str, at: object = line, **more: object) -> bool:
        return Wanted(Reach({}), query_words(words), **more).matches(at)  # type: ignore[arg-type]

    assert matches("WORLD hello") and matches("", person=7) and matches("", author="ann")
    assert not (matches("wor") or matches("zurich") or matches("", person=8) or matches("", author="bob"))
    assert matches("zurich", umlaut) and matches("", umlaut, author="bob")


def test_a_search_asks_within_a_block() -> None:
    """After each SEARCH_PIECE of text it asks whether its time is over: there others can go on. The block is
    read to its end all the same."""
    asked: list[int] = []

    def is_over() -> bool:
        asked.append(1)
        return False

    gathering = Gathering(Wanted(Reach({1: ALL}), query_words("nothing")), 9, 10**6, is_over)
    long = encoded([said(seq, "ж" * (SEARCH_PIECE // 2) + "!") for seq in range(1, 9)])
    assert gathering.matching(long, 0) == [] and len(asked) == 8

"""Tests of the store of the latest items."""

from __future__ import annotations

from datetime import date

import pytest

from tests.views.test_item import DAY, PLAIN, said, utc
from views.formatting import day_name
from views.item import Item, item_of
from views.limits import GROUP_ITEMS, TRANSCRIPT_ITEMS
from views.text import text_width
from views.transcript import Transcript


def test_the_day_is_named_when_it_changes() -> None:
    """A separator comes before the first item of another day, but today's first item needs none."""
    transcript = Transcript(59, PLAIN, date(1970, 1, 2))
    items = [item_of(said("x", time=time), "", utc) for time in (0, 1000, DAY, 2 * DAY)]
    rows = [row for item in items for row in transcript.append(item)]
    assert rows == [
        "      -- Thursday, 1970-01-01",
        "00:00 bob: x",
        "      x",
        "      -- Friday, 1970-01-02",
        "00:00 bob: x",
        "      -- Saturday, 1970-01-03",
        "00:00 bob: x",
    ]
    assert Transcript(59, PLAIN, date(1970, 1, 1)).append(items[0]) == ["00:00 bob: x"]
    assert day_name(date(2026, 11, 23)) == "Monday, 2026-11-23"


def test_the_tail_is_the_latest_rows() -> None:
    """The tail has the latest rows, as many as fit, formatted for the present width."""
    transcript = Transcript(59, PLAIN)
    for n in range(10):
        transcript.append(Item(None, "", f"{n} " + "word " * 7))
    assert transcript.tail(3) == [f"      -- {n} " + "word " * 7 for n in (7, 8, 9)]
    assert transcript.tail(0) == []
    assert len(transcript.tail(99)) == 10
    transcript.resize(28)
    narrow = transcript.tail(99)
    assert len(narrow) == 20
    assert all(text_width(row) < 28 for row in narrow)
    transcript.clear()
    assert transcript.tail(99) == []


def test_the_transcript_is_bounded() -> None:
    """Only the latest TRANSCRIPT_ITEMS items are kept."""
    transcript = Transcript(59, PLAIN)
    for n in range(TRANSCRIPT_ITEMS + 5):
        transcript.append(Item(None, "", str(n)))
    tail = transcript.tail(TRANSCRIPT_ITEMS + 5)
    assert len(tail) == TRANSCRIPT_ITEMS
    assert tail[0] == "      -- 5"


def test_the_transcript_is_bounded_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large items fewer are kept: the memory is bounded, rows included, also after a resize."""
    monkeypatch.setattr("views.transcript.TRANSCRIPT_CHARACTERS", bound := 10_000)
    transcript = Transcript(59, PLAIN)
    for _ in range(30):
        transcript.append(Item(None, "", "e\u0301\u20ac" * 300))
    transcript.resize(40)
    assert len(transcript.tail(bound)) > 20
    transcript.append(Item(None, "", "x"))
    assert sum(map(len, transcript.tail(bound))) <= bound
    transcript.append(Item(None, "", "x" * 2 * bound))
    assert len(transcript.tail(bound)) > 100  # the last one is kept, whatever its size


def group(*items: tuple[str, int]) -> list[str]:
    """The rows of lines: pairs of author and time in seconds."""
    transcript = Transcript(40, PLAIN, date(1970, 1, 1))
    lines = [item_of(said("x", author, 1000 * seconds), "ann", utc) for author, seconds in items]
    return [str(row) for line in lines for row in transcript.append(line)]


def test_who_goes_on_is_named_once() -> None:
    """The time comes again with another minute; the name after others, five minutes, or many lines."""
    assert group(("bob", 0), ("bob", 59), ("bob", 60), ("bob", 61)) == [
        *("00:00 bob: x", "      x", "00:01 x", "      x")
    ]
    assert group(("bob", 0), ("eve", 1), ("bob", 2)) == ["00:00 bob: x", "00:00 eve: x", "00:00 bob: x"]
    rows = group(*(("bob", 60 * minute) for minute in range(8)))
    assert [row for row in rows if "bob" in row] == ["00:00 bob: x", "00:06 bob: x"]
    rows = group(*[("bob", 0)] * (2 * GROUP_ITEMS))
    assert [number for number, row in enumerate(rows) if "bob" in row] == [0, GROUP_ITEMS]


def test_what_ends_a_group() -> None:
    """Whatever is no line of the same speaker; and a line that calls the reader is named."""
    transcript = Transcript(40, PLAIN, date(1970, 1, 1))
    line = item_of(said("x"), "ann", utc)
    rows = [transcript.append(item)[-1] for item in (line, Item(None, "", "joined"), line, line)]
    assert rows == ["00:00 bob: x", "      -- joined", "00:00 bob: x", "      x"]
    [called] = transcript.append(item_of(said("ann: x"), "ann", utc))
    assert called == "00:00>bob: ann: x"

"""The judge: compares the lines that clients said, had confirmed and were shown with history.

A line's identity is its author and text: talkers never say the same text twice. So the judgement does not
rest on the ids and numbers that the programs under test hand out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from tests.chaos.records import Entry, Life

_SHOWN_AT_MOST = 5  # offending lines in one violation


class Wrong(Enum):
    """The kinds of violation, each in the words of the promise that it breaks."""

    LOST = "a confirmed line is not in history"
    DOUBLED = "a line is in history more than once"
    UNSAID = "history holds a line that no talker said"
    DISORDERED = "a talker's lines are not in the order in which they were said"
    SKIPPED = "a talker's line is missing before a later one that was stored"
    UNSTORED = "a client showed an event that is not in history"
    REPEATED = "a client showed an event twice"
    BACKWARDS = "a client showed events against their order"
    GAP = "somebody was not shown an event between others that they were shown"
    BROKEN = "the seqs of history do not follow each other"
    STUCK = "somebody did not get to the end after all faults were over"
    CRASHED = "a program ended or failed by itself"


class Violation(NamedTuple):
    """One broken promise: its kind, the client, and the offending lines."""

    wrong: Wrong
    whose: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        shown = [f"    {line}" for line in self.lines[:_SHOWN_AT_MOST]]
        more = len(self.lines) - _SHOWN_AT_MOST
        return "\n".join(
            [f"{self.wrong.name} ({self.whose}): {self.wrong.value}", *shown]
            + ([f"    … and {more} more"] if more > 0 else [])
        )


def judge(history: Sequence[Entry], lives: Sequence[Life]) -> list[Violation]:
    """Every promise that is broken. Empty: all kept.

    One order for all follows from two checks together: each shown event is at its seq in history, and
    each client showed rising seqs.
    """
    return [
        *_seqs_follow(history),
        *_nothing_unsaid(history, lives),
        *(violation for life in lives for violation in _said_by(life, history)),
        *(violation for life in lives for violation in _shown_to(life, history)),
    ]


def _seqs_follow(history: Sequence[Entry]) -> Iterator[Violation]:
    breaks = [
        f"{later} after {former.seq}" for former, later in pairwise(history) if later.seq != former.seq + 1
    ]
    yield from _found(Wrong.BROKEN, "history", breaks)


def _nothing_unsaid(history: Sequence[Entry], lives: Sequence[Life]) -> Iterator[Violation]:
    said = {(life.name, text) for life in lives for text in life.said}
    unsaid = [str(line) for line in _said(history) if (line.author, line.text) not in said]
    yield from _found(Wrong.UNSAID, "history", unsaid)


def _said_by(life: Life, history: Sequence[Entry]) -> Iterator[Violation]:
    """Judge the lines of one talker."""
    own = [line for line in _said(history) if line.author == life.name]
    times = Counter(line.text for line in own)
    first: dict[str, int] = {}
    for line in own:
        first.setdefault(line.text, line.seq)
    confirmed = set(life.confirmed)
    said = set(life.said)
    stored = [text for text in life.said if text in first]
    yield from _found(Wrong.LOST, str(life), [text for text in life.confirmed if text not in first])
    yield from _found(
        Wrong.DOUBLED, str(life), [str(line) for line in own if line.text in said and times[line.text] > 1]
    )
    yield from _found(
        Wrong.DISORDERED,
        str(life),
        [
            f"{later} (seq {first[later]}) was said after {former} (seq {first[former]})"
            for former, later in pairwise(stored)
            if first[later] < first[former]
        ],
    )
    before = life.said[: life.said.index(stored[-1])] if stored else []
    yield from _found(
        Wrong.SKIPPED, str(life), [text for text in before if text not in first and text not in confirmed]
    )


def _shown_to(life: Life, history: Sequence[Entry]) -> Iterator[Violation]:
    """Judge whether one client was shown a continuous run of its channel's log."""
    stored = {line.seq: line for line in history}
    seqs = [line.seq for line in life.shown]
    yield from _found(
        Wrong.UNSTORED,
        str(life),
        [
            f"{line} — history has: {stored.get(line.seq)}"
            for line in life.shown
            if stored.get(line.seq) != line
        ],
    )
    times = Counter(seqs)
    yield from _found(
        Wrong.REPEATED, str(life), [f"{stored.get(seq, seq)}, {n} times" for seq, n in times.items() if n > 1]
    )
    yield from _found(
        Wrong.BACKWARDS,
        str(life),
        [f"{stored.get(later, later)} after {former}" for former, later in pairwise(seqs) if later < former],
    )
    if seqs:
        low, high = min(seqs), max(seqs)
        missing = [
            str(line)
            for line in history
            if line.channel == life.channel and low < line.seq < high and line.seq not in times
        ]
        yield from _found(Wrong.GAP, str(life), missing)


def _said(history: Iterable[Entry]) -> Iterator[Entry]:
    return (line for line in history if line.kind == "said")


def _found(wrong: Wrong, whose: str, lines: Sequence[str]) -> Iterator[Violation]:
    if lines:
        yield Violation(wrong, whose, tuple(lines))

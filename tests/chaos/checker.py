"""The judge: compares the lines that clients said, had confirmed and were shown with history.

A line's identity is its author and text: talkers never say the same text twice. So the judgement does not
rest on the ids and numbers that the programs under test hand out.
"""

from __future__ import annotations

import math
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
    FOREIGN = "a client showed an event of a channel that it is not in"
    REFUSED = "a client was refused a line, or a part of the history, that it may have"
    TWICE = "somebody joined who had not quit: a return must be silent"
    ABSENT = "somebody did something before they joined or after they quit"
    HASTY = "somebody quit whose place the server had to hold for longer"
    LINGERING = "somebody said goodbye and did not quit at once"
    MISTAKEN = "the number of a person does not mean one client"
    UNTOLD = "a start of the server was not told exactly once, before everything but a quit"
    UNFOLDED = "the entries, applied to a new state, do not give what the server has stored"
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


def judge(
    history: Sequence[Entry], lives: Sequence[Life], hold: int, starts: Sequence[int] = ()
) -> list[Violation]:
    """Every promise that is broken. Empty: all kept.

    hold:   milliseconds for which the server holds the place of a client whose connection broke
    starts: when the server was started, in milliseconds since 1970

    One order for all follows from two checks together: each shown event is at its seq in history, and
    each client showed rising seqs.
    """
    return [
        *_seqs_follow(history),
        *_nothing_unsaid(history, lives),
        *_come_and_go(history, lives, hold),
        *_goodbyes(history, lives),
        *_persons(history, lives),
        *_restarts(history, starts),
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


def _come_and_go(history: Sequence[Entry], lives: Sequence[Life], hold: int) -> Iterator[Violation]:
    """Judge who joined and quit. The server holds a place at least from the last thing that its owner did."""
    goodbyes = _last_events(history, lives)
    here: dict[str, Entry] = {}  # the latest event of each author who is in
    twice, absent, hasty = [], [], []
    for line in history:
        if line.kind == "restarted":
            continue
        latest = here.get(line.author)
        if line.kind == "joined":
            here[line.author] = line
            twice += [str(line)] if latest else []
        elif latest is None:
            absent.append(str(line))
        elif line.kind == "quit":
            del here[line.author]
            if line.time - latest.time < hold and line not in goodbyes:
                hasty.append(f"{line} — {line.time - latest.time} ms after {latest}")
        else:
            here[line.author] = line
    yield from _found(Wrong.TWICE, "history", twice)
    yield from _found(Wrong.ABSENT, "history", absent)
    yield from _found(Wrong.HASTY, "history", hasty)


def _goodbyes(history: Sequence[Entry], lives: Sequence[Life]) -> Iterator[Violation]:
    """Who said goodbye has quit, and for no other reason: the clients say goodbye without one."""
    lingering = [str(line) for line in _last_events(history, lives) if line.kind != "quit" or line.text]
    yield from _found(Wrong.LINGERING, "history", lingering)


def _last_events(history: Sequence[Entry], lives: Sequence[Life]) -> list[Entry]:
    """The last event of each client that has left with a goodbye."""
    last = {line.author: line for line in history}
    return [last[life.name] for life in lives if life.left and life.name in last]


def _persons(history: Sequence[Entry], lives: Sequence[Life]) -> Iterator[Violation]:
    """A person is one life of a client: the next life has no token. All it does until it quits is its own."""
    whose = {(life.name, text): life for life in lives for text in life.said}
    owners: dict[int, Life] = {}
    numbers: dict[str, int] = {}  # of each life
    here: dict[str, int] = {}  # by author
    wrong = []
    for line in history:
        if line.kind == "restarted":
            continue
        life = whose.get((line.author, line.text)) if line.kind == "said" else None
        right = line.person and here.setdefault(line.author, line.person) == line.person
        if life is not None:
            right = right and owners.setdefault(line.person, life) is life
            right = right and numbers.setdefault(str(life), line.person) == line.person
        if line.kind == "quit":
            del here[line.author]
        wrong += [] if right else [str(line)]
    yield from _found(Wrong.MISTAKEN, "history", wrong)


def _restarts(history: Sequence[Entry], starts: Sequence[int]) -> Iterator[Violation]:
    """The first events after a start may be quits of those whose time was over; RESTARTED is the next one."""
    for start, end in pairwise([*starts, math.inf]):
        events = [line for line in history if start <= line.time < end]
        kinds = [line.kind for line in events]
        due = int(bool(events) and history[0].time < start)
        first = next((line for line in events if line.kind != "quit"), None)
        if kinds.count("restarted") != due or (due and (first is None or first.kind != "restarted")):
            yield Violation(Wrong.UNTOLD, "history", tuple(str(line) for line in events))


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
            if line.seq not in stored or not stored[line.seq].shown_as(line)
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
        due = {line.seq for line in _meant_for(life.channel, history)}
        missing = [stored[seq] for seq in due - times.keys() if min(seqs) < seq < max(seqs)]
        yield from _found(Wrong.GAP, str(life), [str(line) for line in sorted(missing)])
        foreign = [stored[seq] for seq in times.keys() - due if seq in stored]
        yield from _found(Wrong.FOREIGN, str(life), [str(line) for line in sorted(foreign)])
    yield from _found(Wrong.REFUSED, str(life), life.refused)


def _meant_for(channel: str, history: Iterable[Entry]) -> Iterator[Entry]:
    """The events that who is in a channel gets: its own, the quits of its members, and each restart."""
    members: set[str] = set()
    for line in history:
        if line.kind == "joined" and line.channel == channel:
            members.add(line.author)
        if line.channel == channel or line.kind == "restarted" or line.author in members:
            yield line
        if line.kind == "quit":
            members.discard(line.author)


def _said(history: Iterable[Entry]) -> Iterator[Entry]:
    return (line for line in history if line.kind == "said")


def _found(wrong: Wrong, whose: str, lines: Sequence[str]) -> Iterator[Violation]:
    if lines:
        yield Violation(wrong, whose, tuple(lines))

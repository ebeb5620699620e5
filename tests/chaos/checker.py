"""The judge: compares the lines that clients said, had confirmed and were shown with history.

`stays.py` judges who came and went, `ownership.py` the accounts.

A line's identity is its author and text: talkers never say the same text twice. So the judgement does not
rest on the ids and numbers that the programs under test hand out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from tests.chaos.ownership import Owners, Thefts, judge_owners
from tests.chaos.records import Entry, Life
from tests.chaos.sanctions import judge_sanctions
from tests.chaos.stays import Presence
from tests.chaos.whereabouts import SHARED, Whereabouts
from tests.chaos.wrongs import Violation, Wrong, found

_NO_THEFTS: Final = Thefts()


def judge(
    history: Sequence[Entry],
    lives: Sequence[Life],
    hold: int,
    starts: Sequence[int] = (),
    thefts: Thefts = _NO_THEFTS,
    rovers: Collection[int] = (),
) -> list[Violation]:
    """Every promise that is broken. Empty: all kept.

    hold:   milliseconds for which the server holds the place of a client whose connection broke
    starts: when the server was started, in milliseconds since 1970
    thefts: what strangers have tried
    rovers: the persons that `rovers.py` judges; here only what others were shown of them

    One order for all follows from two checks together: each shown event is at its seq in history, and
    each client showed rising seqs.
    """
    owners, where = Owners(history, lives), Whereabouts(history)
    rest = [line for line in history if line.person not in rovers or line.kind == "kicked"]
    rest = [line for line in rest if line.kind != "audited" and line.target not in rovers]
    return [
        *_seqs_follow(history),
        *_nothing_unsaid(rest, lives),
        *Presence(rest, lives, hold, owners).judge(),
        *_persons(rest, lives, owners),
        *judge_owners(rest, lives, owners, thefts),
        *judge_sanctions(history, lives),
        *_restarts(history, starts),
        *(violation for life in lives for violation in _said_by(life, history)),
        *(violation for life in lives for violation in _shown_to(life, history, where)),
    ]


def _seqs_follow(history: Sequence[Entry]) -> Iterator[Violation]:
    breaks = [
        f"{later} after {former.seq}" for former, later in pairwise(history) if later.seq != former.seq + 1
    ]
    yield from found(Wrong.BROKEN, "history", breaks)


def _nothing_unsaid(history: Sequence[Entry], lives: Sequence[Life]) -> Iterator[Violation]:
    said = {(name, text) for life in lives for text in life.said for name in life.names}
    unsaid = [str(line) for line in _said(history) if (line.author, line.text) not in said]
    yield from found(Wrong.UNSAID, "history", unsaid)


def _persons(history: Sequence[Entry], lives: Sequence[Life], owners: Owners) -> Iterator[Violation]:
    """A person is one life of a guest (the next life has no token), or the owner of an account.

    All it does until it quits is its own. Who registers stays the same person; who logs in is another one.
    """
    whose = {(name, text): life for life in lives for text in life.said for name in life.names}
    owned: dict[int, str] = {}  # who each number is: a life, or the name of an account
    numbers: dict[str, int] = {}  # of each
    here: dict[str, int] = {}  # by author
    wrong = []
    for line in history:
        if not line.author:  # of the server: it was restarted, or somebody owns it now
            continue
        if line.kind == "kicked":
            here.pop(line.target_name, None)  # nobody may be told that it quits
            continue
        life = whose.get((line.author, line.text)) if line.kind == "said" else None
        right = line.person and here.setdefault(line.author, line.person) == line.person
        if line.kind == "account":
            owned[line.person] = line.author
        if owners.owns(line.author, line.seq):
            right = right and _is(line, line.author, owned, numbers)
        elif life is not None:
            right = right and _is(line, str(life), owned, numbers)
        if line.kind == "quit":
            here.pop(line.author, None)
        wrong += [] if right else [str(line)]
    yield from found(Wrong.MISTAKEN, "history", wrong)


def _is(line: Entry, who: str, owned: dict[int, str], numbers: dict[str, int]) -> bool:
    """Whether the number of the person means this one, and no other number does."""
    return owned.setdefault(line.person, who) == who and numbers.setdefault(who, line.person) == line.person


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
    said = set(life.said)
    own = [line for line in _said(history) if line.author in life.names and line.text in said]
    times = Counter(line.text for line in own)
    first: dict[str, int] = {}
    for line in own:
        first.setdefault(line.text, line.seq)
    confirmed = set(life.confirmed)
    stored = [text for text in life.said if text in first]
    yield from found(Wrong.LOST, str(life), [text for text in life.confirmed if text not in first])
    yield from found(
        Wrong.DOUBLED, str(life), [str(line) for line in own if line.text in said and times[line.text] > 1]
    )
    yield from found(
        Wrong.DISORDERED,
        str(life),
        [
            f"{later} (seq {first[later]}) was said after {former} (seq {first[former]})"
            for former, later in pairwise(stored)
            if first[later] < first[former]
        ],
    )
    before = life.said[: life.said.index(stored[-1])] if stored else []
    settled = confirmed | {one.text for one in life.silenced}
    yield from found(
        Wrong.SKIPPED, str(life), [text for text in before if text not in first and text not in settled]
    )


def _shown_to(life: Life, history: Sequence[Entry], where: Whereabouts) -> Iterator[Violation]:
    """Judge whether one client was shown a continuous run of its channel's log."""
    stored = {line.seq: line for line in history}
    seqs = [line.seq for line in life.shown]
    yield from found(
        Wrong.UNSTORED,
        str(life),
        [
            f"{line} — history has: {stored.get(line.seq)}"
            for line in life.shown
            if line.seq not in stored or not stored[line.seq].shown_as(line)
        ],
    )
    times = Counter(seqs)
    yield from found(
        Wrong.REPEATED, str(life), [f"{stored.get(seq, seq)}, {n} times" for seq, n in times.items() if n > 1]
    )
    yield from found(
        Wrong.BACKWARDS,
        str(life),
        [f"{stored.get(later, later)} after {former}" for former, later in pairwise(seqs) if later < former],
    )
    if seqs:
        persons = _persons_of(life, history)
        due = {line.seq for line in history if _is_due(line, life, persons, where)}
        may = {line.seq for line in history if _is_due(line, life, persons, where, between=True)}
        first = min(seqs) if not life.account else _first_of_its_channel(life)
        last = max(seqs)
        missing = [stored[seq] for seq in due - times.keys() if first < seq < last]
        yield from found(Wrong.GAP, str(life), [str(line) for line in sorted(missing)])
        # Other programs of the person may be in other channels: who quits there is told to all of them.
        others = {line.seq for line in history if not line.channel} if life.account else set()
        foreign = [stored[seq] for seq in times.keys() - may - others if seq in stored]
        yield from found(Wrong.FOREIGN, str(life), [str(line) for line in sorted(foreign)])
    yield from found(Wrong.REFUSED, str(life), life.refused)


def _first_of_its_channel(life: Life) -> int:
    """The first replay has the latest lines of each channel of the person, and one may begin far back."""
    return min((line.seq for line in life.shown if line.channel == life.channel), default=0)


def _persons_of(life: Life, history: Iterable[Entry]) -> set[int]:
    """Who a life was: who has said its lines, and the owner of its account; else whoever had its name."""
    said, lines = set(life.said), [line for line in history if line.author in life.names]
    spoken = {line.person for line in lines if line.kind == "said" and line.text in said}
    owner = {line.person for line in lines if line.author == life.account}
    return spoken | owner or {line.person for line in lines}


def _is_due(
    line: Entry, life: Life, persons: Iterable[int], where: Whereabouts, between: bool = False
) -> bool:
    """Whether a client gets the event, if it has seen earlier ones: who comes into a channel gets what was
    said there before, and nothing after it has left. A channel that was founded again is another place.

    between: also what was said while it was out of the channel, and which it may get when it is in again
    """
    if not line.place and not where.places_of(line) and line.kind not in SHARED:
        return True
    stays = [
        where.stays(person, place)
        for place in where.places_of(line)
        if where.name_of(place) == life.channel
        for person in persons
    ]
    if between:
        return any(line.seq <= one[-1].last for one in stays if one)
    spans = [(stay.first if number else 0, stay.last) for one in stays for number, stay in enumerate(one)]
    return any(first <= line.seq <= last for first, last in spans)


def _said(history: Iterable[Entry]) -> Iterator[Entry]:
    return (line for line in history if line.kind == "said")

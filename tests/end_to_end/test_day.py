"""A school day of eight hours, in seconds: nothing is larger than its limit, or stays when all have gone."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from chatroom.limits import MAX_GUESSED, TAIL_EVENTS
from server.limits import MAX_ADDRESSES, MAX_LAPSES
from tests.end_to_end.day import CLASSES, LIMITS, PUPILS, STRANGERS, Day, all_sizes

HOURS: Final = 8
_SPARE: Final = 64
"""Entries out of date that a heap keeps: see `chatroom/session.py`."""

_NETWORKS: Final = 12  # from which people come
_PEOPLE: Final = CLASSES * (PUPILS + 1) + STRANGERS
_SESSIONS: Final = LIMITS.sessions + LIMITS.held + _PEOPLE  # absent, lost, here or coming

_WITH_GONE: Final = CLASSES * (LIMITS.gone + 1)

BOUNDS: Final = {
    "Sessions.all": _SESSIONS,
    "Agenda._heap": 2 * _SESSIONS + _SPARE,
    "Ranking._networks": 2 * (LIMITS.sessions + LIMITS.held) + 2 * _SPARE,
    "Ranking._ranks[]": 2 * (LIMITS.sessions + LIMITS.held) + 2 * _NETWORKS * _SPARE,
    "Channels.all": LIMITS.places + 1,
    "Channels._memberships": _SESSIONS,
    "Conversations.all": LIMITS.conversations,
    "People._ignoring[]": LIMITS.ignored_in_sum,
    "SpeechPace._ending": 2 * LIMITS.paced + _SPARE,
    "Class.hands": CLASSES * LIMITS.hands,
    "Class.votes": CLASSES * LIMITS.votes,
    "Reading._read[]": _SESSIONS * LIMITS.markers,
    "Presence._seats": _PEOPLE,
    # What is remembered is what came last; nothing of it ends by itself:
    "Amendments._amended": LIMITS.amended,
    "Tail._batches": TAIL_EVENTS,
    "Batch.pieces": TAIL_EVENTS,
    "Batch._indices": TAIL_EVENTS,
    "Batch._indices[]": TAIL_EVENTS,
    "Batch._bytes": TAIL_EVENTS,
    "Batch._bytes[]": 2 * TAIL_EVENTS,
    "Guesses._full_at": MAX_GUESSED,
    "Guesses._soonest": 3 * MAX_GUESSED,
    "Lapses._lapses": MAX_LAPSES,
    "Crowd._free_at": MAX_ADDRESSES,
}
"""The named limits, by the collections that they bound."""

REACHED: Final = (
    "Conversations.all",
    "Amendments._amended",
    "People._ignoring[]",
    "Class.hands",
    "Class.votes",
)
"""What the day has filled up to its limit. Else it would show nothing."""

LASTING: Final = {
    **dict(list(BOUNDS.items())[list(BOUNDS).index("Amendments._amended") :]),
    "Conversations.all": _WITH_GONE,  # of teachers, with others who are not known any more
    "Conversations._begun": 2 * _WITH_GONE,
    "Conversations._from": 2 * _WITH_GONE,
    "Conversations._of_person": 2 * _WITH_GONE,
    "Conversations._of_person[]": 2 * _WITH_GONE,
    "Reading._read": CLASSES,
    "Reading._read[]": CLASSES * LIMITS.markers,
    "Membership.intervals": 2 * CLASSES * LIMITS.intervals,
    "Ranking._networks": _SPARE,
    "Figures._admitted": 5,
    "Figures._refused": 5,
    "Readers._idle": 1,
}
"""What may be there when all have gone: of accounts, and what came last."""


def too_large(found: Counter[str], bounds: dict[str, int]) -> list[str]:
    return [f"{name}: {found[name]} > {most}" for name, most in bounds.items() if found[name] > most]


@pytest.mark.slow
def test_eight_hours_of_a_school(tmp_path: Path) -> None:
    """At each moment the named limits hold; the last hour needs no more than one in the middle; and when all
    have been away for longer than anything lasts, everything is as small as before the first one came."""
    largest: Counter[str] = Counter()

    def judge(day: Day) -> None:
        nonlocal largest
        found = all_sizes(day)
        assert too_large(found, BOUNDS) == []
        largest |= found

    path = tmp_path / "history.db"
    with Day(path, 1, judge) as day:
        day.found()
        day.close_the_school()
        first, hours = all_sizes(day), []
        for number in range(HOURS):
            day.hour(number)
            hours.append(all_sizes(day))
        day.close_the_school()
        last, counts = all_sizes(day), day.counts
        head = day.forwarder.state.head
    assert {name: largest[name] for name in REACHED} == {name: BOUNDS[name] for name in REACHED}, counts
    assert largest["Sessions.all"] > LIMITS.sessions, counts
    grown = [
        f"{name}: {hours[3][name]}, then {size}"
        for name, size in hours[-1].items()
        if size > 1.25 * max(hours[3][name], hours[4][name]) + 20 and name not in BOUNDS
    ]
    assert grown == []
    left = {name: (first[name], size) for name, size in last.items() if size > first[name]}
    assert {name: one for name, one in left.items() if one[1] > LASTING.get(name, 0)} == {}, counts
    with closing(sqlite3.connect(path)) as file:
        (blocks,) = file.execute("SELECT count(*) FROM blocks").fetchone()
    assert head > 20_000 and blocks < 20, (head, blocks)

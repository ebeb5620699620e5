"""The judge of moderators: who was muted, hushed, kicked, and what followed from that.

Like the rest of the judge it uses no code of the server. It keeps the lists by LISTED alone, over all starts
of the server: so it sees whether a start has forgotten something.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from tests.chaos.records import Entry, Life
from tests.chaos.wrongs import Violation, Wrong, found

OWNER, OPERATOR, VOICE, BAN, MUTE = 3, 2, 1, 17, 18
"""Lists, as notes/protocol.md has them."""

_ROLES: Final = (OWNER, OPERATOR, VOICE)
_LOUD: Final = ("said", "edited", "topic")
"""What nobody does who may not speak."""

_MARGIN: Final = 1_000
"""Milliseconds at most between what the server does and what a client records of it."""

_NEAR: Final = 12
"""Events of one entry: a deed of a moderator and its line in the audit trail are not farther apart."""

_AUDITED_LISTS: Final = (OPERATOR, BAN, MUTE)


class _Until(NamedTuple):
    since: int
    until: float


@dataclass
class _Lists:
    """Who is on which list of which place, as far as events tell."""

    until: dict[tuple[int, int, int], float] = field(default_factory=dict)  # by place, list, person
    known: set[int] = field(default_factory=set)  # places of which all is known, from the first JOINED on

    def follow(self, line: Entry) -> None:
        if line.kind == "joined" and line.place not in self.known:
            self.known.add(line.place)
            if line.role == OWNER:
                self.until[line.place, OWNER, line.person] = math.inf
        elif line.kind == "listed" and line.target:
            key = (line.place, line.list, line.target)
            if line.removed:
                self.until.pop(key, None)
            else:
                self.until[key] = line.until or math.inf

    def has(self, place: int, list: int, person: int, time: int) -> bool:
        """Whether the person is on the list, in the place or in the whole chatroom."""
        return any(self.until.get((at, list, person), 0) > time for at in (place, 0))

    def role(self, place: int, person: int, time: int) -> int:
        return next((role for role in _ROLES if self.has(place, role, person, time)), 0)


def judge_sanctions(history: Sequence[Entry], lives: Sequence[Life] = ()) -> Iterator[Violation]:
    """Every promise about moderation that is broken."""
    yield from _spoke(history)
    yield from _audited(history)
    for life in lives:
        yield from _silenced(history, life)
        yield from _heard(life)


def _spoke(history: Sequence[Entry]) -> Iterator[Violation]:
    """Nobody speaks who is muted, or without voice while it is hushed. Who joins has the role by lists."""
    lists, hushed = _Lists(), set[int]()
    spoke, misranked = list[str](), list[str]()
    for line in history:
        if line.kind in _LOUD and not line.receiver:
            role = lists.role(line.place, line.person, line.time)
            if lists.has(line.place, MUTE, line.person, line.time) and role < OPERATOR:
                spoke.append(f"{line} — muted")
            elif line.place in hushed and role < VOICE:
                spoke.append(f"{line} — hushed")
        if line.kind == "joined" and line.place in lists.known:
            role = lists.role(line.place, line.person, line.time)
            misranked += [f"{line} — role {line.role}, and not {role}"] if line.role != role else []
        lists.follow(line)
        if line.hushed >= 0:
            (hushed.add if line.hushed else hushed.discard)(line.place)
    yield from found(Wrong.SPOKE, "history", spoke)
    yield from found(Wrong.MISRANKED, "history", misranked)


def _audited(history: Sequence[Entry]) -> Iterator[Violation]:
    """Each deed against or for somebody has its line in the trail, near to it and at the same time; and the
    lines of the trail are in the order of the deeds."""
    missing, at = list[str](), {line.seq: line for line in history}
    latest, disordered = 0, list[str]()
    for line in history:
        if not (line.kind == "kicked" or (line.kind == "listed" and line.list in _AUDITED_LISTS)):
            continue
        if not line.target or not line.person:
            continue
        near = [at.get(seq) for seq in range(line.seq - _NEAR, line.seq + _NEAR + 1)]
        trail = [
            one.seq
            for one in near
            if one is not None
            and one.kind == "audited"
            and (one.person, one.time, one.within) == (line.person, line.time, line.place)
        ]
        if not trail:
            missing.append(str(line))
            continue
        if trail[-1] < latest:
            disordered.append(str(line))
        latest = max(latest, trail[0])
    yield from found(Wrong.UNAUDITED, "history", missing + disordered)


def _silenced(history: Sequence[Entry], life: Life) -> Iterator[Violation]:
    """A line that was refused was not said; and there was a reason to refuse it."""
    if not life.silenced:
        return
    texts = {one.text for one in life.silenced}
    mine = [line for line in history if line.author in life.names]
    said = [str(line) for line in mine if line.kind == "said" and line.text in texts]
    yield from found(Wrong.UNSAID, str(life), [f"{line} — was refused" for line in said])
    persons = {line.person for line in mine}
    reasons = list(_reasons(history, persons, life.names, life.channel))
    unfair = [
        f"{one.text} — said at {one.said}, known at {one.known}"
        for one in life.silenced
        if not any(since - _MARGIN <= one.known and until + _MARGIN >= one.said for since, until in reasons)
    ]
    yield from found(Wrong.UNFAIR, str(life), unfair)


def _reasons(history: Sequence[Entry], persons: set[int], names: set[str], channel: str) -> Iterator[_Until]:
    """When lines of these persons may have been refused: muted, out of the channel, or hushed.

    names: of a guest the name is muted, too: it may come back as another person
    """
    muted, out, hushed = dict[int, list[float]](), dict[int, int](), dict[int, int]()
    for line in history:
        is_meant = line.target in persons or line.target_name in names
        if line.kind == "listed" and line.list == MUTE and is_meant:
            if line.removed:
                for since in muted.pop(line.target, ()):
                    yield _Until(int(since), line.time)
            else:
                muted.setdefault(line.target, []).append(line.time)
                if line.until:
                    yield _Until(line.time, line.until)
                    muted[line.target].pop()
        elif line.kind == "kicked" and line.target in persons and line.channel == channel:
            out[line.target] = line.time
        elif line.kind == "joined" and line.person in out and line.channel == channel:
            yield _Until(out.pop(line.person), line.time)
        elif line.hushed == 1 and line.channel == channel:
            hushed.setdefault(line.place, line.time)
        elif line.hushed == 0 and line.place in hushed:
            yield _Until(hushed.pop(line.place), line.time)
    for since in (*(one for ones in muted.values() for one in ones), *out.values(), *hushed.values()):
        yield _Until(int(since), math.inf)


def _heard(life: Life) -> Iterator[Violation]:
    """Who is told to be out is shown nothing of the channel, until told to be in, or connected anew."""
    wrong = []
    for (begin, what), (end, _) in pairwise([*life.returns, (len(life.shown), "end")]):
        if what == "out":
            wrong += [str(line) for line in life.shown[begin:end] if line.channel == life.channel]
    yield from found(Wrong.HEARD, str(life), wrong)

"""The judge of accounts: an owned name is its owner's alone, and a new password ends all other programs.

Like the rest of the judge it uses no code of the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from tests.chaos.records import Change, Entry, Life
from tests.chaos.wrongs import Violation, Wrong, found

IN_FLIGHT: Final = 20_000
"""Milliseconds after which a change of the password that nobody has answered was carried out, or never is."""

_MARGIN: Final = 1_000
"""Milliseconds at most between what the server does and what a client records of it."""


@dataclass
class Thefts:
    """What strangers have tried, and what they have got.

    names: which they have asked for: owned ones, and such that look like them
    got:   each with the trick that has helped
    """

    names: set[str] = field(default_factory=set)
    got: list[str] = field(default_factory=list)


class Owners:
    """Who owns which name, from when on."""

    def __init__(self, history: Sequence[Entry], lives: Sequence[Life]) -> None:
        self._accounts = {life.account for life in lives} - {""}
        self._changes = _changes(lives)
        self.since: dict[str, Entry] = {}  # by name: the event that says so
        for line in history:
            if line.kind == "account" and line.text == line.author and line.text in self._accounts:
                self.since.setdefault(line.text, line)

    def owns(self, name: str, seq: int) -> bool:
        """Whether the name belonged to somebody when this event happened."""
        return name in self.since and seq >= self.since[name].seq

    def may_end(self, account: str, begin: int, end: int) -> bool:
        """Whether a change of the password may have ended others between these two times."""
        return any(
            change.sent <= end and (change.answered or change.sent + IN_FLIGHT) >= begin - _MARGIN
            for _, change in self._changes.get(account, ())
        )

    def ended(self, life: Life) -> Iterator[Change]:
        """The changes of the password by other programs that are known to have been carried out."""
        for by, change in self._changes.get(life.account, ()):
            if change.answered and by is not life:
                yield change


def judge_owners(
    history: Sequence[Entry], lives: Sequence[Life], owners: Owners, thefts: Thefts
) -> Iterator[Violation]:
    """Every promise about accounts that is broken."""
    yield from _stolen(history, lives, owners, thefts)
    yield from _survived(history, lives, owners)
    yield from _expelled(history, lives, owners)


def _stolen(
    history: Sequence[Entry], lives: Sequence[Life], owners: Owners, thefts: Thefts
) -> Iterator[Violation]:
    """Judge by the number of the person, by what was said, and by the names that strangers have asked for."""
    own = {(name, text) for life in lives if life.account for text in life.said for name in life.names}
    stolen = list(thefts.got)
    foreign = {_folded(name) for name in thefts.names}
    owned = {_folded(name): entry for name, entry in owners.since.items()}
    for line in history:
        since = owned.get(_folded(line.author))
        if since is not None and line.seq >= since.seq:
            spelled = line.author == since.author
            said = line.kind != "said" or (line.author, line.text) in own
            stolen += [] if line.person == since.person and spelled and said else [str(line)]
        elif since is None and _folded(line.author) in foreign:
            stolen.append(str(line))
    yield from found(Wrong.STOLEN, "strangers", stolen)


def _survived(history: Sequence[Entry], lives: Sequence[Life], owners: Owners) -> Iterator[Violation]:
    """After a change of the password another program says nothing more, unless it has logged in again."""
    for life in lives:
        said = set(life.said)
        mine = [line for line in history if line.author == life.account and line.text in said]
        for change in owners.ended(life) if mine else ():
            before = {one.session for one in life.sessions if one.at < change.sent}
            after = {one.session for one in life.sessions if one.at >= change.sent} - before
            if not before or after:
                continue
            late = [str(line) for line in mine if line.time > change.answered]
            if late:
                yield Violation(Wrong.SURVIVED, str(life), tuple(late))
                break


def _expelled(history: Sequence[Entry], lives: Sequence[Life], owners: Owners) -> Iterator[Violation]:
    """The server ends a session only because of the password. (It also forgets one that has said nothing.)"""
    for life in lives:
        said = set(life.said)
        mine = [line for line in history if line.author == life.account and line.text in said]
        ends = [
            (former.at, later.at)
            for former, later in pairwise(life.sessions)
            if later.session != former.session and not later.login
        ]
        if life.expelled and life.sessions:
            ends.append((life.sessions[-1].at, life.ended_at))
        wrong = [
            f"{life.ending or 'a new session'}, after {spoken[-1]}"
            for begin, end in ends
            if (spoken := [line for line in mine if begin <= line.time < end - _MARGIN])
            and not owners.may_end(life.account, begin - IN_FLIGHT, end)
        ]
        yield from found(Wrong.EXPELLED, str(life), wrong)


def _changes(lives: Sequence[Life]) -> Mapping[str, list[tuple[Life, Change]]]:
    changes: dict[str, list[tuple[Life, Change]]] = {}
    for life in lives:
        for change in life.changes:
            changes.setdefault(life.account, []).append((life, change))
    return changes


def _folded(name: str) -> str:
    return name.casefold()

"""The judge of rovers: who got which event of which place, with which text, also by /history and /grep.

Like the rest of the judge it uses no code of the server; it rests on history and on what the rovers recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tests.chaos.records import Entry
from tests.chaos.roams import Bracket, Connection, Deed, Roam
from tests.chaos.versions import Versions, first_seen
from tests.chaos.whereabouts import SHARED, Whereabouts
from tests.chaos.wrongs import Violation, Wrong, found


def judge_rovers(history: Sequence[Entry], lives: Sequence[Roam]) -> Iterator[Violation]:
    """Every promise of channels, direct conversations, and edits that is broken."""
    where = Whereabouts(history)
    yield from where.wrong
    deeds = {deed.id: deed for life in lives for deed in life.deeds}
    seen = [(line.seq, at) for life in lives for one in life.connections for line, at in one.lines]
    known = first_seen(seen)
    versions = Versions(where, {deed.id: deed.text for deed in deeds.values()}, known)
    yield from versions.wrong
    yield from _made_up(history, lives, deeds)
    for life in lives:
        yield from _deeds(history, life)
        yield from _stream(where, life)
        for number, connection in enumerate(life.connections):
            yield from _delivered(where, versions, life, connection, number)
            yield from _sealed(where, known, f"{life}, connection {number}", connection)
        for bracket in life.brackets:
            yield from _bracket(where, versions, life, bracket)
            yield from _sealed(where, known, f"{life}, {bracket.text}", bracket)


def persons_of(history: Sequence[Entry], lives: Sequence[Roam], names: Sequence[str]) -> frozenset[int]:
    """All persons that were rovers.

    names: theirs: one may have been killed before it knew its number
    """
    known = {one.person for life in lives for one in life.connections}
    return frozenset(known | {line.person for line in history if line.author in names})


def _made_up(history: Sequence[Entry], lives: Sequence[Roam], deeds: dict[int, Deed]) -> Iterator[Violation]:
    """What history has of a rover is what it sent, by the person that it was, to whom it was meant."""
    persons = {one.person for life in lives for one in life.connections}
    unsaid = []
    for line in history:
        if line.person not in persons or line.kind not in ("said", "edited", "deleted", "reacted"):
            continue
        deed = deeds.get(line.id)
        right = deed is not None and (deed.form, deed.receiver, deed.message) == (
            line.kind,
            line.receiver,
            line.message,
        )
        if not right or (line.kind == "reacted" and deed is not None and deed.text != line.text):
            unsaid.append(f"{line} — {deed}")
    yield from found(Wrong.UNSAID, "rovers", unsaid)


def _deeds(history: Sequence[Entry], life: Roam) -> Iterator[Violation]:
    """What was said is there once, in order; what was confirmed is there; what was refused is not."""
    own = {deed.id: deed for deed in life.deeds}
    stored = [line for line in history if line.id in own]
    times = Counter(line.id for line in stored)
    yield from found(
        Wrong.LOST,
        str(life),
        [str(deed) for id, deed in own.items() if id in life.confirmed and not times[id]],
    )
    yield from found(Wrong.DOUBLED, str(life), [str(line) for line in stored if times[line.id] > 1])
    yield from found(
        Wrong.DISORDERED,
        str(life),
        [f"{later} after {former}" for former, later in pairwise(stored) if later.id < former.id],
    )
    yield from found(
        Wrong.UNSAID,
        str(life),
        [f"{line} — was refused with {life.refused[line.id]}" for line in stored if line.id in life.refused],
    )


def _stream(where: Whereabouts, life: Roam) -> Iterator[Violation]:
    """Nothing twice or against the order; nothing is missing of the places that the life was in."""
    shown = [line for one in life.connections for line, _ in one.lines]
    seqs = [line.seq for line in shown]
    times = Counter(seqs)
    yield from found(Wrong.REPEATED, str(life), [str(line) for line in shown if times[line.seq] > 1])
    backwards = [f"{later} after {former}" for former, later in pairwise(seqs) if later < former]
    yield from found(Wrong.BACKWARDS, str(life), backwards)
    if not life.connections:
        return
    # One that broke before anything was shown asks for the latest lines again, and not for what it missed.
    fresh = [one for one in life.connections if not one.since]
    head, since = (fresh or life.connections)[-1].head, life.connections[-1].seen
    starts = dict[int, int]()  # of each place: its first event in the first replay
    stored = where.stored
    for line in shown:
        if line.seq <= head and line.seq in stored and line.kind not in SHARED:
            for place in where.places_of(stored[line.seq]):
                starts[place] = min(starts.get(place, line.seq), line.seq)
    missing = []
    persons = _persons(life)
    for line in where.history:
        if line.seq in times or line.seq > since:
            continue
        person = next((one for until, one in persons if line.seq <= until), persons[-1][1])
        if line.seq > head:
            due = where.is_due(person, line)
        else:
            places = [one for one in where.places_of(line) if line.seq >= starts.get(one, head + 1)]
            due = any(one not in where.sealed or where.is_in(person, one, line.seq) for one in places)
        missing += [str(line)] if due else []
    yield from found(Wrong.GAP, str(life), missing)


def _persons(life: Roam) -> list[tuple[int, int]]:
    """Up to which seq the life was which person: a session that had said nothing may be forgotten."""
    return [(one.seen, one.person) for one in life.connections]


def _delivered(
    where: Whereabouts, versions: Versions, life: Roam, connection: Connection, number: int
) -> Iterator[Violation]:
    """Each event is one of history, for this person, with the text that it had then."""
    whose = f"{life}, connection {number}"
    stored = where.stored
    unstored, foreign, stale = [], [], []
    for line, at in connection.lines:
        known = stored.get(line.seq)
        if known is None or not _same(known, line):
            unstored.append(f"{line} — history has: {known}")
            continue
        if not where.may_see(connection.person, known, at):
            foreign.append(str(line))
        if wrong := versions.stale(known, line, connection.asked, at):
            stale.append(f"{line} — {wrong}")
    for place, behind in connection.channels:
        if place in where.pairs and connection.person not in where.pairs[place]:
            foreign.append(f"CHANNEL of the conversation {place}, behind {behind} events")
    yield from found(Wrong.UNANNOUNCED, whose, _unannounced(where, connection))
    yield from found(Wrong.UNSTORED, whose, unstored)
    yield from found(Wrong.FOREIGN, whose, foreign)
    yield from found(Wrong.STALE, whose, stale)


def _unannounced(where: Whereabouts, connection: Connection) -> list[str]:
    """What came of a place of the person before its CHANNEL. (Up to head it may be of one that was left.)"""
    told: dict[int, int] = {}
    for place, behind in connection.channels:
        told.setdefault(place, behind)
    return [
        str(line)
        for number, (line, _) in enumerate(connection.lines)
        if line.seq > connection.head
        and line.kind not in (*SHARED, "restarted")
        and where.is_in(connection.person, line.place, line.seq)
        and told.get(line.place, number + 1) > number
    ]


def _bracket(where: Whereabouts, versions: Versions, life: Roam, bracket: Bracket) -> Iterator[Violation]:
    """What /history and the like gave, is for this person at that moment, in order, as it was then."""
    whose = f"{life}, {bracket.text}"
    stored = where.stored
    unstored, foreign, stale = [], [], []
    for line, at in bracket.lines:
        known = stored.get(line.seq)
        if known is None or not _same(known, line):
            unstored.append(f"{line} — history has: {known}")
            continue
        if not where.has(bracket.person, known.place, bracket.head, at) or (
            bracket.place and bracket.place != known.place
        ):
            foreign.append(str(line))
        if wrong := versions.stale(known, line, bracket.asked, at):
            stale.append(f"{line} — {wrong}")
    seqs = [line.seq for line, _ in bracket.lines]
    yield from found(Wrong.UNSTORED, whose, unstored)
    yield from found(Wrong.FOREIGN, whose, foreign)
    yield from found(Wrong.STALE, whose, stale)
    backwards = [f"{later} after {former}" for former, later in pairwise(seqs) if later <= former]
    yield from found(Wrong.BACKWARDS, whose, backwards)
    if bracket.text.startswith("/history") and bracket.lines and bracket.code == 0:
        place = bracket.lines[0][0].place
        between = [
            str(line)
            for line in where.history
            if line.kind == "said"
            and line.place == place
            and seqs[0] < line.seq < seqs[-1]
            and line.seq not in seqs
            and (place not in where.sealed or where.is_in(bracket.person, place, line.seq))
        ]
        yield from found(Wrong.GAP, whose, between)


def _sealed(
    where: Whereabouts, known: Mapping[int, int], whose: str, got: Connection | Bracket
) -> Iterator[Violation]:
    """In a channel where nobody reads what was said while they were out, they do not."""
    wrong = []
    for line, _ in got.lines:
        since = where.sealed.get(line.place)
        if since is not None and known.get(since.seq, got.asked) < got.asked:
            wrong += [] if where.is_in(got.person, line.place, line.seq) else [str(line)]
    yield from found(Wrong.FOREIGN, whose, wrong)


def _same(stored: Entry, shown: Entry) -> bool:
    """Whether it is the same event, whatever its text is now."""
    return (
        stored.kind,
        stored.channel,
        stored.author,
        stored.person,
        stored.id,
        stored.place,
        stored.message,
        stored.receiver,
    ) == (
        shown.kind,
        shown.channel,
        shown.author,
        shown.person,
        shown.id,
        shown.place,
        shown.message,
        shown.receiver,
    )

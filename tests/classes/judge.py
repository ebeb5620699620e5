"""What must hold of a lesson, judged by its events: who spoke when, who was called, how the votes count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from chatroom.events import Event, EventKind, Extra, Setting, extra_number, extra_rows


def judge(events: Sequence[Event], teacher: int, votes: Mapping[int, int], options: int) -> list[str]:
    """What is wrong. Empty: nothing.

    events:  of the channel, in order, as the teacher got them
    teacher: her person
    votes:   the last choice of each voter, from 1
    options: of the poll
    """
    return [
        *_in_order(events),
        *_quiet(events, teacher),
        *_called(events),
        *_counted(events, votes, options),
        *_unnamed(events),
        *_gone(events),
    ]


def _in_order(events: Sequence[Event]) -> Iterator[str]:
    seqs = [event.seq for event in events]
    if seqs != sorted(set(seqs)):
        yield "events came twice, or against their order"


def _target(event: Event) -> int:
    return extra_number(event.extra, Extra.TARGET)


def _is_down(event: Event) -> bool:
    return Extra.REMOVED in extra_rows(event.extra)


def _quiet(events: Sequence[Event], teacher: int) -> Iterator[str]:
    """While it is hushed, only the teacher speaks, and whose turn it is."""
    hushed, turn = False, 0
    for event in events:
        match event.kind:
            case EventKind.SET:
                value = extra_rows(event.extra).get(Setting.MODERATED)
                if value is not None:
                    hushed = value != b"\0"
                    turn = turn if hushed else 0
            case EventKind.CALLED:
                turn = _target(event)
            case EventKind.LEFT | EventKind.QUIT if event.person == turn:
                turn = 0
            case EventKind.KICKED if _target(event) == turn:
                turn = 0
            case EventKind.SAID if hushed and event.person not in (teacher, turn):
                yield f"{event.author} spoke while it was hushed: {event.text}"


def _called(events: Sequence[Event]) -> Iterator[str]:
    """Each call is of the hand that was raised first, of those that are still up."""
    raised = list[int]()
    for event in events:
        match event.kind:
            case EventKind.HAND if _is_down(event):
                raised = [one for one in raised if one != event.person]
            case EventKind.HAND if event.person in raised:
                yield f"{event.author} raised a hand twice"
            case EventKind.HAND:
                raised.append(event.person)
            case EventKind.LEFT | EventKind.QUIT:
                raised = [one for one in raised if one != event.person]
            case EventKind.KICKED:
                raised = [one for one in raised if one != _target(event)]
            case EventKind.SET if extra_rows(event.extra).get(Setting.MODERATED) == b"\0":
                raised.clear()
            case EventKind.CALLED if _target(event):
                first = raised.pop(0) if raised else 0
                if first != _target(event):
                    yield f"person {_target(event)} was called, and person {first} had the first hand"


def _counted(events: Sequence[Event], votes: Mapping[int, int], options: int) -> Iterator[str]:
    """Each vote counts once: the last one of each person."""
    polls = [event for event in events if event.kind is EventKind.POLL]
    revealed = [event for event in events if event.kind is EventKind.REVEALED]
    if len(polls) != 1 or len(revealed) != 1:
        yield f"{len(polls)} polls and {len(revealed)} results"
        return
    data = extra_rows(revealed[0].extra).get(Extra.VOTES, b"")
    counts = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
    chosen = Counter(votes.values())
    expected = [chosen[number] for number in range(1, options + 1)]
    if counts != expected:
        yield f"the votes were {expected}, and {counts} was told"
    if revealed[0].text != polls[0].text:
        yield f"the result is of another question: {revealed[0].text}"


def _unnamed(events: Sequence[Event]) -> Iterator[str]:
    """A question has no author."""
    for event in events:
        if event.kind is EventKind.ASKED and (event.author or event.person or _target(event)):
            yield f"the question {event.text!r} tells who asked: {event.author} ({event.person})"


def _gone(events: Sequence[Event]) -> Iterator[str]:
    """Who was kicked does nothing before they join again."""
    out = set[int]()
    for event in events:
        if event.kind is EventKind.KICKED:
            out.add(_target(event))
        elif event.kind is EventKind.JOINED:
            out.discard(event.person)
        elif event.person in out and event.kind is not EventKind.QUIT:
            yield f"{event.author} was kicked, and did something: {event.kind.word} {event.text}"

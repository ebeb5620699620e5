"""A picture of the server's inside at one moment: its threads, what waits, and how much it does.

The server makes it when somebody asks (`/inspect`); on the wire it is one row, an object. Rates are the
business of whoever asks twice: the server tells sums since its start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from chatroom.limits import PICTURE_GROUPS, PICTURE_MEMBERS, SIZE_STEPS

UNKNOWN: Final = -1.0
"""Seconds since something that was not seen, or has not been."""

_MOST: Final = 2**63
"""Numbers are smaller. A server may send one that no float can be."""


class Group(NamedTuple):
    """Threads of one kind that do the same.

    kind:  as in notes/threads.md: `forwarder`, `handler`
    how:   the call in which they wait: `recv`, `condition`; or `runs`, `lock`
    what:  for what; of `runs` and `lock` the function
    number: how many they are
    since: for how many seconds the one that waits longest does so already; UNKNOWN: nobody notes that. Of the
           forwarder: since it ended a round
    """

    kind: str
    how: str
    what: str
    number: int = 1
    since: float = UNKNOWN


class Backlog(NamedTuple):
    """A connection of a member. The name is that with which it came in.

    how, what, since: of its handler, as in `Group`
    size: bytes that the peer has not taken yet
    """

    name: str
    how: str
    what: str
    since: float = UNKNOWN
    size: int = 0


class Numbers(NamedTuple):
    """Numbers of this moment, and sums since the start, which only rise. Times in seconds, sizes in bytes.

    up:         since the start; the clock of this picture
    members, connections, newcomers: how many are in, and how many in the handshake
    waiting, blocked: lines and requests in the queue; handlers that wait for room there
    behind:     members who read, and are behind
    shared, own: memory of what waits for slow readers: by several, by one
    holding:    1 while the history cannot be written
    owned, ended: threads of the reaper, and those of them that it has still to join
    joined:     sum: threads that it has joined
    reaped:     since it joined the latest; UNKNOWN: none yet
    lines, deliveries, delivered: sums: lines, batches that connections were given, and their bytes
    rounds, events: sums: batches, and events in them
    waited, stored, sent: sums over the batches: wait in the queue, time to store, and to the last send
    pauses, given_up: sums: bursts that waited for slow readers, connections that were ended for not reading
    """

    up: float = 0.0
    members: int = 0
    connections: int = 0
    newcomers: int = 0
    waiting: int = 0
    blocked: int = 0
    behind: int = 0
    shared: int = 0
    own: int = 0
    holding: int = 0
    owned: int = 0
    ended: int = 0
    joined: int = 0
    reaped: float = UNKNOWN
    lines: int = 0
    deliveries: int = 0
    delivered: int = 0
    rounds: int = 0
    events: int = 0
    waited: float = 0.0
    stored: float = 0.0
    sent: float = 0.0
    pauses: int = 0
    given_up: int = 0


class Picture(NamedTuple):
    """The inside of a server.

    groups:  the threads; of more than PICTURE_GROUPS groups the smallest are one, without words
    members: of the members' connections at most PICTURE_MEMBERS: the largest backlogs, and by name those with
             the same, so that a list of members without any keeps its order
    sizes:   sums: how many batches had at most so many events, as SIZE_STEPS; the last: more
    """

    numbers: Numbers = Numbers()
    groups: tuple[Group, ...] = ()
    members: tuple[Backlog, ...] = ()
    sizes: tuple[int, ...] = ()

    @property
    def threads(self) -> int:
        """How many there are."""
        return sum(group.number for group in self.groups)

    def row(self) -> dict[str, object]:
        """As the row of an answer."""
        return {
            "numbers": {name: _rounded(value) for name, value in self.numbers._asdict().items()},
            "threads": [[*map(_rounded, group)] for group in self.groups],
            "members": [[*map(_rounded, member)] for member in self.members],
            "sizes": [[step, count] for step, count in zip((*SIZE_STEPS, 0), self.sizes, strict=False)],
        }


def _rounded(value: object) -> object:
    """Microseconds are enough, and shorter."""
    return round(value, 6) if isinstance(value, float) else value


def picture_of(row: object) -> Picture | None:
    """The picture in a row; None: it is none. What a newer server may have added is left out."""
    if not isinstance(row, Mapping) or not isinstance(row.get("numbers"), Mapping):
        return None
    found, numbers = row["numbers"], Numbers()
    known = {
        name: type(default)(value)
        for name, default in numbers._asdict().items()
        if (value := _number(found.get(name))) is not None
    }
    return Picture(
        numbers._replace(**known),
        tuple(_groups(row.get("threads"))),
        tuple(_members(row.get("members"))),
        tuple(int(_number(count) or 0) for _, count, *_ in _rows(row.get("sizes"), 2, len(SIZE_STEPS) + 1)),
    )


def _groups(rows: object) -> Iterable[Group]:
    for kind, how, what, count, since, *_ in _rows(rows, 5, PICTURE_GROUPS + 1):
        yield Group(str(kind), str(how), str(what), int(_number(count) or 0), _since(since))


def _members(rows: object) -> Iterable[Backlog]:
    for name, how, what, since, size, *_ in _rows(rows, 5, PICTURE_MEMBERS):
        yield Backlog(str(name), str(how), str(what), _since(since), int(_number(size) or 0))


def _rows(found: object, least: int, most: int) -> Iterable[Sequence[Any]]:
    """The rows that are lists of at least so many values; at most `most` of them."""
    rows = found if isinstance(found, list) else []
    return [row for row in rows[:most] if isinstance(row, list) and len(row) >= least]


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and -_MOST < value < _MOST  # also False of NaN
    return value if is_number else None  # type: ignore[return-value]


def _since(value: object) -> float:
    number = _number(value)
    return UNKNOWN if number is None or number < 0 else float(number)


class Lately(NamedTuple):
    """What happened between two pictures.

    seconds: between them
    lines, deliveries, delivered, rounds, joined: how many in a second
    events: in a batch, on average; waited, stored, sent: seconds of a batch, on average
    sizes:  of how many batches, as in `Picture`
    """

    seconds: float
    lines: float
    deliveries: float
    delivered: float
    rounds: float
    joined: float
    events: float
    waited: float
    stored: float
    sent: float
    sizes: tuple[int, ...]


def lately(before: Picture, now: Picture) -> Lately | None:
    """What happened in between; None: nothing can be said, because the server was started anew."""
    first, last = before.numbers, now.numbers
    seconds, rounds = last.up - first.up, last.rounds - first.rounds
    if seconds <= 0 or rounds < 0 or last.lines < first.lines:
        return None
    each = max(1, rounds)
    return Lately(
        seconds,
        (last.lines - first.lines) / seconds,
        (last.deliveries - first.deliveries) / seconds,
        (last.delivered - first.delivered) / seconds,
        rounds / seconds,
        (last.joined - first.joined) / seconds,
        (last.events - first.events) / each,
        (last.waited - first.waited) / each,
        (last.stored - first.stored) / each,
        (last.sent - first.sent) / each,
        tuple(max(0, end - begin) for begin, end in zip(before.sizes, now.sizes, strict=False)),
    )

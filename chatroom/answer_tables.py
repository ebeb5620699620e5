"""The answers that are tables, or tell moments: who is here, channels, numbers, bans, programs, and so on.

The server uses them for its words, where nobody knows the screen; a client uses them for its own screen and
its own clock. The rows are those of OK. Of other rows, as a newer server may send, they raise TypeError,
ValueError, LookupError, AttributeError or OverflowError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

from chatroom.events import Setting
from chatroom.limits import MAX_TEXT
from chatroom.outcomes import GUARD, GUEST, NO_TIME
from chatroom.picture import picture_of
from chatroom.places import EVERYWHERE
from chatroom.table import MARGIN, TABLE_COLUMNS, clipped, table, wrapped

Rows = Sequence[Any]
When = Callable[[int], str]
"""Writes a moment, in milliseconds since 1970."""

TOPIC_COLUMNS: Final = 40
"""Columns of a topic in the list of channels: it does not fill a screen. /topic shows all of it."""

_QUESTION_COLUMNS: Final = 60
"""Columns of a question that whoever comes late is told: one or two rows. /vote shows all of it."""

_FIGURE_COLUMNS: Final = 26  # of the largest number of 64 bits, with its commas

_ELSEWHERE: Final = {"lost": "connection lost", "absent": "not here"}
_BESIDE_NAME: Final = len(",\n" + MARGIN)  # bytes that a name takes besides its own, if it begins a line
_REST_BYTES: Final = 100  # for the name of the command, and the last lines, which tell how many are not named


def who(rows: Rows, columns: int | None = TABLE_COLUMNS) -> str:
    """Who is in a channel: the names of those who are here as a running text, then the others.

    columns: here and below as for `table`; None: all on one line
    """
    channel, *members = rows
    if not members:
        return f"{channel}: nobody is in it"
    hidden = members.pop() if isinstance(members[-1], int) else 0  # the number of those that are not listed
    absent = sum(phase == "absent" for _, phase in members)
    counts = [f"{hidden + len(members) - absent:,} here", *([f"{absent:,} not here"] if absent else [])]
    head = f"{channel}: {', '.join(counts)}"
    groups = [(state, _in_phase(members, state)) for state in ("here", *_ELSEWHERE)]
    if columns is None:
        more = [f"and {hidden:,} more"] if hidden and members else []
        return "; ".join([head, *(_spoken(state, names) for state, names in groups if names), *more])
    lines, unnamed = _named(groups, MAX_TEXT - len(head.encode()) - _REST_BYTES, columns)
    hidden += unnamed
    return "\n".join([head, *lines, *([f"{MARGIN}and {hidden:,} more"] if hidden and members else [])])


def _in_phase(members: Rows, state: str) -> list[str]:
    return [name for name, phase in members if (phase if phase in _ELSEWHERE else "here") == state]


def _spoken(state: str, names: Sequence[str]) -> str:
    return f"{_ELSEWHERE[state]}: {', '.join(names)}" if state in _ELSEWHERE else ", ".join(names)


def _named(groups: Sequence[tuple[str, list[str]]], room: int, columns: int) -> tuple[list[str], int]:
    """The names, as many as fit `room` bytes; how many do not."""
    lines, unnamed = list[str](), 0
    for state, names in groups:
        sizes = accumulate(len(name.encode()) + _BESIDE_NAME for name in names)
        shown = names[: sum(size <= room for size in sizes)]
        unnamed += len(names) - len(shown)
        if shown:
            text = _spoken(state, shown)
            room -= len(text.encode()) + (_BESIDE_NAME - len(", ")) * len(shown)
            lines += [MARGIN + line for line in wrapped(text, columns - len(MARGIN))]
    return lines, unnamed


def channels(rows: Rows, columns: int | None = TABLE_COLUMNS) -> str:
    """The channels, each in a line of a table."""
    if not rows:
        return "there are none"
    shown, more = _and_more(rows)
    number = len(shown) + more
    counts = [clipped(f"{row[1]:,}", _FIGURE_COLUMNS) for row in shown]
    width = max(map(len, counts))
    cells = [
        (name, f"{count:>{width}} here", "you are in" * is_in, _settings(bits), clipped(topic, TOPIC_COLUMNS))
        for count, (name, _, topic, bits, is_in) in zip(counts, shown, strict=True)
    ]
    return "\n".join(
        [f"{number:,} channel{'s' * (number != 1)}", *table(cells, columns), *_more(more, columns)]
    )


@lru_cache(256)  # a list of channels asks for a thousand
def _settings(bits: int) -> str:
    return ", ".join(word for setting, word in _SETTINGS.items() if setting in Setting(bits))


_SETTINGS = {
    Setting.KEYED: "key",
    Setting.INVITE_ONLY: "invite-only",
    Setting.MODERATED: "quiet",
    Setting.SLOW: "slow",
}


def stats(rows: Rows, columns: int | None = TABLE_COLUMNS) -> str:
    """The server's numbers, each before what it means; those of a newer server before their names."""
    cells = [(_figure(name, value), _STATS.get(name, name)) for name, value in rows]
    if columns is None:
        lines = [" ".join(cell) for cell in cells]
    else:
        width = max((len(figure) for figure, _ in cells), default=0)
        lines = table([(f"{figure:>{width}}", words) for figure, words in cells], columns)
    return "\n".join(["how this server is doing", *lines])


def _figure(name: str, value: object) -> str:
    if name == "up" and isinstance(value, str) and (found := re.fullmatch(r"([0-9]{1,12}) s", value)):
        return duration(int(found[1]))
    return clipped(f"{value:,}" if isinstance(value, int) else str(value), _FIGURE_COLUMNS)


def duration(seconds: int) -> str:
    """A time in the two largest units that it has, such as `3 h 20 min`."""
    for unit, size, smaller, small in _UNITS:
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size:,} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


_UNITS: Final = (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1))

_STATS: Final = {
    "up": "since the start",
    "members": "people connected",
    "events": "events in the history",
    "batches": "batches since the start",
    "waiting": "lines that wait for their turn",
    "behind": "readers that are slow now",
    "pauses": "pauses for slow readers",
    "threads": "threads",
}


def inspect(rows: Rows, columns: int | None = TABLE_COLUMNS) -> str:
    """The server's threads, what each waits for, and what waits for them."""
    if not rows:
        return "there is nothing to be seen"
    picture = picture_of(rows[0])
    if picture is None:
        raise ValueError("this is no picture")
    numbers = picture.numbers
    cells = [
        (clipped(group.kind, _WORD_COLUMNS), f"{group.number:,}", waiting_words(group.how, group.what))
        for group in picture.groups
    ]
    width = max((len(count) for _, count, _ in cells), default=0)
    threads = table([(kind, f"{count:>{width}}", words) for kind, count, words in cells], columns)
    most = max(picture.members, key=lambda member: member.size, default=None)
    backlog = f"; the largest backlog: {most.size:,} bytes, of {most.name}" if most and most.size else ""
    return "\n".join(
        [
            f"{picture.threads:,} threads, {numbers.waiting:,} in the queue{backlog}",
            *threads,
            f"joined since the start: {numbers.joined:,}; live: {HOW_TO_WATCH}",
        ]
    )


def waiting_words(how: str, what: str) -> str:
    """What a thread waits for: `recv: bytes from the peer`."""
    return ": ".join(filter(None, (how, what)))


HOW_TO_WATCH: Final = "chatroom-client --watch"

_WORD_COLUMNS: Final = 24  # of a kind of threads, whatever a server may send


def bans(rows: Rows, when: When, columns: int | None = TABLE_COLUMNS) -> str:
    """Who is banned, muted or exempt: until when, by whom, since when, and why."""
    if not rows:
        return "nobody is banned, muted or exempt"
    shown, more = _and_more(rows)
    cells = []
    for kind, whom, by, at, until, reason, *now in shown:
        author = f"by {by}, " if by else ""
        why = f": {reason}" if reason else ""
        cells.append(
            (
                kind,
                f"{whom} (now {now[0]})" if now else whom,
                f"until {when(until)}" if until else "for ever",
                f"{author}{when(at)}{why}",
            )
        )
    number = len(shown) + more
    return "\n".join([f"banned, muted or exempt: {number:,}", *table(cells, columns), *_more(more, columns)])


def sessions(rows: Rows, when: When, columns: int | None = TABLE_COLUMNS) -> str:
    """The programs of a person, each with its number."""
    cells = []
    for number, phase, own, encrypted, since, software, address, label in rows:
        words = [
            f"from {address}",
            "encrypted" if encrypted else "not encrypted",
            software,
            f"remembered as {label}" if label else "",
        ]
        state = "this program" if own else _PHASES.get(phase, phase)
        cells.append((str(number), state, f"since {when(since)}", ", ".join(filter(None, words))))
    return "\n".join([f"your programs: {len(cells)}", *table(cells, columns)])


_PHASES: Final = {"lost": "connection lost", "arriving": "coming in", "absent": "has left"}


def whois(rows: Rows, when: When, columns: int | None = TABLE_COLUMNS) -> str:
    """All that is told of one person, as a sentence."""
    found = dict(rows)
    account = f"account {found['account']}" if found["account"] else "no account"
    role = "" if found["role"] == "member" else f", {found['role']}"
    lost = ", connection lost" if found["phase"] == "lost" else ""
    encrypted = "encrypted" if found["encrypted"] else "not encrypted"
    words = [f"{found['name']} ({account}{role}{lost}), here since {when(found['since'])}, {encrypted}"]
    words += [f"with {', '.join(found['software'])}"] if found["software"] else []
    words += [f"away: {found['away']}"] if "away" in found else []
    words += [f"from {', '.join(found['addresses'])}"] if "addresses" in found else []
    return ", ".join(words)


def log(rows: Rows, when: When, columns: int | None = TABLE_COLUMNS) -> str:
    """What those with a role did, the latest last."""
    if not rows:
        return "nobody with a role has done anything here yet"
    shown, before = _and_more(rows)
    cells = []
    for _, at, author, where, text, network in shown:
        origin = f" from {network}" if network else ""
        cells.append((when(at), where, f"{author}{origin}", text))
    earlier = f"; earlier: /log before:{before}" if before else ""
    return "\n".join([f"what those with a role did{earlier}", *table(cells, columns)])


def poll_told(question: str, channel: str = "") -> str:
    """What somebody is told who comes into a channel while a poll is open there.

    channel: "": the reader knows which one
    """
    where, short = f" in {channel}" if channel else "", clipped(question, _QUESTION_COLUMNS)
    return f"a poll is open{where}: {short} ({f'/vote {channel}'.rstrip()} shows it)"


def hint(command: str, rows: Rows) -> str:
    """What an operator should know besides who has put somebody out, or muted them; "": nothing.

    command: /kick, /ban, /mute, or one that is short for them
    rows:    of OK
    """
    name, place, *more = (*rows, "", "")[: max(2, len(rows))]
    there = f"{EVERYWHERE} " if place == EVERYWHERE else ""
    if command in ("/kick", "/kill"):
        return f"a kick has no time: /ban {there}{name} 10m keeps {name} out" if NO_TIME in more else ""
    if command not in ("/ban", "/suspend", "/mute") or GUEST not in more:
        return ""
    again = f"{'/mute' if command == '/mute' else '/ban'} {there}+{name} means the network"
    guard = ", /guard accounts keeps guests out" if GUARD in more else ""
    return f"{name} is a guest, who can come back under another name: {again}{guard}"


def _and_more(rows: Rows) -> tuple[Rows, int]:
    """The rows, and the number that may stand behind them."""
    return (rows[:-1], rows[-1]) if isinstance(rows[-1], int) else (rows, 0)


def _more(number: int, columns: int | None) -> Iterator[str]:
    if number:
        yield f"{MARGIN if columns is not None else ''}and {number:,} more"

"""Commands about speaking, up to their acts; and the audit trail, which tells what those with a role did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from chatroom.act import Where
from chatroom.command import SlashCommand, acting
from chatroom.desk import Asker, Desk, Fetched, Library, Prepared
from chatroom.events import MUTE_LIST, Event, Extra, extra_number, extra_rows
from chatroom.limits import (
    FETCH_LINES,
    LISTED_BYTES,
    LOG_LINES,
    MAX_ANNOUNCEMENT,
    MAX_NUMBER,
    MAX_SLOW,
)
from chatroom.moderation_commands import new_name, put, take
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import AUDIT_PLACE, EVERYWHERE, WHOLE_CHATROOM
from chatroom.preparing import BAD_ARGUMENTS
from chatroom.printable import printable_line
from chatroom.proposals import Act
from chatroom.state import State

_SECONDS: Final = re.compile(r"([0-9]{1,9})s?", re.ASCII)
_LOG: Final = re.compile(r"([0-9]{1,9})?(?: *before:([0-9]{1,19}))?", re.ASCII)

# --- what changes something: the handler's thread -----------------------------------------------------------


def _slow(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/slow [SECONDS|off]; without it shows how slow the channel is. Rows: the channel, the seconds."""
    if not rest:
        return desk.read(lambda state: _shown_slow(state, asker.channel))
    found = _SECONDS.fullmatch("0" if rest.lower() == "off" else rest)
    if found is None or int(found[1]) > MAX_SLOW:
        return BAD_ARGUMENTS
    return Prepared(Act("/slow", asker.channel, (int(found[1]),)))


def _shown_slow(state: State, name: str) -> Outcome:
    channel = state.channel(name)
    if channel is None:  # it has ended meanwhile
        return Outcome(Code.NO_SUCH_CHANNEL, (name,))
    return Outcome(Code.OK, (channel.name, channel.slow))


def _hush(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/hush [off]"""
    value = rest.lower() or "on"
    return Prepared(Act("/hush", asker.channel, (value,))) if value in ("on", "off") else BAD_ARGUMENTS


def _announce(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/announce TEXT"""
    text = printable_line(rest).strip()
    if not text:
        return BAD_ARGUMENTS
    if len(text.encode()) > MAX_ANNOUNCEMENT:
        return Outcome(Code.TOO_LONG, (MAX_ANNOUNCEMENT,))
    return Prepared(Act("/announce", asker.channel, (text,)))


# --- the audit trail: from the history ----------------------------------------------------------------------


class _Trail(NamedTuple):
    """What of the audit trail is asked for.

    place: only acts in this channel; WHOLE_CHATROOM: all, with the networks from which they were done
    head:  seq of the latest event
    """

    place: int
    head: int


def _log(library: Library, asker: Asker, rest: str) -> Fetched | Outcome:
    """/log [N] [before:SEQ]: the latest acts of those with a role, the earliest first.

    Rows: for each act its seq, when (in milliseconds since 1970), who, the place's name then, what, and the
    network from which it was done, "" when that is not told. Behind names that are others now stand those, as
    in "bob (now bobby)", if the asker may know them. If there may be earlier ones, the last row is
    the seq before which they are: for `before`.
    """
    found = _LOG.fullmatch(rest)
    most = int(found[1] or LOG_LINES) if found is not None else 0
    if found is None or not most:
        return BAD_ARGUMENTS
    before = min(int(found[2] or MAX_NUMBER), MAX_NUMBER)
    trail = library.read(lambda state: _trail(state, asker))
    if isinstance(trail, Outcome):
        return trail
    place, until = trail.place, min(trail.head, before - 1)
    page = library.latest(AUDIT_PLACE, until, min(most, FETCH_LINES), lambda event: _is_of(event, place))
    rows, left, shown = list[object](), LISTED_BYTES, list[Event]()
    now = library.read(lambda state: _new_names(state, asker, page.events))
    for event in reversed(page.events):
        row = _row(event, now, with_network=place == WHOLE_CHATROOM)
        left -= _ROW_BYTES + sum(len(text.encode()) for text in row if isinstance(text, str))
        if left < 0:
            break
        rows.insert(0, row)
        shown.append(event)
    if len(shown) < len(page.events):
        rows.append(shown[-1].seq)
    elif page.more:
        rows.append(page.before)
    return Outcome(Code.OK, tuple(rows))


_ROW_BYTES = 64  # of a row beside its texts


def _trail(state: State, asker: Asker) -> _Trail | Outcome:
    if asker.channel == EVERYWHERE:
        return _Trail(WHOLE_CHATROOM, state.head)
    channel = state.channel(asker.channel)
    if channel is None:  # it has ended meanwhile
        return Outcome(Code.NO_SUCH_CHANNEL, (asker.channel,))
    return _Trail(channel.place, state.head)


def _is_of(event: Event, place: int) -> bool:
    return place in (WHOLE_CHATROOM, extra_number(event.extra, Extra.IN))


_Names = dict[tuple[int, str], str]
"""New names by persons and the names that they had."""


def _new_names(state: State, asker: Asker, events: Sequence[Event]) -> _Names:
    """Of those who did something, and of those whom it was about."""
    had = {(event.person, event.author) for event in events}
    had |= {(event.target, event.target_name) for event in events}
    named = ((person, name, new_name(state, person, name, asker)) for person, name in had if name)
    return {(person, name): now for person, name, now in named if now}


def _row(event: Event, now: _Names, *, with_network: bool) -> tuple[int | str, ...]:
    network = extra_rows(event.extra).get(Extra.FROM, b"") if with_network else b""
    shown, who, text = network.decode(errors="replace"), event.author, event.text
    if name := now.get((event.person, who)):
        who = f"{who} (now {name})"
    if name := now.get((event.target, event.target_name)):
        about = re.compile(rf"(/\S+ \+?|deleted a line of ){re.escape(event.target_name)}(?=[ :]|$)")
        found = about.match(text)
        text = f"{found[0]} (now {name}){text[found.end() :]}" if found is not None else text
    return event.seq, event.time, who, event.channel, text, shown


_AIM = "WHO [DURATION] [REASON]"

SPEECH_COMMANDS: tuple[SlashCommand, ...] = (
    acting(
        "/mute",
        _AIM,
        "let somebody read, and not speak: NAME, or +NAME for their network; without DURATION for good",
        put("/mute"),
    ),
    acting("/unmute", "WHO", "let them speak again", take("/unmute", MUTE_LIST)),
    acting(
        "/slow", "[SECONDS|off]", "let each member say one line in so many seconds", _slow, elsewhere=True
    ),
    acting(
        "/hush",
        "[off]",
        "make the channel quiet: only operators and who has the word (/hand, /next) may speak",
        _hush,
        elsewhere=True,
    ),
    acting("/announce", "TEXT", "tell everybody in the chatroom something", _announce),
    SlashCommand(
        "/log",
        "[N] [before:SEQ]",
        "list what those with a role did",
        needs=Role.OPERATOR,
        where=Where.PLACE,
        fetch=_log,
    ),
)

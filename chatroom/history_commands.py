"""Commands of the history: what was said, found again; and how far somebody has read.

They run in the handler's thread. What may be seen is what the asker has in reach at that moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from chatroom.command import SlashCommand, acting
from chatroom.desk import Asker, Desk, Fetched, Library, Prepared
from chatroom.errors import NameRefused
from chatroom.finding import Line, Wanted
from chatroom.limits import (
    CHANNEL_FIELD,
    CONTEXT_LINES,
    FETCH_BYTES,
    FETCH_LINES,
    GREP_LINES,
    HISTORY_LINES,
    MAX_NUMBER,
    NAME_BYTES,
    SEARCH_WORDS,
)
from chatroom.names import check_channel, name_key, typed_key
from chatroom.outcomes import Code, Outcome
from chatroom.places import WHOLE_CHATROOM, Reach
from chatroom.preparing import BAD_ARGUMENTS
from chatroom.proposals import Act
from chatroom.search_words import query_words
from chatroom.state import State

_NUMBER: Final = re.compile(r"[0-9]{1,19}")
_AGE: Final = re.compile(r"([0-9]{1,6})([mhdw])")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


class _Typed(NamedTuple):
    """Arguments, such as `exam room from:ann`: words, and options by name."""

    words: list[str]
    options: Mapping[str, str]


class _Seen(NamedTuple):
    """What the asker may see of the places that are meant, up to the seq `head`.

    place: the only place, 0: several
    """

    reach: Reach
    place: int
    head: int


# --- reading ------------------------------------------------------------------------------------------------


def _history(library: Library, asker: Asker, rest: str) -> Fetched | Outcome:
    """/history [N] [before:SEQ]: the latest lines of the channel.

    The answer's row: {"place", "more": whether there are earlier lines, "before": for the next page}
    """
    typed = _typed(rest, ("before", "in"))
    if typed is None or len(typed.words) > 1:
        return BAD_ARGUMENTS
    most, before = _number(typed.words[0] if typed.words else str(HISTORY_LINES)), _before(typed)
    if not most or before is None:
        return BAD_ARGUMENTS
    seen = library.read(lambda state: _seen(state, asker, typed.options.get("in", asker.channel)))
    if isinstance(seen, Outcome):
        return seen
    wanted = Wanted(seen.reach, until=min(seen.head, before - 1))
    page = library.find(wanted, min(most, FETCH_LINES), FETCH_BYTES)
    row = {"place": seen.place, "more": page.more, "before": page.before}
    return _fetched(page.lines, row)


def _grep(library: Library, asker: Asker, rest: str) -> Fetched | Outcome:
    """/grep WORDS [from:NAME] [in:#CHANNEL] [since:2h] [before:SEQ]: the latest lines with all words.

    The answer's row: that of /history, and "indexed": lines after this seq take longer to find, 0: all
    """
    typed = _typed(rest, ("from", "in", "since", "before"))
    if typed is None:
        return BAD_ARGUMENTS
    words, before = query_words(" ".join(typed.words)), _before(typed)
    since = _since(typed.options.get("since"), library.now())
    if before is None or since is None or len(words) > SEARCH_WORDS:
        return BAD_ARGUMENTS
    author = typed.options.get("from")
    if not words and (typed.words or author is None):  # nothing but punctuation, or nothing at all
        return BAD_ARGUMENTS
    found = library.read(lambda state: (_seen(state, asker, typed.options.get("in")), _author(state, author)))
    seen, said_by = found
    if isinstance(seen, Outcome):
        return seen
    if isinstance(said_by, Outcome):
        return said_by
    wanted = Wanted(seen.reach, words, *said_by, since=since, until=min(seen.head, before - 1))
    page = library.find(wanted, GREP_LINES, FETCH_BYTES)
    row = {"place": seen.place, "more": page.more, "before": page.before, "indexed": page.indexed}
    return _fetched(page.lines, row)


def _context(library: Library, asker: Asker, rest: str) -> Fetched | Outcome:
    """/context SEQ [N]: a line, with N lines before and after it.

    The answer's row: that of /history, and "after": the seq of the last line
    """
    words = rest.split()
    numbers = [_number(word) for word in words]
    if not 1 <= len(words) <= 2 or not all(numbers):
        return BAD_ARGUMENTS
    seq, around = numbers[0] or 0, min((numbers[1:] or [CONTEXT_LINES])[0] or 0, FETCH_LINES // 2)
    seen = library.read(lambda state: _seen(state, asker, None))
    if isinstance(seen, Outcome):
        return seen
    found = library.find(Wanted(seen.reach, after=seq - 1, until=min(seq, seen.head)), 1, FETCH_BYTES).lines
    if not found:
        return Outcome(Code.NO_SUCH_MESSAGE, (seq,))
    place = found[0].place
    reach = seen.reach.later({place: 0})
    page = library.find(Wanted(reach, until=seq), around + 1, FETCH_BYTES // 2)
    later, _ = library.following(Wanted(reach, after=seq, until=seen.head), around, FETCH_BYTES // 2)
    lines = [*page.lines, *later]
    row = {"place": place, "more": page.more, "before": page.before, "after": lines[-1].seq}
    return _fetched(lines, row)


def _fetched(lines: list[Line], row: Mapping[str, object]) -> Fetched:
    return Fetched(Outcome(Code.OK, (row,)), b"".join([line.packets for line in lines]))


# --- how far somebody has read ------------------------------------------------------------------------------


def _read(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/read SEQ: everything in the channel up to the message SEQ is read."""
    seq = _number(rest)
    if not seq:
        return BAD_ARGUMENTS
    place = desk.read(lambda state: _place(state, asker.person, asker.channel))
    return place if isinstance(place, Outcome) else Prepared(Act("/read", asker.channel, (place, seq)))


# --- arguments ----------------------------------------------------------------------------------------------


def _typed(rest: str, names: tuple[str, ...]) -> _Typed | None:
    """The words, and the options with these names; None: one is empty, or is there twice."""
    words, options = list[str](), dict[str, str]()
    for word in rest.split():
        name, colon, value = word.partition(":")
        if not colon or name.lower() not in names:
            words.append(word)
        elif not value or name.lower() in options:
            return None
        else:
            options[name.lower()] = value
    return _Typed(words, options)


def _number(word: str) -> int | None:
    """A positive number; None: it is none."""
    number = int(word) if _NUMBER.fullmatch(word) else 0
    return number if 0 < number <= MAX_NUMBER else None


def _before(typed: _Typed) -> int | None:
    """The seq before which lines are wanted; None: it is none."""
    return _number(typed.options.get("before", str(MAX_NUMBER)))


def _since(text: str | None, now: int) -> int | None:
    """`2h`, `3d` or `2026-01-31` (in UTC) in milliseconds since 1970; None: it is none of these."""
    if text is None:
        return 0
    age = _AGE.fullmatch(text)
    if age is not None:
        return max(0, now - int(age[1]) * _SECONDS[age[2]] * 1000)
    try:
        return max(0, int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000))
    except ValueError:
        return None


def _seen(state: State, asker: Asker, where: str | None) -> _Seen | Outcome:
    """What the asker may see of one place, or of all."""
    reach = state.reach(asker.person, 0)
    if where is None:
        places = dict.fromkeys(reach.places, 0)
        places.pop(WHOLE_CHATROOM, None)
        return _Seen(reach.later(places), 0, state.head)
    place = _place(state, asker.person, where)
    return place if isinstance(place, Outcome) else _Seen(reach.later({place: 0}), place, state.head)


def _place(state: State, person: int, where: str) -> int | Outcome:
    """A place that the person has in reach: a channel by its name, a direct conversation by the present name
    of the other one, or any by its number."""
    place: int | None
    if where.startswith("@"):
        place = _conversation(state, person, where[1:])
    elif where.startswith("#"):
        channel = state.channel(_channel(where))
        if channel is None or not state.shows(channel, person):
            return Outcome(Code.NO_SUCH_CHANNEL, (where[:CHANNEL_FIELD],))
        place = channel.place
    else:
        place = _number(where)
    if not place or not state.has_place(person, place):
        return Outcome(Code.NOT_IN, (where[:CHANNEL_FIELD],))
    return place


def _conversation(state: State, person: int, name: str) -> int:
    """The conversation with whoever has the name now, else one that is called so: the other one has left the
    chatroom, or is gone; 0: there is none."""
    key = typed_key(name)
    other = state.person_named(key) if key else 0
    place = state.conversation_of(person, other) if other else 0
    if place or not key:
        return place
    for one in state.conversations_of(person):
        guest = one.other(person)
        if guest in state.members or state.account_of(guest) is not None:  # it was not found by its name
            continue
        if name_key(state.title(one, person)[1:]) == key:
            return one.place
    return 0


def _channel(name: str) -> str:
    try:
        return check_channel(name)
    except NameRefused:
        return ""


def _author(state: State, name: str | None) -> tuple[int, str] | Outcome:
    """Who is meant: a person, or of those who are gone the key of the name. (0, ""): anybody."""
    if name is None:
        return 0, ""
    key = typed_key(name)
    if not key:
        return Outcome(Code.BAD_NAME, (name[:NAME_BYTES],))
    person = state.person_named(key)
    return (person, "") if person else (0, key)


HISTORY_COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand("/history", "[N] [before:SEQ]", "show the latest lines of this channel", fetch=_history),
    SlashCommand(
        "/grep",
        "WORDS [from:NAME] [in:#CHANNEL|@NAME] [since:2h|3d|2026-01-31] [before:SEQ]",
        "find lines in all your channels, by whole words",
        fetch=_grep,
        is_search=True,
    ),
    SlashCommand(
        "/context",
        "N [LINES]",
        "show the lines around one: N is its number in the list before, as of /grep",
        fetch=_context,
    ),
    acting("/read", "SEQ", "note how far you have read here", _read),
)

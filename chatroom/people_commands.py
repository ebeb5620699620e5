"""Commands of people: up to their acts, and those that only look."""

from __future__ import annotations

from chatroom.command import SlashCommand, acting
from chatroom.desk import Asker, Desk, Prepared, Room
from chatroom.errors import NameRefused
from chatroom.limits import MAX_AWAY, NAME_BYTES
from chatroom.lookalikes import skeletons
from chatroom.names import check_name, name_key, typed_key
from chatroom.outcomes import Code, Outcome
from chatroom.people import Writers
from chatroom.people_acts import AWAY
from chatroom.printable import printable_line
from chatroom.proposals import Act
from chatroom.session import Phase
from chatroom.state import State

_BAD_ARGUMENTS = Outcome(Code.BAD_ARGUMENTS)

# --- what changes something: the handler's thread -----------------------------------------------------------


def _prepare_nick(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/nick NAME"""
    if not rest:
        return _BAD_ARGUMENTS
    try:
        name = check_name(rest)
    except NameRefused as refused:
        return Outcome(Code.BAD_NAME, (refused.reason,))
    key = name_key(name)
    return _act("/nick", asker, name, key, " ".join(skeletons(name, key)))


def _prepare_away(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/away [TEXT]"""
    text = printable_line(rest[: 2 * MAX_AWAY]).strip() or AWAY
    if len(text.encode()) > MAX_AWAY:
        return Outcome(Code.TOO_LONG, (MAX_AWAY,))
    return _act("/away", asker, text)


def _prepare_back(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/back"""
    return _BAD_ARGUMENTS if rest else _act("/back", asker)


def _prepare_ignore(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/ignore NAME: a member, or an account whose owner is out."""
    if not rest:
        return _BAD_ARGUMENTS
    key = typed_key(rest)
    person = desk.read(lambda state: state.person_named(key)) if key else 0
    return _act("/ignore", asker, person) if person else _nobody(rest)


def _prepare_unignore(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/unignore NAME: as the person is called now, or was when it was ignored."""
    if not rest:
        return _BAD_ARGUMENTS
    key = typed_key(rest)
    if not key:
        return _nobody(rest)

    def look(state: State) -> tuple[int, list[tuple[int, str]]]:
        return state.person_named(key), state.people.ignored(asker.person)

    person, ignored = desk.read(look)
    persons = {other for other, _ in ignored}
    listed = [other for other, name in ignored if name_key(name) == key]
    if person not in persons and listed:
        person = listed[0]
    return _act("/unignore", asker, person) if person else _nobody(rest)


def _prepare_direct(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/direct WHO; without an argument, how it is set."""
    who = rest.lower()
    if not who:
        return Outcome(Code.OK, (str(desk.read(lambda state: state.people.writers(asker.person))),))
    return _act("/direct", asker, who) if who in tuple(Writers) else _BAD_ARGUMENTS


def _time(desk: Desk, _asker: Asker, rest: str) -> Prepared | Outcome:
    """Row: the server's time, in milliseconds since 1970. It needs a clock, so the handler gives it."""
    return _BAD_ARGUMENTS if rest else Outcome(Code.OK, (desk.now(),))


def _act(command: str, asker: Asker, *arguments: str | int) -> Prepared:
    return Prepared(Act(command, asker.channel, arguments))


# --- what only looks ----------------------------------------------------------------------------------------


def _ignored(room: Room, asker: Asker, rest: str) -> Outcome:
    """Rows: number and name of each person whom the asker ignores."""
    return _BAD_ARGUMENTS if rest else Outcome(Code.OK, tuple(_ignored_of(room.state, asker.person)))


def _ignored_of(state: State, person: int) -> list[tuple[int, str]]:
    """By their present names; who has gone is called as they were then."""
    return [(other, state.name_of(other) or name) for other, name in state.people.ignored(person)]


def _query(room: Room, asker: Asker, name: str) -> Outcome:
    """Rows: number and name of the person who is meant, and the place of the direct conversation with it, 0:
    there is none yet. MUTED (row: the name): the asker cannot write to it."""
    if not name:
        return _BAD_ARGUMENTS
    state, key = room.state, typed_key(name)
    person = state.person_named(key) if key else 0
    if not person:
        return _nobody(name)
    place, called = state.conversation_of(asker.person, person), state.name_of(person)
    code = state.may_write(asker.person, person)
    return Outcome(code, (person, called, place) if code is Code.OK else (called,))


def _seen(room: Room, asker: Asker, name: str) -> Outcome:
    """Rows: a name, a time in milliseconds since 1970, a phase. "here": since then; "lost": its connection
    broke then; "absent": it left then, or came last then if more is not known.

    Of those who are out nothing is told to who was in no channel with them: /whois tells nothing, either.
    """
    if not name:
        return _BAD_ARGUMENTS
    state, key = room.state, typed_key(name)
    person = state.person_named(key) if key else 0
    if not person:
        last = state.last_session(key) if key else None
        person = last.person if last is not None else 0
    member = state.members.get(person)
    if member is not None:
        lost = member.phase is Phase.LOST
        when = max(one.seen for one in member.sessions.values()) if lost else member.since
        return Outcome(Code.OK, (member.name, when, str(member.phase)))
    if not person or not state.have_met(asker.person, person):
        return _nobody(name)
    account = state.account_of(person)
    absent = [one for one in state.sessions_of(person) if one.phase is Phase.ABSENT]
    latest = max(absent, key=lambda one: (one.seen, one.number), default=None)
    if latest is None:
        return Outcome(Code.OK, (account.name, account.seen, str(Phase.ABSENT))) if account else _nobody(name)
    return Outcome(Code.OK, (account.name if account else latest.name, latest.seen, str(Phase.ABSENT)))


# --- names --------------------------------------------------------------------------------------------------


def _nobody(name: str) -> Outcome:
    return Outcome(Code.NO_SUCH_NAME, (name[:NAME_BYTES],))


PEOPLE_COMMANDS: tuple[SlashCommand, ...] = (
    acting("/nick", "NAME", "take another name", _prepare_nick),
    acting("/away", "[TEXT]", "tell the others that you do not answer, and why", _prepare_away),
    acting("/back", "", "tell the others that you answer again", _prepare_back),
    acting("/ignore", "NAME", "read nothing of a person any more", _prepare_ignore),
    acting("/unignore", "NAME", "read a person again", _prepare_unignore),
    SlashCommand("/ignored", "", "list whom you ignore", _ignored),
    acting("/direct", "[all|shared|nobody]", "who may write to you alone", _prepare_direct),
    SlashCommand("/query", "NAME", "tell who is meant, and whether you can write to them", _query),
    SlashCommand("/seen", "NAME", "tell when somebody was here last", _seen),
    SlashCommand("/time", "", "tell the server's time", prepare=_time),
)

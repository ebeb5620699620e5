"""Acts of people: their names, and what they tell of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatroom.act import KEY, ActCommand, Number, Parts, Text
from chatroom.effects import OwnSignal
from chatroom.events import BAN_LIST, Event, EventKind
from chatroom.limits import MAX_AWAY, NAME_BYTES
from chatroom.naming import Name, name_of, refusal
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.people import Writers
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM
from chatroom.session import Session

AWAY: Final = "away"
"""The text of who gives no reason."""

LOOKS: Final = Text(32 * NAME_BYTES)
"""The skeletons of a name with spaces between them: two at most, and each may be longer than the name."""


def _rename(parts: Parts, session: Session, name: str, key: str, looks: str) -> Outcome:
    """The person has another name in all its programs. What holds for newcomers holds for it, too."""
    ledger, sessions, person = parts.ledger, parts.sessions, session.person
    new, account = Name(name, key, tuple(looks.split())), parts.accounts.of(person)
    if account is not None and account.name_key == key:
        new = name_of(account)  # an owner can always go back to its own name, as it has registered it
    member, holder = sessions.members[person], parts.holders.of_person(person)
    assert holder is not None, "a member has its name"
    if new.name == member.name:
        return Outcome(Code.ALREADY, (member.name,))
    silenced = parts.speaking.shown(session, member, "/nick")
    if silenced is not None:
        return silenced
    refused = refusal(parts.holders, parts.accounts, ledger.time, new, person, holder)
    if refused is not None:
        return refused
    banned = _banned(parts, session, new.key)
    if banned is not None:
        return banned
    parts.holders.rename(holder, *new)
    for one in holder.sessions.values():
        sessions.rename(one, new)
        sessions.keep(one)
    before, member.name, member.name_key = member.name, new.name, new.key
    ledger.change("member", str(person), member.record)
    if places := parts.channels.heard_by(member):
        ledger.event(EventKind.RENAMED, person, before, text=new.name, places=places)
    else:  # its channels are counted: no event comes, but its own programs have to know
        signal = Event(0, ledger.time, EventKind.RENAMED, "", before, new.name, person=person)
        for one in member.here:
            if one.at is not None:
                ledger.tell(OwnSignal(one.at, signal))
    parts.speaking.amended(session, member)
    return Outcome(Code.OK, (new.name,))


def _banned(parts: Parts, session: Session, key: str) -> Outcome | None:
    """BANNED, if nobody may have the name here, or in a channel where the member is.

    Rows: the place's name, until when (in milliseconds since 1970, 0: for ever), the reason.
    """
    for place in (WHOLE_CHATROOM, *sorted(parts.channels.places_of(session.person))):
        banned = parts.rights.hits(BAN_LIST, place, session.person, key, "")
        if banned is not None:
            name = parts.channels.all[place].name if place else EVERYWHERE
            return Outcome(Code.BANNED, (name, banned.until, banned.reason))
    return None


def _go_away(parts: Parts, session: Session, text: str) -> Outcome:
    """Who has no leave to speak is away without a word of its own. Newcomers may be limited in any case: all
    are told."""
    member = parts.sessions.members[session.person]
    silenced = parts.speaking.shown(session, member, "/away") if text != AWAY else None
    silenced = silenced or parts.speaking.asking(session, member)
    if silenced is not None:
        return silenced
    outcome = _set_away(parts, session, text)
    if outcome.code is Code.OK:
        parts.speaking.amended(session, member)
    return outcome


def _come_back(parts: Parts, session: Session) -> Outcome:
    return _set_away(parts, session, "")


def _set_away(parts: Parts, session: Session, text: str) -> Outcome:
    """All who share a channel with the person are told. text: "" when it is back"""
    member = parts.sessions.members[session.person]
    if member.away == text:
        return Outcome(Code.ALREADY, (text,))
    member.away = text
    parts.ledger.change("member", str(member.person), member.record)
    if places := parts.channels.heard_by(member):
        parts.ledger.event(EventKind.AWAY, member.person, member.name, text=text, places=places)
    return Outcome(Code.OK, (text,))


def _ignore(parts: Parts, session: Session, other: int) -> Outcome:
    """Nobody else is told."""
    name = _called(parts, other)
    if not name:
        return Outcome(Code.NO_SUCH_NAME)
    if other == session.person:
        return Outcome(Code.BAD_ARGUMENTS, (name,))
    return Outcome(parts.people.ignore(session.person, other, name, session.network), (name,))


def _unignore(parts: Parts, session: Session, other: int) -> Outcome:
    name = _called(parts, other) or dict(parts.people.ignored(session.person)).get(other, "")
    if not name:
        return Outcome(Code.NO_SUCH_NAME)
    found = parts.people.unignore(session.person, other)
    return Outcome(Code.OK if found else Code.ALREADY, (name,))


def _called(parts: Parts, person: int) -> str:
    """The name of a member, or of an account whose owner is out; "": there is no such person."""
    known = parts.sessions.members.get(person) or parts.accounts.of(person)
    return known.name if known is not None else ""


def _set_direct(parts: Parts, session: Session, who: str) -> Outcome:
    if who not in tuple(Writers):
        return Outcome(Code.BAD_ARGUMENTS)
    changed = parts.people.set_writers(session.person, Writers(who))
    return Outcome(Code.OK if changed else Code.ALREADY, (who,))


PEOPLE_ACTS: Mapping[str, ActCommand] = {
    "/nick": ActCommand(Role.MEMBER, False, (Text(NAME_BYTES), KEY, LOOKS), _rename),
    "/away": ActCommand(Role.MEMBER, False, (Text(MAX_AWAY),), _go_away),
    "/back": ActCommand(Role.MEMBER, False, (), _come_back),
    "/ignore": ActCommand(Role.MEMBER, False, (Number(),), _ignore),
    "/unignore": ActCommand(Role.MEMBER, False, (Number(),), _unignore),
    "/direct": ActCommand(Role.MEMBER, False, (Text(16),), _set_direct),
}
"""The acts of people by their names. The arguments:

/nick             the name as written, its key, its skeletons with spaces between them
/away             why the member does not answer
/ignore, /unignore number of the person
/direct           one of `Writers`
"""

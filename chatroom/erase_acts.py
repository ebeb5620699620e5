"""The act that erases a person: its account, whatever is kept of it, and all that it has said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chatroom.act import KEY, ActCommand, Parts
from chatroom.audit import audit
from chatroom.events import ERASED_NAME, EventKind, Extra, extra_row
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.session import Session


class _Erased(NamedTuple):
    """Who is erased. names: by which it is known, as written; keys: of these names"""

    person: int
    names: frozenset[str]
    keys: tuple[str, ...]


def _erase(parts: Parts, session: Session, name_key: str) -> Outcome:
    """Row: how the name is written. Nothing that is left of the person says who it was."""
    member = _member(parts, name_key)
    account = parts.accounts.named(name_key) if not member else parts.accounts.of(member)
    if account is None and not member:
        return Outcome(Code.NO_SUCH_NAME, (name_key,))
    person = account.person if account is not None else member
    name = parts.direct.name_of(person)
    if parts.rights.role(person) >= Role.OPERATOR:  # so no owner can be erased, and nobody's self
        return Outcome(Code.BAD_ARGUMENTS, ("operator", name))
    sessions = parts.sessions.of_person(person)
    known = (*sessions, *([account] if account is not None else ()))
    names, keys = {one.name for one in known}, {one.name_key for one in known}
    erased = _Erased(person, frozenset(names), tuple(sorted(keys)))
    if account is not None:
        parts.accounts.remove(account)
        parts.codes.drop(account.name_key)
    _let_go(parts, session, erased)
    extra = extra_row(Extra.TARGET, person, 4)
    parts.ledger.event(EventKind.ERASED, place=WHOLE_CHATROOM, extra=extra)
    parts.erasing.erase(person, parts.ledger.head)
    audit(parts, session, None, "erased an account")
    return Outcome(Code.OK, (name,))


def _member(parts: Parts, name_key: str) -> int:
    """The person of the member with this name; 0: there is none."""
    holder = parts.holders.of_key(name_key)
    return holder.person if holder is not None and holder.person in parts.sessions.members else 0


def _let_go(parts: Parts, session: Session, erased: _Erased) -> None:
    """End all sessions, and forget what is kept of the person. Requires that it has no account any more."""
    person, sessions = erased.person, parts.sessions
    parts.channels.depart(person)
    for one in sessions.of_person(person):
        sessions.expel(one, Code.KICKED)
    sessions.forget_person(person, ERASED_NAME)
    parts.conversations.erase(person, ERASED_NAME)
    parts.rights.erase_names(erased.names, erased.keys, ERASED_NAME)
    parts.amendments.erase(person, erased.names, ERASED_NAME)
    for channel in parts.channels.with_topic_of(person, erased.names):
        channel.topic, channel.topic_by, channel.topic_of = "", ERASED_NAME, 0
        parts.channels.keep(channel)
        author = parts.sessions.members[session.person].name  # else others would go on to show the topic
        parts.ledger.event(EventKind.TOPIC, session.person, author, channel.place, channel.name)
    for forget in parts.erasing.on_erased:
        forget(person)


ERASE_ACTS: Mapping[str, ActCommand] = {"/erase": ActCommand(Role.OWNER, True, (KEY,), _erase)}
"""The argument: key of the name of an account, or of a member."""

"""Acts against strangers: the door, the limit of newcomers, the server's password, who is invited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatroom.act import ActCommand, Number, Parts, Scene, Text
from chatroom.audit import audit
from chatroom.events import INVITED_LIST
from chatroom.guard import Guard, Opening
from chatroom.limits import MAX_NEWCOMER_LINES
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM
from chatroom.session import Session

KEY_SETTING: Final = "key"
NEWCOMERS: Final = "newcomers"
OFF: Final = "off"

_EVERYWHERE: Final = Scene(WHOLE_CHATROOM, EVERYWHERE, None)


def shown(guard: Guard) -> tuple[tuple[str, str | int], ...]:
    """Pairs of word and value: who may come in, what newcomers may say in a minute ("off": as much as
    others), whether the server has a password."""
    newcomers: str | int = OFF if guard.newcomers is None else guard.newcomers
    key = "on" if guard.key else OFF
    return (("opening", str(guard.opening)), (NEWCOMERS, newcomers), (KEY_SETTING, key))


def _guard(parts: Parts, session: Session, word: str, number: int) -> Outcome:
    """Rows: see `shown`."""
    guard, done = parts.guard, f"/guard {word}"
    if word == NEWCOMERS:
        changed, done = guard.slow(number), f"{done} {number}"
    elif word == OFF:
        changed = guard.stand_down()
    elif word in (Opening.ACCOUNTS, Opening.INVITED):
        changed = guard.close(Opening(word))
    else:
        return Outcome(Code.BAD_ARGUMENTS)
    if changed:
        audit(parts, session, _EVERYWHERE, done)
    return Outcome(Code.OK if changed else Code.ALREADY, shown(guard))


def set_everywhere(parts: Parts, session: Session, name: str, value: str) -> Outcome:
    """/set in the whole chatroom: only the server's password. Rows: name and value, no key"""
    if name != KEY_SETTING:
        return Outcome(Code.BAD_ARGUMENTS, (name,))
    key, told = ("", OFF) if value == OFF else (value, "on")
    if not parts.guard.set_key(key):
        return Outcome(Code.ALREADY, (name, told))
    audit(parts, session, _EVERYWHERE, f"/set {name} {told}")
    return Outcome(Code.OK, (name, told))


def invite_everywhere(parts: Parts, session: Session, name_key: str, is_put: bool) -> Outcome:
    """The owner of this account can come in when only those can who are invited; or not any more.

    Only accounts: the name of a guest is somebody else's tomorrow. Rows: the name, EVERYWHERE
    """
    account, rights = parts.accounts.named(name_key), parts.rights
    if account is None:
        return Outcome(Code.NO_SUCH_NAME, (name_key, EVERYWHERE))
    person, rows = account.person, (account.name, EVERYWHERE)
    if rights.has(person, INVITED_LIST) == is_put:
        return Outcome(Code.ALREADY, rows)
    if not is_put:
        rights.take(person, INVITED_LIST)
    elif refused := rights.refusal(WHOLE_CHATROOM):
        return Outcome(refused, rows)
    else:
        rights.give(person, INVITED_LIST, session.person)
    audit(parts, session, _EVERYWHERE, "/invite" if is_put else "/uninvite", person, account.name)
    return Outcome(Code.OK, rows)


GUARD_ACTS: Mapping[str, ActCommand] = {
    "/guard": ActCommand(Role.OPERATOR, True, (Text(16), Number(MAX_NEWCOMER_LINES)), _guard),
}
"""/guard  "accounts", "invited", NEWCOMERS or OFF; with NEWCOMERS what each may say in a minute, else 0"""

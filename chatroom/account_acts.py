"""Acts of accounts, devices and codes."""

from __future__ import annotations

from collections.abc import Mapping

from chatroom.accounts import PASSWORD, Account
from chatroom.act import KEY, LABEL, SECRET, ActCommand, Number, Parts
from chatroom.audit import audit
from chatroom.codes import ANY_ACCOUNT
from chatroom.events import EventKind, Extra, extra_row
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.proposals import Own
from chatroom.session import Session

# --- accounts -----------------------------------------------------------------------------------------------


def _register(parts: Parts, session: Session, secret: str) -> Outcome:
    """The member's name is its own from now on; its person stays, so nothing moves."""
    accounts, person = parts.accounts, session.person
    if (account := accounts.of(person)) is not None:
        return Outcome(Code.ALREADY, (account.name,))
    if accounts.named(session.name_key) or accounts.alike(session.skeletons):
        return Outcome(Code.NAME_TAKEN, (session.name,))
    member = parts.sessions.members[person]
    if (slowed := parts.speaking.asking(session, member)) is not None:
        return slowed
    if accounts.is_full():
        return Outcome(Code.FULL)
    if accounts.is_full_of(session.network):
        return Outcome(Code.TOO_MANY)
    account = Account(session.name_key, person, session.name, session.skeletons, network=session.network)
    account.seen, account.networks = parts.ledger.time, [session.network]
    account.since = min(one.began for one in parts.sessions.of_person(person))
    accounts.add(account)
    accounts.set_password(account, secret)
    _tell_account(parts, session, account.name)
    parts.speaking.amended(session, member)
    return Outcome(Code.OK, (account.name,))


def _unregister(parts: Parts, session: Session, secret: str) -> Outcome:
    """The name is free for others as soon as the member has left."""
    account = parts.accounts.of(session.person)
    if account is None or not account.credential(secret, PASSWORD):
        return Outcome(Code.BAD_PASSWORD)
    parts.accounts.remove(account)
    parts.codes.drop(account.name_key)
    for role in (Role.OWNER, Role.OPERATOR):
        if parts.rights.take(account.person, role):
            _tell_role(parts, account, role, is_put=False)
    parts.rights.keep_name(account.person, account.name, account.name_key)
    _tell_account(parts, session, "")
    return Outcome(Code.OK, (account.name,))


def _tell_account(parts: Parts, session: Session, name: str) -> None:
    member = parts.sessions.members[session.person]
    places = parts.channels.heard_by(member)
    if places:
        parts.ledger.event(EventKind.ACCOUNT, member.person, member.name, text=name, places=places)


def _change_password(parts: Parts, session: Session, old: str, new: str) -> Outcome:
    """Whoever knew the earlier password, or has a device, is out."""
    account = parts.accounts.of(session.person)
    if account is None or not account.credential(old, PASSWORD):
        return Outcome(Code.BAD_PASSWORD)
    _set_password(parts, session, account, new)
    return Outcome(Code.OK, (account.name,))


def _recover(parts: Parts, session: Session, name_key: str, code: str, new: str) -> Outcome:
    """Set the password of an account with a one-time code. The words for all failures are the same."""
    account = parts.accounts.named(name_key)
    if account is None or not parts.codes.is_right(code, name_key):
        return Outcome(Code.BAD_PASSWORD)
    if parts.codes.makes_owner(name_key):
        _make_owner(parts, account)
        audit(parts, session, None, f"/recover {account.name}", account.person, account.name)
    parts.codes.drop(name_key)
    _set_password(parts, session, account, new)
    return Outcome(Code.OK, (account.name,))


def _set_password(parts: Parts, session: Session, account: Account, secret: str) -> None:
    """Set the password; devices are forgotten, and all programs of the account but this one are ended."""
    parts.accounts.set_password(account, secret)
    if session.person == account.person:  # /recover may be for another account
        session.device = ""
        parts.sessions.keep(session)
    for other in parts.sessions.of_person(account.person):
        if other is not session:
            parts.sessions.expel(other)


def _add_device(parts: Parts, session: Session, secret: str, label: str) -> Outcome:
    """Remember the program of this session: its token is a credential from now on."""
    account = parts.accounts.of(session.person)
    if account is None or account.credential(secret):
        return Outcome(Code.ALREADY)
    if session.device:
        parts.accounts.remove_device(account, session.device)
    parts.accounts.add_device(account, secret, label)
    session.device = secret
    parts.sessions.keep(session)
    return Outcome(Code.OK, (account.name,))


def _end_session(parts: Parts, session: Session, number: int) -> Outcome:
    """End another program of the person. A device that was remembered for it is forgotten: else the program
    would come back by itself."""
    others = (one for one in parts.sessions.of_person(session.person) if one is not session)
    ended = next((one for one in others if one.number == number), None)
    if ended is None:
        return Outcome(Code.BAD_ARGUMENTS, (number,))
    account = parts.accounts.of(session.person)
    if account is not None and ended.device:
        parts.accounts.remove_device(account, ended.device)
    parts.sessions.expel(ended)
    return Outcome(Code.OK, (number,))


# --- rights -------------------------------------------------------------------------------------------------


def _become_owner(parts: Parts, session: Session, code: str) -> Outcome:
    """With the code of the first start an account becomes owner, or with that of --owner and its name."""
    account = parts.accounts.of(session.person)
    names = (ANY_ACCOUNT, *([account.name_key] if account else ()))
    right = [name for name in names if parts.codes.makes_owner(name) and parts.codes.is_right(code, name)]
    if account is None or not right:
        return Outcome(Code.BAD_PASSWORD)
    _make_owner(parts, account)
    audit(parts, session, None, "/owner", account.person, account.name)
    parts.codes.drop(right[0])
    return Outcome(Code.OK)


def _make_owner(parts: Parts, account: Account) -> None:
    if parts.rights.give(account.person, Role.OWNER, 0):
        _tell_role(parts, account, Role.OWNER)
    parts.codes.drop(ANY_ACCOUNT)


def _tell_role(parts: Parts, account: Account, role: Role, *, is_put: bool = True) -> None:
    """Tell all in the chatroom who has a role in it, or not any more. It has no author: it was the server's
    code, or the account's end."""
    extra = extra_row(Extra.LIST, role, 1) + extra_row(Extra.TARGET, account.person, 4)
    extra += extra_row(Extra.TARGET_NAME, account.name) + (b"" if is_put else extra_row(Extra.REMOVED, 1, 1))
    parts.ledger.event(EventKind.LISTED, place=WHOLE_CHATROOM, extra=extra)


def _make_code(parts: Parts, session: Session, name_key: str, code: str, until: int) -> Outcome:
    """A one-time code with which somebody who has lost the password sets another one."""
    account = parts.accounts.named(name_key)
    if account is None:
        return Outcome(Code.NO_SUCH_NAME, (name_key,))
    parts.codes.make(code, name_key, until, session.person)
    audit(parts, session, None, f"/code {account.name}", account.person, account.name)
    return Outcome(Code.OK, (account.name, until))


def own(parts: Parts, body: Own) -> None:
    """Whoever runs the server says who owns the chatroom: see `Own`."""
    if not body.name_key:
        if body.code and not parts.rights.has_owner:
            parts.codes.make(body.code, ANY_ACCOUNT, body.until, 0)
        return
    account = parts.accounts.named(body.name_key)
    if account is None:
        account = Account(body.name_key, parts.ledger.new_person(), body.name, body.skeletons)
        parts.accounts.add(account)
        _evict(parts, account)
    if not account.credentials:  # a password may be that of a stranger who was here first
        _make_owner(parts, account)
    if body.code:
        parts.codes.make(body.code, body.name_key, body.until, 0)


def _evict(parts: Parts, account: Account) -> None:
    """Nobody has the name that is kept for its owner, nor one that looks like it and is not its own."""
    holder = parts.holders.of_key(account.name_key)
    alike = [one for one in parts.holders.alike(account.skeletons) if not parts.accounts.named(one.name_key)]
    for each in (*([holder] if holder else ()), *alike):
        for session in sorted(each.sessions.values(), key=lambda session: session.key):
            parts.sessions.expel(session)


ACCOUNT_ACTS: Mapping[str, ActCommand] = {
    "/register": ActCommand(Role.MEMBER, False, (SECRET,), _register),
    "/passwd": ActCommand(Role.MEMBER, True, (SECRET, SECRET), _change_password),
    "/unregister": ActCommand(Role.MEMBER, True, (SECRET,), _unregister),
    "/recover": ActCommand(Role.MEMBER, False, (KEY, SECRET, SECRET), _recover),
    "/owner": ActCommand(Role.MEMBER, True, (SECRET,), _become_owner),
    "/device": ActCommand(Role.MEMBER, True, (SECRET, LABEL), _add_device),
    "/sessions end": ActCommand(Role.MEMBER, False, (Number(),), _end_session),
    "/code": ActCommand(Role.OWNER, True, (KEY, SECRET, Number()), _make_code),
}
"""The acts of accounts by their names. The arguments:

/register      secret of the password
/passwd        secret of the old password, of the new one
/unregister    secret of the password
/recover       key of the account's name, secret of the code, of the new password
/owner         secret of the code
/device        secret of the device's token, label
/sessions end  number of the session
/code          key of the account's name, secret of the code, when it expires (ms since 1970)
"""

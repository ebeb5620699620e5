"""Who may have a name: one rule for newcomers and for those who take another name. A part of the state."""

from __future__ import annotations

from typing import NamedTuple

from chatroom.accounts import Account, Accounts
from chatroom.holders import Holder, Holders
from chatroom.outcomes import Code, Outcome
from chatroom.session import Phase, Session


class Name(NamedTuple):
    """A name with its key, as name_key() returns it, and its skeletons: what it looks like."""

    name: str
    key: str
    skeletons: tuple[str, ...]


def name_of(called: Account | Holder | Session) -> Name:
    """The name that somebody has."""
    return Name(called.name, called.name_key, called.skeletons)


def refusal(
    holders: Holders, accounts: Accounts, now: int, name: Name, person: int, own: Holder | None
) -> Outcome | None:
    """Why a name cannot be given; None: it can.

    now:    in milliseconds since 1970
    person: whose it will be, 0: of a new guest
    own:    the person as holder of its present name
    """
    owner = accounts.named(name.key)
    if owner is not None and owner.person != person:
        return Outcome(Code.NEED_LOGIN, (owner.name,))
    holder = holders.of_key(name.key)
    if holder is not None and holder is not own:
        return _taken(holder, now)
    if owner is not None:  # nobody else can look like the owner of a name
        return None
    for account in accounts.alike(name.skeletons):
        if account.person != person:
            return Outcome(Code.NAME_TAKEN, (account.name, 0))
    for holder in holders.alike(name.skeletons):
        if holder is not own:
            return _taken(holder, now)
    return None


def _taken(holder: Holder, now: int) -> Outcome:
    """Somebody has the name, or one that looks like it; rows: that name, for how many seconds still."""
    sessions = holder.sessions.values()
    if any(session.phase is not Phase.LOST for session in sessions):
        return Outcome(Code.NAME_TAKEN, (holder.name, 0))
    left = max(0, max(session.until for session in sessions) - now)
    return Outcome(Code.NAME_HELD, (holder.name, -(-left // 1000)))  # rounded up: "another 0 s" misleads

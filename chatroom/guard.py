"""Against strangers: who may come in, and who counts as new. A part of the state.

One command of an operator closes the door to strangers, and ends those of them who have just come. Who was
here before, and whom the operators know, notices nothing.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Final

from chatroom.accounts import Account, Accounts, is_same
from chatroom.bounds import Limits
from chatroom.channels import Channels
from chatroom.codes import Codes
from chatroom.events import INVITED_LIST
from chatroom.ledger import Ledger
from chatroom.network import is_loopback
from chatroom.outcomes import Code
from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.records import Record
from chatroom.rights import Rights
from chatroom.session import Session
from chatroom.sessions import Sessions


class Opening(StrEnum):
    """Who may come in, beside those who belong: see `Guard.refusal`."""

    ALL = "all"
    ACCOUNTS = "accounts"  # who logs in to an account
    INVITED = "invited"  # who is on the list of those who are invited to the whole chatroom


REFUSALS: Final = {Opening.ACCOUNTS: Code.NEED_LOGIN, Opening.INVITED: Code.INVITE_ONLY}
"""Why others cannot come in."""


class Guard:
    """The password of the server, the door, and the limit of newcomers.

    key:       what is stored of the server's password, "": it has none
    opening:   who may come in
    newcomers: what each of those who have just come may say in a minute; None: as much as others
    ending:    when the operator closed the door whose newcomers are still being ended, in milliseconds since
               1970; 0: none are
    before:    of the persons, only those with a lower number are still to be looked at; 0: all
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        accounts: Accounts,
        rights: Rights,
        channels: Channels,
        sessions: Sessions,
        codes: Codes,
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._accounts = accounts
        self._rights = rights
        self._channels = channels
        self._sessions = sessions
        self._codes = codes
        self.key = ""
        self.opening = Opening.ALL
        self.newcomers: int | None = None
        self.ending = self.before = 0

    # --- judging --------------------------------------------------------------------------------------------

    def is_owners_way(self, address: str) -> bool:
        """Whether the door is open whatever is set: on the server's own machine, while its code is not used.

        Else an owner who has lost the password could not come in to give /recover.
        """
        return self._codes.waits_for_owner and is_loopback(address)

    def lacks_key(self, key: str, session: Session | None, account: Account | None) -> bool:
        """Whether somebody who comes does not know the server's password, and has to.

        key:     what is stored of the password that it has shown
        session: to which it comes back; who was let in once is let in again
        account: to which it logs in; an operator can always come, to change a password that is lost
        """
        if not self.key or session is not None or is_same(self.key, key):
            return False
        return account is None or self._rights.role(account.person) < Role.OPERATOR

    def refusal(self, person: int, session: Session | None, name_key: str, network: str) -> Code | None:
        """Why somebody who comes cannot come in; None: nothing is against it.

        Who belongs can: a person with a session that began before strangers count as new. Its client comes
        back with the token, whatever happens to the connection.

        person:  0: one that comes for the first time
        session: to which it comes back, or its new one
        """
        if self.opening is Opening.ALL or self._is_trusted(person, name_key, network):
            return None
        if self.opening is Opening.ACCOUNTS and self._accounts.of(person) is not None:
            return None
        is_new = self._is_new(self._first_began(person, session), self._ledger.time)
        return REFUSALS[self.opening] if is_new else None

    def may_found(self, person: int, session: Session, name_key: str, network: str) -> bool:
        """Whether somebody may come into a channel that is not there yet: not newcomers who may say nothing.

        session: its new one, or that to which it comes back
        """
        if self.newcomers != 0 or self._is_trusted(person, name_key, network):
            return True
        account = self._accounts.of(person)
        since = account.since if account is not None else self._first_began(person, session)
        return not self._is_new(since, self._ledger.time)

    @property
    def limits_speech(self) -> bool:
        """Whether some may not say what they like."""
        return self.newcomers is not None or self.ending > 0

    def allowance(self, person: int) -> int | None:
        """How much a member may say in a minute; None: as much as it likes.

        Those who are about to be ended say nothing more.
        """
        if self.ending and self._is_to_end(person):
            return 0
        if self.newcomers is None or not self.is_newcomer(person, self._ledger.time):
            return None
        return self.newcomers

    def is_newcomer(self, person: int, now: int) -> bool:
        """Whether a member had come just before the time `now`, and no operator has said that it is known."""
        member = self._sessions.members.get(person)
        if member is None or not self._is_new(self.since(person), now):
            return False
        networks = dict.fromkeys(one.network for one in member.sessions.values())
        return not any(self._is_trusted(person, member.name_key, network) for network in networks)

    def since(self, person: int) -> int:
        """When a person came for the first time, as far as that is known, in milliseconds since 1970."""
        account = self._accounts.of(person)
        return account.since if account is not None else self._first_began(person, None)

    def _is_new(self, since: int, now: int) -> bool:
        """Not what began in the future: it was noted when the clock was ahead."""
        return 0 <= now - since < self._limits.newcomer

    def _first_began(self, person: int, session: Session | None) -> int:
        sessions = self._sessions.of_person(person) if person else []
        every = [one.began for one in (*sessions, *([session] if session else []))]
        return min(every, default=self._ledger.time)

    def _is_trusted(self, person: int, name_key: str, network: str) -> bool:
        """Whether those who run the chatroom have said that they know somebody.

        By a role in the whole chatroom or in a channel that is kept: everybody can found another channel, and
        give roles there. By an invitation, or an exemption.
        """
        if person:
            for place in (WHOLE_CHATROOM, *self._rights.places_of(person)):
                channel = self._channels.all.get(place)
                kept = channel is None or channel.kept
                if kept and self._rights.role(person, place) >= Role.VOICE:
                    return True
            if self._rights.has(person, INVITED_LIST):
                return True
        return self._rights.exempts(person, name_key, network)

    def _is_to_end(self, person: int) -> bool:
        if self.opening is Opening.ACCOUNTS and self._accounts.of(person) is not None:
            return False
        return self.is_newcomer(person, self.ending)

    # --- changing -------------------------------------------------------------------------------------------

    def set_key(self, key: str) -> bool:
        """Let this be the password of the server, "": none; False: it was so before."""
        if self.key == key:
            return False
        self.key = key
        self._keep()
        return True

    def close(self, opening: Opening) -> bool:
        """Let only these come in, and end the newcomers who are none of them; False: it was so before."""
        if self.opening is opening:
            return False
        self.opening, self.ending, self.before = opening, self._ledger.time, 0
        self._keep()
        self.go_on()
        return True

    def slow(self, newcomers: int) -> bool:
        """Let newcomers say so much in a minute; False: it was so before."""
        if self.newcomers == newcomers:
            return False
        self.newcomers = newcomers
        self._keep()
        return True

    def stand_down(self) -> bool:
        """Let all come in, and newcomers say what they like; False: it was so before."""
        if self.opening is Opening.ALL and self.newcomers is None:
            return False
        self.opening, self.newcomers, self.ending, self.before = Opening.ALL, None, 0, 0
        self._keep()
        return True

    def go_on(self) -> None:
        """With the command and with each tick: end at most `ends_per_tick` newcomers, until none is left.

        Each time it looks at `looked_per_tick` persons, first those who have come last. Whoever comes
        meanwhile is refused, so there are no more.
        """
        if not self.ending:
            return
        left, waiting = self._limits.ends_per_tick, sorted(self._sessions.members, reverse=True)
        waiting = [person for person in waiting if not self.before or person < self.before]
        for person in waiting[: self._limits.looked_per_tick]:
            if not left:
                break
            self.before = person
            if self._is_to_end(person):
                left -= 1
                for session in self._sessions.of_person(person):
                    self._sessions.expel(session, REFUSALS[self.opening])
        if not waiting or self.before == waiting[-1]:
            self.ending = self.before = 0
        self._keep()

    def set_back(self, now: int) -> None:
        """The clock was ahead, and is right now: who came until now is still to be ended."""
        if self.ending > now:
            self.ending = now
            self._keep()

    # --- records --------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        self._ledger.change("chatroom", "", self._record if self._is_set else None)

    @property
    def _is_set(self) -> bool:
        is_open = self.opening is Opening.ALL and self.newcomers is None
        return bool(self.key) or not is_open

    def _record(self) -> Record:
        value = {
            "key": self.key,
            "opening": str(self.opening),
            "newcomers": self.newcomers,
            "ending": self.ending,
            "before": self.before,
        }
        return Record("chatroom", "", json.dumps(value, separators=(",", ":")))

    def records(self) -> list[Record]:
        """What operators have set; nothing while that is nothing."""
        return [self._record()] if self._is_set else []

    def restore(self, record: Record) -> None:
        """Take what was stored."""
        value = json.loads(record.value or "{}")
        self.key, self.opening = value["key"], Opening(value["opening"])
        self.newcomers, self.ending, self.before = value["newcomers"], value["ending"], value["before"]

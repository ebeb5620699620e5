"""The entrance: names are given to newcomers, and newcomers become members. A part of the state."""

from __future__ import annotations

from chatroom.accounts import PASSWORD, Account, Accounts
from chatroom.bounds import Limits
from chatroom.channels import Channels
from chatroom.effects import Admit, End, NameAnswer, Origin
from chatroom.events import BAN_LIST
from chatroom.guard import Guard
from chatroom.holders import Holder, Holders
from chatroom.ledger import Ledger
from chatroom.limits import DEFAULT_CHANNEL
from chatroom.naming import Name, name_of, refusal
from chatroom.outcomes import Code, Outcome
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM
from chatroom.proposals import Arrive, Enter, Leave, Withdraw
from chatroom.rights import Rights
from chatroom.session import Phase, Session
from chatroom.sessions import Sessions
from chatroom.speaking import Speaking


class Entrance:
    """Gives names, and lets those who have one come in, leave and come back."""

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        holders: Holders,
        channels: Channels,
        accounts: Accounts,
        sessions: Sessions,
        guard: Guard,
        rights: Rights,
        speaking: Speaking,
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._holders = holders
        self._channels = channels
        self._accounts = accounts
        self._sessions = sessions
        self._guard = guard
        self._rights = rights
        self._speaking = speaking

    # --- names ----------------------------------------------------------------------------------------------

    def arrive(self, origin: Origin, wanted: Arrive) -> None:
        """Give the name to the newcomer for the time of its handshake, or say why not."""
        self._end_late_handshakes(wanted)
        self._ledger.tell(NameAnswer(origin, self._arrive(origin, wanted)))

    def _arrive(self, origin: Origin, wanted: Arrive) -> Outcome:
        """The token of a session opens it although it is in use: so a client whose connection is dead gets
        its own member back. Who proves to be the owner of an account gets another session of its person.
        """
        account = self._accounts.proven(wanted.name_key, wanted.proof) if wanted.proof else None
        if wanted.proof and account is None:
            return Outcome(Code.BAD_PASSWORD)
        session = self._known(wanted, account)
        lacks_key = self._guard.lacks_key(wanted.key, session, account)
        if lacks_key and not self._guard.is_owners_way(wanted.address):
            return Outcome(Code.BAD_KEY, (bool(wanted.key),))
        person = account.person if account else session.person if session else 0
        own = self._holders.of_person(person) if person else self._holders.of(session) if session else None
        if own is not None and _keeps_name(own, session):
            name = name_of(own)
        else:
            name, refused = self._first_free(_names(wanted, account, session), person, own)
            if refused is not None:
                return refused
        kept_out = self._kept_out(person, session, name.key, wanted.network, wanted.address)
        if kept_out is not None:
            return kept_out
        if wanted.fresh in self._sessions.all:
            return Outcome(Code.UNAVAILABLE)  # 128 random bits came twice: no honest server proposes it
        by_password = account is not None and account.credential(wanted.proof, PASSWORD) is not None
        comes = session is None or session.phase is Phase.ABSENT
        if comes and not self._sessions.bound_programs(person, by_password):
            return Outcome(Code.TOO_MANY)
        # The program that has made room is absent now, and may have pushed out this very session.
        session = self._known(wanted, account)
        known = session is not None
        if session is None:
            session = Session(wanted.fresh, person, name.name, name.key, wanted.address, Phase.ARRIVING, 0)
            session.began = self._ledger.time
            self._sessions.begin(session)
        self._let_come(origin, session, wanted, name)
        if account is not None:
            session.device = self._accounts.log_in(account, wanted.proof, wanted.network)
        return Outcome(Code.OK, (known, session.name))

    def _kept_out(
        self, person: int, session: Session | None, name_key: str, network: str, address: str
    ) -> Outcome | None:
        """Why somebody must not come in: it is banned (rows: as of `Channels.refusal`), or a stranger, or
        there is no number for one more person."""
        banned = self._rights.hits(BAN_LIST, WHOLE_CHATROOM, person, name_key, network)
        if banned is not None:
            return Outcome(Code.BANNED, (EVERYWHERE, banned.until, banned.reason))
        stranger = self._guard.refusal(person, session, name_key, network)
        if stranger is not None and not self._guard.is_owners_way(address):
            return Outcome(stranger)
        none_left = not person and self._ledger.persons >= self._limits.person_numbers
        return Outcome(Code.FULL) if none_left else None

    def _known(self, wanted: Arrive, account: Account | None) -> Session | None:
        """The session that the token opens, whatever name comes with it: its member may have got another one
        since the client was told of its name. A login to an account opens only sessions of its person.
        """
        session = self._sessions.all.get(wanted.known)
        return session if session is None or account is None or session.person == account.person else None

    def _first_free(self, names: list[Name], person: int, own: Holder | None) -> tuple[Name, Outcome | None]:
        """The first name that can be given; or the last, and why not. See `chatroom.naming.refusal`."""
        for name in names:
            refused = refusal(self._holders, self._accounts, self._ledger.time, name, person, own)
            if refused is None:
                break
        return name, refused

    def _let_come(self, origin: Origin, session: Session, wanted: Arrive, name: Name) -> None:
        """The session is in its handshake from now on; a member stays one meanwhile."""
        until, moved = self._ledger.time + self._limits.handshake, session.network != wanted.network
        if session.phase in (Phase.ABSENT, Phase.ARRIVING):
            self._holders.give_back(session)
            other = self._holders.of_person(session.person) if session.person else None
            if other is not None:
                name = name_of(other)
            self._sessions.rename(session, name)
            self._sessions.enter_phase(session, Phase.ARRIVING, until, wanted)
        elif session.phase is Phase.LOST:
            self._sessions.enter_phase(session, Phase.LOST, max(session.until, until), wanted)
        session.coming, session.address, session.network = origin, wanted.address, wanted.network
        session.coming_encrypted, session.software = wanted.encrypted, wanted.software
        self._holders.hold(session)
        self._sessions.keep(session)
        if session.phase is Phase.LOST and moved:
            self._sessions.bound_held(session.network)

    def _end_late_handshakes(self, wanted: Arrive) -> None:
        """Free names whose newcomers have not come in time: the tick that does it may not have come yet."""
        holder = self._holders.of_key(wanted.name_key)
        for each in (*([holder] if holder else ()), *self._holders.alike(wanted.skeletons)):
            for session in sorted(each.sessions.values(), key=lambda session: session.key):
                if session.phase is Phase.ARRIVING and session.until <= self._ledger.time:
                    session.coming = None
                    self._sessions.rest(session)

    def withdraw(self, origin: Origin, body: Withdraw) -> None:
        """The newcomer does not come after all."""
        session = self._sessions.all.get(body.session)
        if session is None or session.coming != origin:
            return
        session.coming = None
        if session.phase is Phase.ARRIVING:
            self._sessions.rest(session)
        else:
            self._sessions.keep(session)

    # --- coming and leaving ---------------------------------------------------------------------------------

    def enter(self, origin: Origin, body: Enter) -> None:
        """Make the newcomer a member, or give its member another connection.

        Who comes back asks for the channels as it knew them. It comes in also if it was kicked out of one
        meanwhile, or banned: but not into that one.
        """
        session = self._sessions.all.get(body.session)
        if session is None or session.coming != origin or origin in self._sessions.here:
            self._ledger.tell(End(origin, Code.EXPIRED))
            return
        person, name_key, network = session.person, session.name_key, session.network
        channels = [
            one for one in body.channels if not (session.number and self._channels.keeps_out(one, session))
        ]
        # Again: the door may have been closed while it was in its handshake.
        refused = self._kept_out(person, session, name_key, network, session.address)
        refused = refused or self._channels.refusal(channels, person, name_key, network)
        founds = any(one != DEFAULT_CHANNEL and self._channels.named(one) is None for one in channels)
        if refused is None and founds and not self._guard.may_found(person, session, name_key, network):
            refused = Outcome(Code.SLOW_DOWN)
        if refused is not None:
            self._ledger.tell(End(origin, refused.code, _detail(refused)))
            self.withdraw(origin, Withdraw(session.key))
            return
        head, member = self._ledger.head, self._sessions.come(session, origin)
        banned = self._channels.rejoin(member, session)
        for channel in dict.fromkeys(channels):
            if channel not in member.places and channel not in banned:
                self._channels.join(member, channel, session, is_greeted=True)
        self._ledger.tell(Admit(origin, member.person, member.name, session.confirmed, head))

    def leave(self, session: Session, body: Leave) -> None:
        """The connection of a session that is HERE has ended; `Sessions.here` does not have it any more."""
        session.reason = body.reason
        if body.clean:  # else no word of it is the member's own
            member = self._sessions.members[session.person]
            session.reason = self._speaking.reason(session, member, body.reason)
            self._sessions.leave(session)
        else:
            self._sessions.lose(session)
            self._sessions.bound_held(session.network)


def _detail(refused: Outcome) -> str:
    """What is told beside the code: of a ban the channel, and the reason."""
    if refused.code is not Code.BANNED:
        return ""
    place, _, reason = refused.rows
    return ": ".join(str(one) for one in (place, reason) if one not in (EVERYWHERE, ""))


def _keeps_name(own: Holder, session: Session | None) -> bool:
    """Whether the holder goes on with its name: it is a member with it, or comes with several programs."""
    return any(one is not session or one.phase in (Phase.HERE, Phase.LOST) for one in own.sessions.values())


def _names(wanted: Arrive, account: Account | None, session: Session | None) -> list[Name]:
    """The names that the newcomer may get, the best first: who comes back is called as before."""
    if account is not None:
        return [name_of(account)]
    if session is None or session.name_key == wanted.name_key:
        return [_written(wanted)]
    return [name_of(session), _written(wanted)]


def _written(wanted: Arrive) -> Name:
    return Name(wanted.name, wanted.name_key, wanted.skeletons)

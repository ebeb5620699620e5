"""The sessions in their phases, and the members that they make: a part of the state."""

from __future__ import annotations

import json
from collections.abc import Callable

from chatroom.accounts import Accounts
from chatroom.bounds import Limits
from chatroom.channels import Channels
from chatroom.conversations import Conversations
from chatroom.effects import End, Origin
from chatroom.holders import Holders
from chatroom.ledger import Ledger
from chatroom.naming import Name
from chatroom.outcomes import Code
from chatroom.places import Member
from chatroom.proposals import Arrive
from chatroom.records import Record, Talker
from chatroom.session import Agenda, Phase, Ranking, Session, restore_session


class Sessions:
    """All sessions. A person may have several: it is a member while one of them is HERE or LOST.

    all:     by key
    here:    by connection, those that are HERE
    members: by person
    talked:  persons who have said something after `Ledger.noted`; a dict, because a set has no order
    on_forgotten: called with each person of whom nothing is left: no session, and no account
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        holders: Holders,
        channels: Channels,
        conversations: Conversations,
        accounts: Accounts,
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._holders = holders
        self._channels = channels
        self._conversations = conversations
        self._accounts = accounts
        self.all: dict[str, Session] = {}
        self.here: dict[Origin, Session] = {}
        self.members: dict[int, Member] = {}
        self.talked: dict[int, None] = {}
        self.on_forgotten: list[Callable[[int], None]] = []
        self._of_person: dict[int, dict[str, Session]] = {}
        self._of_name: dict[str, dict[str, Session]] = {}  # by name_key, by key
        self._rankings = {phase: Ranking(self.all, phase) for phase in (Phase.LOST, Phase.ABSENT)}
        self._ending = Agenda(self.all, lambda session: session.until > 0)

    def of_person(self, person: int) -> list[Session]:
        """All sessions of a person, in order of their numbers."""
        sessions = self._of_person.get(person, {}).values()
        return sorted(sessions, key=lambda session: (session.number, session.key))

    def knows(self, person: int) -> bool:
        """Whether the person has an account, or a session that is remembered: else nobody can be it again."""
        return person in self._of_person or self._accounts.of(person) is not None

    def named(self, name_key: str) -> Session | None:
        """Of the sessions whose member was called so, that whose phase began last."""
        sessions = self._of_name.get(name_key, {}).values()
        return max(sessions, key=lambda session: (session.seen, session.key), default=None)

    # --- phases ---------------------------------------------------------------------------------------------

    def begin(self, session: Session) -> None:
        """Take a new session, and give it to its person if it has one."""
        self.all[session.key] = session
        self._count_in(session)

    def _count_in(self, session: Session) -> None:
        self._of_name.setdefault(session.name_key, {})[session.key] = session
        if session.person:
            self._of_person.setdefault(session.person, {})[session.key] = session

    def rename(self, session: Session, name: Name) -> None:
        """The session has another name. The holder of its names is changed by the caller."""
        self._forget_name(session)
        session.name, session.name_key, session.skeletons = name
        self._of_name.setdefault(session.name_key, {})[session.key] = session

    def _forget_name(self, session: Session) -> None:
        of_name = self._of_name[session.name_key]
        del of_name[session.key]
        if not of_name:
            del self._of_name[session.name_key]

    def enter_phase(self, session: Session, phase: Phase, until: int, wanted: Arrive | None = None) -> None:
        """wanted: a new handshake of the session, perhaps from another address"""
        if session.phase is Phase.HERE and phase is not Phase.HERE:
            self._note_before_leaving(session)
        before, network = self._rankings.get(session.phase), session.network
        session.phase, session.until, session.seen = phase, until, self._ledger.time
        if wanted is not None:
            session.address, session.network = wanted.address, wanted.network
        if before is not None:
            before.remove(network)
        if phase in self._rankings:
            self._rankings[phase].add(session)
        if until:
            self._ending.add(session)
        self.keep(session)

    def keep(self, session: Session) -> None:
        """Store what the session is at the end of this entry."""
        self._ledger.change("session", session.key, session.record)

    def come(self, session: Session, origin: Origin) -> Member:
        """The session is HERE with this connection; its member, a new one if nobody knows it yet."""
        if session.phase is Phase.HERE and session.at is not None:
            del self.here[session.at]
            self._ledger.tell(End(session.at, Code.TAKEN_OVER, until=self._ledger.head))
        if not session.person:
            self._meet(session)
        if not session.number:
            session.number = 1 + max(other.number for other in self._of_person[session.person].values())
        member = self._member_of(session)
        if session.person in self.talked:  # from now on a line does not tell which session has said it
            for other in member.here:
                self.keep(other)
        session.at, session.coming, session.encrypted = origin, None, session.coming_encrypted
        self.here[origin] = session
        self.enter_phase(session, Phase.HERE, 0)
        return member

    def _meet(self, session: Session) -> None:
        """Give the newcomer the number of a new person."""
        holder = self._holders.of(session)
        session.person = self._ledger.new_person()
        self._count_in(session)
        if holder is not None:
            self._holders.meet(holder, session.person)

    def _member_of(self, session: Session) -> Member:
        member = self.members.get(session.person)
        if member is None:
            member = Member(session.person, session.name, session.name_key, self._ledger.time)
            self.members[session.person] = member
            self._ledger.change("member", str(member.person), member.record)
        member.sessions[session.key] = session
        return member

    def lose(self, session: Session) -> None:
        """The connection of a session that is HERE has broken; it may come back."""
        self.enter_phase(session, Phase.LOST, self._ledger.time + self._limits.hold)

    def leave(self, session: Session) -> None:
        """A session that is HERE or LOST is that no longer. With the last one, its member quits."""
        if session.phase is Phase.HERE:
            self._note_before_leaving(session)
        member = self.members[session.person]
        del member.sessions[session.key]
        if not member.sessions:
            del self.members[member.person]
            self._channels.quit(member, session.reason)
            self._ledger.change("member", str(member.person), None)
        self.rest(session)

    def rest(self, session: Session) -> None:
        """The session is absent. One that has said nothing is forgotten: it has no line to be repeated."""
        if session.coming is not None:  # its owner is on the way in again: the name stays taken
            self.enter_phase(session, Phase.ARRIVING, self._ledger.time + self._limits.handshake)
            return
        self._holders.give_back(session)
        if not session.confirmed:
            self.forget(session)
            return
        self.enter_phase(session, Phase.ABSENT, self._ledger.time + self._limits.session)
        self._bound_absent(session.person)
        absent = self._rankings[Phase.ABSENT]
        while len(absent) > self._limits.sessions and (first := absent.first()):
            self.forget(first)

    def forget(self, session: Session) -> None:
        """Forget an absent session; with the last one of its person, also where that has been."""
        del self.all[session.key]
        self._forget_name(session)
        if session.phase in self._rankings:
            self._rankings[session.phase].remove(session.network)
        self._ledger.change("session", session.key, None)
        of_person = self._of_person.get(session.person, {})
        of_person.pop(session.key, None)
        if session.person and not of_person:
            del self._of_person[session.person]
            self.forget_person(session.person, session.name)

    def forget_person(self, person: int, name: str) -> None:
        """Forget where a person has been; if it has no account, all that is kept of it. name: for others"""
        self._channels.forget(person)
        if self._accounts.of(person) is None:
            self._conversations.forget(person, name, self.knows)
            for forget in self.on_forgotten:
                forget(person)

    def expel(self, session: Session, code: Code = Code.EXPIRED, reason: str = "", detail: str = "") -> None:
        """End the session whatever its phase: its token opens nothing any more.

        reason:       what the others read
        code, detail: what its client is told
        """
        if session.phase is Phase.HERE and session.at is not None:
            del self.here[session.at]
            self._ledger.tell(End(session.at, code, detail, self._ledger.head))
        session.coming, session.confirmed, session.reason = None, 0, reason
        if session.phase in (Phase.HERE, Phase.LOST):
            self.leave(session)
        elif session.phase is Phase.ARRIVING:
            self.rest(session)
        else:
            self.forget(session)

    # --- bounds ---------------------------------------------------------------------------------------------

    def bound_held(self, network: str) -> None:
        """One more session of this network is lost: when that is one too many, end a hold.

        At most one: a start of the server may have made more of them lost than the bound allows.
        """
        lost = self._rankings[Phase.LOST]
        first: Session | None = None
        if lost.of(network) > self._limits.held_of_network:
            first = lost.first_of(network)
        elif len(lost) > self._limits.held:
            first = lost.first()
        if first is not None:
            self.leave(first)

    def bound_programs(self, person: int, by_password: bool) -> bool:
        """Whether the person may have one more session that is not absent. Of LOST ones, one makes room.

        by_password: any makes room, first of all one that came by a device token: who has stolen that must
        not keep the owner out
        """
        holder = self._holders.of_person(person)
        if holder is None or len(holder.sessions) < self._limits.programs:
            return True
        lost = [one for one in holder.sessions.values() if one.phase is Phase.LOST and one.coming is None]
        if lost:
            self.leave(min(lost, key=lambda session: (session.until, session.key)))
        elif by_password:
            every = holder.sessions.values()
            self.expel(min(every, key=lambda session: (not session.device, session.began, session.key)))
        return bool(lost) or by_password

    def _bound_absent(self, person: int) -> None:
        """Forget those absent sessions of a person that are too many, first of all those that left first.

        Else somebody could log in ten thousand times, and each /sessions or /passwd would go through all.
        """
        absent = [one for one in self._of_person[person].values() if one.phase is Phase.ABSENT]
        absent.sort(key=lambda session: (session.seen, session.key))
        for session in absent[: -self._limits.absent_programs]:
            self.forget(session)

    # --- lines ----------------------------------------------------------------------------------------------

    def note_talkers(self) -> None:
        """Let the records know what was said. Comes with each tick, so a start has few lines to look at.

        Of the lines after `Ledger.noted` a start knows the person, and not the session: they are those of its
        only session that is HERE. So whoever may have several is noted before that session is another one,
        and while several are HERE, each burst stores its session.
        """
        if self.talked:
            for person in self.talked:
                member = self.members.get(person)
                for session in member.here if member else ():  # the others are stored as they are
                    self.keep(session)
            self.talked.clear()
            self._ledger.noted = self._ledger.head

    def _note_before_leaving(self, session: Session) -> None:
        """A session is HERE no longer; perhaps another one of its person talks next."""
        person = session.person
        if person in self.talked and (len(self._of_person[person]) > 1 or self._accounts.of(person)):
            self.note_talkers()

    # --- time and starts ------------------------------------------------------------------------------------

    def end_phases(self) -> None:
        """With a tick. At most `ends_per_tick` sessions change, so that a cut network is no storm."""
        for _ in range(self._limits.ends_per_tick):
            session = self._ending.take(self._ledger.time)
            if session is None:
                return
            session.coming = None
            if session.phase is Phase.ARRIVING:
                self.rest(session)
            elif session.phase is Phase.LOST:
                self.leave(session)
            else:
                self.forget(session)

    def set_back(self, now: int) -> None:
        """The clock was ahead, and is right now: what began in the future begins now, and lasts as long.

        Else a name that was held then would be held for as long as the clock was ahead.
        """
        for session in self.all.values():
            if session.seen <= now:
                continue
            if session.until:
                session.until -= session.seen - now
                self._ending.add(session)
            session.seen = now
            ranking = self._rankings.get(session.phase)
            if ranking is not None:
                ranking.remove(session.network)
                ranking.add(session)
            self.keep(session)

    def up(self) -> None:
        """A server has started: what was connected to its life before has lost its connection.

        Who was lost before has as much time again: nobody could come back while no server was there.
        """
        server, _ = self._ledger.life
        for session in self.all.values():
            if session.coming is not None and session.coming[0] == server:
                session.coming = None
                self.keep(session)
            if session.at is not None and session.at[0] != server:
                continue
            if session.phase is Phase.HERE and session.at is not None:
                session.reason = "the server was stopped"
                del self.here[session.at]
            if session.phase in (Phase.HERE, Phase.LOST):
                self.lose(session)

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All sessions and members."""
        sessions = [session.record() for session in self.all.values()]
        return sessions + [member.record() for member in self.members.values()]

    def restore(self, record: Record) -> None:
        """Take a session that was stored, and let it make its member."""
        session = restore_session(record)
        self.begin(session)
        self._ledger.time = max(self._ledger.time, session.seen)
        if session.until:
            self._ending.add(session)
        if session.phase in self._rankings:
            self._rankings[session.phase].add(session)
        if session.phase is not Phase.ABSENT:
            self._holders.hold(session)
        if session.phase is Phase.HERE and session.at is not None:
            self.here[session.at] = session
        if session.phase in (Phase.HERE, Phase.LOST):
            member = self.members.get(session.person)
            if member is None:
                member = Member(session.person, session.name, session.name_key, session.began)
                self.members[session.person] = member
            member.since = min(member.since, session.began)
            member.sessions[session.key] = session

    def restore_member(self, record: Record) -> None:
        """Take what the sessions do not tell of a member. A record of an older file may lack it."""
        member = self.members.get(int(record.key))
        if member is not None:
            value = json.loads(record.value or "{}")
            member.since, member.away = value.get("since", member.since), value.get("away", "")

    def hear(self, talker: Talker) -> None:
        """Take what was said after the records: see `note_talkers`."""
        self.talked[talker.person] = None
        member = self.members.get(talker.person)
        here = member.here if member else ()
        if len(here) == 1:
            here[0].confirmed = max(here[0].confirmed, talker.id)

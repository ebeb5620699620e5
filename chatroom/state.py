"""The state: what follows from the entries of the order. Names, members, channels, sessions.

A pure fold: `apply` uses nothing but the state and the entry. No clock, no random number, no connection, no
order of a set. So the same entries give the same state in every server and in every test, and the records
of the changes restore it.
"""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple

from chatroom.effects import Admit, Answer, Effect, End, Gone, NameAnswer, Origin, Signal
from chatroom.errors import ChatroomError
from chatroom.events import SET_COUNTED, Event, EventKind, Talk
from chatroom.limits import (
    COUNTED_FROM,
    HANDSHAKE_SECONDS,
    HOLD_SECONDS,
    HOLDS_PER_TICK,
    MAX_CHANNELS,
    MAX_HELD,
    MAX_INTERVALS,
    MAX_NUMBER,
    MAX_PLACES,
    MAX_SESSIONS,
    NETWORK_HELD,
    NETWORK_PLACES,
    SESSION_SECONDS,
)
from chatroom.order import Entry
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst, Form, Role
from chatroom.places import (
    WHOLE_CHATROOM,
    Channel,
    Member,
    Membership,
    Reach,
    restore_channel,
    restore_membership,
)
from chatroom.proposals import Arrive, Enter, Leave, ProposalKind, Withdraw
from chatroom.records import Record, Talker
from chatroom.session import Agenda, Phase, Ranking, Session, restore_session


class Limits(NamedTuple):
    """The limits that decide. They are given to the state, because another server may have other constants.

    handshake, hold, session: how long a session stays ARRIVING, LOST, ABSENT, in milliseconds
    sessions: ABSENT ones in sum
    held, held_of_network: LOST ones in sum, and of one network
    places, places_of_network: channels that are founded, in sum and from one network
    channels: in which a member is
    counted_from: members of a channel up to which it is not counted
    """

    handshake: int = int(HANDSHAKE_SECONDS * 1000)
    hold: int = int(HOLD_SECONDS * 1000)
    session: int = int(SESSION_SECONDS * 1000)
    sessions: int = MAX_SESSIONS
    held: int = MAX_HELD
    held_of_network: int = NETWORK_HELD
    places: int = MAX_PLACES
    places_of_network: int = NETWORK_PLACES
    channels: int = MAX_CHANNELS
    ends_per_tick: int = HOLDS_PER_TICK
    intervals: int = MAX_INTERVALS
    counted_from: int = COUNTED_FROM


class Applied(NamedTuple):
    """What followed from an entry: events and changed records to store, then effects to carry out."""

    happened: list[Event | Talk]
    records: list[Record]
    effects: list[Effect]


class State:
    """What follows from the entries so far.

    head:    seq of the latest event
    epoch:   the latest life of the server
    members: by person, who is in the chatroom
    noted:   the records know all that was said up to this seq. What came later is known from the lines'
             events: a record for each line would cost more than the line
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.head = self.noted = 0
        self.epoch = 0
        self.members: dict[int, Member] = {}
        self._persons = 0  # how many numbers were given
        self._places = 0
        self._sessions: dict[str, Session] = {}
        self._holders: dict[str, Session] = {}  # by name_key; the session that has the name
        self._looks: dict[str, Session] = {}  # by skeleton; a session whose name looks so
        self._here: dict[Origin, Session] = {}
        self._channels: dict[int, Channel] = {}
        self._place_of: dict[str, int] = {}  # by the channel's name
        self._counted: list[Channel] = []  # in order of their places
        self._founded: dict[str, int] = {}  # by network: how many channels come from there
        self._memberships: dict[int, dict[int, Membership]] = {}  # by person, by place
        self._rankings = {phase: Ranking(self._sessions, phase) for phase in (Phase.LOST, Phase.ABSENT)}
        self._ending = Agenda(self._sessions, lambda session: session.until > 0)
        # Of the entry that is being applied, or of the one before; after restore() perhaps of an earlier one,
        # but of none before the latest `seen`:
        self._time = 0
        self._life = ("", 0)
        self._happened: list[Event | Talk] = []
        self._effects: list[Effect] = []
        self._changed: dict[tuple[str, str], Callable[[], Record] | None] = {}  # None: gone
        self._talked: dict[str, Session] = {}  # have said something after `noted`
        self._handlers: dict[int, Callable[[Origin, Any], None]] = {
            ProposalKind.UP: self._up,
            ProposalKind.ARRIVE: self._arrive,
            ProposalKind.WITHDRAW: self._withdraw,
            ProposalKind.ENTER: self._enter,
            ProposalKind.LINES: self._lines,
            ProposalKind.LEAVE: self._leave,
        }

    # --- the fold -----------------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> Applied:
        """Apply one entry. Never raises for the body of a known kind.

        Raises ChatroomError for an unknown kind: a newer version wrote the entry.
        """
        if entry.time < self._time:
            self._set_back(entry.time)
        self._time, self._life = entry.time, (entry.server, entry.epoch)
        if not entry.proposals:
            self._note_talkers()
            self._end_phases()
            self._tell_numbers()
        for origin, _, kind, body in entry.proposals:
            handler = self._handlers.get(kind)
            if handler is None:
                raise ChatroomError(f"a proposal of kind {kind} was written by a newer version of the server")
            handler((entry.server, entry.epoch, origin), body)
        applied = Applied(self._happened, self._take_records(), self._effects)
        self._happened, self._effects = [], []
        return applied

    def _add_event(
        self,
        kind: EventKind,
        person: int = 0,
        author: str = "",
        place: int = WHOLE_CHATROOM,
        text: str = "",
        places: tuple[int, ...] = (),
        extra: bytes = b"",
    ) -> None:
        """Make the event with the next seq. Only lines get theirs elsewhere: see _lines()."""
        self.head += 1
        channel = self._channels[place].name if place else ""
        event = Event(self.head, self._time, kind, channel, author, text, 0, person, place, extra, places)
        self._happened.append(event)

    # --- lines ----------------------------------------------------------------------------------------------

    def _lines(self, origin: Origin, burst: Burst) -> None:
        """Say the lines of a burst. The state does not look at a single text, and makes no object for it."""
        session = self._here.get(origin)
        if session is None:  # the member has left, or another connection has taken it over
            return
        member, (channel, ids, texts, form) = self.members[session.person], burst
        place = member.places.get(channel)
        old = bisect_right(ids, session.confirmed)  # so many are repeats
        refused = Code.NOT_IN if place is None else Code.BAD_ARGUMENTS if form != Form.SAY else None
        for number, id in enumerate(ids if refused is not None else ids[:old]):
            code = Code.ALREADY if number < old or refused is None else refused
            self._effects.append(Answer(origin, id, Outcome(code)))
        if refused is not None or place is None or old == len(ids):
            return
        if old:
            ids, texts = ids[old:], texts[old:]
        first, self.head = self.head + 1, self.head + len(ids)
        self._happened.append(Talk(first, self._time, channel, member.name, member.person, place, ids, texts))
        session.confirmed = ids[-1]
        self._talked[session.key] = session

    # --- arriving and leaving -------------------------------------------------------------------------------

    def _arrive(self, origin: Origin, wanted: Arrive) -> None:
        """Give the name to the newcomer for the time of its handshake.

        The token of the session that has the name opens it although it is in use: so a client whose
        connection is dead gets its own member back.
        """
        self._end_late_handshakes(wanted)
        session = self._sessions.get(wanted.known)
        known = session is not None and session.name_key == wanted.name_key
        holder = self._holder(wanted, session if known else None)
        if holder is not None:
            held = holder.phase is Phase.LOST
            code = Code.NAME_HELD if held else Code.NAME_TAKEN
            seconds = max(0, holder.until - self._time) // 1000 if held else 0
            self._effects.append(NameAnswer(origin, Outcome(code, (holder.name, seconds))))
            return
        if session is None or not known:
            if wanted.fresh in self._sessions:  # 128 random bits came twice: no honest server proposes it
                self._effects.append(NameAnswer(origin, Outcome(Code.UNAVAILABLE)))
                return
            session = Session(
                wanted.fresh, 0, wanted.name, wanted.name_key, wanted.address, Phase.ARRIVING, 0
            )
            session.began = self._time
            self._sessions[session.key] = session
        until, moved = self._time + self._limits.handshake, session.network != wanted.network
        if session.phase in (Phase.ABSENT, Phase.ARRIVING):
            self._give_back(session)
            session.name, session.skeletons = wanted.name, wanted.skeletons
            self._enter_phase(session, Phase.ARRIVING, until, wanted)
        elif session.phase is Phase.LOST:
            self._enter_phase(session, Phase.LOST, max(session.until, until), wanted)
        session.coming, session.address, session.network = origin, wanted.address, wanted.network
        self._hold(session)
        self._keep(session)
        if session.phase is Phase.LOST and moved:
            self._bound_held(session.network)
        self._effects.append(NameAnswer(origin, Outcome(Code.OK, (known,))))

    def _end_late_handshakes(self, wanted: Arrive) -> None:
        """Free names whose newcomers have not come in time: the tick that does it may not have come yet."""
        for holder in (self._holders.get(wanted.name_key), *map(self._looks.get, wanted.skeletons)):
            if holder is None or self._holders.get(holder.name_key) is not holder:
                continue
            if holder.phase is Phase.ARRIVING and holder.until <= self._time:
                holder.coming = None
                self._rest(holder)

    def _holder(self, wanted: Arrive, own: Session | None) -> Session | None:
        """Another session that has the wanted name, or whose name looks like it. own: whose token came."""
        holder = self._holders.get(wanted.name_key)
        if holder is not None and holder is not own:
            return holder
        if own is not None and own.phase in (Phase.HERE, Phase.LOST):  # the member keeps its name as it is
            return None
        alike = (self._looks.get(look, own) for look in wanted.skeletons)
        return next((session for session in alike if session is not own), None)

    def _hold(self, session: Session) -> None:
        """The session has its name from now on."""
        self._holders[session.name_key] = session
        for look in session.skeletons:
            self._looks.setdefault(look, session)

    def _give_back(self, session: Session) -> None:
        """The session has its name no longer, if it had it."""
        if self._holders.get(session.name_key) is session:
            del self._holders[session.name_key]
        for look in session.skeletons:
            if self._looks.get(look) is session:
                del self._looks[look]

    def _withdraw(self, origin: Origin, body: Withdraw) -> None:
        session = self._sessions.get(body.session)
        if session is None or session.coming != origin:
            return
        session.coming = None
        if session.phase is Phase.ARRIVING:
            self._rest(session)
        else:
            self._keep(session)

    def _enter(self, origin: Origin, body: Enter) -> None:
        """Make the newcomer a member, or give its member the new connection."""
        session = self._sessions.get(body.session)
        if session is None or session.coming != origin or origin in self._here:
            self._effects.append(End(origin, Code.EXPIRED))
            return
        refused = self._refuse_channels(session, body.channels)
        if refused is not None:
            self._effects.append(End(origin, refused))
            self._withdraw(origin, Withdraw(session.key))
            return
        if session.phase is Phase.HERE and session.at is not None:
            del self._here[session.at]
            self._effects.append(End(session.at, Code.TAKEN_OVER))
        head, member = self.head, self._member_of(session)
        session.at, session.coming = origin, None
        self._here[origin] = session
        self._enter_phase(session, Phase.HERE, 0)
        for channel in dict.fromkeys(body.channels):
            if channel not in member.places:
                self._join(member, channel)
        self._effects.append(Admit(origin, member.person, member.name, session.confirmed, head))

    def _refuse_channels(self, session: Session, channels: Iterable[str]) -> Code | None:
        """Why the newcomer cannot be in these channels; coming back adds some, and takes none away."""
        member = self.members.get(session.person)
        if len({*channels, *(member.places if member else ())}) > self._limits.channels:
            return Code.TOO_MANY
        fresh = sum(channel not in self._place_of for channel in set(channels))
        if fresh and self._founded.get(session.network, 0) + fresh > self._limits.places_of_network:
            return Code.TOO_MANY
        return Code.FULL if fresh and self._places + fresh > self._limits.places else None

    def _member_of(self, session: Session) -> Member:
        """The member of a session; a new one for a person that is not in the chatroom."""
        if not session.person:
            self._persons += 1
            session.person = self._persons
            self._changed["history", ""] = self._numbers
        member = self.members.get(session.person)
        if member is None:
            member = self.members[session.person] = Member(session.person, session.name, session)
            self._changed["member", str(member.person)] = member.record
        return member

    def _join(self, member: Member, name: str) -> None:
        """Say JOINED, unless the channel is counted, and count the member in.

        Founds a channel that is not there yet. The one that is too many to be listed makes it counted.
        """
        place = self._place_of.get(name)
        if place is None:
            self._places += 1
            place = self._places
            channel = Channel(place, name, self._time, member.person, member.session.network)
            self._add_channel(channel)
            self._changed["history", ""] = self._numbers
            self._changed["channel", str(place)] = channel.record
        channel, after = self._channels[place], self.head
        if len(channel.members) >= self._limits.counted_from:
            self._set_counted(channel)
        if channel.counted:
            after = self.head
        else:
            self._add_event(EventKind.JOINED, member.person, member.name, place)
        of_person = self._memberships.setdefault(member.person, {})
        membership = of_person.setdefault(place, Membership(member.person, place))
        membership.join(after, self._limits.intervals)
        self._changed["membership", f"{member.person} {place}"] = membership.record
        channel.members[member.person] = None
        member.places[name] = place

    def _set_counted(self, channel: Channel) -> None:
        """From now on, only the number of its members is told. It stays so: a list could not come back."""
        if not channel.counted:
            channel.counted = True
            insort(self._counted, channel, key=_place)
            self._changed["channel", str(channel.place)] = channel.record
            self._add_event(EventKind.SET, place=channel.place, extra=SET_COUNTED)

    def _add_channel(self, channel: Channel) -> None:
        self._channels[channel.place] = channel
        self._place_of[channel.name] = channel.place
        if channel.counted:
            insort(self._counted, channel, key=_place)
        if channel.network:
            self._founded[channel.network] = self._founded.get(channel.network, 0) + 1

    def _leave(self, origin: Origin, body: Leave) -> None:
        session = self._here.pop(origin, None)
        self._effects.append(Gone(origin))
        if session is None:  # it was taken over, or never came in
            return
        session.reason = body.reason
        if body.clean:
            self._quit(session)
        else:
            self._enter_phase(session, Phase.LOST, self._time + self._limits.hold)
            self._bound_held(session.network)

    def _bound_held(self, network: str) -> None:
        """One more member of this network is lost: when that is one too many, end a hold.

        At most one: a start of the server may have made more of them lost than the bound allows.
        """
        lost = self._rankings[Phase.LOST]
        first: Session | None = None
        if lost.of(network) > self._limits.held_of_network:
            first = lost.first_of(network)
        elif len(lost) > self._limits.held:
            first = lost.first()
        if first is not None:
            self._quit(first)

    # --- phases of sessions ---------------------------------------------------------------------------------

    def _enter_phase(self, session: Session, phase: Phase, until: int, wanted: Arrive | None = None) -> None:
        """wanted: a new handshake of the session, perhaps from another address"""
        before, network = self._rankings.get(session.phase), session.network
        session.phase, session.until, session.seen = phase, until, self._time
        if wanted is not None:
            session.address, session.network = wanted.address, wanted.network
        if before is not None:
            before.remove(network)
        if phase in self._rankings:
            self._rankings[phase].add(session)
        if until:
            self._ending.add(session)
        self._keep(session)

    def _keep(self, session: Session) -> None:
        """Store what the session is at the end of this entry."""
        self._changed["session", session.key] = session.record

    def _quit(self, session: Session) -> None:
        """The session is absent now, and no other session of that person is in the chatroom.

        Says QUIT to the channels that are not counted.
        """
        member = self.members.pop(session.person)
        places = tuple(sorted(member.places.values()))  # their order of joining is not in the records
        told = tuple(place for place in places if not self._channels[place].counted)
        if told:
            self._add_event(EventKind.QUIT, member.person, member.name, text=session.reason, places=told)
        for place in places:
            membership = self._memberships[member.person][place]
            membership.leave(self.head)
            self._changed["membership", f"{member.person} {place}"] = membership.record
            del self._channels[place].members[member.person]
        self._changed["member", str(member.person)] = None
        self._rest(session)

    def _rest(self, session: Session) -> None:
        """The session is absent. One that has said nothing is forgotten: it has no line to be repeated."""
        if session.coming is not None:  # its owner is on the way in again: the name stays taken
            self._enter_phase(session, Phase.ARRIVING, self._time + self._limits.handshake)
            return
        self._give_back(session)
        if not session.confirmed:
            self._forget(session)
            return
        self._enter_phase(session, Phase.ABSENT, self._time + self._limits.session)
        absent = self._rankings[Phase.ABSENT]
        while len(absent) > self._limits.sessions and (first := absent.first()):
            self._forget(first)

    def _forget(self, session: Session) -> None:
        """Forget a session, and where its person has been."""
        del self._sessions[session.key]
        if session.phase in self._rankings:
            self._rankings[session.phase].remove(session.network)
        self._changed["session", session.key] = None
        for place in self._memberships.pop(session.person, {}):
            self._changed["membership", f"{session.person} {place}"] = None

    # --- time and starts ------------------------------------------------------------------------------------

    def _end_phases(self) -> None:
        """With a tick. At most `ends_per_tick` sessions change, so that a cut network is no storm."""
        for _ in range(self._limits.ends_per_tick):
            session = self._ending.take(self._time)
            if session is None:
                return
            if session.phase is Phase.ARRIVING:
                session.coming = None
                self._rest(session)
            elif session.phase is Phase.LOST:
                session.coming = None
                self._quit(session)
            else:
                self._forget(session)

    def _tell_numbers(self) -> None:
        """With a tick: of each counted channel whose number has changed, tell how many members it has."""
        for channel in self._counted:
            number = len(channel.members)
            if number != channel.told:
                channel.told = number
                self._changed["channel", str(channel.place)] = channel.record
                self._effects.append(Signal(channel.number_told(self._time)))

    def _note_talkers(self) -> None:
        """Let the records know what was said. Comes with each tick, so a start has few lines to look at."""
        if self._talked:
            for key, session in self._talked.items():
                if self._sessions.get(key) is session:
                    self._keep(session)
            self._talked.clear()
            self.noted = self.head

    def _set_back(self, now: int) -> None:
        """The clock was ahead, and is right now: what began in the future begins now, and lasts as long.

        Else a name that was held then would be held for as long as the clock was ahead.
        """
        for session in self._sessions.values():
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
            self._keep(session)

    def _up(self, _origin: Origin, _body: None) -> None:
        """A server has started: what was connected to its life before has lost its connection.

        Who was lost before has as much time again: nobody could come back while no server was there.
        """
        server, self.epoch = self._life
        self._changed["history", ""] = self._numbers
        for session in self._sessions.values():
            if session.coming is not None and session.coming[0] == server:
                session.coming = None
                self._keep(session)
            if session.at is not None and session.at[0] != server:
                continue
            if session.phase is Phase.HERE:
                session.reason = "the server was stopped"
            if session.phase in (Phase.HERE, Phase.LOST):
                self._enter_phase(session, Phase.LOST, self._time + self._limits.hold)
        self._here = {at: session for at, session in self._here.items() if session.phase is Phase.HERE}
        if self.head:
            self._add_event(EventKind.RESTARTED)

    # --- reading --------------------------------------------------------------------------------------------

    def reach(self, person: int, since: int) -> Reach:
        """What a connection of this person gets that has seen everything up to `since`.

        One that has seen nothing (0) gets nothing of the channels that the person has left.
        """
        memberships = self._memberships.get(person, {}).values()
        intervals = {one.place: one.since(since) for one in memberships if since or one.present}
        return Reach({WHOLE_CHATROOM: [(since, MAX_NUMBER)]} | intervals)

    def channels_of(self, person: int) -> list[Channel]:
        """The channels that a member is in."""
        member = self.members.get(person)
        return [self._channels[place] for place in member.places.values()] if member else []

    def channel(self, name: str) -> Channel | None:
        """The channel with this name."""
        place = self._place_of.get(name)
        return None if place is None else self._channels[place]

    def role(self, person: int, place: int) -> Role:
        """What the person may do in the place. Nothing gives another role than MEMBER yet."""
        return Role.MEMBER

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """Everything that the state knows but `head`, in order: two equal states have the same records."""
        found = [self._numbers()]
        for entities in (self._sessions, self._channels, self.members, *self._memberships.values()):
            found += [one.record() for one in entities.values()]  # type: ignore[attr-defined]
        return sorted(found)

    def restore(self, head: int, records: Iterable[Record], talkers: Iterable[Talker] = ()) -> None:
        """Take the state that was stored. Only before the first entry.

        talkers: of the lines that the records do not know, see `noted`
        """
        self.head = head
        by_kind: dict[str, list[Record]] = {}
        for record in records:
            by_kind.setdefault(record.kind, []).append(record)
        for record in by_kind.get("history", ()):
            numbers = json.loads(record.value or "{}")
            self._persons, self._places = numbers["persons"], numbers["places"]
            self.epoch = numbers["epoch"]
        for record in by_kind.get("channel", ()):
            self._add_channel(restore_channel(record))
        for record in by_kind.get("session", ()):
            self._restore_session(restore_session(record))
        for record in by_kind.get("membership", ()):
            membership = restore_membership(record)
            self._memberships.setdefault(membership.person, {})[membership.place] = membership
            if membership.present:
                channel = self._channels[membership.place]
                channel.members[membership.person] = None
                self.members[membership.person].places[channel.name] = channel.place

        persons = {session.person: session for session in self._sessions.values()}
        for person, id in talkers:
            if (talked := persons.get(person)) is not None:  # else it was forgotten after that
                talked.confirmed = max(talked.confirmed, id)
                self._talked[talked.key] = talked

    def _restore_session(self, session: Session) -> None:
        self._sessions[session.key] = session
        self._time = max(self._time, session.seen)
        if session.until:
            self._ending.add(session)
        if session.phase in self._rankings:
            self._rankings[session.phase].add(session)
        if session.phase is not Phase.ABSENT:
            self._hold(session)
        if session.phase is Phase.HERE and session.at is not None:
            self._here[session.at] = session
        if session.phase in (Phase.HERE, Phase.LOST):
            self.members[session.person] = Member(session.person, session.name, session)

    def _numbers(self) -> Record:
        value = {"persons": self._persons, "places": self._places, "epoch": self.epoch}
        return Record("history", "", json.dumps(value))

    def _take_records(self) -> list[Record]:
        changed, self._changed = self._changed, {}
        return [Record(kind, key, None) if make is None else make() for (kind, key), make in changed.items()]


_place = attrgetter("place")

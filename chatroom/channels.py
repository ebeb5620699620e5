"""The channels, and who is in which: a part of the state."""

from __future__ import annotations

from bisect import insort
from collections.abc import Container, Iterable, Mapping
from operator import attrgetter

from chatroom.accounts import Accounts, is_same
from chatroom.audit import note
from chatroom.bounds import Limits
from chatroom.classroom import Classroom
from chatroom.effects import Joined, Left, Signal
from chatroom.events import BAN_LIST, INVITED_LIST, SET_COUNTED, Event, EventKind, joined_extra
from chatroom.ledger import Ledger
from chatroom.limits import DEFAULT_CHANNEL, MAX_NUMBER
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import (
    WHOLE_CHATROOM,
    Channel,
    Member,
    Membership,
    Reach,
    restore_channel,
    restore_membership,
)
from chatroom.reading import Reading
from chatroom.records import Record
from chatroom.rights import Rights
from chatroom.session import Session


class Channels:
    """Channels and memberships. The membership of an account lasts while its person is out of the chatroom.

    all: by place
    classroom: what goes on in them
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        accounts: Accounts,
        rights: Rights,
        reading: Reading,
        classroom: Classroom,
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._accounts = accounts
        self._rights = rights
        self._reading = reading
        self.classroom = classroom
        self.all: dict[int, Channel] = {}
        self._place_of: dict[str, int] = {}  # by the channel's name
        self._counted: list[Channel] = []  # in order of their places
        self._founded: dict[str, int] = {}  # by network: how many channels come from there
        self._memberships: dict[int, dict[int, Membership]] = {}  # by person, by place

    # --- reading --------------------------------------------------------------------------------------------

    def named(self, name: str) -> Channel | None:
        """The channel with this name."""
        place = self._place_of.get(name)
        return None if place is None else self.all[place]

    def reach(self, person: int, since: int) -> Reach:
        """See `State.reach`."""
        memberships = self._memberships.get(person, {}).values()
        intervals = {
            one.place: one.since(since, self._is_from_joining(one.place))
            for one in memberships
            if since or one.present
        }
        return Reach({WHOLE_CHATROOM: [(since, MAX_NUMBER)]} | intervals)

    def gets(self, person: int, place: int, seq: int) -> bool:
        """Whether this event is within reach: as reach() says, in a time that depends on no other place."""
        if place == WHOLE_CHATROOM:
            return True
        membership = self._memberships.get(person, {}).get(place)
        if membership is None or not (seq > 1 or membership.present):
            return False
        intervals = membership.since(seq - 1, self._is_from_joining(place))
        return any(after < seq <= until for after, until in intervals)

    def _is_from_joining(self, place: int) -> bool:
        channel = self.all.get(place)  # none: it has ended, and nobody is in
        return channel is not None and channel.from_joining

    def is_in(self, person: int, place: int) -> bool:
        """Whether the person is in the channel; one with an account perhaps without being in the chatroom."""
        membership = self._memberships.get(person, {}).get(place)
        return membership is not None and membership.present

    def has_been_in(self, person: int, place: int) -> bool:
        """Whether the person is in the channel, or was, and that is remembered."""
        return place in self._memberships.get(person, {})

    def places_of(self, person: int) -> list[int]:
        """The channels that the person is in, here or not."""
        return [place for place, one in self._memberships.get(person, {}).items() if one.present]

    def shows(self, channel: Channel, person: int) -> bool:
        """Whether the person may know that there is this channel."""
        if not channel.invite_only or self.is_in(person, channel.place):
            return True
        return self._may_always_join(channel, person)

    def refusal(
        self, names: Iterable[str], person: int, name_key: str, network: str, key: str = ""
    ) -> Outcome | None:
        """Why the person cannot join these channels; those that it is in already are no trouble.

        Rows of BANNED: the channel, until when (in milliseconds since 1970, 0: for ever), the reason.

        person: 0: a guest that is none yet
        key:    what is stored of the key that it knows
        """
        own = [one.place for one in self._memberships.get(person, {}).values() if one.present]
        wanted = dict.fromkeys(names)
        for name in wanted:
            channel = self.named(name)
            if channel is None or channel.place in own:
                continue
            banned = self._rights.hits(BAN_LIST, channel.place, person, name_key, network)
            if banned is not None:
                return Outcome(Code.BANNED, (name, banned.until, banned.reason))
            shut = self._shut(channel, person, key)
            if shut is not None:
                return Outcome(shut, (name,))
        if len(wanted.keys() | {self.all[place].name for place in own}) > self._limits.channels:
            return Outcome(Code.TOO_MANY)
        fresh = sum(name not in self._place_of for name in wanted)
        if fresh and self._rights.owned(person) + fresh > self._limits.owned:
            return Outcome(Code.TOO_MANY)
        if fresh and self._founded.get(network, 0) + fresh > self._limits.places_of_network:
            return Outcome(Code.TOO_MANY)
        full = len(self.all) + fresh > self._limits.places
        full = full or self._ledger.places + fresh > self._limits.place_numbers
        return Outcome(Code.FULL) if fresh and full else None

    def keeps_out(self, name: str, session: Session) -> bool:
        """Whether the session's person was kicked out of the channel, or is banned."""
        channel = self.named(name)
        if channel is None or self.is_in(session.person, channel.place):
            return False
        membership = self._memberships.get(session.person, {}).get(channel.place)
        was_kicked = membership is not None and membership.kicked
        return was_kicked or self._is_banned(channel.place, session)

    def _is_banned(self, place: int, session: Session) -> bool:
        person, name_key, network = session.person, session.name_key, session.network
        return self._rights.hits(BAN_LIST, place, person, name_key, network) is not None

    def _shut(self, channel: Channel, person: int, key: str) -> Code | None:
        """Why the person may not join a channel. An invitation opens it without the key, too."""
        if self._may_always_join(channel, person):
            return None
        if channel.invite_only:
            return Code.INVITE_ONLY
        return Code.BAD_KEY if channel.key and not is_same(channel.key, key) else None

    def _may_always_join(self, channel: Channel, person: int) -> bool:
        invited = self._rights.has(person, INVITED_LIST, channel.place)
        return invited or self._rights.role(person, channel.place) >= Role.OPERATOR

    def with_topic_of(self, person: int, names: Container[str]) -> list[Channel]:
        """The channels whose topic the person has set, in order of their places.

        names: of the person, for topics of which only the name is stored
        """
        return [
            channel
            for _, channel in sorted(self.all.items())
            if channel.topic_by
            and (channel.topic_of == person or (not channel.topic_of and channel.topic_by in names))
        ]

    def heard_by(self, member: Member) -> tuple[int, ...]:
        """The places of the events that concern all who share a channel with the member."""
        return tuple(place for place in _in_order(member) if not self.all[place].counted)

    def shared(self, person: int, other: int, ever: bool = False) -> bool:
        """Whether both are in the same channel. ever: the other one may have left it meanwhile"""
        theirs = self._memberships.get(other, {})
        return any(
            own.present and place in theirs and (ever or theirs[place].present)
            for place, own in self._memberships.get(person, {}).items()
        )

    def knows(self, person: int, place: int) -> bool:
        """Whether the person is or was in the channel, as far as that is remembered."""
        return place in self._memberships.get(person, {})

    # --- joining --------------------------------------------------------------------------------------------

    def join(self, member: Member, name: str, by: Session, *, is_greeted: bool = False) -> Channel:
        """Say JOINED, unless the channel is counted, and count the member in; its programs get the channel.

        Founds a channel that is not there yet: whoever owns it then has the power there, so that is in the
        trail. The one that is too many to be listed makes it counted. An invitation is used up.

        by:         the member's session that joins
        is_greeted: whether that gets the channel with its greeting
        """
        there = self.named(name)
        channel = there or self._found(name, member.person, by.network)
        after = self._enter(member, channel)
        if there is None and name != DEFAULT_CHANNEL:
            note(self._ledger, by, member.name, channel, f"founded {name}")
        for session in member.here:
            if session.at is not None and not (is_greeted and session is by):
                self._ledger.tell(Joined(session.at, channel.place, after))
        of_person = self._memberships.setdefault(member.person, {})
        membership = of_person.setdefault(channel.place, Membership(member.person, channel.place))
        membership.join(after, self._limits.intervals)
        self._keep(membership)
        self.classroom.come(member.person, channel.place)
        self._rights.take(member.person, INVITED_LIST, channel.place)
        return channel

    def rejoin(self, member: Member, session: Session) -> list[str]:
        """The member has come with an account: it is in all its channels again.

        But from a network that is banned in one it does not come into that; no event says so: to the others
        it is out. Returns the names of those channels.
        """
        banned = list[str]()
        for place in sorted(self._memberships.get(member.person, {})):
            channel = self.all.get(place)
            if channel is None or member.person not in channel.absent:
                continue
            if self._is_banned(place, session):
                self.put_out(member.person, channel, None, None)
                banned.append(channel.name)
                continue
            del channel.absent[member.person]
            self._enter(member, channel)
        return banned

    def _enter(self, member: Member, channel: Channel) -> int:
        """The member is in from now on; the seq of the latest event before that.

        JOINED names its role: no LISTED tells the others of one that it got while it was out, or by founding.
        """
        place, name, after = channel.place, channel.name, self._ledger.head
        if len(channel.members) >= self._limits.counted_from:
            self._set_counted(channel)
        if channel.counted:
            after = self._ledger.head
        else:
            account = self._accounts.of(member.person)
            extra = joined_extra(account.name if account else "", self._rights.role(member.person, place))
            self._ledger.event(EventKind.JOINED, member.person, member.name, place, name, extra=extra)
        channel.members[member.person] = None
        member.places[name] = place
        return after

    def _found(self, name: str, by: int, network: str) -> Channel:
        """Nobody owns the default channel: whoever comes first is no more than the others there."""
        place = self._ledger.new_place()
        channel = Channel(place, name, self._ledger.time, by, network, kept=name == DEFAULT_CHANNEL)
        self._add(channel)
        self.keep(channel)
        if name != DEFAULT_CHANNEL:
            self._rights.give(by, Role.OWNER, by, place)
        return channel

    def _add(self, channel: Channel) -> None:
        self.all[channel.place] = channel
        self._place_of[channel.name] = channel.place
        if channel.counted:
            insort(self._counted, channel, key=_place)
        self._rights.begin(channel.place, channel.network, kept=channel.kept)
        if channel.network:
            self._founded[channel.network] = self._founded.get(channel.network, 0) + 1

    # --- leaving --------------------------------------------------------------------------------------------

    def leave(self, member: Member, channel: Channel, reason: str) -> None:
        """The member leaves one channel. Says LEFT, unless the channel is counted."""
        place, name, signal = channel.place, channel.name, None
        if channel.counted:
            author, person, time = member.name, member.person, self._ledger.time
            signal = Event(0, time, EventKind.LEFT, name, author, reason, 0, person, place)
        else:
            self._ledger.event(EventKind.LEFT, member.person, member.name, place, name, reason)
        self._go(member, channel, signal)
        self._end_stay(member.person, place)
        self.end_if_over(channel)

    def put_out(self, person: int, channel: Channel, member: Member | None, signal: Event | None) -> None:
        """The same for who is kicked, and whose stay ends with the event that was said last.

        member: None: one with an account that is in, but not in the chatroom
        signal: in the place of an event, for its own programs
        """
        self._memberships[person][channel.place].kicked = True
        if member is not None:
            self._go(member, channel, signal)
        else:
            del channel.absent[person]
        self._end_stay(person, channel.place)
        self.end_if_over(channel)

    def _go(self, member: Member, channel: Channel, signal: Event | None = None) -> None:
        """The member's programs get nothing more of the channel."""
        del channel.members[member.person], member.places[channel.name]
        for session in member.here:
            if session.at is not None:
                self._ledger.tell(Left(session.at, channel.place, self._ledger.head, signal))

    def quit(self, member: Member, reason: str) -> None:
        """The member leaves the chatroom. Says QUIT to its channels that are not counted.

        A guest leaves all channels, too.
        """
        told = self.heard_by(member)
        if told:
            self._ledger.event(EventKind.QUIT, member.person, member.name, text=reason, places=told)
        lasts = self._accounts.of(member.person) is not None
        for place in _in_order(member):
            channel = self.all[place]
            del channel.members[member.person]
            if lasts:
                channel.absent[member.person] = None
                self.classroom.go(member.person, place, stays=True)
            else:
                self._end_stay(member.person, place)
                self.end_if_over(channel)

    def _end_stay(self, person: int, place: int) -> None:
        """Of the stays that are over, only those in the latest channels are kept."""
        of_person = self._memberships[person]
        of_person[place].leave(self._ledger.head)
        self._reading.end(person, place)
        self.classroom.go(person, place, stays=False)
        self._keep(of_person[place])
        over = [one for one in of_person.values() if not one.present]
        if len(over) > self._limits.left:
            first = min(over, key=lambda one: (one.intervals[-1][1], one.place))
            del of_person[first.place]
            self.classroom.forget(person, first.place)
            self._ledger.change("membership", f"{person} {first.place}", None)

    def depart(self, person: int) -> None:
        """The person of an account is in no channel any more in which it is while it is out."""
        for place in sorted(self.places_of(person)):
            channel = self.all[place]
            if person in channel.absent:
                del channel.absent[person]
                self._end_stay(person, place)
                self.end_if_over(channel)

    def forget(self, person: int) -> None:
        """Forget where a person has been, and its roles. An account's person stays in its channels."""
        lasts = self._accounts.of(person) is not None
        of_person = self._memberships.pop(person, {})
        for place in [place for place, one in of_person.items() if not (lasts and one.present)]:
            del of_person[place]
            self.classroom.forget(person, place)
            self._ledger.change("membership", f"{person} {place}", None)
        if of_person:
            self._memberships[person] = of_person
        for place in () if lasts else self._rights.forget(person):
            if place in self.all:
                self.end_if_over(self.all[place])

    # --- the end --------------------------------------------------------------------------------------------

    def end_if_over(self, channel: Channel) -> None:
        """A channel ends when nobody is in, unless it is kept or an account owns it."""
        if channel.kept or channel.members or channel.absent:
            return
        if not any(self._accounts.of(person) for person in self._rights.owners(channel.place)):
            self._end(channel)

    def close(self, channel: Channel, members: Mapping[int, Member]) -> None:
        """All leave the channel with the event that was said last, and it ends."""
        for person in sorted(channel.members):  # the order in which they came is not in the records
            self._go(members[person], channel)
            self._end_stay(person, channel.place)
        for person in sorted(channel.absent):
            self._end_stay(person, channel.place)
        self._end(channel)

    def _end(self, channel: Channel) -> None:
        """A later channel of this name is another place."""
        del self.all[channel.place], self._place_of[channel.name]
        if channel.counted:
            self._counted.remove(channel)
        if channel.network:
            self._founded[channel.network] -= 1
            if not self._founded[channel.network]:
                del self._founded[channel.network]
        self._rights.end(channel.place)
        self.classroom.end(channel.place)
        self._ledger.change("channel", str(channel.place), None)

    # --- settings -------------------------------------------------------------------------------------------

    def keep(self, channel: Channel) -> None:
        """Store what the channel is at the end of this entry."""
        self._rights.keep(channel.place, kept=channel.kept)
        self._ledger.change("channel", str(channel.place), channel.record)

    def _keep(self, membership: Membership) -> None:
        key = f"{membership.person} {membership.place}"
        self._ledger.change("membership", key, membership.record)

    def move(self, channel: Channel, name: str, members: Mapping[int, Member]) -> None:
        """Give the channel another name, which no channel has."""
        for person in channel.members:
            places = members[person].places
            places[name] = places.pop(channel.name)
        del self._place_of[channel.name]
        self._place_of[name], channel.name = channel.place, name
        self.keep(channel)

    # --- counted channels -----------------------------------------------------------------------------------

    def _set_counted(self, channel: Channel) -> None:
        """From now on, only the number of its members is told. It stays so: a list could not come back."""
        if not channel.counted:
            channel.counted = True
            insort(self._counted, channel, key=_place)
            self.keep(channel)
            place, name = channel.place, channel.name
            self._ledger.event(EventKind.SET, place=place, channel=name, extra=SET_COUNTED)

    def tell_numbers(self) -> None:
        """With a tick: of each counted channel whose number has changed, tell how many members it has."""
        for channel in self._counted:
            number = len(channel.members)
            if number != channel.told:
                channel.told = number
                self.keep(channel)
                self._ledger.tell(Signal(channel.number_told(self._ledger.time)))

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All channels and memberships."""
        memberships = [one for of_person in self._memberships.values() for one in of_person.values()]
        return [channel.record() for channel in self.all.values()] + [one.record() for one in memberships]

    def restore_channel(self, record: Record) -> None:
        """Take a channel that was stored."""
        self._add(restore_channel(record))

    def restore_membership(self, record: Record, members: dict[int, Member]) -> None:
        """Take a membership that was stored, after its channel and its member."""
        membership = restore_membership(record)
        person, place = membership.person, membership.place
        self._memberships.setdefault(person, {})[place] = membership
        if membership.present:
            channel, member = self.all[place], members.get(person)
            (channel.absent if member is None else channel.members)[person] = None
            if member is not None:
                member.places[channel.name] = place


_place = attrgetter("place")


def _in_order(member: Member) -> list[int]:
    """The places of a member; the order in which it came into them is not in the records."""
    return sorted(member.places.values())

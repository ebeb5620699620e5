"""The state: what follows from the entries of the order. Names, members, channels, sessions, accounts.

A pure fold: `apply` uses nothing but the state and the entry. No clock, no random number, no connection, no
order of a set. So the same entries give the same state in every server and in every test, and the records
of the changes restore it. Its parts are in modules of their own; all write one ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from chatroom.account_acts import own
from chatroom.accounts import PASSWORD, Account, Accounts, is_same
from chatroom.act import Guarded, Parts, Scene, Where
from chatroom.acts import ACTS
from chatroom.amendments import Amendments
from chatroom.bounds import Limits, SetLimits
from chatroom.channels import Channels
from chatroom.classroom import Classroom
from chatroom.codes import Codes
from chatroom.conversations import Conversation, Conversations
from chatroom.direct import Direct
from chatroom.effects import Answer, Gone, Origin
from chatroom.entrance import Entrance
from chatroom.erasing import Erasing
from chatroom.errors import ChatroomError
from chatroom.events import EventKind
from chatroom.guard import Guard
from chatroom.guard_acts import shown
from chatroom.guard_pace import GuardPace
from chatroom.holders import Holders
from chatroom.ledger import Applied, Ledger
from chatroom.lines import Lines
from chatroom.listing import Listing
from chatroom.moderation import Moderation
from chatroom.order import Entry
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.people import People
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM, Channel, Member, Reach
from chatroom.proposals import Act, Leave, Limit, Own, ProposalKind
from chatroom.reading import Reading
from chatroom.records import Record, Talker
from chatroom.rights import Listed, Rights
from chatroom.session import Session
from chatroom.sessions import Sessions
from chatroom.speaking import Speaking
from chatroom.speech_pace import SpeechPace


class State:
    """What follows from the entries so far.

    members: by person, who is in the chatroom
    """

    def __init__(self, limits: Limits | None = None) -> None:
        limits = replace(limits) if limits is not None else Limits()
        self._ledger = ledger = Ledger()
        self._set_limits = SetLimits(ledger, limits)
        self._holders = Holders()
        self._accounts = Accounts(ledger, limits)
        self._rights, self._codes = Rights(ledger, limits), Codes(ledger)
        self._reading = Reading(ledger, limits)
        self._classroom = Classroom(ledger, limits, self._rights)
        self._channels = Channels(
            ledger, limits, self._accounts, self._rights, self._reading, self._classroom
        )
        self._pace = SpeechPace(ledger, limits)
        self._speaking = Speaking(ledger, self._channels, self._rights, self._pace)
        self._listing = Listing(self._channels, self._rights)
        self._people = People(ledger, limits)
        self._conversations = Conversations(ledger, limits)
        self._conversations.on_ended.append(self._reading.end)
        self._sessions = Sessions(
            ledger, limits, self._holders, self._channels, self._conversations, self._accounts
        )
        self._sessions.on_forgotten += (self._people.forget, self._reading.forget, self._pace.forget)
        self._guard = Guard(
            ledger, limits, self._accounts, self._rights, self._channels, self._sessions, self._codes
        )
        self._speaking.rules.append(GuardPace(ledger, limits, self._guard, self._pace))
        self._entrance = Entrance(
            ledger,
            limits,
            self._holders,
            self._channels,
            self._accounts,
            self._sessions,
            self._guard,
            self._rights,
            self._speaking,
        )
        self._direct = Direct(
            ledger,
            self._channels,
            self._accounts,
            self._sessions,
            self._people,
            self._conversations,
            self._speaking,
        )
        self._moderation = Moderation(
            ledger, limits, self._channels, self._accounts, self._rights, self._sessions, self._direct
        )
        self._lines = Lines(ledger, self._sessions, self._direct, self._speaking)
        self._erasing = Erasing(ledger, limits)
        self._erasing.on_erased.append(self._classroom.erase)
        self._amendments = Amendments(
            ledger,
            limits,
            self._channels,
            self._conversations,
            self._sessions,
            self._direct,
            self._lines,
            self._speaking,
            self._erasing,
            self.gets,
            self.role,
        )
        self._parts = Parts(
            ledger=ledger,
            holders=self._holders,
            channels=self._channels,
            accounts=self._accounts,
            rights=self._rights,
            codes=self._codes,
            sessions=self._sessions,
            people=self._people,
            reading=self._reading,
            direct=self._direct,
            guard=self._guard,
            moderation=self._moderation,
            pace=self._pace,
            speaking=self._speaking,
            classroom=self._classroom,
            conversations=self._conversations,
            amendments=self._amendments,
            erasing=self._erasing,
        )
        self.members: dict[int, Member] = self._sessions.members
        self._here = self._sessions.here
        self._request = 0  # the client's id of the proposal that is being applied
        self._handlers: dict[int, Callable[[Origin, Any], None]] = {
            ProposalKind.UP: self._up,
            ProposalKind.ARRIVE: self._entrance.arrive,
            ProposalKind.WITHDRAW: self._entrance.withdraw,
            ProposalKind.ENTER: self._entrance.enter,
            ProposalKind.LINES: self._lines.say,
            ProposalKind.LEAVE: self._leave,
            ProposalKind.ACT: self._act,
            ProposalKind.OWN: self._own,
            ProposalKind.AMEND: self._amendments.amend,
            ProposalKind.LIMIT: self._limit,
        }

    @property
    def head(self) -> int:
        """Seq of the latest event."""
        return self._ledger.head

    @property
    def noted(self) -> int:
        """The records know all that was said up to this seq. What came later is known from the lines' events:
        a record for each line would cost more than the line."""
        return self._ledger.noted

    @property
    def epoch(self) -> int:
        """The latest life of the server."""
        return self._ledger.epoch

    # --- the fold -----------------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> Applied:
        """Apply one entry. Never raises for the body of a known kind.

        Raises ChatroomError for an unknown kind: a newer version wrote the entry.
        """
        ledger = self._ledger
        self._listing.change()
        if entry.time < ledger.time:
            self._set_back(entry.time)
        ledger.time, ledger.life = entry.time, (entry.server, entry.epoch)
        if not entry.proposals:
            self._tick()
        for origin, self._request, kind, body in entry.proposals:
            handler = self._handlers.get(kind)
            if handler is None:
                raise ChatroomError(f"a proposal of kind {kind} was written by a newer version of the server")
            handler((entry.server, entry.epoch, origin), body)
        return ledger.take()

    def _set_back(self, time: int) -> None:
        """The clock was ahead, and is right now."""
        self._sessions.set_back(time)
        self._guard.set_back(time)

    def _tick(self) -> None:
        """An entry without proposals: time has passed."""
        self._sessions.note_talkers()
        self._sessions.end_phases()
        self._rights.end_expired()
        self._moderation.go_on()
        self._guard.go_on()
        self._pace.end_expired()
        self._channels.tell_numbers()

    def _leave(self, origin: Origin, body: Leave) -> None:
        session = self._here.pop(origin, None)
        self._ledger.tell(Gone(origin))
        if session is not None:  # else it was taken over, or never came in
            self._entrance.leave(session, body)

    def _act(self, origin: Origin, act: Act) -> None:
        """Run an act, if its author may; answer it. The author of a refused act has changed nothing."""
        session = self._here.get(origin)
        if session is None:  # as for lines
            return
        self._ledger.tell(Answer(origin, self._request, self._outcome(session, act), act.command))

    def _outcome(self, session: Session, act: Act) -> Outcome:
        command = ACTS.get(act.command)
        if command is None:
            return Outcome(Code.NO_SUCH_COMMAND, (act.command,))
        refused = self.refusal(session.person, act.command, command, act.channel)
        if refused is not None:
            return refused
        if not command.fits(act.arguments):
            return Outcome(Code.BAD_ARGUMENTS)
        if command.where is Where.CHATROOM:
            return command.run(self._parts, session, *act.arguments)
        channel = self.channel(act.channel)
        if command.where is Where.CHANNEL:
            return command.run(self._parts, session, channel, *act.arguments)
        scene = Scene(channel.place if channel else WHOLE_CHATROOM, act.channel, channel)
        return command.run(self._parts, session, scene, *act.arguments)

    def _own(self, _origin: Origin, body: Own) -> None:
        own(self._parts, body)

    def _limit(self, _origin: Origin, body: Limit) -> None:
        self._set_limits.set(body)

    def _up(self, _origin: Origin, _body: None) -> None:
        self._ledger.new_epoch()
        self._sessions.up()
        if self._ledger.head:
            self._ledger.event(EventKind.RESTARTED)

    # --- reading --------------------------------------------------------------------------------------------

    def reach(self, person: int, since: int) -> Reach:
        """What a connection of this person gets that has seen everything up to `since`.

        One that has seen nothing (0) gets nothing of the channels that the person has left. Both persons of a
        direct conversation have all of it.
        """
        return self._channels.reach(person, since).also(self._conversations.places_of(person), since)

    def gets(self, person: int, place: int, seq: int) -> bool:
        """Whether a connection of the person gets this event of the place; see reach()."""
        if self._channels.gets(person, place, seq):
            return True
        conversation = self._conversations.all.get(place)
        return conversation is not None and person in conversation.persons

    def has_place(self, person: int, place: int) -> bool:
        """Whether the place is among those that the person's connections get."""
        conversation = self._conversations.all.get(place)
        return self.is_in(person, place) or (conversation is not None and person in conversation.persons)

    def places_of(self, person: int) -> list[int]:
        """The places of which the person's connections get events live, the whole chatroom first."""
        channels = [channel.place for channel in self.channels_of(person)]
        return [WHOLE_CHATROOM, *channels, *self._conversations.places_of(person)]

    def channels_of(self, person: int) -> list[Channel]:
        """The channels that a member is in."""
        member = self.members.get(person)
        return [self._channels.all[place] for place in member.places.values()] if member else []

    @property
    def channels(self) -> Collection[Channel]:
        """All channels."""
        return self._channels.all.values()

    def shown_to(self, person: int) -> tuple[list[Channel], int]:
        """The largest channels of which the person may know, at most MAX_LISTED; and how many there are."""
        return self._listing.shown_to(person)

    def channel(self, name: str) -> Channel | None:
        """The channel with this name."""
        return self._channels.named(name)

    def channel_at(self, place: int) -> Channel | None:
        """The channel with this number; None of one that has ended."""
        return self._channels.all.get(place)

    def member_named(self, name_key: str) -> Member | None:
        """The member whose name has this key."""
        holder = self._holders.of_key(name_key)
        return self.members.get(holder.person) if holder is not None else None

    def person_named(self, name_key: str) -> int:
        """Who is meant by the name with this key: the member that has it, else the account that owns it; 0:
        nobody."""
        member = self.member_named(name_key)
        if member is not None:
            return member.person
        account = self._accounts.named(name_key)
        return account.person if account is not None else 0

    def name_of(self, person: int) -> str:
        """The name of a person, here or not; "" of one that is not known any more."""
        return self._direct.name_of(person)

    def may_follow(self, asker: int, person: int) -> bool:
        """Whether the asker may know how somebody is called now that was called otherwise.

        Who shares a channel with somebody reads name and number of that person there; operators of the
        chatroom may know it. Others would follow by it whom they have once put out.
        """
        return self.role(asker, WHOLE_CHATROOM) >= Role.OPERATOR or self._channels.shared(asker, person)

    def last_session(self, name_key: str) -> Session | None:
        """Of the sessions whose member was called so, that which has come or gone last."""
        return self._sessions.named(name_key)

    @property
    def people(self) -> People:
        """What persons have set."""
        return self._people

    @property
    def classroom(self) -> Classroom:
        """Hands, turns and polls."""
        return self._classroom

    def may_write(self, author: int, receiver: int) -> Code:
        """OK, or why a line of the author would not be said to the receiver in a direct conversation."""
        return self._direct.may_write(author, receiver)

    def conversations_of(self, person: int) -> list[Conversation]:
        """The direct conversations of a person, in order of their places."""
        return [self._conversations.all[place] for place in self._conversations.places_of(person)]

    def conversation_at(self, place: int) -> Conversation | None:
        """The direct conversation with this number."""
        return self._conversations.all.get(place)

    def conversation_of(self, person: int, other: int) -> int:
        """The place of the direct conversation of the two; 0: there is none."""
        conversation = self._conversations.between(person, other)
        return conversation.place if conversation is not None else 0

    def title(self, conversation: Conversation, person: int) -> str:
        """What a direct conversation is called for one of its two: @ and the name of the other one."""
        return self._direct.title(conversation, person)

    def have_met(self, person: int, other: int) -> bool:
        """Whether the other one is, or was, in a channel in which the person is."""
        return self._channels.shared(person, other, ever=True)

    def session_at(self, origin: Origin) -> Session | None:
        """The session that has this connection."""
        return self._here.get(origin)

    def sessions_of(self, person: int) -> list[Session]:
        """All sessions of a person that are remembered, in order of their numbers."""
        return self._sessions.of_person(person)

    def read_up_to(self, person: int, place: int) -> int:
        """The person's read marker: a seq, 0: none."""
        return self._reading.of(person, place)

    def role(self, person: int, place: int) -> Role:
        """What the person may do in the place: the highest of its roles there and in the whole chatroom."""
        return self._rights.role(person, place)

    def shows(self, channel: Channel, person: int) -> bool:
        """Whether the person may know that there is this channel."""
        return self._channels.shows(channel, person)

    def opens(self, name: str, key: str) -> bool:
        """Whether the channel needs no other key. key: what is stored of it"""
        channel = self.channel(name)
        return channel is None or not channel.key or is_same(channel.key, key)

    def is_in(self, person: int, place: int) -> bool:
        """Whether the person is in the channel; one with an account perhaps without being in the chatroom."""
        return self._channels.is_in(person, place)

    def refusal(self, person: int, name: str, command: Guarded, channel: str) -> Outcome | None:
        """Why the person may not give a command; None: it may. The one place that judges that.

        Those who are not in a channel act there only as its operators.

        channel: in which the command acts, if it acts in one; EVERYWHERE: the whole chatroom
        """
        place = WHOLE_CHATROOM
        is_everywhere = command.where is Where.PLACE and channel == EVERYWHERE
        if command.where is not Where.CHATROOM and not is_everywhere:
            found = self.channel(channel)
            if found is None or not self.shows(found, person):
                return Outcome(Code.NO_SUCH_CHANNEL, (channel,))
            place = found.place
            if not self.is_in(person, place) and self.role(person, place) < Role.OPERATOR:
                return Outcome(Code.NOT_IN, (channel,))
        if self.role(person, place) < command.needs:
            return Outcome(Code.NEED_ROLE, (name, command.needs.name.lower()))
        if command.login and self.account_of(person) is None:
            return Outcome(Code.NEED_LOGIN, (name,))
        return None

    def listed(self, place: int, *lists: int) -> list[Listed]:
        """The entries of some lists of a place, the earliest first."""
        return self._rights.entries(place, *lists)

    def account_of(self, person: int) -> Account | None:
        """The account of a person."""
        return self._accounts.of(person)

    def account_named(self, name_key: str) -> Account | None:
        """The account to which this name belongs."""
        return self._accounts.named(name_key)

    def secrets(self, name_key: str) -> tuple[list[str], list[str]]:
        """Of the account to which this name belongs: the stored passwords, and the networks of its latest
        logins. Both are empty when there is no such account."""
        account = self._accounts.named(name_key)
        return (account.secrets(PASSWORD), list(account.networks)) if account else ([], [])

    @property
    def server_key(self) -> str:
        """What is stored of the server's password; "": it has none."""
        return self._guard.key

    @property
    def guarded(self) -> tuple[tuple[str, str | int], ...]:
        """What operators have set against strangers, see `chatroom.guard_acts.shown`."""
        return shown(self._guard)

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return len(self._accounts)

    @property
    def set_limits(self) -> dict[str, int]:
        """The limits that whoever runs the server can set, see `chatroom.bounds.SETTABLE`."""
        return self._set_limits.values

    @property
    def has_owner(self) -> bool:
        """Whether the chatroom has an owner."""
        return self._rights.has_owner

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """Everything that the state knows but `head`, in order: two equal states have the same records."""
        parts = (
            *(self._sessions, self._channels, self._accounts, self._rights, self._codes),
            *(self._people, self._reading, self._pace, self._conversations, self._amendments),
            *(self._moderation, self._classroom, self._guard, self._erasing, self._set_limits),
        )
        return sorted([self._ledger.numbers(), *(record for part in parts for record in part.records())])

    def restore(self, head: int, records: Iterable[Record], talkers: Iterable[Talker] = ()) -> None:
        """Take the state that was stored. Only before the first entry.

        talkers: of the lines that the records do not know, see `noted`
        """
        self._listing.change()
        self._ledger.head = head
        by_kind: dict[str, list[Record]] = {}
        for record in records:
            by_kind.setdefault(record.kind, []).append(record)
        for kind, restore in (
            ("history", self._ledger.restore),
            ("limits", self._set_limits.restore),
            ("account", self._accounts.restore),
            ("listed", self._rights.restore),
            ("code", self._codes.restore),
            ("chatroom", self._guard.restore),
            ("person", self._people.restore),
            ("pace", self._pace.restore),
            ("channel", self._channels.restore_channel),
            ("conversation", self._conversations.restore),
            ("reading", self._reading.restore),
            ("session", self._sessions.restore),
            ("member", self._sessions.restore_member),
            ("membership", self._restore_membership),
            ("sweep", self._moderation.restore),
        ):
            for record in by_kind.get(kind, ()):
                restore(record)
        self._amendments.restore(by_kind.get("amended", ()))
        self._classroom.restore(by_kind.get("classroom", ()), self.is_in)
        self._erasing.restore(by_kind.get("erased", []))
        for talker in talkers:
            self._sessions.hear(talker)

    def _restore_membership(self, record: Record) -> None:
        self._channels.restore_membership(record, self.members)

"""Speaking: the one place that judges why somebody may not say something now. A part of the state."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from chatroom.events import MUTE_LIST
from chatroom.ledger import Ledger
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM, Channel, Member
from chatroom.rights import Rights
from chatroom.session import Session
from chatroom.speech_pace import SpeechPace


class Channels(Protocol):
    """What is needed of the channels."""

    all: dict[int, Channel]


class Allowed(NamedTuple):
    """How much may be said.

    number:  of the lines that were to be said, so many
    refused: why not the others; None: all may be said
    """

    number: int
    refused: Outcome | None = None


class Rule(Protocol):
    """A rule for some persons that holds in all places. Another part of the state judges by it."""

    @property
    def is_set(self) -> bool:
        """Whether it means anybody now. It is asked for each burst of lines, and must cost nothing."""

    def allowed(self, session: Session, member: Member, number: int) -> Allowed:
        """How much of what the member wants to say it may: lines, edits, reactions, in any place."""

    def said(self, session: Session, member: Member, number: int) -> None:
        """The member says so much now."""

    def shown(self, session: Session, member: Member) -> Outcome | None:
        """Why the member may not show the others anything else: a name, a topic, why it is away."""


class Speaking:
    """Judges by mutes, by moderated and slow channels, and by further rules.

    rules: added by other parts of the state
    """

    def __init__(self, ledger: Ledger, channels: Channels, rights: Rights, pace: SpeechPace) -> None:
        self._ledger = ledger
        self._channels = channels
        self._rights = rights
        self._pace = pace
        self.rules: list[Rule] = []

    # --- lines ----------------------------------------------------------------------------------------------

    def restrains(self, place: int) -> bool:
        """Whether perhaps somebody may not speak in this channel. Else nobody needs to be judged.

        It is asked for each burst of lines.
        """
        channel = self._channels.all[place]
        if channel.moderated or channel.slow or self._rights.mutes:
            return True
        return bool(self.rules) and any(rule.is_set for rule in self.rules)

    def allowed(
        self, session: Session, member: Member, place: int, number: int, receiver: int = 0
    ) -> Allowed:
        """How many of some lines the member may say.

        place:    of a channel; WHOLE_CHATROOM: in the direct conversation with the receiver
        """
        silenced = self.silenced(session, member, place, receiver)
        if silenced is not None:
            return Allowed(0, silenced)
        return self._by_rules(session, member, self._by_slow(member, place, number))

    def _by_slow(self, member: Member, place: int, number: int) -> Allowed:
        slow = self._slow(member, place)
        left = self._pace.left(member.person, place, 1, slow) if slow else number
        if left >= number:
            return Allowed(number)
        again = self._pace.again(member.person, place, 1, slow) or self._ledger.time + slow
        return Allowed(left, self.slow_down(again))

    def _by_rules(self, session: Session, member: Member, allowed: Allowed) -> Allowed:
        for rule in self.rules:
            if rule.is_set:
                other = rule.allowed(session, member, allowed.number)
                allowed = other if other.number < allowed.number else allowed
        return allowed

    def said(self, session: Session, member: Member, place: int, number: int) -> None:
        """The member says so many lines there now: that counts for what it may say next."""
        self._count_slow(member, place, number)
        for rule in self.rules:
            if rule.is_set:
                rule.said(session, member, number)

    def _count_slow(self, member: Member, place: int, number: int) -> None:
        slow = self._slow(member, place)
        if slow:
            self._pace.take(member.person, place, number, 1, slow)

    def slow_down(self, again: int) -> Outcome:
        """Rows: when the person may speak again, in milliseconds since 1970; and in how many that is."""
        return Outcome(Code.SLOW_DOWN, (again, max(0, again - self._ledger.time)))

    # --- what is no line ------------------------------------------------------------------------------------

    def amending(self, session: Session, member: Member, place: int, receiver: int = 0) -> Outcome | None:
        """Why the member may not edit there, or react. In a slow channel a line may be put right at once."""
        silenced = self.silenced(session, member, place, receiver)
        return silenced or self.asking(session, member)

    def asking(self, session: Session, member: Member) -> Outcome | None:
        """Why further rules do not let the member say something that is no line."""
        return self._by_rules(session, member, Allowed(1)).refused

    def amended(self, session: Session, member: Member) -> None:
        """The member edits or reacts now, or asks: for further rules that counts as a line."""
        for rule in self.rules:
            if rule.is_set:
                rule.said(session, member, 1)

    def topic(self, session: Session, member: Member, channel: Channel) -> Outcome | None:
        """Why the member may not set the topic. All see it at once: it counts as a line."""
        muted = self.muted(session, member, channel.place)
        if muted is not None:
            return muted
        if channel.moderated and self._rights.role(member.person, channel.place) < Role.OPERATOR:
            return Outcome(Code.NEED_ROLE, ("/topic", Role.OPERATOR.name.lower()))
        refused = self._shown(session, member)
        return refused or self.allowed(session, member, channel.place, 1).refused

    def shown(self, session: Session, member: Member, command: str) -> Outcome | None:
        """Why the member may not show a text in all its channels: another name, or why it is away."""
        for place in (WHOLE_CHATROOM, *sorted(member.places.values())):
            silenced = self.silenced(session, member, place)
            if silenced is not None and silenced.code is Code.NEED_ROLE:
                return Outcome(Code.NEED_ROLE, (command, Role.VOICE.name.lower()))
            if silenced is not None:
                return silenced
        return self._shown(session, member)

    def _shown(self, session: Session, member: Member) -> Outcome | None:
        found = (rule.shown(session, member) for rule in self.rules if rule.is_set)
        return next(filter(None, found), None)

    def reason(self, session: Session, member: Member, reason: str, channel: Channel | None = None) -> str:
        """The reason that the others are told; "" when the member may not speak where they read it.

        It counts as a line: else who comes and leaves again and again would say what it likes.

        channel: that the member leaves; None: all of them
        """
        if not reason:
            return ""
        places = [channel.place] if channel is not None else sorted(member.places.values())
        silenced = any(self.silenced(session, member, place) for place in (WHOLE_CHATROOM, *places))
        if silenced or self._shown(session, member):
            return ""
        if any(self._by_slow(member, place, 1).refused for place in places):
            return ""
        for place in places:
            self._count_slow(member, place, 1)
        self.amended(session, member)
        return reason

    def words(self, session: Session, member: Member, place: int, text: str) -> str:
        """The reason that somebody with a role gives there; "" of whom the chatroom has muted: anybody can
        found a channel, and have a role in it."""
        return "" if text and self.muted(session, member, place) else text

    # --- who may not speak ----------------------------------------------------------------------------------

    def silenced(self, session: Session, member: Member, place: int, receiver: int = 0) -> Outcome | None:
        """Why the member says nothing in the place, however long ago it has spoken: it is muted, or the
        channel is moderated (row: its name)."""
        muted = self.muted(session, member, place, receiver)
        channel = self._channels.all.get(place)
        if muted is None and channel is not None and channel.moderated:
            is_silent = self._rights.role(member.person, place) < Role.VOICE
            return Outcome(Code.NEED_ROLE, (channel.name,)) if is_silent else None
        return muted

    def muted(self, session: Session, member: Member, place: int, receiver: int = 0) -> Outcome | None:
        """MUTED, if the member is. Rows: the channel, or EVERYWHERE; until when, 0: for ever; the reason.

        receiver: of a direct line. Everybody can ask the operators of the chatroom for help
        """
        if not self._rights.mutes:
            return None
        if receiver and self._rights.role(receiver) >= Role.OPERATOR:
            return None
        who = member.person, member.name_key, session.network
        found = self._rights.hits(MUTE_LIST, place, *who)
        if found is None:
            return None
        name = EVERYWHERE if found.place == WHOLE_CHATROOM else self._channels.all[found.place].name
        return Outcome(Code.MUTED, (name, found.until, found.reason))

    def _slow(self, member: Member, place: int) -> int:
        """In how many milliseconds the member may say one line there; 0: as many as it wants."""
        channel = self._channels.all.get(place)
        if channel is None or not channel.slow or self._rights.role(member.person, place) >= Role.VOICE:
            return 0
        return channel.slow * 1000

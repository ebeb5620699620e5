"""Who may write to whom, and what is said in direct conversations. A part of the state."""

from __future__ import annotations

from chatroom.accounts import Accounts
from chatroom.channels import Channels
from chatroom.conversations import Conversation, Conversations
from chatroom.effects import Joined
from chatroom.events import EventKind, Extra, extra_row
from chatroom.ledger import Ledger
from chatroom.outcomes import Code
from chatroom.people import People
from chatroom.places import WHOLE_CHATROOM, Channel
from chatroom.session import Session
from chatroom.sessions import Sessions
from chatroom.speaking import Speaking


class Direct:
    """The rules of direct conversations. What is kept of them is in `Conversations`."""

    def __init__(
        self,
        ledger: Ledger,
        channels: Channels,
        accounts: Accounts,
        sessions: Sessions,
        people: People,
        conversations: Conversations,
        speaking: Speaking,
    ) -> None:
        self._ledger = ledger
        self._channels = channels
        self._accounts = accounts
        self._sessions = sessions
        self._people = people
        self._conversations = conversations
        self._speaking = speaking

    def name_of(self, person: int) -> str:
        """The name of a person: that of a member, else of its account, else of its latest session.

        "" for a person that is not known any more.
        """
        member, account = self._sessions.members.get(person), self._accounts.of(person)
        if member is not None:
            return member.name
        if account is not None:
            return account.name
        sessions = self._sessions.of_person(person)
        return sessions[-1].name if sessions else ""

    def title(self, conversation: Conversation, person: int) -> str:
        """What the conversation is called for one of its two: @ and the name of the other one."""
        return f"@{self.name_of(conversation.other(person)) or conversation.gone}"

    def title_at(self, place: int, person: int) -> str | None:
        """What the conversation with this number is called for the person; None: it is none of its own."""
        conversation = self._conversations.all.get(place)
        if conversation is None or person not in conversation.persons:
            return None
        return self.title(conversation, person)

    def is_reachable(self, person: int) -> bool:
        """Whether a line can be said to the person: it is here, its connection is lost, or it will find the
        line when it logs in again."""
        return person in self._sessions.members or self._accounts.of(person) is not None

    def may_write(self, author: int, receiver: int, *, known_from: int = 0) -> Code:
        """OK, or why a line of the author would not be said to the receiver.

        What the receiver has set decides, see `People.refusal`: mostly both must be in one channel to begin,
        so that strangers cannot fill each other's screens. Bounds on how many are begun are looked at when
        one is begun.

        known_from: the place of a channel in which the receiver was: that is enough. 0: none
        """
        if not self.is_reachable(receiver):
            return Code.NO_SUCH_NAME
        begun = self._conversations.between(author, receiver) is not None
        shared = not begun and self._channels.shared(author, receiver)
        shared = shared or self._channels.knows(receiver, known_from)
        return self._people.refusal(author, receiver, begun=begun, shared=shared) or Code.OK

    def open(self, author: Session, receiver: int, *, known_from: int = 0) -> Conversation | Code:
        """The conversation of the two, a new one if there is none; or why there cannot be one.

        known_from: as for `may_write`
        """
        code = self.may_write(author.person, receiver, known_from=known_from)
        if code is not Code.OK:
            return code
        return self._conversations.between(author.person, receiver) or self._begin(author, receiver)

    def _begin(self, author: Session, receiver: int) -> Conversation | Code:
        refused = self._conversations.refusal(author.person, receiver, author.network)
        if refused is not None:
            return refused
        begun = self._conversations.begin(author.person, receiver, author.network)
        for person in dict.fromkeys(begun.persons):
            member = self._sessions.members.get(person)
            for session in member.here if member is not None else ():
                if session.at is not None:
                    self._ledger.tell(Joined(session.at, begun.place, self._ledger.head))
        return begun

    def invite(self, author: Session, receiver: int, channel: Channel) -> Code:
        """Say INVITED in the conversation of the two; OK, or why that is not possible: as for a line.

        Who was kicked shares no channel any more, and is to be told all the same. But who has only left
        another one is not: everybody can found a channel, invite into it, and then write on.
        """
        member = self._sessions.members[author.person]
        if self._speaking.muted(author, member, WHOLE_CHATROOM, receiver):
            return Code.MUTED
        conversation = self.open(author, receiver, known_from=channel.place)
        if isinstance(conversation, Code):
            return conversation
        extra = extra_row(Extra.RECEIVER, receiver, 4) + extra_row(Extra.TARGET, receiver, 4)
        self.say(EventKind.INVITED, author, conversation, channel.name, extra)
        return Code.OK

    def say(
        self,
        kind: EventKind,
        author: Session,
        conversation: Conversation,
        text: str,
        extra: bytes,
        id: int = 0,
    ) -> None:
        """Make an event in a conversation. extra: with RECEIVER; id: of the line"""
        member = self._sessions.members[author.person]
        title = self.title(conversation, member.person)
        place = conversation.place
        self._ledger.event(kind, member.person, member.name, place, title, text, extra=extra, id=id)

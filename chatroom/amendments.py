"""Amendments: messages are edited and deleted by their authors, and reacted to. A part of the state.

The message is in the history, which the state does not read: who proposes has looked it up. Meanwhile it may
have been amended again, so the state remembers the latest amendments, more of them than can be under way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from chatroom.audit import note
from chatroom.bounds import Limits
from chatroom.channels import Channels
from chatroom.conversations import Conversation, Conversations
from chatroom.direct import Direct
from chatroom.effects import Answer, Origin
from chatroom.erasing import Erasing
from chatroom.events import Event, EventKind, Extra, extra_number, extra_row, extra_rows
from chatroom.ledger import Ledger
from chatroom.lines import Lines
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Form, Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.proposals import Amend
from chatroom.records import Record
from chatroom.session import Session
from chatroom.sessions import Sessions
from chatroom.speaking import Speaking

KINDS: Final[Mapping[int, EventKind]] = {
    Form.EDIT: EventKind.EDITED,
    Form.DELETE: EventKind.DELETED,
    Form.REACT: EventKind.REACTED,
}
"""The events of the forms that are amendments."""

SIZES: Final = {Extra.MESSAGE: 8, Extra.RECEIVER: 4}
"""The keys that the extra of an amendment may have, and the bytes of their values."""

_KEPT: Final = (Extra.FORM, Extra.REPLY_TO, Extra.RECEIVER)
"""What a message keeps of its extra when it is amended."""


class Edit(NamedTuple):
    """The latest EDITED of a message: what is needed to make it again, without its text.

    person, receiver: its author, and in a direct conversation the other one
    """

    seq: int
    time: int
    channel: str
    author: str
    id: int
    person: int = 0
    receiver: int = 0


class Amended(NamedTuple):
    """What has become of a message.

    seq:     of the message
    latest:  seq of its latest amendment
    edit:    the latest EDITED; None: it was not edited, or it was deleted
    deleted: whether it was deleted
    """

    seq: int
    latest: int
    edit: Edit | None
    deleted: bool

    def record(self) -> Record:
        value = {"latest": self.latest, "edit": self.edit, "deleted": self.deleted}
        return Record("amended", str(self.seq), json.dumps(value, separators=(",", ":")))


class Amendments:
    """Applies amendments, each once, and remembers the latest of them.

    gets:  `State.gets`
    role:  `State.role`
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        channels: Channels,
        conversations: Conversations,
        sessions: Sessions,
        direct: Direct,
        lines: Lines,
        speaking: Speaking,
        erasing: Erasing,
        gets: Callable[[int, int, int], bool],
        role: Callable[[int, int], Role],
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._channels = channels
        self._conversations = conversations
        self._sessions = sessions
        self._direct = direct
        self._lines = lines
        self._speaking = speaking
        self._erasing = erasing
        self._gets = gets
        self._role = role
        self._amended: dict[int, Amended] = {}  # by message, the one that was amended last at the end

    # --- the fold -------------------------------------------------------------------------------------------

    def amend(self, origin: Origin, body: Amend) -> None:
        """Amend a message, or say why not. A refusal changes nothing; the id counts as that of a line."""
        session = self._sessions.here.get(origin)
        if session is None:  # as for lines
            return
        refused: Code | Outcome = Code.ALREADY
        if body.id > session.confirmed:
            refused = self._amend(session, body)
        if refused is Code.OK:
            self._lines.confirm(session, body.id)
        else:
            outcome = Outcome(refused) if isinstance(refused, Code) else refused
            self._ledger.tell(Answer(origin, body.id, outcome))

    def _amend(self, session: Session, body: Amend) -> Code | Outcome:
        kind, message, text = KINDS.get(body.form), body.message, body.text.decode(errors="ignore")
        if kind is None or bool(text) == (kind is EventKind.DELETED):
            return Code.BAD_ARGUMENTS
        if kind is EventKind.REACTED and len(body.text) > self._limits.reaction:
            return Code.BAD_ARGUMENTS
        if message is None or message.kind is not EventKind.SAID:
            return Code.NO_SUCH_MESSAGE
        if not self._gets(session.person, message.place, message.seq):  # nobody is told that it exists
            return Code.NO_SUCH_MESSAGE
        conversation = self._conversations.all.get(message.place)
        member = self._sessions.members[session.person]
        if conversation is None and message.place not in member.places.values():
            # By its name then: who is out must not learn another one that it has now.
            return Outcome(Code.NOT_IN, (message.channel,))
        known = self._known(message, body.edit)
        if known.deleted:
            return Code.ALREADY if kind is EventKind.DELETED else Code.NO_SUCH_MESSAGE
        refused = self._refusal(session, kind, message, conversation)
        if refused is not Code.OK:
            return refused
        self._tell(session, kind, message, conversation, text, body.id)
        if kind is not EventKind.DELETED:
            self._speaking.amended(session, member)
        if kind is not EventKind.REACTED:
            self._change(message, known, text)
        if kind is EventKind.DELETED and message.person != session.person:
            self._audit(session, message)
        return Code.OK

    def _audit(self, session: Session, message: Event) -> None:
        """Somebody with a role has deleted what another one said: that is in the trail."""
        channel, author = self._channels.all[message.place], self._erasing.blanked(message).author
        text = f"deleted a line of {author}"
        name = self._sessions.members[session.person].name
        note(self._ledger, session, name, channel, text, message.person, author)

    def _refusal(
        self, session: Session, kind: EventKind, message: Event, conversation: Conversation | None
    ) -> Code | Outcome:
        """OK, or why this person may not do that to the message. Who is muted may take back what it said."""
        own, age = message.person == session.person, self._ledger.time - message.time
        if kind is EventKind.DELETED:
            if conversation is None and self._role(session.person, message.place) >= Role.OPERATOR:
                return Code.OK
            return Code.NEED_ROLE if not own else Code.TOO_LATE if age > self._limits.delete else Code.OK
        if kind is EventKind.EDITED and not own:
            return Code.NEED_ROLE
        if kind is EventKind.EDITED and age > self._limits.edit:
            return Code.TOO_LATE
        member = self._sessions.members[session.person]
        if conversation is None:
            return self._speaking.amending(session, member, message.place) or Code.OK
        other = conversation.other(session.person)
        refused = self._speaking.amending(session, member, WHOLE_CHATROOM, other)
        return refused or self._direct.may_write(session.person, other)

    def _tell(
        self,
        session: Session,
        kind: EventKind,
        message: Event,
        conversation: Conversation | None,
        text: str,
        id: int,
    ) -> None:
        """Make the event."""
        extra = extra_row(Extra.MESSAGE, message.seq)
        if conversation is not None:
            extra += extra_row(Extra.RECEIVER, conversation.other(session.person), 4)
            self._direct.say(kind, session, conversation, text, extra, id)
            return
        name = self._sessions.members[session.person].name
        place, channel = message.place, self._channels.all[message.place].name
        self._ledger.event(kind, session.person, name, place, channel, text, extra=extra, id=id)

    def _change(self, message: Event, known: Amended, text: str) -> None:
        """The event that was just made takes the place of what was said, and of an earlier edit."""
        made = self._ledger.happened[-1]
        assert isinstance(made, Event)
        deleted = made.kind is EventKind.DELETED
        rows = extra_rows(message.extra)
        kept = b"".join(extra_row(key, rows[key]) for key in _KEPT if key in rows)
        mark = extra_row(Extra.DELETED if deleted else Extra.EDITED, made.seq)
        # What was looked up may have the name of somebody who was erased meanwhile.
        blanked, replace = self._erasing.blanked, self._ledger.amended.append
        replace(blanked(message._replace(text=text, extra=kept + mark)))
        if known.edit is not None:
            replace(blanked(_blank(message, known.edit)))
        edit = None if deleted else _edit_of(made)
        self._remember(Amended(message.seq, made.seq, edit, deleted))

    # --- what is remembered ---------------------------------------------------------------------------------

    def _known(self, message: Event, edit: Event | None) -> Amended:
        """What has become of the message: what is remembered is newer than what was looked up."""
        found = self._amended.get(message.seq)
        if found is not None and not self._erasing.is_erased(message.person):
            return found
        deleted = extra_number(message.extra, Extra.DELETED) > 0 or self._erasing.is_erased(message.person)
        return Amended(message.seq, 0, None if edit is None else _edit_of(edit), deleted)

    def _remember(self, one: Amended) -> None:
        self._amended.pop(one.seq, None)
        self._amended[one.seq] = one
        self._ledger.change("amended", str(one.seq), one.record)
        if len(self._amended) > self._limits.amended:
            oldest = next(iter(self._amended))
            del self._amended[oldest]
            self._ledger.change("amended", str(oldest), None)

    def erase(self, person: int, names: Container[str], name: str) -> None:
        """Nothing that is remembered says how the person was called. name: stands there instead

        names: of the person, for what an earlier version has stored
        """
        for one in [*self._amended.values()]:
            edit = one.edit
            if edit is None:
                continue
            if edit.person == person or (not edit.person and edit.author in names):
                edit = None  # its messages count as deleted
            elif edit.receiver == person:
                edit = edit._replace(channel=f"@{name}")
            else:
                continue
            changed = one._replace(edit=edit, deleted=edit is None)
            self._amended[one.seq] = changed
            self._ledger.change("amended", str(one.seq), changed.record)

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All that is remembered."""
        return [one.record() for one in self._amended.values()]

    def restore(self, records: Iterable[Record]) -> None:
        """Take what was stored."""
        for one in sorted(map(_restored, records), key=attrgetter("latest")):
            self._amended[one.seq] = one


def _blank(message: Event, edit: Edit) -> Event:
    """An earlier EDITED of a message, without its text."""
    rows = extra_rows(message.extra)
    extra = extra_row(Extra.MESSAGE, message.seq)
    if Extra.RECEIVER in rows:
        extra += extra_row(Extra.RECEIVER, rows[Extra.RECEIVER])
    seq, time, channel, author, id, *_ = edit
    return Event(seq, time, EventKind.EDITED, channel, author, "", id, message.person, message.place, extra)


def _edit_of(event: Event) -> Edit:
    seq, time, _, channel, author, _, id, person, _, extra, _ = event
    return Edit(seq, time, channel, author, id, person, extra_number(extra, Extra.RECEIVER))


def _restored(record: Record) -> Amended:
    value = json.loads(record.value or "{}")
    edit = value["edit"]
    return Amended(int(record.key), value["latest"], Edit(*edit) if edit else None, value["deleted"])
